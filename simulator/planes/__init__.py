"""Planes: where requests live. One protocol, an engine behind each name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from simulator.clock import Clock
from simulator.fleet import FloatArray
from simulator.policy import Plan
from simulator.problem import did_you_mean, refuse
from simulator.record import Record, View
from simulator.world import World

ENGINES = ("fluid", "simpy")


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
    keep_requests: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Plane:
    """The plane of an engine by name; raises InputError for an unknown one."""
    if engine == "fluid":
        from .fluid import FluidPlane

        return FluidPlane(world)
    if engine == "simpy":
        from .reference import ReferencePlane

        return ReferencePlane(world, keep_requests, progress)
    raise refuse(("engine",), f"unknown engine '{engine}'{did_you_mean(engine, ENGINES)}")
