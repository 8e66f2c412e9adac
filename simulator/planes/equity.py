"""Equity in plain Python: what it costs a request at each site while requests move its prices."""

from __future__ import annotations

from collections.abc import Callable

from simulator.adaptive_prices import AdaptiveEntropicPrices, AdaptiveEuclideanPrices
from simulator.plan import Dual, Steps
from simulator.prices import EntropicPrices, EuclideanPrices, Prices

_KINDS: dict[Steps, Callable[[int], Prices]] = {
    "euclidean": EuclideanPrices,
    "entropic": EntropicPrices,
    "adaptive-euclidean": AdaptiveEuclideanPrices,
    "adaptive-entropic": AdaptiveEntropicPrices,
}


class EquityPrices:
    """What equity costs a request at each site, moved by the requests themselves. Kept across plans."""

    def __init__(self, sites: int, scale: float):
        self._sites = sites
        self._scale = scale
        self._round = -1
        self._plan: Dual | None = None
        self._prices: list[Prices] = []
        self._seen = self._burden = [[0.0] * sites] * 2
        self._clear()
        self._quote()

    def follow(self, plan: Dual | None, is_fresh: bool) -> None:
        """Take up a plan, or (None) one without moving prices."""
        if plan is not None and (self._plan is None or plan.steps != self._plan.steps):
            self._prices = [_KINDS[plan.steps](self._sites) for _ in range(2)]
            self._seen = [prices.gamma for prices in self._prices]
            self._round = -1
            self._clear()
        if plan is None:
            self._burden = [[0.0] * self._sites] * 2
            self._quote()
            return
        self._plan = plan
        if plan.round != self._round:
            self._round = plan.round
            for prices in self._prices:
                prices.begin_round()
        self._burden, self._most = plan.burden_usd.tolist(), plan.most_usd.tolist()
        self._charge = (plan.burden_usd / self._scale).tolist()
        expected = plan.requests * self._scale
        self._share = plan.update_every / expected if expected > 0 else 0.0
        if is_fresh:
            self.look()
        self._quote()

    def look(self) -> None:
        """Routers look at the prices."""
        self._seen = [prices.gamma for prices in self._prices] or self._seen
        self._quote()

    def charge(self, site: int, is_fresh: bool) -> None:
        """Charge a routed request to its site; after so many, prices move."""
        assert self._plan is not None
        for charged, charge in zip(self._charged, self._charge, strict=True):
            charged[site] += charge[site]
        self._requests += 1
        if self._requests >= self._plan.update_every:
            for prices, charged, most in zip(self._prices, self._charged, self._most, strict=True):
                prices.move(charged, self._plan.step, most, self._share)
            self._clear()
            if is_fresh:
                self.look()

    def _clear(self) -> None:
        self._requests = 0
        self._charged = [[0.0] * self._sites for _ in range(2)]

    def _quote(self) -> None:
        (carbon, water), (carbon_usd, water_usd) = self._seen, self._burden
        self.usd = [carbon[i] * carbon_usd[i] + water[i] * water_usd[i] for i in range(self._sites)]
