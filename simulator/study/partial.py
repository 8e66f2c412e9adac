"""The partial-GLB study: runs of every step of every stress, by flows for exact figures and by requests for latency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.intake import check_servers
from simulator.problem import Problems, refuse
from simulator.scenario import Scenario
from simulator.scenario.choice import PolicyChoice
from simulator.scenario.study import PartialStudy
from simulator.study.agenda import Agenda, numbered_points
from simulator.study.stress import Step, steps_of, told
from simulator.world import build_world
from simulator.world.files import input_files

KIND = "partial"
AXES = ("stress", "level", "mask", "engine")
#: Whose J must not fall when pairs are taken away: the offline optimum at the scenario's own weights.
OPTIMUM = PolicyChoice(name="eglb-off")


def partial_agenda(base: Scenario, asked: PartialStudy, modules: tuple[Path, ...]) -> Agenda:
    """The points of a partial-GLB study; raises InputError where a scenario is not fit for it."""
    plain = _plain(base)
    world = build_world(plain)
    blocked = [name for name, row in zip(world.fleet.origins, world.fleet.allowed, strict=True) if not row.any()]
    if blocked:
        raise refuse(("allowed",), f"no site may serve {', '.join(blocked)}: there is nothing to break")
    steps = steps_of(world, asked)
    return Agenda(
        kind=KIND,
        scenario=base,
        axes=AXES,
        points=numbered_points(
            [variation for step in steps for variation in _variations(plain, step)],
            [base.seed + k for k in range(asked.seeds)],
        ),
        against=None,
        modules=modules,
        inputs=tuple(input_files(plain, world.sites)),
        extra={
            "steps": [told(step, world) for step in steps],
            "optimum": plain.labels()[plain.policies.index(OPTIMUM)],
        },
    )


def _plain(base: Scenario) -> Scenario:
    """The scenario without what is no part of a point, and with the offline optimum among its policies."""
    nothing = {"sweep": None, "study": None, "requests": None, "published": None}
    policies = base.policies if OPTIMUM in base.policies else (*base.policies, OPTIMUM)
    plain = _pinned(base.model_copy(update={**nothing, "policies": policies}))
    problems = Problems()
    check_servers(plain, "fluid", problems)
    if base.engine == "fluid":
        problems.add(("engine",), "the study runs flows anyway, and requests beside; take compiled or simpy")
    if base.fleet_scale != 1 and not base.accept_scaled:
        what = "latencies are those of the fleet that is simulated; if that is what you want, say accept_scaled: true"
        problems.add(("fleet_scale",), what)
    problems.settle()
    return plain


def _pinned(plain: Scenario) -> Scenario:
    """The scenario with made signals and demand of its own seed, whatever the run's: feasibility is of one world."""
    made = plain.signals.calibrated
    if made is not None and made.seed is None:
        signals = plain.signals.model_copy(update={"calibrated": made.model_copy(update={"seed": plain.seed})})
        plain = plain.model_copy(update={"signals": signals})
    asked = plain.workload.demand.calibrated
    if asked is not None and asked.seed is None:
        demand = plain.workload.demand.model_copy(update={"calibrated": asked.model_copy(update={"seed": plain.seed})})
        plain = plain.model_copy(update={"workload": plain.workload.model_copy(update={"demand": demand})})
    return plain


def _variations(plain: Scenario, step: Step) -> list[tuple[dict[str, Any], Scenario]]:
    found = []
    for engine in ("fluid", plain.engine):
        values = {"stress": step.stress, "level": step.level, "mask": step.mask, "engine": engine}
        found.append((values, plain.model_copy(update={**step.changes, "engine": engine})))
    return found
