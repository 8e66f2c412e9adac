"""eGLB-Off: the offline optimum of J over the whole horizon. It reads the whole future."""

from __future__ import annotations

from policies.closeness import Closeness
from policies.dispatch import CloseDispatch
from policies.horizon_program import HorizonPlan, HorizonProgram, Spent
from policies.placement import Placement
from policies.rule import Rule, checked_rule, ruled
from policies.weights import Norm, OwnWeights
from simulator.fleet import Fleet
from simulator.plan import Plan, Split
from simulator.policy import Observation, RoutingPolicy
from simulator.site_weights import SiteWeights


class EquitableOffline(RoutingPolicy):
    """The offline optimum of J: total cost + mu_w max_i water_i + mu_c max_i carbon_i (arXiv 2412.16539).

    With ``rtt_usd_per_request_s`` the cost holds what round trips cost; ``network_p99_ms`` bounds them.
    """

    forecaster = "perfect"

    def __init__(
        self,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        rule: Rule = "split",
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
        water_site_weights: SiteWeights | None = None,
        carbon_site_weights: SiteWeights | None = None,
        norm: Norm | None = None,
    ):
        weights = water_weight_usd_per_m3, carbon_weight_usd_per_t, water_site_weights, carbon_site_weights, norm
        self.weights = OwnWeights(*weights).checked()
        self.rule = checked_rule(rule)
        self.closeness = Closeness(rtt_usd_per_request_s, network_p99_ms).checked()

    def check(self, fleet: Fleet) -> None:
        """Whether its weights name sites of this fleet."""
        self.weights.objective(fleet)

    def start(self, fleet: Fleet) -> None:
        """Set up the program; it is solved in the first slot."""
        self._fleet = fleet
        self._program = HorizonProgram(fleet, self.weights.objective(fleet), self.closeness)
        self._placement = Placement(fleet, self._program, self.closeness)
        self._dispatch = CloseDispatch(self.closeness)
        self._optimum: HorizonPlan | None = None

    def plan(self, observation: Observation) -> Plan:
        """The slot's part of the optimum. As scores: cost and the multipliers of the largest footprints.

        The optimum knows of no outage: while there is one, its prices fill what is left.
        """
        if self._optimum is None:
            assert observation.forecast is not None
            spent = Spent(observation.total.carbon_t, observation.total.water_m3)
            self._optimum = self._program.solve(observation.forecast.ahead(observation.fleet.slots), spent)
        optimum, known, demand_rps = self._optimum, observation.fleet, observation.demand_rps
        price = optimum.price[observation.slot]

        def split() -> Split:
            if known is self._fleet:
                return self._placement.split(optimum, observation.slot, demand_rps)
            return self._dispatch.split(known, price, demand_rps)

        return ruled(self.rule, lambda: self._dispatch.price(known, price), observation, split)
