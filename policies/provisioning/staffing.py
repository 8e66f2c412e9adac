"""Staffing: servers for the planned load by the square-root rule, for a target of the mean wait."""

from __future__ import annotations

import math

from policies.provisioning.planned import PlannedLoad

#: Of the search for the margin; and a margin that no fleet needs.
STEPS, MOST = 60, 1e3


class Staffing(PlannedLoad):
    """c = R + beta sqrt(R) places for a load of R, with the beta that gives the mean wait asked for.

    Halfin and Whitt, "Heavy-traffic limits for queues with many exponential servers", Operations Research 29(3), 1981:
    a request waits with probability 1 / (1 + beta Phi(beta) / phi(beta)), and those who wait do so for
    service / (beta sqrt(R)) on average. Exact in the limit of many places and exponential services.
    """

    def __init__(self, wait_s: float = 1.0, least: float = 0.0):
        super().__init__(least)
        if not 0 < wait_s < math.inf:
            raise ValueError(f"wait_s must be finite and above 0 (given {wait_s})")
        self.wait_s = wait_s

    def places(self, load: float) -> float:
        """R + beta sqrt(R)."""
        if load <= 0:
            return 0.0
        low, high = 0.0, MOST
        for _ in range(STEPS):
            middle = (low + high) / 2
            if mean_wait_s(middle, load, self.facts.service_s) > self.wait_s:
                low = middle
            else:
                high = middle
        return load + high * math.sqrt(load)


def mean_wait_s(beta: float, load: float, service_s: float) -> float:
    """Mean wait [s] of a load of so many busy places with load + beta sqrt(load) places."""
    if beta <= 0:
        return math.inf
    density = math.exp(-beta * beta / 2) / math.sqrt(2 * math.pi)
    if density == 0:
        return 0.0
    below = (1 + math.erf(beta / math.sqrt(2))) / 2
    return service_s / (beta * math.sqrt(load)) / (1 + beta * below / density)
