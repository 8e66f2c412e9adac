"""The latency study: what equity costs in latency, by the weight it has, the constraints, and how it minds distance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from policies.closeness import Closeness
from simulator.problem import InputError, KeyPath, LawError, Problems, refuse
from simulator.scenario import Scenario
from simulator.scenario.choice import PolicyChoice
from simulator.scenario.constraints import Allowed, FullGlb, PaperPartial
from simulator.scenario.study import LatencyStudy
from simulator.study.agenda import Agenda, numbered_points
from simulator.study.multiples import telling_multiples
from simulator.study.prospect import cheapest, equitable, outlook_of
from simulator.units import S_PER_MS
from simulator.world import World, build_world
from simulator.world.files import input_files

KIND = "latency"
POLICY = "eglb-off"
AXES = ("allowed", "equity", "rtt_usd_per_request_s", "network_p99_ms")
#: Policies that are shown beside.
REFERENCES = ("glb-cost", "glb-nearest")
#: What a solver may leave between two ways to the same optimum.
TOLERANCE = 1e-6


def latency_agenda(base: Scenario, asked: LatencyStudy, modules: tuple[Path, ...]) -> Agenda:
    """The points of a latency study; raises InputError where a scenario is not fit for it.

    Equity with its weights at 0 must be `glb-cost`, which is checked here: LawError where it is not.
    """
    _check_fit(base)
    plain = base.model_copy(update={"sweep": None, "study": None, "requests": None, "published": None})
    world = build_world(plain)
    if len(world.fleet.sites) == 1:
        raise refuse(("sites",), "a latency study needs several sites: with one there is nothing to choose")
    if not world.demand.rate_rps.any():
        raise refuse(("workload",), "a latency study needs requests, and none are expected")
    constraints = asked.allowed or (Allowed(full=FullGlb()), _partial(plain, world))
    worlds = _worlds(plain, constraints)
    multiples, names = _multiples(worlds[0], asked), labels(constraints)
    prices = asked.rtt_usd_per_request_s
    closeness = [Closeness(), *(Closeness(price) for price in ((_price(world),) if prices is None else prices))]
    closeness += [Closeness(0.0, bound) for bound in asked.network_p99_ms]
    named = list(zip(names, constraints, strict=True))
    variations = list(_variations(plain, named, multiples, list(dict.fromkeys(closeness))))
    return Agenda(
        kind=KIND,
        scenario=base,
        axes=AXES,
        points=numbered_points(variations, [base.seed + k for k in range(asked.seeds)]),
        against=None,
        modules=modules,
        inputs=tuple(input_files(plain, world.sites)),
        extra={
            "objective": base.objective.model_dump(mode="json", exclude_none=True),
            "checks": [
                check for world, name in zip(worlds, names, strict=True) for check in _checks(world, name, multiples)
            ],
        },
    )


def _worlds(plain: Scenario, constraints: tuple[Allowed, ...]) -> list[World]:
    """The world under each of the constraints; raises InputError with all mistakes, where they stand."""
    problems, worlds = Problems(), list[World]()
    for number, allowed in enumerate(constraints):
        try:
            worlds.append(build_world(plain.model_copy(update={"allowed": allowed})))
        except InputError as error:
            here: KeyPath = ("study", KIND, "allowed", number)
            problems.found += [replace(problem, path=(*here, *problem.path[1:])) for problem in error.problems]
    problems.settle()
    return worlds


def labels(constraints: Sequence[Allowed]) -> list[str]:
    """A name for each of the constraints; a number tells two of the same name apart."""
    names = [_label(allowed) for allowed in constraints]
    before = [names[:k].count(name) for k, name in enumerate(names)]
    return [f"{name} #{count + 1}" if count else name for name, count in zip(names, before, strict=True)]


def _label(allowed: Allowed) -> str:
    """A constraint in a word or two."""
    if allowed.max_rtt_ms is not None:
        return f"RTT to {allowed.max_rtt_ms:g} ms"
    value: Any = allowed.model_dump(mode="json", by_alias=True, exclude_none=True)[
        type(allowed).model_fields[allowed.chosen].alias or allowed.chosen
    ]
    name = (type(allowed).model_fields[allowed.chosen].alias or allowed.chosen).replace("_", " ")
    return name if value == {} else f"{name} given"


def _check_fit(base: Scenario) -> None:
    if base.fleet_scale != 1 and not base.accept_scaled:
        what = "latencies are those of the fleet that is simulated; if that is what you want, say accept_scaled: true"
        raise refuse(("fleet_scale",), what)
    if base.engine == "fluid":
        raise refuse(("engine",), "a latency study needs requests; take compiled or simpy")
    if not any(base.objective.weights.values()):
        raise refuse(("objective",), "both weights of equity are 0; a latency study varies them")


def _partial(plain: Scenario, world: World) -> Allowed:
    """The scenario's own partial GLB, or that of the paper where its places are, or the nearer half of all pairs."""
    if plain.allowed.full is None:
        return plain.allowed
    paper = Allowed.model_validate({"paper-partial": PaperPartial()})
    try:
        build_world(plain.model_copy(update={"allowed": paper}))
    except InputError:
        return Allowed(max_rtt_ms=float(f"{np.median(world.fleet.rtt_s) / S_PER_MS:.3g}"))
    return paper


def _price(world: World) -> float:
    """A price at which an average round trip costs what the energy of an average request does [US$ a second]."""
    cost_usd, rtt_s = float(outlook_of(world).cost_usd.mean()), float(world.fleet.rtt_s.mean())
    return float(f"{cost_usd / rtt_s:.1g}") if cost_usd > 0 and rtt_s > 0 else 1.0


def _multiples(world: World, asked: LatencyStudy) -> tuple[float, ...]:
    if asked.multiples is not None:
        return tuple(sorted({0.0, 1.0, *asked.multiples}))
    fleet, outlook = world.fleet, outlook_of(world)
    return telling_multiples(lambda k: equitable(fleet, outlook, fleet.objective.times(k)), asked.weights)


def _variations(
    plain: Scenario, constraints: list[tuple[str, Allowed]], multiples: tuple[float, ...], closeness: list[Closeness]
) -> Iterator[tuple[dict[str, Any], Scenario]]:
    for label, allowed in constraints:
        for asked in closeness:
            for multiple in multiples:
                is_reference = not asked.is_asked and multiple == 0
                names = REFERENCES if is_reference else ()
                policies = (_choice(plain, multiple, asked), *(PolicyChoice(name=name) for name in names))
                values = dict(
                    zip(AXES, (label, multiple, asked.rtt_usd_per_request_s, asked.network_p99_ms), strict=True)
                )
                yield values, plain.model_copy(update={"allowed": allowed, "policies": policies})


def _choice(plain: Scenario, multiple: float, asked: Closeness) -> PolicyChoice:
    weights = {key: multiple * value for key, value in plain.objective.weights.items()}
    mind = {key: value for key, value in asked._asdict().items() if value}
    return PolicyChoice(name=POLICY, settings={**weights, **mind})


def _checks(world: World, name: str, multiples: tuple[float, ...]) -> Iterator[str]:
    """What must hold of any such study, in sentences; LawError where it does not."""
    fleet, outlook = world.fleet, outlook_of(world)
    plans = {k: equitable(fleet, outlook, fleet.objective.times(k)) for k in multiples}
    free, cheap = plans[0.0].cost_usd, cheapest(fleet, outlook).cost_usd
    # Costs may add up to next to nothing where some are below zero.
    size = float((np.abs(outlook.cost_usd).max(axis=1) * outlook.demand_rps.sum(axis=1)).sum()) * fleet.slot_s
    if abs(free - cheap) > TOLERANCE * size:
        raise LawError(f"{name}: equity without weight costs {free} US$, glb-cost {cheap} US$")
    yield f"{name}: equity without weight is glb-cost (planned cost equal to {TOLERANCE:g})"
    best, least = (
        plans[1.0].objective_usd(fleet.objective),
        min(p.objective_usd(fleet.objective) for p in plans.values()),
    )
    if best > least + TOLERANCE * (size + abs(least)):
        raise LawError(f"{name}: the weights themselves give J = {best} US$, another multiple of them {least} US$")
    yield f"{name}: the scenario's weights give the smallest J of all multiples, as eglb-off does"
