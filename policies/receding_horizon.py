"""MPC: each slot, the offline program over a window of forecasts, scaled up to the rest of the horizon."""

from __future__ import annotations

from policies.closeness import Closeness
from policies.current import Current
from policies.dispatch import CloseDispatch
from policies.horizon_program import HorizonProgram, Spent
from policies.placement import Placement
from policies.rule import Rule, checked_rule, ruled
from policies.weights import Norm, OwnWeights
from simulator.fleet import Fleet
from simulator.plan import Plan
from simulator.policy import Observation, RoutingPolicy
from simulator.site_weights import SiteWeights
from simulator.units import S_PER_H


class RecedingHorizon(RoutingPolicy):
    """The offline program over a window of forecasts, solved anew in each slot; its first slot is applied.

    min (T-t)/h cost + mu max_i(footprint so far + (T-t)/h footprint in the window), h = min(window, T - t).
    Dividing by (T-t)/h leaves the offline program with footprints so far divided by it.
    """

    forecaster = "perfect"

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
    ):
        if not 0 < window_h < float("inf"):
            raise ValueError(f"window_h must be above 0 (given {window_h})")
        self.window_h = window_h
        weights = water_weight_usd_per_m3, carbon_weight_usd_per_t, water_site_weights, carbon_site_weights, norm
        self.weights = OwnWeights(*weights).checked()
        self.rule = checked_rule(rule)
        self.closeness = Closeness(rtt_usd_per_request_s, network_p99_ms).checked()

    def check(self, fleet: Fleet) -> None:
        """Whether its weights name sites of this fleet."""
        self.weights.objective(fleet)

    def start(self, fleet: Fleet) -> None:
        """Set up the program of a window."""
        self._window = max(1, round(min(self.window_h * S_PER_H / fleet.slot_s, fleet.slots)))
        self._programs = Current(self._set_up)
        self._dispatch = CloseDispatch(self.closeness)

    def _set_up(self, fleet: Fleet) -> tuple[HorizonProgram, Placement]:
        program = HorizonProgram(fleet, self.weights.objective(fleet), self.closeness)
        return program, Placement(fleet, program, self.closeness)

    def plan(self, observation: Observation) -> Plan:
        """Solve the window, apply its first slot."""
        fleet = observation.fleet
        left = fleet.slots - observation.slot
        stretch = left / min(self._window, left)
        assert observation.forecast is not None
        outlook = observation.forecast.ahead(self._window)
        spent = Spent(observation.total.carbon_t / stretch, observation.total.water_m3 / stretch)
        program, placement = self._programs.of(fleet)
        best = program.solve(outlook, spent)
        return ruled(
            self.rule,
            lambda: self._dispatch.price(fleet, best.price[0]),
            observation,
            lambda: placement.split(best, 0, observation.demand_rps),
        )
