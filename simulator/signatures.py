"""Failure signatures: what an operator would want to be told of a run, with the limits at which it is told.

Pure functions of a result. Limits are shares of what the optimal plan does on the same requests, so that no policy is
blamed for what nobody could have done better.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np

from simulator.course import Course
from simulator.fleet import FloatArray
from simulator.result import RunResult
from simulator.units import H_PER_DAY, S_PER_H, S_PER_MS

INEQUITY, OVERRUN, SLOW = "inequity spike", "cost overrun", "slow decisions"

#: Windows over which peak-to-average ratios are taken: a day, as operators look at it (the whole run if it is shorter).
WINDOW_H = H_PER_DAY
#: A window's ratio may be so many times the optimal plan's.
SPIKE = 1.25
#: In fewer requests the ratio is mostly luck: of 10 even sites, 1,000 requests give 1.15 on average.
FEWEST_REQUESTS = 1_000
#: Of the cheapest plan's cost, what a run may cost more than the optimal plan.
OVERPAID = 0.10
#: A decision is slow if it takes more than this share of its slot, or more than so many seconds.
SLOT_SHARE, SLOWEST_S = 0.01, 1.0
#: The percentile of decisions that is looked at: a first decision may set things up.
_PERCENTILE = 99


class Signature(NamedTuple):
    """Something that went wrong."""

    name: str
    sentence: str
    value: float
    limit: float
    """What the value is above."""

    def row(self) -> dict[str, Any]:
        """For the manifest."""
        return self._asdict()


def signatures(result: RunResult) -> list[Signature]:
    """All that a run shows."""
    found = [spike(result, "water"), spike(result, "carbon"), overrun(result), slow(result)]
    return [signature for signature in found if signature is not None]


def spike(result: RunResult, name: str) -> Signature | None:
    """A window whose peak-to-average ratio of ``water`` or ``carbon`` is far above the optimal plan's there."""
    gap, asked = result.gap, result.record.asked
    if not gap.against or gap.optimum is None or asked is None:
        return None
    slots = len(asked)
    length = min(slots, max(1, round(WINDOW_H * S_PER_H / result.slot_s)))
    own, plan = (_ratios(_part(course, name), length) for course in (gap.course, gap.optimum.course))
    is_counted = np.ones(len(own), dtype=bool)
    if result.record.most_in_use is not None:
        is_counted = _sums(asked.sum(axis=1)[:, None], length)[:, 0] >= FEWEST_REQUESTS
    excess = np.where(is_counted & (plan > 0), own / np.where(plan > 0, plan, 1.0), 0.0)
    worst = int(excess.argmax())
    if not excess[worst] > SPIKE:
        return None
    since = result.start + timedelta(seconds=worst * result.slot_s)
    hours = length * result.slot_s / S_PER_H
    sentence = (
        f"PAR of {name} is {own[worst]:.2f} in the {hours:,.4g} h from {since:%Y-%m-%d %H:%M} UTC, where the optimal "
        f"plan has {plan[worst]:.2f}; above {SPIKE:g} times that in {(excess > SPIKE).mean():.0%} of all such windows"
    )
    return Signature(INEQUITY, sentence, float(own[worst]), float(SPIKE * plan[worst]))


def overrun(result: RunResult) -> Signature | None:
    """A cost that is far above the cheapest plan's, and above what the optimal plan pays for equity."""
    gap = result.gap
    if not gap.against or gap.optimum is None or not gap.optimum.cheapest_usd > 0:
        return None
    cheapest = gap.optimum.cheapest_usd
    own, plan = (float(course.cost_usd.sum()) / cheapest for course in (gap.course, gap.optimum.course))
    if not own > plan + OVERPAID:
        return None
    sentence = f"costs {own - 1:.1%} more than the cheapest plan (glb-cost); the optimal plan costs {plan - 1:.1%} more"
    return Signature(OVERRUN, sentence, own, plan + OVERPAID)


def slow(result: RunResult) -> Signature | None:
    """Decisions that take long beside the slot that they are for, by the clock on the wall."""
    if result.decision_s is None or not len(result.decision_s):
        return None
    long_s, limit_s = float(np.percentile(result.decision_s, _PERCENTILE)), min(SLOWEST_S, SLOT_SHARE * result.slot_s)
    if not long_s > limit_s:
        return None
    sentence = (
        f"one decision in a hundred takes {long_s:,.3g} s or longer; slow is above {limit_s:,.3g} s, "
        f"{SLOWEST_S:g} s or {SLOT_SHARE:.0%} of the slot"
    )
    return Signature(SLOW, sentence, long_s, limit_s)


def decision_times(result: RunResult) -> dict[str, float]:
    """How long decisions took [ms], for the manifest: they differ from one run to the next."""
    if result.decision_s is None or not len(result.decision_s):
        return {}
    each = result.decision_s / S_PER_MS
    shares = {"median_ms": 50, "p99_ms": _PERCENTILE, "largest_ms": 100}
    return {"count": len(each), **{name: float(np.percentile(each, share)) for name, share in shares.items()}}


def _part(course: Course, name: str) -> FloatArray:
    return course.water_m3 if name == "water" else course.carbon_t


def _sums(values: FloatArray, length: int) -> FloatArray:
    """Sums over all windows of so many slots, [windows, ...]."""
    until = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])
    return np.asarray(until[length:] - until[:-length])


def _ratios(values: FloatArray, length: int) -> FloatArray:
    """Peak-to-average ratios of all windows; 0 where nothing is used."""
    sums = np.maximum(_sums(values, length), 0.0)
    mean = sums.mean(axis=1)
    return np.divide(sums.max(axis=1), mean, out=np.zeros(len(sums)), where=mean > 1e-12 * values.sum())
