"""Control: the SimPy processes that act on the fleet. Today the slot clock; the same code for every engine."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import numpy as np

from simulator.clock import Clock, Event
from simulator.fleet import FloatArray
from simulator.footprint import Footprint, Usage, added, footprint, nothing
from simulator.forecast import FORECASTERS
from simulator.plan import Plan, PolicyError, Split, Witness, checked
from simulator.planes import Plane
from simulator.policy import Observation, RoutingPolicy
from simulator.world import World


@dataclass
class Minutes:
    """What control notes down as it goes: slots whose demand could not be planned for, and why."""

    short_slots: int = 0
    unserved_requests: FloatArray | None = None
    witness: Witness | None = None
    _worst: float = field(default=0.0, repr=False)

    def note(self, world: World, slot: int, plan: Plan) -> None:
        """Note the demand that a plan leaves out, in requests of the fleet that is simulated, by origin.

        Scores leave out the origins that may use no site, and nobody else.
        """
        carried = plan.shares.sum(axis=1) if isinstance(plan, Split) else world.fleet.allowed.any(axis=1)
        left = np.clip(1.0 - carried, 0.0, 1.0) * world.demand.rate_rps[slot]
        left = np.where(left > 1e-9 * world.demand.rate_rps[slot], left, 0.0)
        if left.sum() == 0:
            return
        self.short_slots += 1
        before = 0.0 if self.unserved_requests is None else self.unserved_requests
        self.unserved_requests = before + left * (world.fleet.slot_s * world.scenario.fleet_scale)
        if left.sum() > self._worst:
            self._worst, self.witness = float(left.sum()), plan.witness if isinstance(plan, Split) else None


def simulate(
    world: World, policy: RoutingPolicy, plane: Plane, progress: Callable[[float], None] | None = None
) -> Minutes:
    """Run a plane under a policy from the first slot to the end of the last one."""
    clock = Clock(plane)
    plane.attach(clock)
    minutes = Minutes()
    control = clock.process(_slot_clock(clock, world, policy, plane, minutes, progress))
    try:
        clock.run(until=world.scenario.horizon_s)
    except Exception:
        if not control.triggered or control.ok:
            raise
    if control.triggered and not control.ok:
        # SimPy raises a copy made of the type and its arguments; a policy's error is wanted with its own lines.
        raise control.value  # type: ignore[misc]
    return minutes


def _slot_clock(
    clock: Clock,
    world: World,
    policy: RoutingPolicy,
    plane: Plane,
    minutes: Minutes,
    progress: Callable[[float], None] | None,
) -> Generator[Event, None, None]:
    """Once per slot: observe, plan, apply."""
    total, last = nothing(len(world.fleet.sites)), None
    for slot in range(world.fleet.slots):
        yield clock.at(slot * world.fleet.slot_s)
        if slot > 0:
            last = burden(world, slot - 1, plane.busy_place_s(slot - 1))
            total = added(total, last)
        try:
            plan = checked(policy.plan(observe(world, policy, plane, slot, last, total)), world.fleet)
            plane.apply(plan)
        except PolicyError as error:
            raise PolicyError(f"slot {slot}: {error}") from None
        minutes.note(world, slot, plan)
        if progress is not None:
            progress(slot / world.fleet.slots)


def observe(
    world: World, policy: RoutingPolicy, plane: Plane, slot: int, last: Footprint | None, total: Footprint
) -> Observation:
    """What a policy sees at the start of a slot."""
    if policy.forecaster is not None and policy.forecaster not in FORECASTERS:
        raise PolicyError(f"unknown forecaster '{policy.forecaster}'; known: {', '.join(FORECASTERS)}")
    view, scale = plane.view(), world.scenario.fleet_scale
    here = world.conditions.of(slot)
    return Observation(
        slot=slot,
        fleet=world.fleet,
        demand_rps=world.demand.rate_rps[slot],
        price_usd_per_kwh=here.price_usd_per_kwh,
        carbon_kg_per_kwh=here.carbon_kg_per_kwh,
        water_l_per_kwh=here.water_l_per_kwh(world.fleet),
        pue=here.marginal_pue(world.fleet),
        last=last,
        total=total,
        waiting=view.waiting / scale,
        places_open=view.places_open / scale,
        forecast=None if policy.forecaster is None else FORECASTERS[policy.forecaster](world, slot),
    )


def burden(world: World, slots: slice | int, busy_place_s: FloatArray) -> Footprint:
    """Footprint of some slots in units of the full fleet, [..., sites], from their ledger in the simulated fleet's."""
    none = np.zeros_like(busy_place_s)
    on = np.broadcast_to(world.fleet.hardware.servers * world.fleet.slot_s, busy_place_s.shape)
    usage = Usage(busy_place_s / world.scenario.fleet_scale, on, none, none)
    return footprint(usage, world.fleet, world.conditions.of(slots))
