"""Planes: where requests live. One protocol, an engine behind each name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

from simulator.clock import Clock
from simulator.fleet import FloatArray
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
    """What every engine does."""

    def attach(self, clock: Clock) -> None:
        """Take part in a run; called once, before time starts."""
        ...

    def apply(self, plan: Plan) -> None:
        """From now on requests are routed by this plan."""
        ...

    def advance(self, until: float) -> None:
        """Settle everything strictly before ``until`` [s]."""
        ...

    def view(self) -> View:
        """The fleet now; everything before now is settled."""
        ...

    def busy_place_s(self, slot: int) -> FloatArray:
        """The ledger of a slot [place-seconds], [sites]; final once the slot has ended."""
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
