"""The gap of a run: J over that of the offline optimum, less 1; of what, how sure, or why there is none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simulator.course import Course, of_energy, of_footprint, standing
from simulator.offline import Offline, offline
from simulator.record import FAILED, REJECTED
from simulator.world.hardware import share_of_places

if TYPE_CHECKING:
    from simulator.result import RunResult

#: Share of what was asked for that may be left undone: by as much a gap may be too small.
UNDONE = 2e-3
#: What a gap is a gap of.
WHOLE, DYNAMIC = "J", "dynamic part of J"
#: What a run is compared with.
OPTIMUM, BOUND = "optimum", "bound"

#: Optima by what they are optima of.
Known = dict[tuple[str, str], Offline | str]


@dataclass(frozen=True, eq=False)
class Gap:
    """A run beside the offline optimum."""

    of: str
    """What is compared: J, or where servers' being on and off, sun or batteries decide as well, what requests add."""
    course: Course
    """That part of the run."""
    objective_usd: float
    """Its J."""
    optimum: Offline | None
    reason: str = ""
    """Why there is no optimum to compare with."""

    @property
    def value(self) -> float:
        """J / J(offline) - 1; NaN where there is none. Against a bound the true gap is at most this."""
        if self.optimum is None or self.reason:
            return float("nan")
        return self.objective_usd / self.optimum.lower_usd - 1.0

    @property
    def against(self) -> str:
        """``optimum`` or ``bound``; empty where there is no gap."""
        if self.optimum is None or self.reason:
            return ""
        return OPTIMUM if self.optimum.is_exact else BOUND


def gap_of(result: RunResult, known: Known | None = None) -> Gap:
    """The gap of a run; ``known`` are optima of other runs, to which its own is added."""
    known = {} if known is None else known
    fleet, conditions, asked = result.fleet, result.conditions, result.record.asked
    of = WHOLE if _stands_the_same(result) else DYNAMIC
    spent = result.footprint
    course = of_footprint(spent) if of == WHOLE else of_energy(spent.serving_kwh, fleet, conditions)
    objective_usd = course.objective_usd(fleet.objective)
    reason = _undone(result)
    if reason or asked is None:
        return Gap(of, course, objective_usd, None, reason or "nobody knows what was asked for")
    key = (of, hashlib.sha256(asked.tobytes()).hexdigest())
    if key not in known:
        demand_rps = asked / (result.fleet_scale * fleet.slot_s)
        known[key] = offline(fleet, conditions, demand_rps, of == WHOLE)
    optimum = known[key]
    if isinstance(optimum, str):
        return Gap(of, course, objective_usd, None, optimum)
    if not optimum.lower_usd > 0:
        return Gap(of, course, objective_usd, optimum, "the smallest J is not above 0")
    return Gap(of, course, objective_usd, optimum)


def with_gaps(results: Sequence[RunResult]) -> list[RunResult]:
    """Results of one world with their gaps: the optimum of what was asked for is found once for all policies."""
    known: Known = {}
    return [replace(result, known_gap=gap_of(result, known)) for result in results]


def _stands_the_same(result: RunResult) -> bool:
    """Whether nothing but routing could have changed J: no sun, no battery, all servers on, or drawing nothing."""
    spent = result.footprint
    if not np.array_equal(spent.facility_kwh, spent.meter_kwh):
        return False
    stood, on = spent.idle_kwh + spent.boot_kwh + spent.off_kwh, standing(result.fleet, result.conditions)
    return bool(np.allclose(stood, on.idle_kwh, rtol=1e-9, atol=0.0))


def _undone(result: RunResult) -> str:
    """What of the work was not done, in words; empty where all was, or nearly all."""
    fleet, record = result.fleet, result.record
    if record.asked is None or not record.asked.any():
        return "nothing was asked for"
    lost = sum(result.fate(fate) for fate in (REJECTED, FAILED)) / float(record.arrived.sum())
    if lost > UNDONE:
        return f"{lost:.2%} of the requests were rejected or failed"
    mean_s = fleet.place_s / share_of_places(fleet.hardware)
    done = float((record.busy_place_s / mean_s).sum()) / float(record.asked.sum())
    if done < 1.0 - UNDONE:
        return f"{1.0 - done:.2%} of the work that was asked for was not done by the end"
    return ""
