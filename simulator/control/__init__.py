"""Control: what acts on the fleet. The slot clock, provisioning, boots and outages; the same code for every engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from simulator.clock import BOOK, END, PLAN, Clock
from simulator.fleet import FloatArray
from simulator.footprint import Footprint, Usage
from simulator.onsite import Flows, OnSite
from simulator.planes import Plane
from simulator.policy import RoutingPolicy
from simulator.provisioning import ProvisioningPolicy
from simulator.storage import StorageControl
from simulator.world import World

from .accounts import Accounts
from .minutes import Minutes
from .provisioning import Provisioning
from .routing import Routing
from .servers import Servers

__all__ = ["Controlled", "Deciders", "simulate"]


class Deciders(NamedTuple):
    """Who decides in a run."""

    routing: RoutingPolicy
    provisioning: Sequence[ProvisioningPolicy]
    """One for each site."""
    controls: Sequence[StorageControl | None] = ()
    """One for each site, None where there is no battery; none at all for a fleet without batteries."""


class Controlled(NamedTuple):
    """What control has to say at the end of a run."""

    minutes: Minutes
    usage: Usage
    """[slots, pools], in units of the full fleet."""
    footprint: Footprint
    """[slots, sites]."""
    flows: Flows
    """Of sun and batteries, [slots, sites], in units of the full fleet."""
    booted: FloatArray
    """Servers that were switched on, of the fleet that was simulated, [pools]."""
    boot_wait_s: FloatArray
    """Request-seconds waited for places that were booting, [sites]."""


def simulate(
    world: World, deciders: Deciders, plane: Plane, progress: Callable[[float], None] | None = None
) -> Controlled:
    """Run a plane under those who decide, from the first slot to the end."""
    clock = Clock(plane)
    plane.attach(clock)
    servers = Servers(world, clock, plane)
    accounts = Accounts(world, servers, OnSite.of(world, deciders.controls))
    routing = Routing(world, deciders.routing, plane, clock, accounts)
    power = Provisioning(world, deciders.provisioning, clock, plane, servers, routing)
    slots, slot_s = world.fleet.slots, world.fleet.slot_s

    def begin(slot: int) -> None:
        routing.plan(slot)
        power.begin_slot(slot)
        if slot + 1 < slots:
            clock.do((slot + 1) * slot_s, BOOK, accounts.close)
            clock.do((slot + 1) * slot_s, PLAN, lambda: begin(slot + 1))
        if progress is not None:
            progress(slot / slots)

    clock.do(0.0, PLAN, lambda: begin(0))
    clock.run(until=clock.at(world.scenario.horizon_s, END))
    accounts.close()
    return Controlled(
        minutes=routing.minutes,
        usage=accounts.usage(),
        footprint=accounts.footprint(),
        flows=accounts.flows(),
        booted=servers.booted.astype(float),
        boot_wait_s=plane.boot_wait_s(),
    )
