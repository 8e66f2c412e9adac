"""A station in plain Python: the pools of servers and the queue of one site, and a request on its way through."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

from simulator.clock import Event
from simulator.record import UNFINISHED


class Pool:
    """The servers of one type at a site."""

    def __init__(self, number: int, rank: float, concurrency: int, places: int, curve: tuple[float, float, float]):
        self.number = number
        self.rank = rank
        """Of the pools of its site, 0 for the preferred one, below 1 for all."""
        self.concurrency = concurrency
        self.base_s, self.per_input_s, self.per_output_s = curve
        self.open = places
        self.in_use = 0
        self.most_in_use = 0
        self.running: set[Call] = set()
        self.spare = self.failing = 0
        self.drained_s = self.off_s = 0.0
        self._since_s = 0.0

    @property
    def free(self) -> int:
        """Open places that nobody uses."""
        return max(0, self.open - self.in_use)

    def drain(self, now_s: float) -> None:
        """Take the integrals of the servers that serve their last requests, and of those that are off, up to now."""
        draining, span_s = -(-max(0, self.in_use - self.open) // self.concurrency), now_s - self._since_s
        self.drained_s += draining * span_s
        # Of those that drain, the ones in an outage are not among the spare ones.
        self.off_s += max(0, self.spare - max(0, draining - self.failing)) * span_s
        self._since_s = now_s


class Station:
    """The servers of one site, and a single first-come first-served queue."""

    def __init__(self, pools: list[Pool], queue_limit: int, service_s: float):
        self.pools = pools
        self.queue: deque[Call] = deque()
        self.queue_limit = queue_limit
        self.received = 0
        self.lost = 0
        self.booting = 0
        self.is_dark = False
        self.unit_s = service_s / sum(pool.open for pool in pools)
        self.ready_s = 0.0
        self.boot_wait_s = 0.0
        self._since_s = 0.0
        self.snapshot = self.seen()

    @property
    def free(self) -> int:
        """Open places that nobody uses."""
        return sum(pool.free for pool in self.pools)

    @property
    def is_idle(self) -> bool:
        """Whether nobody is served and nobody waits."""
        return not self.queue and all(pool.in_use == 0 for pool in self.pools)

    def is_full(self) -> bool:
        """Whether a request that must wait would be rejected."""
        return 0 <= self.queue_limit <= len(self.queue)

    def take_place(self) -> Pool | None:
        """Take a place of the first pool that has one free."""
        for pool in self.pools:
            if pool.free > 0:
                pool.in_use += 1
                pool.most_in_use = max(pool.most_in_use, pool.in_use)
                return pool
        return None

    def wait_for_boots(self, now_s: float) -> None:
        """Take the integral of the requests that wait for places that are booting, up to now."""
        self.boot_wait_s += min(len(self.queue), self.booting) * (now_s - self._since_s)
        self._since_s = now_s

    def seen(self) -> tuple[int, int, float, float]:
        """Requests waiting, places free, and what a wait is expected from."""
        return len(self.queue), self.free, self.unit_s, self.ready_s

    def look(self) -> None:
        """Take a snapshot."""
        self.snapshot = self.seen()


class Call:
    """One request on its way: what has happened to it so far."""

    def __init__(self, number: int, arrival: float, origin: int, u: float, size: tuple[float, float], kept: bool):
        self.number = number
        self.arrival = self.departed = arrival
        self.origin = origin
        self.u = u
        self.size = size
        self.kept = kept
        self.retries = 0
        self.fate = UNFINISHED
        self.process: Any = None
        self.turn: Event | None = None
        self.finish_due = math.inf
        self.begin_anew()

    def begin_anew(self) -> None:
        """It has no site: it arises, or has lost the one it had."""
        self.site = self.pool = -1
        self.out = self.back = self.reach = self.start = self.finish = self.prefill = math.nan
