"""The shift of a world: from a slot on demand and signals are so many times what they were made as."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from simulator.fleet import FloatArray
from simulator.footprint import Conditions
from simulator.problem import Problems, did_you_mean
from simulator.scenario.scenario import Scenario
from simulator.scenario.shift import SHIFTED

from .demand import Demand


def check_shift(scenario: Scenario, sites: Sequence[str], origins: Sequence[str], problems: Problems) -> None:
    """Whether a shift names places of this scenario, and changes a demand that can change."""
    shift, demand = scenario.shift, scenario.workload.demand
    if shift is None:
        return
    for quantity in SHIFTED:
        factors, known = getattr(shift, quantity), origins if quantity == "demand" else sites
        for name in factors if isinstance(factors, Mapping) else ():
            if name not in known:
                kind = "origin" if quantity == "demand" else "site"
                problems.add(("shift", quantity, name), f"unknown {kind} '{name}'{did_you_mean(name, known)}")
    counted = demand.hourly is not None and demand.hourly.arrivals == "counted"
    if not shift.is_plain("demand") and (demand.trace is not None or counted):
        what = "a trace has its own requests" if demand.trace is not None else "counted arrivals are what they are"
        problems.add(("shift", "demand"), f"{what}; take another demand, or leave this out")


def factors(scenario: Scenario, quantity: str, names: Sequence[str]) -> FloatArray:
    """By how much a quantity is multiplied, [slots, names]."""
    found = np.ones((scenario.slots, len(names)))
    if scenario.shift is not None:
        given = getattr(scenario.shift, quantity)
        each = [given.get(name, 1.0) for name in names] if isinstance(given, Mapping) else given
        found[math.ceil(scenario.shift.at_share * scenario.slots) :] = each
    return found


def shifted_demand(demand: Demand, scenario: Scenario, origins: Sequence[str]) -> Demand:
    """The demand with its shift."""
    if scenario.shift is None or scenario.shift.is_plain("demand"):
        return demand
    by = factors(scenario, "demand", origins)
    return replace(demand, rate_rps=demand.rate_rps * by, kw=None if demand.kw is None else demand.kw * by)


def shifted_conditions(conditions: Conditions, scenario: Scenario, sites: Sequence[str]) -> Conditions:
    """The conditions with their shift; water on site and off site alike."""
    if scenario.shift is None:
        return conditions
    price, carbon, water = (factors(scenario, name, sites) for name in ("price", "carbon", "water"))
    return conditions._replace(
        price_usd_per_kwh=conditions.price_usd_per_kwh * price,
        carbon_kg_per_kwh=conditions.carbon_kg_per_kwh * carbon,
        onsite_water_l_per_kwh=conditions.onsite_water_l_per_kwh * water,
        offsite_water_l_per_kwh=conditions.offsite_water_l_per_kwh * water,
    )
