"""Closeness: what a planner is asked to mind about the network, a price of round-trip time and a bound on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from policies.weights import checked_weight
from simulator.fleet import BoolArray, Fleet, FloatArray
from simulator.units import S_PER_MS


class Closeness(NamedTuple):
    """What a second of a request's round trip costs, and the longest round trip that requests should have.

    The bound is a wish: it gives way for requests that could not be served otherwise, and for no other ones. An origin
    without a site within the bound keeps its nearest allowed one.
    """

    rtt_usd_per_request_s: float = 0.0
    network_p99_ms: float | None = None

    def checked(self) -> Closeness:
        """What is asked for, if its figures are in range; else ValueError."""
        checked_weight("rtt_usd_per_request_s", self.rtt_usd_per_request_s)
        if self.network_p99_ms is not None:
            checked_weight("network_p99_ms", self.network_p99_ms)
        return self

    @property
    def is_asked(self) -> bool:
        """Whether pairs of origins and sites differ for the planner."""
        return self.rtt_usd_per_request_s > 0 or self.network_p99_ms is not None

    def near(self, fleet: Fleet) -> BoolArray:
        """The allowed pairs within the bound and the nearest allowed site of each origin, [origins, sites]."""
        if self.network_p99_ms is None:
            return fleet.allowed
        near = fleet.allowed & (fleet.rtt_s <= self.network_p99_ms * S_PER_MS * (1 + 1e-12))
        served = np.flatnonzero(fleet.nearest >= 0)
        near[served, fleet.nearest[served]] = True
        return near

    def price(self, fleet: Fleet) -> FloatArray:
        """What the round trip of a request costs [US$], [origins, sites]."""
        return self.rtt_usd_per_request_s * fleet.rtt_s


def above_all(price: FloatArray, far: BoolArray, more: FloatArray | float = 0.0) -> FloatArray:
    """Prices [origins, sites] with so much on the ``far`` pairs that no saving elsewhere is worth a request on them.

    A request that goes near in place of far may move others in a chain, each origin and each site at most once.
    ``more`` is what prices may still rise by.
    """
    dearest = float(np.abs(price + more).max(initial=0.0)) or 1.0
    return price + np.where(far, 2.0 * (min(far.shape) + 1) * dearest, 0.0)
