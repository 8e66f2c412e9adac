"""Rules in plain Python: how a single request picks its site under a plan.

This is the readable meaning; a compiled engine must pick the same site for every request.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Protocol

from simulator.fleet import Fleet
from simulator.policy import Score, Split


class Waits(Protocol):
    """What a score rule knows of queues."""

    def expected_wait(self, site: int) -> float:
        """Expected wait [s] at a site, from the last snapshot."""
        ...


class SplitRule:
    """The first site whose cumulative share exceeds the request's ``u``; -1 when none does."""

    def __init__(self, plan: Split):
        self._ends = plan.cumulative().tolist()

    def pick(self, origin: int, time: float, u: float) -> int:
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

    def __init__(self, plan: Score, fleet: Fleet, buckets: Buckets, waits: Waits):
        self._prices = plan.prices(fleet).tolist()
        self._wait_price = plan.wait_price_usd_per_s
        self._allowed = fleet.allowed_sites
        self._buckets = buckets
        self._waits = waits

    def pick(self, origin: int, time: float, u: float) -> int:
        """The site of a request, or -1 when its origin may use none."""
        best, best_price, best_tokens = -1, float("inf"), 0.0
        most, most_tokens = -1, float("-inf")
        for site in self._allowed[origin]:
            tokens = self._buckets.tokens(site, time)
            if tokens > most_tokens:
                most, most_tokens = site, tokens
            if tokens >= 1.0:
                price = self._prices[origin][site]
                if self._wait_price > 0:
                    price += self._wait_price * self._waits.expected_wait(site)
                if price < best_price:
                    best, best_price, best_tokens = site, price, tokens
        if best < 0:
            best, best_tokens = most, most_tokens
        if best >= 0:
            self._buckets.take(best, best_tokens, time)
        return best
