"""The clock: a SimPy environment with absolute times, in which nobody looks at an unsettled fleet.

SimPy runs only rare things. Requests may live in arrays; so before any event is processed, the plane
settles every request before the time of that event (docs/design.md, the seam).
"""

from __future__ import annotations

from heapq import heappush
from typing import Protocol

import simpy
from simpy.core import EmptySchedule
from simpy.events import NORMAL, URGENT, Event

__all__ = ["NORMAL", "URGENT", "Clock", "Event", "Settled"]


class Settled(Protocol):
    """Whoever settles requests before a control event."""

    def advance(self, until: float) -> None:
        """Settle every request event strictly before ``until`` [s]."""
        ...


class Clock(simpy.Environment):
    """A SimPy environment that settles the plane before each event."""

    def __init__(self, plane: Settled):
        super().__init__()
        self._plane = plane

    def step(self) -> None:
        """Settle the plane, then process the next event."""
        if not self._queue:
            raise EmptySchedule
        self._plane.advance(self._queue[0][0])
        super().step()

    def at(self, time: float, priority: int = URGENT) -> Event:
        """An event at an absolute time [s]: no rounding through ``now + (time - now)``.

        Control is URGENT and acts before any request event at the same time; ``timeout`` would lose ties.
        """
        event = Event(self)
        event._ok, event._value = True, None
        heappush(self._queue, (time, priority, next(self._eid), event))  # type: ignore[misc]
        return event
