"""Damage: what outages have taken down now, and what routers know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from simulator.clock import OUTAGE, Clock
from simulator.fleet import Fleet
from simulator.planes import Plane
from simulator.world import World
from simulator.world.outages import Outage

from .servers import Servers


class Damage:
    """Lets the outages of a world happen. Routers know of each after the detection delay."""

    def __init__(self, world: World, clock: Clock, plane: Plane, servers: Servers):
        self._world, self._clock, self._plane, self._servers = world, clock, plane, servers
        self._cut = np.zeros(world.fleet.allowed.shape, dtype=np.int64)
        self._silent = np.zeros(len(world.sites), dtype=np.int64)
        self._known_cut = self._cut > 0
        self._known_up = servers.up.copy()
        self._fleet = world.told
        self.ask: Callable[[int], None] = lambda site: None
        """Called with a site whose servers went down or may be switched on again."""
        self.tell: Callable[[], None] = lambda: None
        """Called when routers come to know of a change."""
        for outage in world.outages.all:
            clock.do(outage.start_s, OUTAGE, lambda outage=outage: self._happen(outage))  # type: ignore[misc]

    @property
    def silent(self) -> np.ndarray:
        """Sites whose grid signals do not arrive, [sites]."""
        return self._silent > 0

    def known_fleet(self) -> Fleet:
        """The fleet as routers know it: what is known to be down is not allowed, and carries nothing."""
        return self._fleet

    def _happen(self, outage: Outage) -> None:
        if outage.kind == "site":
            self._fail(outage)
        elif outage.kind == "link":
            self._turn(self._cut, (outage.origin, outage.site), outage)
        else:
            self._turn(self._silent, (outage.site,), outage)

    def _fail(self, outage: Outage) -> None:
        """Servers of a site go down, and come back."""
        failing, killed = self._servers.fail(outage.site, outage.share, outage.kills)
        self._servers.stand(killed)

        def repair() -> None:
            self._servers.repair(failing)
            self._servers.stand()
            self._after(outage.site)

        self._clock.do(outage.end_s, OUTAGE, repair)
        self._after(outage.site)

    def _turn(self, states: np.ndarray, where: tuple[int, ...], outage: Outage) -> None:
        """A link is cut or signals stop, and come back."""
        states[where] += 1

        def mend() -> None:
            states[where] -= 1
            self._plane.cut(self._cut > 0)
            self._after()

        self._clock.do(outage.end_s, OUTAGE, mend)
        self._plane.cut(self._cut > 0)
        self._after()

    def _after(self, site: int | None = None) -> None:
        """What follows from a change: provisioning is asked at once, routers know later."""
        if site is not None:
            self.ask(site)
        cut, up = self._cut > 0, self._servers.up
        self._clock.do(self._clock.now + self._world.outages.detection_s, OUTAGE, lambda: self._learn(cut, up))

    def _learn(self, cut: np.ndarray, up: np.ndarray) -> None:
        """Routers come to know what was up at an earlier time."""
        if np.array_equal(cut, self._known_cut) and np.array_equal(up, self._known_up):
            return
        self._known_cut, self._known_up = cut, up
        fleet, hardware = self._world.told, self._world.fleet.hardware
        places, left = (hardware.by_site(part * hardware.concurrency) for part in (self._servers.all, up))
        self._fleet = replace(
            fleet,
            allowed=fleet.allowed & ~cut & (left > 0),
            capacity_rps=fleet.capacity_rps * (left / places),
        )
        if np.array_equal(self._fleet.allowed, fleet.allowed) and np.array_equal(left, places):
            self._fleet = fleet
        self.tell()
