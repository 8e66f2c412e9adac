"""Variations: the scenarios that a sweep is made of, all mistakes at once and with their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from simulator.intake import check_world, checked_shape
from simulator.problem import InputError, KeyPath, Problem, Problems, did_you_mean, dotted, refuse
from simulator.scenario import Scenario, Source
from simulator.scenario.generator import resolve_sites
from simulator.scenario.reading import frozen, is_choice
from simulator.scenario.setting import key_path, numbered
from simulator.scenario.source import Change
from simulator.scenario.sweep import MOST_POINTS, Sweep
from simulator.scenario.writing import to_data
from simulator.study.agenda import Agenda, alike, numbered_points
from simulator.world.files import input_files

#: Keys that say what is to be varied, and are no part of a variation.
ABOVE = ("sweep", "study")
#: Keys that make no other run.
NEVER = (*ABOVE, "name", "purpose", "published", "requests")
#: Worlds that are built first, to find mistakes in names and files; the others say theirs when they run.
MOST_WORLDS = 100


class Variation(NamedTuple):
    """Values by dotted key, and where each was given."""

    values: Mapping[str, Any]
    places: Mapping[str, str]


def sweep_agenda(source: Source, base: Scenario, modules: tuple[Path, ...]) -> Agenda:
    """The agenda of a scenario's sweep; raises InputError with every mistake in any of its variations."""
    sweep = base.sweep or Sweep()
    variations = _variations(source, sweep)
    seeds = sweep.seeds_from(base.seed)
    problems, scenarios = Problems(), list[Scenario]()
    if len(variations) * len(seeds) > MOST_POINTS:
        what = f"{len(variations):,} variations x {len(seeds):,} seeds are more than {MOST_POINTS:,} points"
        raise source.located(refuse(("sweep",), what))
    for variation in variations:
        with problems.collecting():
            scenarios.append(_varied(source, variation, modules))
    with problems.collecting():
        _check_against(source, sweep, scenarios or [base])
    problems.settle()
    pairs = list(zip(variations, scenarios, strict=True))
    inputs = _check_worlds(source, pairs, problems)
    axes = tuple(dict.fromkeys(key for variation in variations for key in variation.values))
    told = [({axis: variation.values.get(axis, _held(base, axis)) for axis in axes}, s) for variation, s in pairs]
    if twins := alike(told):
        first, other = (number + 1 for number in twins)
        problems.found += source.located(refuse(("sweep",), f"variations {first} and {other} are the same")).problems
    problems.settle()
    points = numbered_points(told, seeds)
    return Agenda("sweep", base, axes, points, sweep.against or base.labels()[0], modules, inputs)


def _held(base: Scenario, axis: str) -> Any:
    """What a scenario holds at a dotted key, for variations that do not name it; None where that is nothing."""
    data: Any = frozen(to_data(base))
    for part in numbered(data, key_path(axis)):
        known: dict[Any, Any] = (
            data if isinstance(data, dict) else dict(enumerate(data if isinstance(data, tuple) else ()))
        )
        data = known.get(str(part) if isinstance(data, dict) else part)
    return data


def _variations(source: Source, sweep: Sweep) -> list[Variation]:
    problems = Problems()
    keys: list[KeyPath] = [("vary", key) for key in sweep.vary or {}]
    keys += [("points", number, key) for number, point in enumerate(sweep.points or ()) for key in point]
    for path in keys:
        with problems.collecting():
            _check_key(source, ("sweep", *path))
    problems.settle()
    if sweep.points is not None:
        return [
            Variation(point, {key: source.place_of(("sweep", "points", number, key)) for key in point})
            for number, point in enumerate(sweep.points)
        ]
    axes = [
        [(key, value, source.place_of(("sweep", "vary", key, number))) for number, value in enumerate(values)]
        for key, values in (sweep.vary or {}).items()
    ]
    return [
        Variation({key: value for key, value, _ in chosen}, {key: place for key, _, place in chosen})
        for chosen in product(*axes)
    ]


def _check_key(source: Source, path: KeyPath) -> None:
    """Whether a dotted key may be varied; raises InputError."""
    key, what = key_path(str(path[-1])), ""
    if not key:
        what = "write the key with dots, as objective.water_weight_usd_per_m3"
    elif key[0] == "seed":
        what = "seeds are given by `seeds`"
    elif key[0] in NEVER:
        what = f"`{key[0]}` cannot be varied"
    if what:
        raise InputError([Problem(path, what, source.place_of(path))])


def _check_against(source: Source, sweep: Sweep, scenarios: Sequence[Scenario]) -> None:
    labels = list(dict.fromkeys(label for scenario in scenarios for label in scenario.labels()))
    if sweep.against is not None and sweep.against not in labels:
        what = f"no policy of the scenario is called '{sweep.against}'{did_you_mean(sweep.against, labels)}"
        raise source.located(refuse(("sweep", "against"), what))


def _varied(source: Source, variation: Variation, modules: Sequence[Path]) -> Scenario:
    """The scenario of a variation, its shape and policies checked; raises InputError."""
    return checked_shape(_source(source, variation), modules)


def _source(source: Source, variation: Variation) -> Source:
    changes = [Change(key_path(key), value, variation.places[key]) for key, value in variation.values.items()]
    _check_apart(source, changes)
    return source.varied(changes, ABOVE, is_choice)


def _check_apart(source: Source, changes: Sequence[Change]) -> None:
    """Whether keys lie apart: of two that are one within the other, one would undo what the other does."""
    paths = [numbered(source.data, change.path) for change in changes]
    for k, path in enumerate(paths):
        for other in range(len(paths)):
            if other != k and paths[other][: len(path)] == path and (other > k or paths[other] != path):
                what = f"{dotted(changes[other].path)} lies within it, or is the same; vary one of them"
                raise InputError([Problem(changes[k].path, what, changes[k].place)])


def _check_worlds(source: Source, pairs: Sequence[tuple[Variation, Scenario]], problems: Problems) -> tuple[Path, ...]:
    """Build worlds until every value of every key was in one; the files that were read."""
    seen, files, built = set[tuple[str, str]](), set[Path](), 0
    for variation, scenario in pairs:
        files |= set(input_files(scenario, resolve_sites(scenario.sites, Problems())))
        new = {(key, repr(value)) for key, value in variation.values.items()} - seen
        if (new or not built) and built < MOST_WORLDS:
            seen |= new
            built += 1
            with problems.collecting():
                try:
                    check_world(scenario)
                except InputError as error:
                    raise _source(source, variation).located(error) from None
    return tuple(sorted(files))
