"""Servers: which are on, booting, off or in an outage, and for how long they have been so. Whole servers of each pool.

Control alone changes them; planes are told how servers stand and measure what drains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.clock import BOOT, Clock
from simulator.core.standing import Standing
from simulator.fleet import FloatArray, IntArray
from simulator.footprint import Usage
from simulator.planes import Plane
from simulator.streams import stream
from simulator.world import World


@dataclass
class Boot:
    """Servers of a pool that boot together."""

    pool: int
    count: int
    end_s: float


class Servers:
    """The servers of the fleet that is simulated."""

    def __init__(self, world: World, clock: Clock, plane: Plane):
        hardware, places = world.fleet.hardware, world.fleet.places(world.scenario.fleet_scale)
        self._world, self._clock, self._plane = world, clock, plane
        self._hardware, self._places = hardware, places
        self.all: IntArray = -(-places // hardware.concurrency)
        self.on: IntArray = self.all.copy()
        self.booting: IntArray = np.zeros_like(self.all)
        self.down: IntArray = np.zeros_like(self.all)
        #: What the outages that go on now ask for together; more than all where they overlap.
        self._failing: IntArray = np.zeros_like(self.all)
        #: Servers that failed and finish what they serve, at most.
        self._condemned: IntArray = np.zeros_like(self.all)
        self.booted: IntArray = np.zeros_like(self.all)
        #: Servers of the full fleet for which one of these stands.
        self.stands_for: FloatArray = hardware.servers / self.all
        self._boots: list[Boot] = []
        self._draws = [stream(world.seed, "boots", i) for i in world.numbers.tolist()]
        self._since_s = 0.0
        self._spent_s = np.zeros((2, len(self.all)))

    @property
    def up(self) -> IntArray:
        """Servers that are in no outage, [pools]."""
        return self.all - self.down

    def aim(self, site: int, servers: float) -> None:
        """Let so many servers of a site (of the full fleet) be on, those of the preferred type first.

        More: servers that still serve their last requests stay, others boot. Fewer: boots are broken off first, the
        youngest first; then places close. As many as there are: nothing changes, whatever their types.
        """
        here = self._hardware.site == site
        have = float(((self.on + self.booting) * self.stands_for)[here].sum())
        if abs(have - servers) < 1e-9 * max(1.0, have):
            return
        left = servers
        for p in np.flatnonzero(self._hardware.site == site).tolist():
            wanted = math.ceil(round(max(left, 0.0) / float(self.stands_for[p]), 9))
            wanted = min(wanted, int(self.up[p]))
            left -= wanted * float(self.stands_for[p])
            self._bring(p, wanted)

    def _bring(self, p: int, wanted: int) -> None:
        """Let so many servers of a pool be on or booting."""
        more = wanted - int(self.on[p] + self.booting[p])
        if more == 0:
            return
        self._count()
        if more > 0:
            kept = min(more, self._draining(p))
            self.on[p] += kept
            self._boot(p, more - kept)
        else:
            fewer = -more - self._break_off(p, -more)
            self.on[p] -= fewer

    def _draining(self, p: int) -> int:
        """Servers that were switched off and still serve their last requests: they can stay on without a boot.

        Those that failed and finish what they serve cannot; they are taken to be the last that drain.
        """
        self._condemned = np.minimum(self._condemned, self._drains())
        mine = int(self._drains()[p] - self._condemned[p])
        return min(mine, int(self.up[p] - self.on[p]))

    def _drains(self) -> IntArray:
        """Servers that serve their last requests, [pools]."""
        beyond = np.maximum(self._plane.view().in_use - self._open(), 0)
        return -(-beyond // self._hardware.concurrency)

    def _boot(self, p: int, count: int) -> None:
        """Switch servers on; those that boot for the same time open together."""
        servers, site = self._world.pools[p].servers, self._world.pools[p].site
        times = servers.boot_s.draw(self._draws[site], count) + float(self._hardware.load_s[p])
        self.booted[p] += count
        for length_s, together in zip(*np.unique(times, return_counts=True), strict=True):
            if length_s == 0:
                self.on[p] += together
                continue
            boot = Boot(p, int(together), self._clock.now + float(length_s))
            self.booting[p] += boot.count
            self._boots.append(boot)
            self._clock.do(boot.end_s, BOOT, lambda boot=boot: self._open_booted(boot))  # type: ignore[misc]

    def _break_off(self, p: int, most: int) -> int:
        """Break off boots, the ones that would end last first; how many."""
        broken = 0
        for boot in sorted((boot for boot in self._boots if boot.pool == p), key=lambda boot: -boot.end_s):
            count = min(boot.count, most - broken)
            boot.count -= count
            broken += count
        self._boots = [boot for boot in self._boots if boot.count]
        self.booting[p] -= broken
        return broken

    def _open_booted(self, boot: Boot) -> None:
        """A boot ends."""
        if boot.count == 0:
            return
        self._count()
        self._boots.remove(boot)
        self.booting[boot.pool] -= boot.count
        self.on[boot.pool] += boot.count
        self.stand()

    def fail(self, site: int, share: float, kills: bool) -> tuple[IntArray, IntArray]:
        """A share of a site's servers goes down: what to repair, and requests that are killed, [pools] each.

        Of the servers that are on and of those that boot the same share goes down, rounded up; killed are as many of
        the requests in service as that share has of the servers that serve, draining ones included.
        """
        self._count()
        failing, killed = np.zeros_like(self.all), np.zeros_like(self.all)
        in_use = self._plane.view().in_use
        for p in np.flatnonzero(self._hardware.site == site).tolist():
            on, booting, up = int(self.on[p]), int(self.booting[p]), int(self.up[p])
            failing[p] = _part(share, int(self.all[p]))
            down = min(int(failing[p]), up)
            left = up - down
            serving = on + self._draining(p)
            fails = _part(share, on)
            breaks = min(_part(share, booting), down - fails)
            breaks += min(booting - breaks, max(0, on - fails + booting - breaks - left))
            fails += max(0, on - fails + booting - breaks - left)
            if kills:
                part = max(fails, min(_part(share, serving), down)) / serving if serving else share
                killed[p] = int(in_use[p]) if left == 0 else math.ceil(round(part * int(in_use[p]), 9))
            else:
                self._condemned[p] += fails
            self.on[p] -= fails
            self._break_off(p, breaks)
        self._fail_more(failing)
        return failing, killed

    def repair(self, failing: IntArray) -> None:
        """An outage ends: servers that no other one holds down are off again and may be switched on."""
        self._fail_more(-failing)

    def _fail_more(self, failing: IntArray) -> None:
        self._count()
        self._failing += failing
        self.down = np.minimum(self._failing, self.all)

    def stand(self, killed: IntArray | None = None) -> None:
        """Tell the plane how servers stand."""
        hardware, fleet = self._hardware, self._world.fleet
        open_ = self._open()
        at_site = hardware.by_site(open_)
        boots = np.minimum(self.booting * hardware.concurrency, self._places)
        booting = hardware.by_site(boots)
        lead_s = (hardware.boot_s + hardware.load_s)[hardware.first]
        ready_s = np.where(at_site > 0, 0.0, -np.maximum(lead_s, 1e-9))
        for boot in self._boots:
            site = int(hardware.site[boot.pool])
            if at_site[site] == 0:
                ready_s[site] = boot.end_s if ready_s[site] < 0 else min(ready_s[site], boot.end_s)
        ahead = np.where(at_site > 0, at_site, np.where(booting > 0, booting, hardware.concurrency[hardware.first]))
        standing = Standing(
            open=open_,
            spare=self.up - self.on - self.booting,
            failing=np.minimum(np.minimum(self._condemned, self._drains()), self.down),
            booting=booting,
            unit_s=fleet.service_s / ahead,
            ready_s=ready_s,
            dark=(hardware.by_site(self.up) == 0).astype(np.int64),
        )
        self._plane.stand(standing, np.zeros_like(self.all) if killed is None else killed)

    def _open(self) -> IntArray:
        return np.minimum(self.on * self._hardware.concurrency, self._places)

    def _count(self) -> None:
        """Take the integrals of servers on and booting, up to now."""
        span_s = self._clock.now - self._since_s
        self._spent_s += np.array([self.on, self.booting]) * span_s
        self._since_s = self._clock.now

    def usage(self, slot: int) -> Usage:
        """What servers did in the slot that ends now, in units of the full fleet, [pools]."""
        self._count()
        drained_s, off_s = self._plane.closed_server_s(slot)
        on_s, booting_s = self._spent_s
        self._spent_s = np.zeros_like(self._spent_s)
        scale = self._world.scenario.fleet_scale
        return Usage(
            # What a kill takes back may leave a rounding below zero.
            busy_place_s=np.maximum(self._plane.busy_place_s(slot), 0.0) / scale,
            on_server_s=(on_s + drained_s) * self.stands_for,
            booting_server_s=booting_s * self.stands_for,
            off_server_s=off_s * self.stands_for,
        )


def _part(share: float, count: int) -> int:
    """A share of so many, rounded up; not by what is left of decimal figures in binary."""
    return math.ceil(round(share * count, 9))
