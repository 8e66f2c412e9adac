"""MPC: each slot, the offline program over a window of forecasts, scaled up to the rest of the horizon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.as_planned import AsPlanned
from policies.closeness import Closeness
from policies.current import Current
from policies.dispatch import CloseDispatch
from policies.horizon_program import HorizonPlan, HorizonProgram, Spent
from policies.placement import Placement
from policies.rule import Rule, checked_rule, ruled
from policies.sliding_basis import SlidingBasis
from policies.weights import Norm, OwnWeights
from simulator.fleet import Fleet
from simulator.plan import Plan, Split
from simulator.policy import Observation, RoutingPolicy
from simulator.scenario.reading import parse_forecast
from simulator.site_weights import SiteWeights
from simulator.units import S_PER_H


class RecedingHorizon(RoutingPolicy):
    """The offline program over a window of forecasts, solved anew in each slot; its first slot is applied.

    min (T-t)/h cost + mu max_i(footprint so far + (T-t)/h footprint in the window), h = min(window, T - t).
    Dividing by (T-t)/h leaves the offline program with footprints so far divided by it.
    Solved every ``every_h`` hours only, the prices of equity found last hold in between, at each slot's own signals.
    """

    def __init__(
        self,
        window_h: float = 24.0,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        rule: Rule = "split",
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
        water_site_weights: SiteWeights | None = None,
        carbon_site_weights: SiteWeights | None = None,
        norm: Norm | None = None,
        forecaster: str | Mapping[str, Any] | None = None,
        every_h: float | None = None,
    ):
        for name, hours in (("window_h", window_h), ("every_h", every_h)):
            if hours is not None and not 0 < hours < float("inf"):
                raise ValueError(f"{name} must be above 0 (given {hours})")
        self.window_h = window_h
        weights = water_weight_usd_per_m3, carbon_weight_usd_per_t, water_site_weights, carbon_site_weights, norm
        self.weights = OwnWeights(*weights).checked()
        self.every_h = every_h
        follows = forecaster is None or forecaster == "scenario"
        self.forecaster = "scenario" if follows else parse_forecast(forecaster, "forecaster")
        self.rule = checked_rule(rule)
        self.closeness = Closeness(rtt_usd_per_request_s, network_p99_ms).checked()

    def check(self, fleet: Fleet) -> None:
        """Whether its weights name sites of this fleet."""
        self.weights.objective(fleet)

    def start(self, fleet: Fleet) -> None:
        """Set up the program of a window."""
        self._window = max(1, round(min(self.window_h * S_PER_H / fleet.slot_s, fleet.slots)))
        self._every = 1 if self.every_h is None else max(1, round(self.every_h * S_PER_H / fleet.slot_s))
        self._best: HorizonPlan | None = None
        self._programs = Current(self._set_up)
        self._dispatch = CloseDispatch(self.closeness)
        self._as_planned = AsPlanned(self._dispatch, self.closeness)

    def _set_up(self, fleet: Fleet) -> tuple[HorizonProgram, Placement, SlidingBasis]:
        program = HorizonProgram(fleet, self.weights.objective(fleet), self.closeness)
        return program, Placement(fleet, program, self.closeness), SlidingBasis()

    def plan(self, observation: Observation) -> Plan:
        """Solve the window, apply its first slot; between two solves, what the prices found last say of this slot."""
        fleet, dispatch = observation.fleet, self._dispatch
        if self._best is not None and observation.slot % self._every:
            return self._between(self._best, observation)
        program, placement, basis = self._programs.of(fleet)
        basis.slot = observation.slot
        best = self._best = self._solved(program, observation, basis)
        return ruled(
            self.rule,
            lambda: dispatch.price(fleet, best.price[0]),
            observation,
            lambda: placement.split(best, 0, observation.demand_rps),
        )

    def _solved(self, program: HorizonProgram, observation: Observation, basis: SlidingBasis) -> HorizonPlan:
        """The best plan for the window that begins now."""
        left = observation.fleet.slots - observation.slot
        stretch = left / min(self._window, left)
        assert observation.forecast is not None
        spent = Spent(observation.total.carbon_t / stretch, observation.total.water_m3 / stretch)
        return program.solve(observation.forecast.ahead(self._window), spent, basis)

    def _between(self, best: HorizonPlan, observation: Observation) -> Plan:
        """The cheapest plan of a slot at its own signals and the prices of equity that were found last."""
        fleet, dispatch = observation.fleet, self._dispatch
        equity_usd = best.water_usd_per_m3 * observation.water_m3 + best.carbon_usd_per_t * observation.carbon_t
        price = observation.cost_usd + equity_usd

        ahead = observation.slot % self._every
        planned = best.flow[ahead].sum(axis=0) if ahead < len(best.flow) else None

        def split() -> Split:
            return self._as_planned.split(observation, price, planned)

        return ruled(self.rule, lambda: dispatch.price(fleet, price), observation, split)
