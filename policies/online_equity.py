"""Online equity: fill sites by cost and by prices of equity that are learned from what sites were charged so far."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from policies.closeness import Closeness
from policies.dispatch import CloseDispatch
from policies.rule import Rule, checked_rule, is_split, ruled, scored
from policies.weights import OwnWeights
from simulator.adaptive_prices import AdaptiveEntropicPrices, AdaptiveEuclideanPrices, Pace, pace_of
from simulator.fleet import Fleet, FloatArray
from simulator.normed_prices import NormedEntropicPrices, NormedEuclideanPrices
from simulator.objective import Objective
from simulator.plan import MOST_EVERY, Dual, Plan, Steps
from simulator.policy import Observation, RoutingPolicy
from simulator.prices import EntropicPrices, EuclideanPrices, Prices

ADAPTIVE: Final = "adaptive"
#: A step per US$ of weighted footprint, or one that adapts by itself.
Step = float | Literal["adaptive"]
_ADAPTIVE: dict[str, Steps] = {"euclidean": "adaptive-euclidean", "entropic": "adaptive-entropic"}


class OnlineEquity(RoutingPolicy):
    """Minimise cost + gamma-weighted footprints, with gamma learned from slot to slot or from request to request.

    Once per slot by the ledger of the finished slot; or, with ``update_every``, after every so many requests by what
    they are expected to add, as routers send them off.
    """

    steps: Literal["euclidean", "entropic"]

    def __init__(
        self,
        step: Step,
        weights: OwnWeights,
        rule: Rule | None,
        update_every: int | None,
        closeness: Closeness,
    ):
        if step != ADAPTIVE and not (isinstance(step, int | float) and 0 < step < float("inf")):
            raise ValueError(f"step must be finite and above 0, or {ADAPTIVE} (given {step})")
        if update_every is not None and not 1 <= update_every <= MOST_EVERY:
            raise ValueError(f"update_every must be at least 1 and at most {MOST_EVERY:.0e} (given {update_every})")
        if rule is None:
            rule = "split" if update_every is None else "score"
        elif update_every is not None and is_split(rule):
            raise ValueError("update_every routes single requests by prices: leave rule out, or say score")
        self.step = step
        self.weights = weights.checked()
        self.rule = checked_rule(rule)
        self.update_every = update_every
        self.closeness = closeness.checked()

    def check(self, fleet: Fleet) -> None:
        """Whether its objective is one of this fleet, and one that its prices can follow."""
        self._checked_objective(fleet)

    def _checked_objective(self, fleet: Fleet) -> Objective:
        objective = self.weights.objective(fleet)
        if self.update_every is not None and not objective.is_largest:
            what = "prices that move with requests are those of the largest site"
            raise ValueError(f"update_every: {what}; leave it out, or give norm: max (given {objective.norm:g})")
        if self.step == ADAPTIVE and not objective.is_largest:
            what = "steps that adapt by themselves are those of the largest site"
            raise ValueError(f"step: {what}; give a number, or norm: max (given {objective.norm:g})")
        return objective

    def _fresh_prices(self, sites: int) -> Prices:
        euclidean, order = self.steps == "euclidean", self._objective.norm
        if self.step == ADAPTIVE:
            return AdaptiveEuclideanPrices(sites) if euclidean else AdaptiveEntropicPrices(sites)
        if self._objective.is_largest:
            return EuclideanPrices(sites) if euclidean else EntropicPrices(sites)
        return NormedEuclideanPrices(sites, order) if euclidean else NormedEntropicPrices(sites, order)

    def start(self, fleet: Fleet) -> None:
        """Set up the program of a slot, and forget all prices."""
        self._dispatch = CloseDispatch(self.closeness)
        self._objective = self._checked_objective(fleet)
        self._prices = [self._fresh_prices(len(fleet.sites)) for _ in range(2)]
        self._round = 0
        self._most: FloatArray = np.zeros((2, len(fleet.sites)))

    def plan(self, observation: Observation) -> Plan:
        """Fill sites in the order of cost and equity prices."""
        fleet, last = observation.fleet, observation.last
        if last is not None and self.update_every is None:
            self._move(self._burden(last.carbon_t, last.water_m3), self._pace(observation.slot - 1, fleet))
        burden = self._burden(observation.carbon_t, observation.water_m3)
        # The largest burden of a slot: all places at the planned load, and what servers draw by being on.
        load = fleet.capacity_rps * fleet.slot_s + fleet.standing_requests
        self._most = np.maximum(self._most, burden * load)
        if self.update_every is not None:
            return self._dual(observation, burden, self.update_every)
        return self._routed(observation, observation.cost_usd + self._equity_usd(burden))

    def _equity_usd(self, burden_usd: FloatArray) -> FloatArray:
        """What weighted footprints [US$], [2, sites], cost at the prices of equity [US$], [sites]."""
        carbon, water = (np.array(prices.gamma) * usd for prices, usd in zip(self._prices, burden_usd, strict=True))
        return np.asarray(carbon + water)

    def _routed(self, observation: Observation, price: FloatArray) -> Plan:
        """The plan for prices per request [US$], [sites]."""
        fleet, dispatch = observation.fleet, self._dispatch
        return ruled(
            self.rule,
            lambda: dispatch.price(fleet, price),
            observation,
            lambda: dispatch.split(fleet, price, observation.demand_rps),
        )

    def _pace(self, slot: int, fleet: Fleet) -> Pace:
        """The step of a slot: as it is given, or the factor of adaptive ones, and their round."""
        return pace_of(slot, fleet.slots, fleet.slot_s) if self.step == ADAPTIVE else Pace(float(self.step), 0)

    def _move(self, charged_usd: FloatArray, pace: Pace) -> None:
        """Take a step with the weighted footprints of a slot [US$], [2, sites]."""
        for prices, usd, most in zip(self._prices, charged_usd, self._most, strict=True):
            if pace.round != self._round:
                prices.begin_round()
            prices.move(usd.tolist(), pace.factor, most.tolist(), 1.0)
        self._round = pace.round

    def _burden(self, carbon_t: FloatArray, water_m3: FloatArray) -> FloatArray:
        """What footprints of the sites weigh [US$]: carbon and water, [2, sites]."""
        objective = self._objective
        carbon_usd = objective.carbon_weight_usd_per_t * objective.weighted_carbon(carbon_t)
        return np.array([carbon_usd, objective.water_weight_usd_per_m3 * objective.weighted_water(water_m3)])

    def _dual(self, observation: Observation, burden: FloatArray, update_every: int) -> Dual:
        """Prices that move with the requests."""
        # The multipliers of a footprint sum to about 1 at most: beyond it each step lowers them.
        price = self._dispatch.price(observation.fleet, observation.cost_usd, burden.sum(axis=0))
        pace = self._pace(observation.slot, observation.fleet)
        return Dual(
            score=scored(self.rule, price, observation),
            steps=_ADAPTIVE[self.steps] if self.step == ADAPTIVE else self.steps,
            step=pace.factor,
            round=pace.round,
            burden_usd=burden,
            most_usd=self._most,
            requests=float(observation.demand_rps.sum() * observation.fleet.slot_s),
            update_every=update_every,
        )
