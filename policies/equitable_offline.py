"""eGLB-Off: the offline optimum of J over the whole horizon. It reads the whole future."""

from __future__ import annotations

from policies.assignment import Dispatch
from policies.closeness import Closeness
from policies.current import Current
from policies.horizon_program import HorizonPlan, HorizonProgram, Spent
from policies.placement import PairDispatch, Placement
from policies.rule import Rule, checked_rule, ruled
from policies.weights import OwnWeights
from simulator.fleet import Fleet
from simulator.plan import Plan, Split
from simulator.policy import Observation, RoutingPolicy


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
    ):
        self.weights = OwnWeights(water_weight_usd_per_m3, carbon_weight_usd_per_t).checked()
        self.rule = checked_rule(rule)
        self.closeness = Closeness(rtt_usd_per_request_s, network_p99_ms).checked()

    def start(self, fleet: Fleet) -> None:
        """Set up the program; it is solved in the first slot."""
        self._fleet = fleet
        self._program = HorizonProgram(fleet, self.weights.objective(fleet), self.closeness)
        self._placement = Placement(fleet, self._program, self.closeness)
        self._dispatch = Current(Dispatch)
        self._pairs = Current(lambda known: PairDispatch(known, self.closeness))
        self._optimum: HorizonPlan | None = None

    def plan(self, observation: Observation) -> Plan:
        """The slot's part of the optimum. As scores: cost and the multipliers of the largest footprints.

        The optimum knows of no outage: while there is one, its prices fill what is left.
        """
        if self._optimum is None:
            assert observation.forecast is not None
            spent = Spent(observation.total.carbon_t, observation.total.water_m3)
            self._optimum = self._program.solve(observation.forecast.ahead(observation.fleet.slots), spent)
        known, price = observation.fleet, self._optimum.price[observation.slot]
        asked = self.closeness.is_asked

        def split() -> Split:
            assert self._optimum is not None
            if known is self._fleet:
                return self._placement.split(self._optimum, observation.slot, observation.demand_rps)
            dispatch = self._pairs.of(known) if asked else self._dispatch.of(known)
            return dispatch.split(price, observation.demand_rps)

        return ruled(self.rule, self._pairs.of(known).price(price) if asked else price, observation, split)
