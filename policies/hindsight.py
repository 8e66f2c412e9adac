"""Hindsight: route as would have been best, were the rest of the run like the past."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from policies.closeness import Closeness
from policies.current import Current
from policies.dispatch import CloseDispatch
from policies.past import Past
from policies.rule import Rule, checked_rule, ruled
from policies.smoothed_program import SmoothedProgram
from policies.weights import Norm, OwnWeights
from simulator.fleet import Fleet, FloatArray
from simulator.plan import Plan
from simulator.policy import Observation, RoutingPolicy
from simulator.site_weights import SiteWeights
from simulator.units import S_PER_H

#: Windows of the past [h]: a day, and doubling from there to two weeks, a week itself in place of eight days.
WINDOWS_H = (24.0, 48.0, 96.0, 168.0, 336.0)
_DAY_S = 24.0 * S_PER_H
#: With less the maxima are so sharp that conditional gradients do not get near the optimum.
LEAST_CAUTION = 0.5


class Hindsight(RoutingPolicy):
    """The planning problem of this slot and of a rest that is like the past, with the largest burden smoothed.

    Each window of the past stands for the rest of the run once; the prices of equity are the mean over windows. The
    smoothing is as wide as the rest is uncertain. With b the burden that a site has borne per hour on average, h hours
    gone and r hours to go, a mean over the past is wrong by some b / sqrt(h) an hour: t = caution x b r / sqrt(h). So
    prices are even at first and sharp at the end.
    """

    def __init__(
        self,
        windows_h: Sequence[float] = WINDOWS_H,
        caution: float = 2.0,
        every_h: float = 1.0,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        rule: Rule = "split",
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
        water_site_weights: SiteWeights | None = None,
        carbon_site_weights: SiteWeights | None = None,
        norm: Norm | None = None,
    ):
        if not windows_h or not all(0 < hours < float("inf") for hours in windows_h):
            raise ValueError(f"windows_h must be one number or more, each above 0 (given {list(windows_h)})")
        if not LEAST_CAUTION <= caution < float("inf"):
            raise ValueError(f"caution must be finite and at least {LEAST_CAUTION:g} (given {caution})")
        if not 0 < every_h < float("inf"):
            raise ValueError(f"every_h must be above 0 (given {every_h})")
        self.windows_h, self.caution, self.every_h = tuple(windows_h), caution, every_h
        weights = water_weight_usd_per_m3, carbon_weight_usd_per_t, water_site_weights, carbon_site_weights, norm
        self.weights = OwnWeights(*weights).checked()
        self.rule = checked_rule(rule)
        self.closeness = Closeness(rtt_usd_per_request_s, network_p99_ms).checked()

    def check(self, fleet: Fleet) -> None:
        """Whether its weights name sites of this fleet."""
        self.weights.objective(fleet)

    def start(self, fleet: Fleet) -> None:
        """Forget the run before."""
        longest = max(self.windows_h) * S_PER_H / fleet.slot_s
        self._past = Past(fleet, max(1, round(min(longest, fleet.slots))))
        self._every = max(1, round(min(self.every_h * S_PER_H / fleet.slot_s, fleet.slots)))
        self._dispatch = CloseDispatch(self.closeness)
        self._programs = Current(lambda known: SmoothedProgram(known, self.weights.objective(known)))
        self._gamma: FloatArray = np.zeros((2, len(fleet.sites)))
        # What is compiled is loaded before the first decision, not in it.
        none = np.zeros((2, len(fleet.sites)))
        signals, demand = np.zeros((3, 1, len(fleet.sites))), np.zeros((1, len(fleet.origins)))
        self._programs.of(fleet).prices(signals, demand, np.ones(1), none, np.ones(2))

    def plan(self, observation: Observation) -> Plan:
        """Fill sites in the order of cost and equity prices."""
        fleet, dispatch = observation.fleet, self._dispatch
        self._past.add(observation)
        program = self._programs.of(fleet)
        if observation.slot % self._every == 0:
            self._gamma = self._prices(program, observation)
        price = observation.cost_usd + program.equity_usd(self._gamma, observation)
        return ruled(
            self.rule,
            lambda: dispatch.price(fleet, price),
            observation,
            lambda: dispatch.split(fleet, price, observation.demand_rps),
        )

    def _prices(self, program: SmoothedProgram, observation: Observation) -> FloatArray:
        """The prices of equity [2, sites]: water, carbon; the mean of what the windows say."""
        fleet = observation.fleet
        left = fleet.slots - observation.slot - 1
        spent = program.burden_usd(observation.total.water_m3, observation.total.carbon_t)
        temperature = self._temperature(program, spent, observation)
        found = []
        for slots in self._windows(fleet.slot_s):
            weights = np.append(np.full(slots, left / slots), 1.0)
            signals, demand = self._past.signals(slots), self._past.demand_rps(slots)
            here = np.stack([observation.cost_usd, observation.water_m3, observation.carbon_t])[:, None]
            sample = np.concatenate([signals, here], axis=1)
            demand = np.concatenate([demand, observation.demand_rps[None]])
            found.append(program.prices(sample, demand, weights, spent, temperature))
        return np.mean(found, axis=0)

    def _windows(self, slot_s: float) -> list[int]:
        """Slots of each window: whole days, as many as there are; all there is before the first day is over."""
        day, known = max(1, round(_DAY_S / slot_s)), self._past.slots
        asked = [min(known, max(1, round(hours * S_PER_H / slot_s))) for hours in self.windows_h]
        return sorted({slots // day * day if slots >= day else slots for slots in asked})

    def _temperature(self, program: SmoothedProgram, spent: FloatArray, observation: Observation) -> FloatArray:
        """How uncertain the burdens of the rest of the run are [US$], [2]: water, carbon."""
        fleet, hour = observation.fleet, observation.fleet.slot_s / S_PER_H
        gone, to_go = observation.slot * hour, (fleet.slots - observation.slot - 1) * hour
        if observation.slot == 0:  # as if all sites had the same load
            requests = observation.demand_rps.sum() * fleet.slot_s / len(fleet.sites)
            spent = program.burden_usd(observation.water_m3 * requests, observation.carbon_t * requests)
        per_hour = spent.mean(axis=1) / max(gone, hour)
        rest = max(to_go, hour)
        return np.asarray(self.caution * per_hour * rest / math.sqrt(max(gone, hour)))
