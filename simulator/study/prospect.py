"""A prospect: what a plan of the whole horizon will cost, drink and emit if demand comes as expected."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from policies.closeness import Closeness
from policies.grouping import by_allowed_sites
from policies.horizon_program import HorizonProgram, Spent
from policies.slot_program import SlotProgram
from simulator.fleet import Fleet, FloatArray
from simulator.forecast import Outlook, Perfect
from simulator.objective import Objective
from simulator.world import World


class Prospect(NamedTuple):
    """Figures of planned flows, of the full fleet: the fluid limit of a run."""

    cost_usd: float
    """Of the energy that requests add."""
    water_m3: FloatArray
    """Of each site, [sites], with what it drinks by being on; likewise carbon."""
    carbon_t: FloatArray

    def objective_usd(self, objective: Objective) -> float:
        """J [US$]."""
        return self.cost_usd + self.equity_usd(objective)

    def equity_usd(self, objective: Objective) -> float:
        """What the footprints weigh in it [US$]."""
        return objective.water_usd(self.water_m3) + objective.carbon_usd(self.carbon_t)

    def differs(self, other: Prospect, share: float) -> bool:
        """Whether cost or a largest footprint is another one by more than this share."""
        one = np.array([self.cost_usd, self.water_m3.max(), self.carbon_t.max()])
        two = np.array([other.cost_usd, other.water_m3.max(), other.carbon_t.max()])
        return bool((np.abs(one - two) > share * np.maximum(np.abs(one), np.abs(two))).any())


def outlook_of(world: World) -> Outlook:
    """The whole run, as it will be."""
    return Perfect(world, 0).ahead(world.fleet.slots)


def equitable(fleet: Fleet, outlook: Outlook, objective: Objective, closeness: Closeness | None = None) -> Prospect:
    """The prospect of the offline optimum."""
    none = np.zeros(len(fleet.sites))
    program = HorizonProgram(fleet, objective, closeness)
    return _prospect(fleet, outlook, program.solve(outlook, Spent(none, none)).flow)


def cheapest(fleet: Fleet, outlook: Outlook) -> Prospect:
    """The prospect of the cheapest plan, slot by slot."""
    grouping = by_allowed_sites(fleet)
    program = SlotProgram(fleet, grouping)
    slots = zip(outlook.cost_usd, grouping.demand(outlook.demand_rps), strict=True)
    return _prospect(fleet, outlook, np.array([program.flow(price, demand) for price, demand in slots]))


def _prospect(fleet: Fleet, outlook: Outlook, flow: FloatArray) -> Prospect:
    requests = flow.sum(axis=1) * fleet.slot_s
    return Prospect(
        cost_usd=float((requests * outlook.cost_usd).sum()),
        water_m3=(requests * outlook.water_m3 + outlook.standing_water_m3).sum(axis=0),
        carbon_t=(requests * outlook.carbon_t + outlook.standing_carbon_t).sum(axis=0),
    )
