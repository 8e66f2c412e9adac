"""A course: what sites cost, drink and emit slot by slot, of a run or of a plan, and J as it grows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.fleet import Fleet, FloatArray
from simulator.footprint import Conditions, Footprint, Usage, footprint
from simulator.norm import sizes_of
from simulator.objective import Objective
from simulator.units import J_PER_KWH, KG_PER_T, L_PER_M3


class Course(NamedTuple):
    """Footprints that weigh in J, shapes [slots, sites]."""

    cost_usd: FloatArray
    water_m3: FloatArray
    carbon_t: FloatArray

    def objective_usd(self, objective: Objective) -> float:
        """J of the whole course [US$]."""
        return float(_weighed(objective, *(part.sum(axis=0) for part in self)))

    def so_far_usd(self, objective: Objective) -> FloatArray:
        """J of what has been up to the end of each slot [US$], [slots]."""
        return _weighed(objective, *(part.cumsum(axis=0) for part in self))


def _weighed(objective: Objective, cost_usd: FloatArray, water_m3: FloatArray, carbon_t: FloatArray) -> FloatArray:
    """J of footprints by site, [...], from [..., sites]."""
    water = objective.water_weight_usd_per_m3 * sizes_of(objective.weighted_water(water_m3), objective.norm)
    carbon = objective.carbon_weight_usd_per_t * sizes_of(objective.weighted_carbon(carbon_t), objective.norm)
    return np.asarray(cost_usd.sum(axis=-1) + water + carbon)


def request_kwh(fleet: Fleet) -> FloatArray:
    """IT energy that a mean request adds to servers that are on [kWh], [sites]: what the ledger charges for it."""
    hardware = fleet.hardware
    return hardware.by_site(fleet.place_s * hardware.dynamic_w) / J_PER_KWH


def of_energy(it_kwh: FloatArray, fleet: Fleet, conditions: Conditions) -> Course:
    """The course of IT energy that is added to servers that are on, drawn from the grid, [slots, sites]."""
    meter_kwh = it_kwh * conditions.marginal_pue(fleet)
    return Course(
        cost_usd=conditions.price_usd_per_kwh * meter_kwh,
        water_m3=conditions.water_l_per_kwh(fleet) * it_kwh / L_PER_M3,
        carbon_t=conditions.carbon_kg_per_kwh * meter_kwh / KG_PER_T,
    )


def of_footprint(spent: Footprint) -> Course:
    """The course of all that was spent."""
    return Course(spent.cost_usd, spent.water_m3, spent.carbon_t)


def standing(fleet: Fleet, conditions: Conditions) -> Footprint:
    """Footprint of all servers being on and serving nothing, [slots, sites]."""
    slots, pools = len(conditions.pue), len(fleet.hardware.servers)
    none = np.zeros((slots, pools))
    on_s = none + fleet.hardware.servers * fleet.slot_s
    return footprint(Usage(none, on_s, none, none), fleet, conditions)


def added(one: Course, other: Course) -> Course:
    """The sum of two courses."""
    return Course(*(a + b for a, b in zip(one, other, strict=True)))
