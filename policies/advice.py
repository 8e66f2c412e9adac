"""Advice: follow a predictor as long as it deserves it; else do as a policy does that needs none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from policies.closeness import Closeness
from policies.foresight import Foresight
from policies.hedge import Hedge
from policies.online_equity import Step
from policies.shadow import Shadow
from policies.trust import Trust
from policies.weights import Norm, OwnWeights
from simulator.fleet import Fleet
from simulator.plan import Plan, Split
from simulator.policy import Observation, RoutingPolicy
from simulator.scenario.reading import parse_forecast
from simulator.site_weights import SiteWeights
from simulator.units import S_PER_H

_DAY_H = 24.0
#: The rest of a run is taken to come to at least this share of what it would at the rate so far.
_OF_REST = 0.25
#: A forecast of so many hours stands for all that is further away [h]: four weeks.
FURTHEST_H = 672.0
#: Halvings when two plans are mixed.
_HALVINGS = 30
_HALF = 0.5


class Advice(RoutingPolicy):
    """A learning-augmented policy: a predictor's prices of equity, within (1 + epsilon) of what `hedge` would do.

    `hedge` runs in the shadow, on what its own plans would have come to. A slot is planned as the predictor says while
    its predictions have come true better than "as yesterday" (:class:`policies.trust.Trust`), and as far as J cannot
    end more than ``epsilon`` above the shadow's, whatever comes (:meth:`policies.shadow.Shadow.excess_usd`): where it
    could, plans are mixed. Otherwise it does what the shadow does, and the excess stays what it is.
    """

    def __init__(
        self,
        epsilon: float = 0.2,
        forecaster: str | Mapping[str, Any] | None = None,
        every_h: float = 6.0,
        trial_h: float = 6.0,
        step: Step = 2.0e-4,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
        water_site_weights: SiteWeights | None = None,
        carbon_site_weights: SiteWeights | None = None,
        norm: Norm | None = None,
    ):
        for name, value in (("epsilon", epsilon), ("trial_h", trial_h)):
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be finite and at least 0 (given {value})")
        if not 0 < every_h < float("inf"):
            raise ValueError(f"every_h must be above 0 (given {every_h})")
        self.epsilon, self.every_h, self.trial_h = epsilon, every_h, trial_h
        follows = forecaster is None or forecaster == "scenario"
        self.forecaster = "scenario" if follows else parse_forecast(forecaster, "forecaster")
        weights = water_weight_usd_per_m3, carbon_weight_usd_per_t, water_site_weights, carbon_site_weights, norm
        self.weights = OwnWeights(*weights).checked()
        self.closeness = Closeness(rtt_usd_per_request_s, network_p99_ms).checked()
        self._foresight = Foresight(self.weights, self.closeness)
        self._hedge = Hedge(step, **self.weights._asdict(), **self.closeness._asdict())

    def check(self, fleet: Fleet) -> None:
        """Whether its weights name sites of this fleet."""
        self.weights.objective(fleet)

    def start(self, fleet: Fleet) -> None:
        """Begin anew, without trust."""
        slots_per_h = S_PER_H / fleet.slot_s
        self._every, day, self._furthest = (
            max(1, round(min(hours * slots_per_h, fleet.slots))) for hours in (self.every_h, _DAY_H, FURTHEST_H)
        )
        trial = math.ceil(min(self.trial_h * slots_per_h, fleet.slots))
        self._objective = self.weights.objective(fleet)
        self._trust = Trust(self._objective, day, trial)
        self._foresight.start(fleet)
        self._hedge.start(fleet)
        none = Shadow.none(fleet)
        self._mine, self._its, self._expected = none, none, none
        self._its_last: Shadow | None = None

    def plan(self, observation: Observation) -> Plan:
        """What the predictor says, what `hedge` says, or a mixture of both."""
        safe = self._safe(observation)
        self._trust.see(observation)
        if observation.slot % self._every == 0:
            self._look(observation)
        split, share = safe, 0.0
        # What meters said so far of what had been expected: a slot is reckoned with by that.
        factors = Shadow.metered(observation.total).over(self._expected)
        cautious = Shadow.of(safe, observation).times(factors)
        self._its_last, self._its = cautious, self._its.plus(cautious)
        mine = cautious
        if self._trust.is_earned:
            bold = self._foresight.plan(observation)
            brave = Shadow.of(bold, observation).times(factors)
            share = self._share(self._mine.plus(cautious), self._mine.plus(brave), observation)
            split, mine = _mixed(safe, bold, share), cautious.between(brave, share)
        self._mine = self._mine.plus(mine)
        self._expected = self._expected.plus(Shadow.of(split, observation))
        return split

    def _look(self, observation: Observation) -> None:
        """Hear what is foreseen, as far as it helps."""
        assert observation.forecast is not None
        outlook = observation.forecast.ahead(self._furthest)
        self._trust.promise(observation.slot, outlook)
        stretch = (observation.fleet.slots - observation.slot) / len(outlook.demand_rps)
        self._foresight.look(outlook, observation, stretch, self._every)

    def _safe(self, observation: Observation) -> Split:
        """What `hedge` does, which has routed all along as it says."""
        last = None if self._its_last is None else self._its_last.footprint()
        plan = self._hedge.plan(replace(observation, last=last))
        assert isinstance(plan, Split)
        return plan

    def _share(self, safe: Shadow, bold: Shadow, observation: Observation) -> float:
        """How far towards the predictor's plan the excess stays within bounds."""
        whole = observation.fleet.slots / (observation.slot + 1.0)
        so_far = self._its.objective_usd(self._objective)
        bound = self.epsilon * max(so_far, 0.0) * max(1.0, _OF_REST * (whole - 1.0))

        def is_safe(share: float) -> bool:
            return safe.between(bold, share).excess_usd(self._its, self._objective) <= bound

        if is_safe(1.0):
            return 1.0
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if is_safe(middle) else (low, middle)
        return low


def _mixed(safe: Split, bold: Split, share: float) -> Split:
    """A share of the way from one split to another; what goes beyond bounds in the larger part of it is told."""
    shares = safe.shares + share * (bold.shares - safe.shares)
    return replace(bold if share > _HALF else safe, shares=shares)
