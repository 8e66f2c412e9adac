"""Weather of a world: dry bulb and wet bulb [degC] at every site, [slots, sites]."""

from __future__ import annotations

import numpy as np

from simulator.fleet import FloatArray
from simulator.problem import KeyPath, Problems, refuse
from simulator.psychrometrics import pressure_pa, relative_humidity_pct, stull_wet_bulb_degc, wet_bulb_degc
from simulator.scenario.scenario import Scenario
from simulator.scenario.signal_file import SignalFile
from simulator.scenario.weather import Weather
from simulator.units import PCT, degc

from .columns import Sites, slot_columns
from .shapes import shaped

#: Quantity -> its key among made weather.
_SYNTHETIC = {
    "dry_bulb": "dry_bulb_degc",
    "relative_humidity": "relative_humidity_pct",
    "dew_point": "dew_point_degc",
    "wet_bulb": "wet_bulb_degc",
}
#: What is weather on Earth [degC]; beyond it the unit is not the one that is said.
POSSIBLE_DEGC = (-90.0, 60.0)
#: Hygrometers read a little above saturation; much above, the unit is not the one that is said.
MOST_PCT = 105.0


def build_weather(wanted: set[str], scenario: Scenario, sites: Sites, problems: Problems) -> dict[str, FloatArray]:
    """Those of ``dry_bulb`` and ``wet_bulb`` that are wanted; mistakes in their files are added to ``problems``."""
    weather = scenario.weather
    if weather is None or not wanted:
        return {}
    given = [name for name in _SYNTHETIC if getattr(weather.choice, _key(weather, name)) is not None]
    needed = {"dry_bulb"} & wanted
    if "wet_bulb" in wanted:
        needed |= {"wet_bulb"} if "wet_bulb" in given else set(given)
    found = {}
    for name in [name for name in given if name in needed]:
        with problems.collecting():
            found[name] = _quantity(name, weather, scenario, sites)
    if "wet_bulb" in wanted and "wet_bulb" not in found and needed <= set(found):
        found["wet_bulb"] = _wet_bulb(found, scenario, sites)
    return found


def _key(weather: Weather, name: str) -> str:
    return name if weather.csv is not None else _SYNTHETIC[name]


def _quantity(name: str, weather: Weather, scenario: Scenario, sites: Sites) -> FloatArray:
    """One quantity in degC or per cent, [slots, sites]; refused where it cannot be weather."""
    key, humid = _key(weather, name), name == "relative_humidity"
    path: KeyPath = ("weather", weather.chosen, key)
    given = getattr(weather.choice, key)
    if weather.csv is not None:
        file: SignalFile = given
        raw = slot_columns(file, name, scenario, sites, path) * file.scale
        values = raw * PCT[file.unit] if humid else degc(raw, file.unit)
    else:
        values = shaped(given, scenario, sites, path, -np.inf)
    least, most = (0.0, MOST_PCT) if humid else POSSIBLE_DEGC
    for column, site in zip(values.T, sites, strict=True):
        odd = column[(column < least) | (column > most) | (humid & (column == 0))]
        if len(odd):
            unit = "%" if humid else "degC"
            what = f"site '{site.name}': {odd[0]:.4g} {unit} is no weather on Earth ({least:g} to {most:g} {unit})"
            raise refuse(path, what + ("; is the unit right?" if weather.csv is not None else ""))
    return np.minimum(values, 100.0) if humid else values


def _wet_bulb(found: dict[str, FloatArray], scenario: Scenario, sites: Sites) -> FloatArray:
    """From dry bulb and humidity or dew point, and the altitudes of the sites."""
    asked = scenario.cooling.water.wet_bulb
    dry = found["dry_bulb"]
    humidity = found.get("relative_humidity")
    if humidity is None:
        humidity = relative_humidity_pct(dry, found["dew_point"])
    if asked is not None and asked.method == "stull":
        return stull_wet_bulb_degc(dry, humidity)
    air_pa = pressure_pa(np.array([site.altitude_m for site in sites]))
    return wet_bulb_degc(dry, humidity, np.broadcast_to(air_pa, dry.shape))
