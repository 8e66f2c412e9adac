"""Planes: where requests live. One protocol, an engine behind each name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

from simulator.clock import Clock, Heard
from simulator.core.standing import Standing
from simulator.fleet import BoolArray, Fleet, FloatArray, IntArray
from simulator.plan import Plan
from simulator.problem import did_you_mean, refuse
from simulator.record import Keeping, Record, View
from simulator.world import World


class Engine(NamedTuple):
    """What an engine can do."""

    routes_requests: bool
    """Whether single requests pick their site: by prices, or by a user's own rule."""
    most_requests: float
    """What it can hold in memory, or do in a day or two."""


ENGINES = {
    "compiled": Engine(True, 1e12),
    "simpy": Engine(True, 5e7),  # about half a kilobyte each
    "fluid": Engine(False, math.inf),
}


class Plane(Protocol):
    """What every engine does. All servers are on at first."""

    def attach(self, clock: Clock) -> None:
        """Take part in a run; called once, before time starts."""
        ...

    def apply(self, plan: Plan, known: Fleet) -> None:
        """From now on requests are routed by this plan, in the fleet as far as it is known to be up."""
        ...

    def advance(self, until: float) -> Heard | None:
        """Settle everything strictly before ``until`` [s], or up to the first thing that control wants to hear of."""
        ...

    def stand(self, standing: Standing, killed: IntArray) -> None:
        """From now on servers stand so; ``killed`` [pools] are the requests that each pool no longer serves."""
        ...

    def cut(self, cut: BoolArray) -> None:
        """From now on these links [origins, sites] are down."""
        ...

    def watch(self, watch: IntArray) -> None:
        """What control wants to hear of each site, [sites]: ``WORK``, ``IDLE``, both or neither."""
        ...

    def view(self) -> View:
        """The fleet now; everything before now is settled."""
        ...

    def busy_place_s(self, slot: int) -> FloatArray:
        """The ledger of a slot [place-seconds], [pools]; final once the slot has ended."""
        ...

    def closed_server_s(self, slot: int) -> tuple[FloatArray, FloatArray]:
        """Server-seconds of draining, and of being off, in a slot, [pools] each; asked once, when the slot ends."""
        ...

    def boot_wait_s(self) -> FloatArray:
        """Request-seconds waited so far for places that were booting, [sites]."""
        ...

    def record(self) -> Record:
        """The whole run; called once, after its end."""
        ...


def make_plane(
    engine: str,
    world: World,
    keeping: Keeping | None = None,
    progress: Callable[[float], None] | None = None,
) -> Plane:
    """The plane of an engine by name; raises InputError for an unknown one."""
    if engine == "compiled":
        from .compiled import CompiledPlane

        return CompiledPlane(world, keeping, progress)
    if engine == "fluid":
        from .fluid import FluidPlane

        return FluidPlane(world)
    if engine == "simpy":
        from .reference import ReferencePlane

        return ReferencePlane(world, keeping, progress)
    raise refuse(("engine",), f"unknown engine '{engine}'{did_you_mean(engine, ENGINES)}")
