"""Agreement: whether signals, weather, cooling and grid fit each other. Each figure comes from one place."""

from __future__ import annotations

from simulator.problem import KeyPath, Problems

from .scenario import Scenario


def check_agreement(scenario: Scenario, problems: Problems) -> None:
    """Add what does not fit to ``problems``."""
    _water(scenario, problems)
    _weather(scenario, problems)
    _one_source(scenario, "carbon", ("grid", "carbon"), carbon_from_mix(scenario), problems)
    _one_source(scenario, "water", ("cooling", "water"), water_is_split(scenario), problems)


def carbon_from_mix(scenario: Scenario) -> bool:
    """Whether the fuel mix gives the carbon intensity, in place of the signals."""
    return scenario.grid is not None and scenario.grid.carbon == "mix"


def water_is_split(scenario: Scenario) -> bool:
    """Whether water on site and off site are known apart, in place of the combined series of the signals."""
    return scenario.cooling.water.combined is None


def _water(scenario: Scenario, problems: Problems) -> None:
    offsite = scenario.grid is not None and scenario.grid.water is not None
    if water_is_split(scenario) and not offsite:
        what = "on-site water alone is half of it; give off-site water too: grid: {water: mix} or {l_per_kwh: ...}"
        problems.add(("cooling", "water"), what)
    if offsite and not water_is_split(scenario):
        what = "the signals' water holds off-site water already; say where on-site water comes from: cooling: {water: "
        problems.add(("grid", "water"), what + "{wet_bulb: {}}} or {l_per_kwh: ...}")


def _weather(scenario: Scenario, problems: Problems) -> None:
    wet, warm = scenario.cooling.water.wet_bulb is not None, scenario.cooling.pue.temperature is not None
    if scenario.weather is None:
        users: list[KeyPath] = [("cooling", "water", "wet_bulb"), ("cooling", "pue", "temperature")]
        for path in [path for path, used in zip(users, (wet, warm), strict=True) if used]:
            problems.add(path, "this follows the weather: give a top-level block `weather`")
        return
    held = scenario.weather.choice.model_fields_set
    where: KeyPath = ("weather", scenario.weather.chosen)
    if warm and not any(name.startswith("dry") for name in held):
        problems.add(where, "the PUE follows the dry bulb, which is missing")
    if wet and not any(name.startswith(("wet", "dew", "relative")) for name in held):
        problems.add(where, "a wet bulb needs relative humidity, a dew point, or the wet bulb itself")


def _one_source(scenario: Scenario, signal: str, other: KeyPath, elsewhere: bool, problems: Problems) -> None:
    """A signal that is made elsewhere must not be given, any other one must; made and fitted signals bring all."""
    signals = scenario.signals
    if signals.csv is None and signals.synthetic is None:
        return
    key = next(key for key in type(signals.choice).model_fields if key.startswith(signal))
    given = getattr(signals.choice, key) is not None
    path: KeyPath = ("signals", signals.chosen)
    if given and elsewhere:
        where = ".".join(str(part) for part in other)
        problems.add((*path, key), f"{signal} is given here and by {where}; leave one of them out")
    if not given and not elsewhere:
        problems.add(path, f"the key '{key}' is missing")
