"""A routing policy: once per slot it sees an observation and says a plan, by which every request is then routed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from simulator.fleet import Fleet, FloatArray, freeze
from simulator.footprint import Footprint
from simulator.forecast import Forecast
from simulator.units import KG_PER_T, L_PER_M3

#: Shares may miss what they should be by this much: what single precision and linear programs leave.
TOLERANCE = 1e-6

#: Snapshots of all queues each millisecond: oftener they are as good as fresh, and nothing else would happen.
LEAST_REFRESH_S = 1e-3


class PolicyError(RuntimeError):
    """A policy said something that is not a plan for this fleet."""


@dataclass(frozen=True, eq=False)
class Observation:
    """What a real controller could know at the start of a slot. Read-only; extensive figures are of the full fleet."""

    slot: int
    fleet: Fleet
    demand_rps: FloatArray
    """Demand of this slot [requests/s], [origins]."""
    price_usd_per_kwh: FloatArray
    """Signals of this slot, [sites]."""
    carbon_kg_per_kwh: FloatArray
    water_l_per_kwh: FloatArray
    last: Footprint | None
    """Footprint of the slot before, [sites]; None in the first slot."""
    total: Footprint
    """Footprint of all finished slots, [sites]."""
    waiting: FloatArray
    """Requests in the queues, [sites]."""
    places_open: FloatArray
    """Places, [sites]."""
    forecast: Forecast | None
    """Only for policies that name a forecaster."""

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def cost_usd(self) -> FloatArray:
        """Expected cost of one request at each site [US$], [sites]."""
        return self.price_usd_per_kwh * self.fleet.meter_kwh

    @property
    def carbon_t(self) -> FloatArray:
        """Expected carbon of one request at each site [t], [sites]."""
        return self.carbon_kg_per_kwh * self.fleet.meter_kwh / KG_PER_T

    @property
    def water_m3(self) -> FloatArray:
        """Expected water of one request at each site [m3], [sites]."""
        return self.water_l_per_kwh * self.fleet.energy_kwh / L_PER_M3


class Witness(NamedTuple):
    """Why demand cannot be served: these origins may use only these sites, whose capacity is too small."""

    origins: tuple[str, ...]
    sites: tuple[str, ...]
    demand_rps: float
    capacity_rps: float

    def __str__(self) -> str:
        if not self.sites:
            return f"no site may serve {', '.join(self.origins)}"
        where = ", ".join(self.sites)
        asked = f"{', '.join(self.origins)} ask for {self.demand_rps:.4g} requests/s"
        return f"{asked} and may use only {where} with {self.capacity_rps:.4g} requests/s"


@dataclass(frozen=True, eq=False)
class Split:
    """Shares of each origin's requests, [origins, sites]; what a row lacks to one is rejected at the origin."""

    shares: FloatArray
    witness: Witness | None = None
    """Set when demand had to be left out."""

    def cumulative(self) -> FloatArray:
        """Upper ends of the sites' parts of [0, 1), [origins, sites]; a full row leaves nothing to rounding."""
        shares = np.clip(self.shares, 0.0, None)
        ends = np.cumsum(shares, axis=1)
        for row, end in zip(shares, ends, strict=True):
            if end[-1] >= 1 - TOLERANCE:
                end[np.flatnonzero(row)[-1] :] = np.inf
        return ends


@dataclass(frozen=True, eq=False)
class Score:
    """Prices [US$ per request], [origins, sites]: a request takes the cheapest allowed site that has a token.

    A site's tokens fill at ``rate_cap_rps`` (its planned capacity unless given) and are at most
    max(1, burst_s x rate). ``refresh_s`` is how old a router's knowledge of the queues may be (0 = fresh).
    """

    score: FloatArray
    wait_price_usd_per_s: float = 0.0
    rtt_price_usd_per_s: float = 0.0
    rate_cap_rps: FloatArray | None = None
    burst_s: float = 60.0
    refresh_s: float = 0.0

    def prices(self, fleet: Fleet) -> FloatArray:
        """Score and priced RTT, [origins, sites]; infinite where not allowed."""
        return np.where(fleet.allowed, self.score + self.rtt_price_usd_per_s * fleet.rtt_s, np.inf)


Plan = Split | Score


class RoutingPolicy:
    """What every routing policy is: settings in ``__init__``, one method that decides.

    ``forecaster`` names a forecaster of ``simulator.forecast`` for policies that look ahead.
    """

    forecaster: str | None = None

    def start(self, fleet: Fleet) -> None:
        """Called once, before the first slot."""

    def plan(self, observation: Observation) -> Plan:
        """The plan for the coming slot."""
        raise NotImplementedError(f"{type(self).__name__} has no plan()")


def checked(plan: Any, fleet: Fleet) -> Plan:
    """A copy of the plan, if it is one for this fleet; raises PolicyError that says what is wrong with it."""
    shape = (len(fleet.origins), len(fleet.sites))
    if isinstance(plan, Split):
        return _checked_split(_numbers("shares", plan.shares, shape), plan.witness, fleet)
    if isinstance(plan, Score):
        caps = plan.rate_cap_rps
        caps = None if caps is None else _numbers("rate_cap_rps", caps, shape[1:])
        return _checked_score(replace(plan, score=_numbers("score", plan.score, shape), rate_cap_rps=caps), fleet)
    raise PolicyError(f"plan() must return a Split or a Score, not {type(plan).__name__}")


def _numbers(what: str, given: Any, shape: tuple[int, ...]) -> FloatArray:
    try:
        table = np.array(given)
        if table.dtype.kind not in "fiub":
            raise TypeError
        numbers = table.astype(np.float64)
    except (TypeError, ValueError):
        raise PolicyError(f"{what} must be real numbers") from None
    if numbers.shape != shape:
        named = "[origins, sites]" if len(shape) == 2 else "[sites]"
        raise PolicyError(f"{what} must have the shape {named} = {list(shape)}, not {list(numbers.shape)}")
    if np.isnan(numbers).any():
        raise PolicyError(f"{what} must be numbers without NaN")
    return numbers


def _checked_split(shares: FloatArray, witness: Witness | None, fleet: Fleet) -> Split:
    if not np.isfinite(shares).all() or shares.min() < -TOLERANCE:
        raise PolicyError("shares must be finite and at least 0")
    rows = shares.sum(axis=1)
    if rows.max() > 1 + TOLERANCE:
        raise PolicyError(
            f"the shares of origin {fleet.origins[int(rows.argmax())]} sum to {rows.max():.9g}, more than 1"
        )
    if (shares[~fleet.allowed] > TOLERANCE).any():
        j, i = np.argwhere((shares > TOLERANCE) & ~fleet.allowed)[0]
        raise PolicyError(f"origin {fleet.origins[j]} may not use site {fleet.sites[i]}")
    shares = np.where(fleet.allowed, np.clip(shares, 0.0, 1.0), 0.0)
    rows = shares.sum(axis=1, keepdims=True)
    return Split(np.where(rows >= 1 - TOLERANCE, shares / np.where(rows > 0, rows, 1.0), shares), witness)


def _checked_score(plan: Score, fleet: Fleet) -> Score:
    caps = plan.rate_cap_rps
    if caps is not None and (not np.isfinite(caps).all() or caps.min() < 0):
        raise PolicyError("rate_cap_rps must be finite and at least 0, one for each site")
    if not np.isfinite(plan.score[fleet.allowed]).all():
        raise PolicyError("scores of allowed sites must be finite")
    for name in ("wait_price_usd_per_s", "rtt_price_usd_per_s", "burst_s", "refresh_s"):
        value = getattr(plan, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < np.inf:
            raise PolicyError(f"{name} must be finite and at least 0")
    if 0 < plan.refresh_s < LEAST_REFRESH_S:
        raise PolicyError(
            f"refresh_s must be 0 (always fresh) or at least {LEAST_REFRESH_S:g} (given {plan.refresh_s})"
        )
    return plan
