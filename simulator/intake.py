"""The intake: scenarios as they are let in, all mistakes at once and with their place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from simulator.planes import ENGINES
from simulator.problem import InputError, Problems, did_you_mean, refuse
from simulator.roster import (
    built_in,
    check_controls,
    check_fit,
    check_forecasts,
    check_policies,
    check_provisioning,
)
from simulator.scenario import Scenario, Source, parse, read_source
from simulator.scenario.choice import PolicyChoice, ProvisioningChoice
from simulator.world import World, build_world


def load(path: str | Path, settings: Sequence[str] = ()) -> Scenario:
    """A scenario from a YAML file (or the name of a shipped one), with ``KEY=VALUE`` settings applied.

    Raises
    ------
    InputError
        with every mistake in the file and its place.
    """
    source = read_source(path, settings)
    try:
        return parse(source.data)
    except InputError as error:
        raise source.located(error) from None


def checked_scenario(source: Source, folders: Sequence[Path]) -> Scenario:
    """The scenario of a source, with its policies made and its world built once.

    Raises InputError with all mistakes: of the file's shape, of policies and their settings, of names and data files.
    """
    return _checked(source, folders, with_world=True)


def checked_shape(source: Source, folders: Sequence[Path]) -> Scenario:
    """The same without the world: neither names nor data files are looked at, which is much quicker."""
    return _checked(source, folders, with_world=False)


def check_world(scenario: Scenario) -> World:
    """The world of a scenario; raises InputError where it has mistakes, or is more than its engine can simulate."""
    world = build_world(scenario)
    check_size(world, scenario.engine)
    return world


def _checked(source: Source, folders: Sequence[Path], with_world: bool) -> Scenario:
    problems, scenario = Problems(), None
    try:
        with problems.collecting():
            scenario = parse(source.data)
        raw: object = source.data.get("policies") if scenario is None else None
        if isinstance(raw, tuple):
            for number, data in enumerate(raw):
                _check_raw_policy(number, data, folders, problems)
        if scenario is not None:
            check_policies(scenario.policies, scenario.engine, folders, problems)
            _check_published(scenario, problems)
            _check_rows(scenario, problems)
            check_servers(scenario, scenario.engine, problems)
            check_provisioning(scenario, folders, problems)
            if with_world:
                with problems.collecting():
                    world = check_world(scenario)
                    check_fit(scenario.policies, world.fleet, folders, problems)
                    check_forecasts(world, folders, problems)
            check_controls(scenario, folders, problems)
        problems.settle()
    except InputError as error:
        raise source.located(error) from None
    assert scenario is not None
    return scenario


def _check_published(scenario: Scenario, problems: Problems) -> None:
    known = [*scenario.labels(), *built_in()]
    for name in () if scenario.published is None else scenario.published.rows:
        if name not in known:
            problems.add(("published", "rows", name), f"unknown policy '{name}'{did_you_mean(name, known)}")


def _check_rows(scenario: Scenario, problems: Problems) -> None:
    if scenario.requests is not None and not ENGINES[scenario.engine].routes_requests:
        problems.add(("requests",), f"the {scenario.engine} engine has no requests to write; leave this out")


def check_servers(scenario: Scenario, engine: str, problems: Problems) -> None:
    """Refuse to switch servers off, or to let them fail, where a run has none, or has whole ones of a smaller fleet."""
    if engine in ENGINES and not ENGINES[engine].routes_requests:
        why = "has no servers to switch and no requests to lose; take compiled or simpy"
        asked = [path for path, choice in scenario.provisionings if not _all_servers(choice)]
        asked += [("outages",)] if scenario.outages.happen else []
        for path in asked:
            problems.add(path, f"the {engine} engine {why}")
    elif scenario.fleet_scale != 1 and not scenario.accept_scaled:
        scale = f"whole servers of a smaller fleet (fleet_scale {scenario.fleet_scale:g})"
        asked = [path for path, choice in scenario.provisionings if choice.name != "static"]
        asked += [("outages",)] if scenario.outages.lose_requests else []
        for path in asked:
            problems.add(path, f"{scale} would be switched or lost; if that is what you want, say accept_scaled: true")


def _all_servers(choice: ProvisioningChoice) -> bool:
    return choice.name == "static" and choice.settings.get("servers") is None


def _check_raw_policy(number: int, data: object, folders: Sequence[Path], problems: Problems) -> None:
    """Policies are checked even where the rest of a scenario cannot be read, so that all mistakes come at once."""
    try:
        choice = PolicyChoice.model_validate(data)
    except ValueError:
        return
    check_policies_at = Problems()
    check_policies([choice], "", folders, check_policies_at)
    problems.found += [replace(p, path=("policies", number, *p.path[2:])) for p in check_policies_at.found]


def check_size(world: World, engine: str) -> None:
    """Refuse more requests than an engine can simulate; raises InputError."""
    most = ENGINES[engine].most_requests if engine in ENGINES else math.inf
    if world.expected_requests > most:
        what = f"about {world.expected_requests:.2g} requests would be simulated, at most {most:.0e} can be"
        raise refuse(("workload", "demand"), f"{what}; lower fleet_scale or take another engine")
