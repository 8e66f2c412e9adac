"""Control: what acts on the fleet. The slot clock, provisioning, boots and outages; the same code for every engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from simulator.clock import BOOK, END, PLAN, Clock
from simulator.fleet import FloatArray
from simulator.footprint import Footprint, Usage
from simulator.planes import Plane
from simulator.policy import RoutingPolicy
from simulator.provisioning import ProvisioningPolicy
from simulator.world import World

from .minutes import Minutes
from .provisioning import Provisioning
from .routing import Routing
from .servers import Servers

__all__ = ["Controlled", "simulate"]


class Controlled(NamedTuple):
    """What control has to say at the end of a run."""

    minutes: Minutes
    usage: Usage
    """[slots, pools], in units of the full fleet."""
    footprint: Footprint
    """[slots, sites]."""
    booted: FloatArray
    """Servers that were switched on, of the fleet that was simulated, [pools]."""
    boot_wait_s: FloatArray
    """Request-seconds waited for places that were booting, [sites]."""


def simulate(
    world: World,
    policy: RoutingPolicy,
    provisioning: Sequence[ProvisioningPolicy],
    plane: Plane,
    progress: Callable[[float], None] | None = None,
) -> Controlled:
    """Run a plane under a routing policy and a provisioning policy for each site, from the first slot to the end."""
    clock = Clock(plane)
    plane.attach(clock)
    servers = Servers(world, clock, plane)
    routing = Routing(world, policy, plane, clock, servers)
    power = Provisioning(world, provisioning, clock, plane, servers, routing)
    slots, slot_s = world.fleet.slots, world.fleet.slot_s
    servers.stand()  # all are on; what the first orders do not want goes off at once

    def begin(slot: int) -> None:
        routing.plan(slot)
        power.begin_slot(slot)
        if slot + 1 < slots:
            clock.do((slot + 1) * slot_s, BOOK, routing.accounts.close)
            clock.do((slot + 1) * slot_s, PLAN, lambda: begin(slot + 1))
        if progress is not None:
            progress(slot / slots)

    clock.do(0.0, PLAN, lambda: begin(0))
    clock.run(until=clock.at(world.scenario.horizon_s, END))
    routing.accounts.close()
    return Controlled(
        minutes=routing.minutes,
        usage=routing.accounts.usage(),
        footprint=routing.accounts.footprint(),
        booted=servers.booted.astype(float),
        boot_wait_s=plane.boot_wait_s(),
    )
