"""Conditions of a world: price, carbon, water, PUE, scarcity and health cost of every slot and site."""

from __future__ import annotations

import numpy as np

from simulator.cooling import onsite_water_l_per_kwh, partial_pue
from simulator.fleet import FloatArray
from simulator.footprint import Conditions
from simulator.problem import Problems
from simulator.scenario.agreement import carbon_from_mix, water_is_split
from simulator.scenario.catalogue import aware_monthly, places
from simulator.scenario.place import Site
from simulator.scenario.scenario import Scenario
from simulator.units import USD_PER_KWH

from .columns import Sites
from .mix import MixTable, build_mix
from .shapes import shaped
from .signals import build_signals
from .weather import build_weather


def build_conditions(
    scenario: Scenario, sites: Sites, seed: int, proportional: list[bool], problems: Problems
) -> Conditions | None:
    """What the slots are like; None where mistakes were found, which are added to ``problems``.

    ``proportional`` says which sites account power as the paper does: PUE 1.
    """
    split, mixed = water_is_split(scenario), carbon_from_mix(scenario)
    wanted = ["price", *["carbon"] * (not mixed), *["water"] * (not split)]
    signals = build_signals(wanted, scenario, sites, seed, problems)
    weather = build_weather(_weather_wanted(scenario), scenario, sites, problems)
    mix, onsite, offsite = None, signals.get("water"), None
    with problems.collecting():
        mix = _mix(scenario, sites)
    with problems.collecting():
        onsite = _onsite(scenario, sites, weather) if split else onsite
    with problems.collecting():
        offsite = _offsite(scenario, sites, mix) if split else np.zeros((scenario.slots, len(sites)))
    if problems.found or onsite is None or offsite is None:
        return None
    if mixed and mix is not None:
        signals["carbon"] = mix.mean_of("carbon_kg_per_kwh")
    shape = signals["price"].shape
    return Conditions(
        price_usd_per_kwh=signals["price"],
        carbon_kg_per_kwh=signals["carbon"],
        onsite_water_l_per_kwh=onsite,
        offsite_water_l_per_kwh=offsite,
        pue=np.broadcast_to(_pue(scenario, sites, weather, proportional), shape),
        scarcity=_scarcity(scenario, sites),
        health_usd_per_kwh=np.broadcast_to([_health(site) for site in sites], shape),
    )


def _weather_wanted(scenario: Scenario) -> set[str]:
    wet = {"wet_bulb"} if scenario.cooling.water.wet_bulb is not None else set()
    return wet | ({"dry_bulb"} if scenario.cooling.pue.temperature is not None else set())


def _onsite(scenario: Scenario, sites: Sites, weather: dict[str, FloatArray]) -> FloatArray | None:
    water = scenario.cooling.water
    if water.l_per_kwh is not None:
        return shaped(water.l_per_kwh, scenario, sites, ("cooling", "water", "l_per_kwh"), 0.0)
    assert water.wet_bulb is not None
    return onsite_water_l_per_kwh(weather["wet_bulb"], water.wet_bulb.cycles) if "wet_bulb" in weather else None


def _mix(scenario: Scenario, sites: Sites) -> MixTable | None:
    grid = scenario.grid
    return None if grid is None or grid.mix is None else build_mix(grid.mix, scenario, sites)


def _offsite(scenario: Scenario, sites: Sites, mix: MixTable | None) -> FloatArray | None:
    grid = scenario.grid
    assert grid is not None and grid.water is not None
    if grid.water.l_per_kwh is not None:
        return shaped(grid.water.l_per_kwh, scenario, sites, ("grid", "water", "l_per_kwh"), 0.0)
    return None if mix is None else mix.mean_of("water_l_per_kwh")


def _pue(scenario: Scenario, sites: Sites, weather: dict[str, FloatArray], proportional: list[bool]) -> FloatArray:
    """PUE at full load, [sites] or [slots, sites]."""
    by_temperature = scenario.cooling.pue.temperature
    own = np.array([site.pue for site in sites])
    pue = own if by_temperature is None else partial_pue(weather["dry_bulb"]) + by_temperature.other_overhead
    return np.where(proportional, 1.0, pue)


def _scarcity(scenario: Scenario, sites: Sites) -> FloatArray:
    """AWARE factors in the month (UTC) in which each slot starts; 1 where nothing is known, [slots, sites]."""
    first = np.datetime64(scenario.start.replace(tzinfo=None), "us")
    starts = first + np.round(np.arange(scenario.slots) * scenario.slot_s * 1e6).astype("timedelta64[us]")
    month = starts.astype("datetime64[M]").astype(int) % 12
    factors = np.stack([_aware(site) for site in sites], axis=1)
    return factors[month]


def _aware(site: Site) -> FloatArray:
    """The twelve factors of a site."""
    own = site.aware if site.aware is not None else aware_monthly().get(site.kin, 1.0)
    return np.broadcast_to(np.array(own, dtype=float), 12)


def relative_scarcity(sites: Sites) -> FloatArray:
    """The year's AWARE factor of each site over their mean, [sites].

    The catalogue has AWARE's own mean of the year, which weighs months by what is drawn in them; of a site's own twelve
    factors it is the plain mean.
    """
    yearly = np.array([_aware_of_the_year(site) for site in sites])
    return yearly / (float(yearly.mean()) or 1.0)


def _aware_of_the_year(site: Site) -> float:
    if site.aware is not None:
        return float(np.mean(site.aware))
    return float(places().get(site.kin, {}).get("aware_annual", 1.0))


def _health(site: Site) -> float:
    """Health cost per kWh at the meter; NaN where it is not known."""
    known = places().get(site.kin, {}).get("health_usd_per_mwh") or "nan"
    own = float(known) if site.health_usd_per_mwh is None else site.health_usd_per_mwh
    return own * USD_PER_KWH["USD/MWh"]
