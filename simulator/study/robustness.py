"""The robustness study: forecasts that are wrong, forecasts that mislead, a world that changes halfway, old prices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulator.intake import check_servers
from simulator.plan import LEAST_REFRESH_S
from simulator.problem import InputError, Problem, Problems, refuse
from simulator.roster import make_policy
from simulator.scenario import Scenario
from simulator.scenario.choice import PolicyChoice
from simulator.scenario.forecast import AdversarialForecast, Forecasting, NoisyForecast
from simulator.scenario.shift import Shift
from simulator.scenario.study import RobustnessStudy
from simulator.study.agenda import Agenda, numbered_points
from simulator.world import World, build_world
from simulator.world.files import input_files

KIND = "robustness"
AXES = ("challenge", "level")
#: Challenges in the order of the report. `shift` holds the scenario as it is, too: its level `none`.
SHIFT, ERROR, ATTACK, REFRESH = "shift", "error", "attack", "refresh"
NONE, DEMAND, PRICE = "none", "demand", "price"
#: What others are held against; those that a scenario lacks are run as well, with their defaults.
REFERENCES = ("glb-cost", "eglb", "hedge")
#: The policy that is tried with old prices.
DECENTRALISED = "eglb"

Varied = tuple[dict[str, Any], Scenario]


def robustness_agenda(base: Scenario, asked: RobustnessStudy, modules: tuple[Path, ...]) -> Agenda:
    """The points of a robustness study; raises InputError where a scenario is not fit for it."""
    plain = _plain(base, asked)
    world = build_world(plain)
    _check_world(world)
    forecast = _those_that_forecast(plain, modules)
    variations = [*_shifts(plain, asked, world), *_forecasts(plain, asked, forecast), *_refreshed(plain, asked)]
    return Agenda(
        kind=KIND,
        scenario=base,
        axes=AXES,
        points=numbered_points(variations, [base.seed + k for k in range(asked.seeds)]),
        against=None,
        modules=modules,
        inputs=tuple(input_files(plain, world.sites)),
        extra={
            "policies": list(plain.labels()),
            "forecasting": [plain.labels()[k] for k in forecast],
            "references": {name: plain.labels()[_first(plain, name)] for name in REFERENCES},
            "names": [choice.name for choice in plain.policies],
            "shifts": {DEMAND: asked.demand_jump, PRICE: asked.price_jump},
        },
    )


def _plain(base: Scenario, asked: RobustnessStudy) -> Scenario:
    """The scenario without what is no part of a point, and with all references among its policies."""
    problems = Problems()
    if base.shift is not None:
        problems.add(("shift",), "the study makes shifts itself; leave this out")
    for number, age_s in enumerate(asked.refresh_s):
        if 0 < age_s < LEAST_REFRESH_S:
            what = f"must be 0 (always fresh) or at least {LEAST_REFRESH_S:g} (given {age_s:g})"
            problems.add(("study", KIND, "refresh_s", number), what)
    nothing = {"sweep": None, "study": None, "requests": None, "published": None}
    known = [choice.name for choice in base.policies]
    missing = [PolicyChoice(name=name) for name in REFERENCES if name not in known]
    plain = base.model_copy(update={**nothing, "policies": (*base.policies, *missing)})
    if asked.refresh_s:
        check_servers(_at_requests(plain, asked), _request_engine(plain), problems)
    problems.settle()
    return plain


def _check_world(world: World) -> None:
    if len(world.fleet.sites) == 1:
        raise refuse(("sites",), "a robustness study needs several sites: with one there is nothing to choose")
    if not world.demand.rate_rps.any():
        raise refuse(("workload",), "a robustness study needs requests, and none are expected")
    if world.fleet.slots < 2:
        raise refuse(("slots",), "a robustness study needs two slots or more: there is nothing to foresee")


def _first(plain: Scenario, name: str) -> int:
    return [choice.name for choice in plain.policies].index(name)


def _those_that_forecast(plain: Scenario, modules: tuple[Path, ...]) -> list[int]:
    """Which policies follow the scenario's forecast: only these can tell one forecast from another."""
    made = [make_policy(choice, modules) for choice in plain.policies]
    return [number for number, policy in enumerate(made) if policy.forecaster == "scenario"]


def _shifts(plain: Scenario, asked: RobustnessStudy, world: World) -> Iterator[Varied]:
    """The scenario as it is, and with each of its changes halfway."""
    yield _named(SHIFT, NONE), plain
    if asked.demand_jump != 1:
        yield _named(SHIFT, DEMAND), _jumping(plain, asked.demand_jump)
    if asked.price_jump != 1:
        mean, names = world.conditions.price_usd_per_kwh.mean(axis=0), world.fleet.sites
        cheap = {names[i]: asked.price_jump for i in sorted(mean.argsort(kind="stable")[: len(names) // 2].tolist())}
        yield _named(SHIFT, PRICE), plain.model_copy(update={"shift": Shift(price=cheap)})


def _jumping(plain: Scenario, factor: float) -> Scenario:
    """With a demand that is so many times as large in the second half, and never larger than that of the scenario."""
    workload = plain.workload.model_copy(update={"growth": plain.workload.growth / max(1.0, factor)})
    made = plain.model_copy(update={"workload": workload, "shift": Shift(demand=factor)})
    try:
        build_world(made)
    except InputError as error:
        at = ("study", KIND, "demand_jump")
        whys = [f"demand cannot change halfway: {problem.what}" for problem in error.problems]
        raise InputError([Problem(at, why) for why in whys]) from None
    return made


def _forecasts(plain: Scenario, asked: RobustnessStudy, forecast: list[int]) -> Iterator[Varied]:
    """Wrong and misleading forecasts. What policies without one do is known from the scenario as it is."""
    if not forecast:
        return
    only = plain.model_copy(update={"policies": tuple(plain.policies[k] for k in forecast)})
    for error in sorted({0.0, *asked.errors}):
        wrong = Forecasting(noisy=NoisyForecast(relative_error_24h=error))
        yield _named(ERROR, error), only.model_copy(update={"forecast": wrong})
    for kind in dict.fromkeys(asked.attacks):
        misleading = Forecasting(adversarial=AdversarialForecast(kind=kind))
        yield _named(ATTACK, kind), only.model_copy(update={"forecast": misleading})


def _refreshed(plain: Scenario, asked: RobustnessStudy) -> Iterator[Varied]:
    """Decentralised `eglb` by the age of its prices; without age it is the central one."""
    for age_s in sorted({0.0, *asked.refresh_s}) if asked.refresh_s else ():
        rule: dict[str, Any] = {"score": {"refresh_s": age_s}}
        own = dict(plain.policies[_first(plain, DECENTRALISED)].settings)
        settings = {"update_every": 1, **own, "rule": rule}
        choice = PolicyChoice(name=DECENTRALISED, settings=settings)
        yield _named(REFRESH, age_s), _at_requests(plain, asked).model_copy(update={"policies": (choice,)})


def _at_requests(plain: Scenario, asked: RobustnessStudy) -> Scenario:
    scale = asked.refresh_fleet_scale or plain.fleet_scale
    return plain.model_copy(update={"engine": _request_engine(plain), "fleet_scale": scale})


def _request_engine(plain: Scenario) -> str:
    return "compiled" if plain.engine == "fluid" else plain.engine


def _named(challenge: str, level: float | str) -> dict[str, Any]:
    return {"challenge": challenge, "level": level}
