"""The clock: a SimPy environment with absolute times, in which nobody looks at an unsettled fleet.

SimPy runs only rare things. Requests may live in arrays; so before any event is processed, the plane
settles every request before the time of that event (docs/design.md, the seam).
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import NamedTuple, Protocol

import simpy
from simpy import Interrupt
from simpy.core import EmptySchedule
from simpy.events import NORMAL, URGENT, Event

__all__ = ["Clock", "Event", "Heard", "Interrupt", "Settled"]

#: What goes first among the things that control does at one time, all of it before any request event.
END, BOOK, OUTAGE, BOOT, PLAN, PROVISION, LOOK = (URGENT - 7 + k for k in range(7))
#: What goes first among request events at one time; services finish in the order of their pools, from FINISH to REACH.
HAND_OVER, FINISH, REACH, ANEW, ARISE = URGENT, NORMAL, NORMAL + 1, NORMAL + 2, NORMAL + 3


class Heard(NamedTuple):
    """What a site has to say to control: it has gone idle, or it has work and no place open or booting."""

    time_s: float
    site: int
    is_idle: bool


class Settled(Protocol):
    """Whoever settles requests before a control event."""

    def advance(self, until: float) -> Heard | None:
        """Settle every request event strictly before ``until`` [s], or up to the first one that control hears of."""
        ...


class Clock(simpy.Environment):
    """A SimPy environment that settles the plane before each event."""

    def __init__(self, plane: Settled):
        super().__init__()
        self._plane = plane
        self.hear: Callable[[Heard], None] = lambda heard: None
        """What control does when a site has something to say: right after that event, before the next one."""

    def step(self) -> None:
        """Settle the plane, then process the next event."""
        if not self._queue:
            raise EmptySchedule
        heard = self._plane.advance(self._queue[0][0])
        if heard is None:
            super().step()
        else:
            self._now = heard.time_s
            self.hear(heard)

    def at(self, time: float, priority: float = PLAN) -> Event:
        """An event at an absolute time [s]: no rounding through ``now + (time - now)``.

        ``timeout`` would lose ties: control acts before any request event at the same time.
        """
        event = Event(self)
        event._ok, event._value = True, None
        heappush(self._queue, (time, priority, next(self._eid), event))  # type: ignore[misc]
        return event

    def do(self, time: float, priority: float, action: Callable[[], None]) -> Event:
        """Let control act at an absolute time [s]; what it raises ends the run with its own lines."""
        event = self.at(time, priority)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: action())
        return event
