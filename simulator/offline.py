"""The offline optimum: the smallest J that planners could have had who had known everything that was asked for.

Planned capacity binds it, as it binds every planner; a request is one of mean size, and knows no network and no queue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from policies.decomposition import Decomposition
from policies.grouping import by_allowed_sites
from policies.horizon_program import HorizonProgram, Spent
from simulator.course import Course, added, of_energy, of_footprint, request_kwh, standing
from simulator.fleet import Fleet, FloatArray, freeze
from simulator.footprint import Conditions
from simulator.forecast import Outlook

#: Flow variables of a program that is solved exactly; of more, a bound is certified.
EXACT = 15_000
#: Share of what was asked for that the optimum may leave out where planned capacity cannot carry it, as when requests
#: scatter above a peak that just fits: by as much a gap may be too large.
LEFT_OUT = 2e-3
#: With fewer rounds a bound says next to nothing.
_FEWEST_ROUNDS = 20


@dataclass(frozen=True, eq=False)
class Offline:
    """The optimum, or what is certain of it."""

    is_exact: bool
    lower_usd: float
    """J of the optimum if it is exact; else no plan has a smaller one."""
    plan_usd: float
    """J of the plan: the optimum if it is exact, else as near to it as was found."""
    course: Course
    """Of the plan."""
    cheapest_usd: float
    """Cost of the cheapest plan, whatever it does to water and carbon."""

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def within(self) -> float:
        """How far the optimum may be above the bound, as a share of the bound; 0 if it is exact."""
        if self.is_exact:
            return 0.0
        return self.plan_usd / self.lower_usd - 1.0 if self.lower_usd > 0 else float("inf")


def offline(fleet: Fleet, conditions: Conditions, demand_rps: FloatArray, is_whole: bool) -> Offline | str:
    """The optimum for a demand [slots, origins] of the full fleet; why there is none, where there is none.

    With ``is_whole`` all servers are on and what they draw counts; else only what requests add to it.
    """
    energy_kwh, shape = request_kwh(fleet), conditions.pue.shape
    each = of_energy(np.broadcast_to(energy_kwh, shape), fleet, conditions)
    spent = standing(fleet, conditions)
    stands = of_footprint(spent) if is_whole else Course(*(np.zeros(shape) for _ in Course._fields))
    outlook = Outlook(
        demand_rps=demand_rps,
        cost_usd=each.cost_usd,
        carbon_t=each.carbon_t,
        water_m3=each.water_m3,
        standing_carbon_t=stands.carbon_t,
        standing_water_m3=stands.water_m3,
    )
    none = Spent(np.zeros(shape[1]), np.zeros(shape[1]))
    search = Decomposition(fleet, fleet.objective, outlook, none)
    if search.short_requests > LEFT_OUT * float(demand_rps.sum()) * fleet.slot_s:
        much = f"{search.short_requests:,.4g} requests of the full fleet too many"
        return f"planned capacity cannot carry all that was asked for ({much})"
    requests, lower_usd, is_exact = _exact(fleet, outlook, none), -np.inf, True
    if requests is None:
        if search.rounds < _FEWEST_ROUNDS:
            return "there are too many slots, sites and origins to bound it in short time"
        bounded = search.solve()
        requests, is_exact = bounded.requests, False
        lower_usd = bounded.lower_usd + float(stands.cost_usd.sum())
    course = added(stands, Course(*(requests * part for part in each)))
    plan_usd = course.objective_usd(fleet.objective)
    cheapest_usd = search.cheapest_usd + float(stands.cost_usd.sum())
    return Offline(is_exact, plan_usd if is_exact else lower_usd, plan_usd, course, cheapest_usd)


def _exact(fleet: Fleet, outlook: Outlook, spent: Spent) -> FloatArray | None:
    """Requests that each site serves in each slot of the optimum, [slots, sites]; None where that is too large."""
    if by_allowed_sites(fleet).allowed.sum() * len(outlook.demand_rps) > EXACT:
        return None
    try:
        plan = HorizonProgram(fleet, fleet.objective).solve(outlook, spent)
    except ArithmeticError:  # the solver gave up
        return None
    return np.asarray(plan.flow.sum(axis=1) * fleet.slot_s)
