"""eGLB-Off: the offline optimum of J over the whole horizon. It alone reads the future."""

from __future__ import annotations

from policies.grouping import split_of
from policies.horizon_program import HorizonProgram, Spent
from policies.weights import OwnWeights
from simulator.fleet import Fleet, FloatArray
from simulator.footprint import nothing
from simulator.policy import Observation, Plan, RoutingPolicy


class EquitableOffline(RoutingPolicy):
    """min total cost + mu_w max_i water_i + mu_c max_i carbon_i, one linear program (arXiv 2412.16539)."""

    forecaster = "perfect"

    def __init__(self, water_weight_usd_per_m3: float | None = None, carbon_weight_usd_per_t: float | None = None):
        self.weights = OwnWeights(water_weight_usd_per_m3, carbon_weight_usd_per_t).checked()

    def start(self, fleet: Fleet) -> None:
        """Set up the program; it is solved in the first slot."""
        self._program = HorizonProgram(fleet, self.weights.objective(fleet))
        self._flows: FloatArray | None = None

    def plan(self, observation: Observation) -> Plan:
        """The slot's part of the optimum."""
        fleet = observation.fleet
        if self._flows is None:
            assert observation.forecast is not None
            none = nothing(len(fleet.sites))
            self._flows = self._program.solve(
                observation.forecast.ahead(fleet.slots), Spent(none.carbon_t, none.water_m3)
            )
        demand = self._program.grouping.demand(observation.demand_rps)
        return split_of(self._flows[observation.slot], demand, self._program.grouping, fleet)
