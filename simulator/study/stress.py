"""Stresses: what is taken from a fleet step by step, and what it can no longer carry then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np

from policies.feasibility import Shortfall, shortfall
from simulator.fleet import BoolArray, Fleet
from simulator.scenario.constraints import Allowed
from simulator.scenario.study import PartialStudy
from simulator.study.breaking import breaking_candidate, breaking_point
from simulator.study.masks import home_mask, losses, nested_masks, pairs_of, residency_steps, rtt_bounds_ms
from simulator.units import S_PER_MS
from simulator.world import World

#: Stresses in the order of the report.
RTT, MASK, RESIDENCY, LOSS, GROWTH = "rtt", "mask", "residency", "loss", "growth"
#: Stresses whose steps are nested: each takes pairs from the one before.
NESTED = (RTT, MASK, RESIDENCY)
#: Demand is not grown further than this: every step is simulated, request by request.
MOST_GROWTH = 20.0


class Step(NamedTuple):
    """One step of one stress."""

    stress: str
    level: str
    """As it is read: a bound in ms, a density, regions or sites, a factor."""
    mask: int
    """Which of several random masks, counted from 1; 0 where there is one."""
    taken: float
    """The share of pairs that is taken away, of capacity that is lost, or by which capacity falls behind demand."""
    changes: dict[str, Any]
    """Blocks of the scenario that the step changes."""
    shortfall: Shortfall | None
    """What cannot be carried; None where all can."""


def steps_of(world: World, asked: PartialStudy) -> tuple[Step, ...]:
    """Every step of every stress, from the mildest on, with what it leaves unserved."""
    return (
        *_rtt(world, asked),
        *_masks(world, asked),
        *_residency(world),
        *_losses(world, asked),
        *_growth(world, asked),
    )


def told(step: Step, world: World) -> dict[str, Any]:
    """A step as plain data; the witness with what it asks for and can have."""
    found: dict[str, Any] = {"stress": step.stress, "level": step.level, "mask": step.mask, "taken": step.taken}
    lack = step.shortfall
    found["feasible"] = lack is None
    if lack is not None:
        start = world.scenario.start + timedelta(seconds=lack.slot * world.fleet.slot_s)
        found |= {
            "slot": lack.slot,
            "start_utc": f"{start:%Y-%m-%d %H:%M}",
            "short_kw": lack.short_kw,
            "slots": lack.slots,
            "unserved_requests": lack.requests,
            "origins": list(lack.witness.origins),
            "sites": list(lack.witness.sites),
            "everywhere": set(lack.witness.sites) == set(world.fleet.sites) - set(step.changes.get("lost_sites", ())),
            "demand_rps": lack.witness.demand_rps,
            "capacity_rps": lack.witness.capacity_rps,
        }
    return found


def _lack(world: World, mask: BoolArray) -> Shortfall | None:
    """What cannot be carried under a mask."""
    return shortfall(replace(world.fleet, allowed=mask), world.demand.rate_rps)


def _masked(world: World, stress: str, level: str, mask: BoolArray, number: int = 0) -> Step:
    fleet = world.fleet
    taken = 1.0 - float(mask.sum()) / float(fleet.allowed.sum())
    changes = {"allowed": Allowed(pairs=pairs_of(mask, fleet.origins, fleet.sites))}
    return Step(stress, level, number, taken, changes, _lack(world, mask))


def _has_choice(fleet: Fleet) -> bool:
    """Whether any origin may use another site than its nearest."""
    return int(fleet.allowed.sum()) > int((fleet.nearest >= 0).sum())


def _within(fleet: Fleet, bound_ms: float) -> BoolArray:
    """Pairs within a bound, and the nearest site of each origin."""
    return home_mask(fleet.allowed, fleet.nearest) | (fleet.allowed & (fleet.rtt_s <= bound_ms * S_PER_MS * (1 + 1e-9)))


def _rtt(world: World, asked: PartialStudy) -> Iterator[Step]:
    fleet = world.fleet
    if not _has_choice(fleet):
        return
    every = rtt_bounds_ms(fleet.rtt_s, fleet.allowed, int(fleet.allowed.sum()) + 2)[::-1]
    point = breaking_candidate(lambda bound: _lack(world, _within(fleet, bound)) is None, every)
    shown = {*rtt_bounds_ms(fleet.rtt_s, fleet.allowed, asked.rtt_steps), point.holds, point.fails} - {None}
    for bound in sorted((bound for bound in shown if bound is not None), reverse=True):
        yield _masked(world, RTT, f"{bound:.9g}", _within(fleet, bound))


def _masks(world: World, asked: PartialStudy) -> Iterator[Step]:
    fleet, densities = world.fleet, sorted(set(asked.densities), reverse=True)
    if not _has_choice(fleet):
        return
    for number in range(1, asked.mask_seeds + 1):
        masks = nested_masks(fleet.allowed, fleet.nearest, densities, world.seed + number)
        for density, mask in zip(densities, masks, strict=True):
            yield _masked(world, MASK, f"{density:g}", mask, number)


def _residency(world: World) -> Iterator[Step]:
    regions = [[place.region for place in places] for places in (world.origins, world.sites)]
    if len(set(regions[0])) > 1 and _has_choice(world.fleet):
        steps = residency_steps(world.fleet.allowed, world.fleet.nearest, *regions)
        for step in steps:
            yield _masked(world, RESIDENCY, ", ".join(step.regions) or "none", step.mask)


def _losses(world: World, asked: PartialStudy) -> Iterator[Step]:
    fleet = world.fleet
    for lost in losses(fleet.sites, asked.losses):
        gone = np.isin(np.array(fleet.sites), lost)
        taken = float(fleet.capacity_rps[gone].sum() / fleet.capacity_rps.sum())
        changes = {"lost_sites": (*world.scenario.lost_sites, *lost)}
        yield Step(LOSS, ", ".join(lost), 0, taken, changes, _lack(world, fleet.allowed & ~gone))


def _growth(world: World, asked: PartialStudy) -> Iterator[Step]:
    base = world.scenario.workload

    def lack(factor: float) -> Shortfall | None:
        return shortfall(world.fleet, world.demand.rate_rps * factor)

    holds: Callable[[float], bool] = lambda factor: lack(factor) is None  # noqa: E731
    point = breaking_point(holds, 1.0, MOST_GROWTH, asked.growth_tolerance)
    most = point.holds or 1.0
    evenly = np.geomspace(1.0, min(1.2 * most, MOST_GROWTH), asked.growth_steps).tolist()
    factors = {round(factor, 4) for factor in evenly}
    for factor in sorted({*factors, *(end for end in point if end is not None)}):
        changes = {"workload": base.model_copy(update={"growth": base.growth * factor})}
        yield Step(GROWTH, f"{factor:.9g}", 0, 1.0 - 1.0 / factor, changes, lack(factor))
