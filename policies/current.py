"""Current: what a planner has made of a fleet, made anew when the fleet that is known to be up has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from simulator.fleet import Fleet

Made = TypeVar("Made")


class Current(Generic[Made]):
    """Programs take time to set up; outages are rare."""

    def __init__(self, make: Callable[[Fleet], Made]):
        self._make = make
        self._of: tuple[Fleet, Made] | None = None

    def of(self, fleet: Fleet) -> Made:
        """What is made of this fleet."""
        if self._of is None or self._of[0] is not fleet:
            self._of = fleet, self._make(fleet)
        return self._of[1]
