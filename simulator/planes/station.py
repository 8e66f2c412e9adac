"""A station in plain Python: the places and the queue of one site, and a request on its way through."""

from __future__ import annotations

import math
from collections import deque

from simulator.clock import Event
from simulator.record import UNFINISHED


class Station:
    """The servers of one site: places, and a single first-come first-served queue."""

    def __init__(self, places: int, queue_limit: int, service_s: float):
        self.places = places
        self.free = places
        self.queue: deque[Event] = deque()
        self.queue_limit = queue_limit
        self.wait_unit_s = service_s / places
        self.received = 0
        self.in_use = 0
        self.most_in_use = 0
        self.snapshot = (0, places)

    def is_full(self) -> bool:
        """Whether a request that must wait would be rejected."""
        return 0 <= self.queue_limit <= len(self.queue)

    def look(self) -> None:
        """Take a snapshot: requests waiting, places free."""
        self.snapshot = (len(self.queue), self.free)


class Call:
    """One request on its way: what has happened to it so far."""

    __slots__ = ("arrival", "back", "fate", "finish", "kept", "origin", "out", "prefill", "reach", "site", "start")

    def __init__(self, arrival: float, origin: int, kept: bool):
        self.arrival = arrival
        self.origin = origin
        self.kept = kept
        self.site = -1
        self.fate = UNFINISHED
        self.out = self.back = self.reach = self.start = self.finish = self.prefill = math.nan
