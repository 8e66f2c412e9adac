"""A plan: what a routing policy hands down for a slot, and by which every request picks its site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from simulator.fleet import BoolArray, Fleet, FloatArray

#: Shares may miss what they should be by this much: what single precision and linear programs leave.
TOLERANCE = 1e-6

#: Snapshots of all queues each millisecond: oftener they are as good as fresh, and nothing else would happen.
LEAST_REFRESH_S = 1e-3


#: Requests between two moves of equity prices, at most: more than a run can have.
MOST_EVERY = 10**15


#: How equity prices move.
Steps = Literal["euclidean", "entropic", "adaptive-euclidean", "adaptive-entropic"]


class PolicyError(RuntimeError):
    """A policy said something that is not a plan for this fleet."""


class Witness(NamedTuple):
    """Why demand cannot be served: these origins may use only these sites, whose capacity is too small."""

    origins: tuple[str, ...]
    sites: tuple[str, ...]
    demand_rps: float
    capacity_rps: float
    wish: str = "bound on round trips"
    """What gave way, where a policy could serve them by going beyond a wish of its own."""

    @property
    def short_rps(self) -> float:
        """What these origins ask for beyond what these sites can carry [requests/s]."""
        return self.demand_rps - self.capacity_rps

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
    stretched: Witness | None = None
    """Set when a policy's own wish gave way: these origins ask for more than sites carry within it."""
    wish: str = "bound on round trips"
    """What the policy wished."""

    def cumulative(self) -> FloatArray:
        """Upper ends of the sites' parts of [0, 1), [origins, sites]; a full row leaves nothing to rounding."""
        shares = np.clip(self.shares, 0.0, None)
        ends = np.cumsum(shares, axis=1)
        for row, end in zip(shares, ends, strict=True):
            if end[-1] >= 1 - TOLERANCE:
                end[np.flatnonzero(row)[-1] :] = np.inf
        return ends

    def to_nearest(self, origins: BoolArray, fleet: Fleet) -> Split:
        """These shares, but all of some origins' requests go to the nearest site that the fleet allows, if one is."""
        turned = np.flatnonzero(origins & (fleet.nearest >= 0))
        if not len(turned):
            return self
        shares = self.shares.copy()
        shares[turned] = 0.0
        shares[turned, fleet.nearest[turned]] = 1.0
        return replace(self, shares=shares)

    def within(self, fleet: Fleet) -> Split:
        """These shares without the pairs that the fleet does not allow.

        Rows keep what they send in all; one that is left empty sends it to the nearest site that is allowed.
        """
        blocked = (self.shares > 0) & ~fleet.allowed
        if not blocked.any():
            return self
        shares = np.where(fleet.allowed, self.shares, 0.0)
        for j in np.flatnonzero(blocked.any(axis=1)):
            whole, left = self.shares[j].sum(), shares[j].sum()
            if left > 0:
                shares[j] *= whole / left
            elif fleet.nearest[j] >= 0:
                shares[j, fleet.nearest[j]] = whole
        return replace(self, shares=shares)


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


@dataclass(frozen=True, eq=False)
class Dual:
    """A score whose prices move with the requests: equity at request granularity.

    A request pays, on top of the score, gamma x its burden for each footprint. Each routed request charges its burden
    to its site; after every ``update_every`` requests gamma takes a step with what was charged.
    """

    score: Score
    steps: Steps
    step: float
    """Of a slot's charges, per US$; of adaptive steps the factor of the pace (``simulator.adaptive_prices``)."""
    burden_usd: FloatArray
    """Weighted footprint of one request: carbon and water, [2, sites]."""
    most_usd: FloatArray
    """The largest weighted footprint that a slot can give, [2, sites]."""
    requests: float
    """Requests that are expected in the slot, of the full fleet."""
    update_every: int = 1
    round: int = 0
    """The round of adaptive steps that the slot belongs to."""


@dataclass(frozen=True, eq=False)
class Own:
    """A user's own rule: ``rule(origin, time_s, u, waiting, free, data, memory)`` returns a site's index, or -1.

    ``waiting`` and ``free`` [sites] are the requests in the queues and the free places as they were when routers last
    looked (``refresh_s``; 0 = now), in whole numbers. ``data`` is the plan's own table, ``memory`` an array that the
    rule may write to, and nothing else; it is kept from plan to plan as long as its length stays. Lots are drawn with
    ``u``: another source of randomness would not be that of the seed. The compiled engine needs a rule with
    ``@numba.njit``; the SimPy engine takes any Python function.
    """

    rule: Callable[..., int]
    data: FloatArray
    """[rows, columns], of any shape."""
    memory: int = 0
    """Length of the memory, which begins as zeros."""
    refresh_s: float = 0.0


Plan = Split | Score | Dual | Own


def checked(plan: Any, fleet: Fleet) -> Plan:
    """A copy of the plan, if it is one for this fleet; raises PolicyError that says what is wrong with it."""
    shape = (len(fleet.origins), len(fleet.sites))
    if isinstance(plan, Split):
        return replace(plan, shares=_checked_shares(_numbers("shares", plan.shares, shape), fleet))
    if isinstance(plan, Score):
        return _checked_score(plan, fleet)
    if isinstance(plan, Dual):
        return _checked_dual(plan, fleet)
    if isinstance(plan, Own):
        return _checked_own(plan)
    raise PolicyError(f"plan() must return a Split, a Score, a Dual or an Own, not {type(plan).__name__}")


def _numbers(what: str, given: Any, shape: tuple[int, ...] | None, named: str = "[origins, sites]") -> FloatArray:
    try:
        table = np.array(given)
        if table.dtype.kind not in "fiub":
            raise TypeError
        numbers = table.astype(np.float64)
    except (TypeError, ValueError):
        raise PolicyError(f"{what} must be real numbers") from None
    if shape is not None and numbers.shape != shape:
        raise PolicyError(f"{what} must have the shape {named} = {list(shape)}, not {list(numbers.shape)}")
    if np.isnan(numbers).any():
        raise PolicyError(f"{what} must be numbers without NaN")
    return numbers


def _checked_shares(shares: FloatArray, fleet: Fleet) -> FloatArray:
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
    return np.where(rows >= 1 - TOLERANCE, shares / np.where(rows > 0, rows, 1.0), shares)


def _checked_score(plan: Score, fleet: Fleet) -> Score:
    shape = (len(fleet.origins), len(fleet.sites))
    caps = plan.rate_cap_rps
    caps = None if caps is None else _numbers("rate_cap_rps", caps, shape[1:], "[sites]")
    plan = replace(plan, score=_numbers("score", plan.score, shape), rate_cap_rps=caps)
    if caps is not None and (not np.isfinite(caps).all() or caps.min() < 0):
        raise PolicyError("rate_cap_rps must be finite and at least 0, one for each site")
    if not np.isfinite(plan.score[fleet.allowed]).all():
        raise PolicyError("scores of allowed sites must be finite")
    for name in ("wait_price_usd_per_s", "rtt_price_usd_per_s", "burst_s"):
        _not_negative(name, getattr(plan, name))
    _checked_refresh(plan.refresh_s)
    return plan


def _checked_dual(plan: Dual, fleet: Fleet) -> Dual:
    shape = (2, len(fleet.sites))
    found = replace(
        plan,
        score=_checked_score(plan.score, fleet),
        burden_usd=_numbers("burden_usd", plan.burden_usd, shape, "[2, sites]"),
        most_usd=_numbers("most_usd", plan.most_usd, shape, "[2, sites]"),
    )
    if not (np.isfinite(found.burden_usd).all() and np.isfinite(found.most_usd).all()):
        raise PolicyError("burden_usd and most_usd must be finite")
    if plan.steps not in get_args(Steps):
        raise PolicyError(f"steps must be one of {', '.join(get_args(Steps))} (given {plan.steps!r})")
    if isinstance(plan.round, bool) or not isinstance(plan.round, int) or not 0 <= plan.round <= MOST_EVERY:
        raise PolicyError(f"round must be a whole number from 0 to {MOST_EVERY:.0e} (given {plan.round!r})")
    _not_negative("step", plan.step)
    _not_negative("requests", plan.requests)
    every = plan.update_every
    if isinstance(every, bool) or not isinstance(every, int) or not 1 <= every <= MOST_EVERY:
        raise PolicyError(f"update_every must be a whole number from 1 to {MOST_EVERY:.0e} (given {every!r})")
    return found


def _checked_own(plan: Own) -> Own:
    if not callable(plan.rule):
        raise PolicyError("rule must be a function (origin, time_s, u, waiting, free, data, memory) -> site")
    data = _numbers("data", plan.data, None)
    if data.ndim != 2:
        raise PolicyError(f"data must have two dimensions, not {data.ndim}")
    if isinstance(plan.memory, bool) or not isinstance(plan.memory, int) or plan.memory < 0:
        raise PolicyError(f"memory must be a length, a whole number (given {plan.memory!r})")
    _checked_refresh(plan.refresh_s)
    return replace(plan, data=np.ascontiguousarray(data))


def _checked_refresh(refresh_s: Any) -> None:
    _not_negative("refresh_s", refresh_s)
    if 0 < refresh_s < LEAST_REFRESH_S:
        raise PolicyError(f"refresh_s must be 0 (always fresh) or at least {LEAST_REFRESH_S:g} (given {refresh_s})")


def _not_negative(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < np.inf:
        raise PolicyError(f"{name} must be finite and at least 0")
