"""eGLB-Off: the offline optimum of J over the whole horizon. It reads the whole future."""

from __future__ import annotations

from policies.assignment import Assignment, Dispatch
from policies.current import Current
from policies.horizon_program import HorizonPlan, HorizonProgram, Spent
from policies.rule import Rule, checked_rule, ruled
from policies.weights import OwnWeights
from simulator.fleet import Fleet
from simulator.plan import Plan, Split
from simulator.policy import Observation, RoutingPolicy


class EquitableOffline(RoutingPolicy):
    """The offline optimum of J: total cost + mu_w max_i water_i + mu_c max_i carbon_i (arXiv 2412.16539)."""

    forecaster = "perfect"

    def __init__(
        self,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        rule: Rule = "split",
    ):
        self.weights = OwnWeights(water_weight_usd_per_m3, carbon_weight_usd_per_t).checked()
        self.rule = checked_rule(rule)

    def start(self, fleet: Fleet) -> None:
        """Set up the program; it is solved in the first slot."""
        self._fleet = fleet
        self._program = HorizonProgram(fleet, self.weights.objective(fleet))
        self._assignment = Assignment(fleet, self._program.grouping)
        self._dispatch = Current(Dispatch)
        self._optimum: HorizonPlan | None = None

    def plan(self, observation: Observation) -> Plan:
        """The slot's part of the optimum. As scores: cost and the multipliers of the largest footprints.

        The optimum knows of no outage: while there is one, its prices fill what is left.
        """
        if self._optimum is None:
            assert observation.forecast is not None
            spent = Spent(observation.total.carbon_t, observation.total.water_m3)
            self._optimum = self._program.solve(observation.forecast.ahead(observation.fleet.slots), spent)
        flow, price = self._optimum.flow[observation.slot], self._optimum.price[observation.slot]

        def split() -> Split:
            if observation.fleet is self._fleet:
                return self._assignment.split(flow, observation.demand_rps)
            return self._dispatch.of(observation.fleet).split(price, observation.demand_rps)

        return ruled(self.rule, price, observation, split)
