"""As planned: a slot goes as it was planned where nothing is better at its prices, for prices leave ties open."""

from __future__ import annotations

from dataclasses import replace

from policies.closeness import Closeness
from policies.dispatch import CloseDispatch
from simulator.fleet import Fleet, FloatArray
from simulator.plan import Split
from simulator.policy import Observation

#: What the plan may cost above the cheapest filling, as a share of it, to be as good.
AS_GOOD = 1e-3
#: Share of a slot's demand that is rounding.
_ROUNDING = 1e-9


class AsPlanned:
    """The cheapest filling of a slot, or what had been planned for it.

    At the prices of an optimal plan the plan itself is one of the cheapest fillings, and sites that are alike are tied:
    to fill one after the other would not be the plan. Where the slot has come otherwise, the filling counts.
    """

    def __init__(self, dispatch: CloseDispatch, closeness: Closeness):
        self._dispatch, self._held = dispatch, CloseDispatch(closeness)

    def split(self, observation: Observation, price: FloatArray, planned_rps: FloatArray | None) -> Split:
        """The split at prices per request [sites]; ``planned_rps`` is what sites were to serve, [sites]."""
        fleet, demand_rps = observation.fleet, observation.demand_rps
        cheapest = self._dispatch.split(fleet, price, demand_rps)
        loads = None if planned_rps is None else _loads(planned_rps, float(demand_rps.sum()), fleet)
        if loads is None:
            return cheapest
        planned = self._held.split(replace(fleet, capacity_rps=loads), price, demand_rps)
        mine, least = (float(demand_rps @ each.shares @ price) for each in (planned, cheapest))
        is_served = (planned.shares.sum(axis=1) >= cheapest.shares.sum(axis=1) - _ROUNDING).all()
        return planned if is_served and mine <= least + AS_GOOD * abs(least) else cheapest


def _loads(planned_rps: FloatArray, demand_rps: float, fleet: Fleet) -> FloatArray | None:
    """What sites were to serve, in proportion to what is asked for, [sites]; None where they cannot."""
    if not planned_rps.any():
        return None
    loads = planned_rps * (demand_rps / planned_rps.sum())
    if (loads > fleet.capacity_rps * (1.0 + _ROUNDING)).any():
        return None
    return loads.clip(max=fleet.capacity_rps) * (1.0 + _ROUNDING)
