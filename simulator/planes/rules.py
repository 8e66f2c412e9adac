"""Rules in plain Python: how a single request picks its site under a plan.

This is the readable meaning; the compiled engine must pick the same site for every request.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Protocol

import numpy as np

from simulator.fleet import Fleet
from simulator.plan import Own, PolicyError, Score, Split

from .equity import EquityPrices


class Rule(Protocol):
    """How requests pick their site."""

    def pick(self, origin: int, time_s: float, u: float) -> int:
        """The site of a request, or -1."""
        ...


class Queues(Protocol):
    """What a rule knows of queues: as they were when routers last looked."""

    def expected_wait_s(self, site: int) -> float:
        """max(0, waiting + 1 - free) x mean service / places."""
        ...

    def seen(self) -> tuple[list[int], list[int]]:
        """Requests waiting and places free, [sites] each."""
        ...


class SplitRule:
    """The first site whose cumulative share exceeds the request's ``u``; -1 when none does."""

    def __init__(self, plan: Split):
        self._ends = plan.cumulative().tolist()

    def pick(self, origin: int, time_s: float, u: float) -> int:
        """The site of a request, or -1."""
        ends = self._ends[origin]
        site = bisect_right(ends, u)
        return site if site < len(ends) else -1


class Buckets:
    """Token buckets of the sites: each fills at a rate up to its depth and may go into debt. Kept across plans."""

    def __init__(self, sites: int):
        self.level = [0.0] * sites
        self.since = [0.0] * sites
        self.rate = [0.0] * sites
        self.depth = [-1.0] * sites

    def refill(self, rates: list[float], burst_s: float, now: float) -> None:
        """Set rates [requests/s]. Buckets that keep theirs are not touched: a plan repeated changes nothing."""
        for site, rate in enumerate(rates):
            depth = max(1.0, burst_s * rate)
            if (rate, depth) == (self.rate[site], self.depth[site]):
                continue
            full_at_start = self.depth[site] < 0
            self.level[site] = depth if full_at_start else min(depth, self.tokens(site, now))
            self.since[site], self.rate[site], self.depth[site] = now, rate, depth

    def tokens(self, site: int, now: float) -> float:
        """Tokens in a bucket at a time."""
        return min(self.depth[site], self.level[site] + self.rate[site] * (now - self.since[site]))

    def take(self, site: int, tokens: float, now: float) -> None:
        """Take one of the tokens just counted."""
        self.level[site], self.since[site] = tokens - 1.0, now


class ScoreRule:
    """The allowed site with the smallest price among those that have a token; else the one with the most tokens.

    Equal prices, equal tokens: the lower site index.
    """

    def __init__(self, plan: Score, known: Fleet, buckets: Buckets, queues: Queues, equity: EquityPrices):
        self._prices = plan.prices(known).tolist()
        self._wait_price = plan.wait_price_usd_per_s
        self._allowed = known.allowed_sites
        self._buckets = buckets
        self._queues = queues
        self._equity = equity

    def pick(self, origin: int, time_s: float, u: float) -> int:
        """The site of a request, or -1 when its origin may use none."""
        best, best_price, best_tokens = -1, float("inf"), 0.0
        most, most_tokens = -1, float("-inf")
        for site in self._allowed[origin]:
            tokens = self._buckets.tokens(site, time_s)
            if tokens > most_tokens:
                most, most_tokens = site, tokens
            if tokens >= 1.0:
                price = self._prices[origin][site] + self._equity.usd[site]
                if self._wait_price > 0:
                    price += self._wait_price * self._queues.expected_wait_s(site)
                if price < best_price:
                    best, best_price, best_tokens = site, price, tokens
        if best < 0:
            best, best_tokens = most, most_tokens
        if best >= 0:
            self._buckets.take(best, best_tokens, time_s)
        return best


class DualRule:
    """A score rule whose requests move the prices."""

    def __init__(self, score: ScoreRule, equity: EquityPrices, is_fresh: bool):
        self._score = score
        self._equity = equity
        self._is_fresh = is_fresh

    def pick(self, origin: int, time_s: float, u: float) -> int:
        """The site of a request, or -1 when its origin may use none."""
        site = self._score.pick(origin, time_s, u)
        if site >= 0:
            self._equity.charge(site, self._is_fresh)
        return site


class OwnRule:
    """A user's own function."""

    def __init__(self, plan: Own, memory: np.ndarray, fleet: Fleet, known: Fleet, queues: Queues):
        # Of a compiled function, the Python it was made of.
        self._rule = getattr(plan.rule, "py_func", plan.rule)
        self._data = plan.data.view()
        self._data.flags.writeable = False
        self._memory = memory
        self._fleet = fleet
        self._queues = queues
        self._known = known

    def pick(self, origin: int, time_s: float, u: float) -> int:
        """The site of a request, or -1; raises PolicyError for what is no site that the origin may use.

        In place of a site that is known to be down: the nearest one that is not.
        """
        waiting, free = (np.array(seen, dtype=np.int64) for seen in self._queues.seen())
        waiting.flags.writeable = free.flags.writeable = False
        site = self._rule(origin, time_s, u, waiting, free, self._data, self._memory)
        if isinstance(site, bool) or not isinstance(site, int | np.integer):
            raise PolicyError(not_a_site(self._fleet, origin, site))
        if site != -1 and site not in self._fleet.allowed_sites[origin]:
            raise PolicyError(not_a_site(self._fleet, origin, int(site)))
        return int(site) if site < 0 or self._known.allowed[origin, site] else int(self._known.nearest[origin])


def not_a_site(fleet: Fleet, origin: int, site: object) -> str:
    """What to say of a user's rule that picked this for a request from there."""
    name = fleet.origins[origin]
    if isinstance(site, int) and not isinstance(site, bool) and 0 <= site < len(fleet.sites):
        return f"the rule sends a request from {name} to {fleet.sites[site]}, which {name} may not use"
    return f"the rule picks {site!r} for a request from {name}: the index of a site is needed, or -1"
