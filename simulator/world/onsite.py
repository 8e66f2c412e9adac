"""On site: which site has which panels and which battery, and where a scenario says so."""

from __future__ import annotations

import numpy as np

from simulator.battery import Battery
from simulator.problem import KeyPath, Problems
from simulator.scenario.onsite import Solar, Storage
from simulator.scenario.place import Site
from simulator.scenario.scenario import Scenario

#: A site that has no battery.
_NONE = Storage(capacity_kwh=0.0)


def solar_of(scenario: Scenario, sites: tuple[Site, ...]) -> list[tuple[KeyPath, Solar | None]]:
    """The panels of each site and the place in the scenario that gives them to it; None where there are none."""
    return [
        (("solar",), scenario.solar)
        if site.solar is None
        else ((*scenario.sites.path_to(k, site.name), "solar"), site.solar)
        for k, site in enumerate(sites)
    ]


def batteries_of(scenario: Scenario, sites: tuple[Site, ...]) -> list[tuple[KeyPath, Storage | None]]:
    """The battery of each site and the place in the scenario that gives it to it; None where there is none."""
    return [
        (("battery",), scenario.battery)
        if site.battery is None
        else ((*scenario.sites.path_to(k, site.name), "battery"), site.battery)
        for k, site in enumerate(sites)
    ]


def build_batteries(scenario: Scenario, sites: tuple[Site, ...]) -> Battery:
    """The batteries of all sites as arrays; a capacity of 0 where there is none."""
    asked = [storage or _NONE for _, storage in batteries_of(scenario, sites)]
    capacity = np.array([storage.capacity_kwh for storage in asked])
    symbols = ("c_rate_per_h", "eff_c", "eff_d", "u_up_h", "v_up", "u_lo_h", "v_lo")
    return Battery(
        capacity_kwh=capacity,
        initial_kwh=capacity * np.array([storage.first_share for storage in asked]),
        **{symbol: np.array([getattr(storage, symbol) for storage in asked]) for symbol in symbols},
    )


def refuse_combined_water(scenario: Scenario, sites: tuple[Site, ...], combined: bool, problems: Problems) -> None:
    """Refuse sun and batteries where water is one combined series per kWh of IT energy.

    Such a series hides how much of it is the power plants', which energy that never passes the meter must save.
    """
    if not combined:
        return
    found = [(path, solar.capacity_kw) for path, solar in solar_of(scenario, sites) if solar is not None]
    found += [(path, storage.capacity_kwh) for path, storage in batteries_of(scenario, sites) if storage is not None]
    for path in dict.fromkeys(path for path, capacity in found if capacity > 0):
        what = "the signals' water is on-site and off-site water together, so that it is not known what this saves"
        problems.add(path, f"{what}; give both apart (`cooling: {{water: ...}}`, `grid: {{water: ...}}`)")
