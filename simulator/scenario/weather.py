"""Weather: temperature and humidity of the outside air at every site over time."""

from __future__ import annotations

from pydantic import model_validator

from .block import Block, Variant, wrong
from .shape import Shape
from .signal_file import HumidityFile, TemperatureFile


def _enough(dry: object, moist: dict[str, object]) -> None:
    """Weather is a dry bulb and at most one word on how moist the air is; a wet bulb may stand alone."""
    given = [name for name, value in moist.items() if value is not None]
    wet = next(name for name in moist if name.startswith("wet"))
    if len(given) > 1:
        raise wrong(f"at most one of {', '.join(moist)} is needed (given {', '.join(given)})")
    if dry is None and given != [wet]:
        raise wrong(f"the key '{wet.replace('wet', 'dry')}' is missing")


class SyntheticWeather(Block):
    """Made weather, for tests and teaching: a dry bulb, and one of humidity, dew point and wet bulb."""

    dry_bulb_degc: Shape | None = None
    relative_humidity_pct: Shape | None = None
    dew_point_degc: Shape | None = None
    wet_bulb_degc: Shape | None = None

    @model_validator(mode="after")
    def _is_enough(self) -> SyntheticWeather:
        names = ("relative_humidity_pct", "dew_point_degc", "wet_bulb_degc")
        _enough(self.dry_bulb_degc, {name: getattr(self, name) for name in names})
        return self


class CsvWeather(Block):
    """Weather from files: a dry bulb, and one of humidity, dew point and wet bulb."""

    dry_bulb: TemperatureFile | None = None
    relative_humidity: HumidityFile | None = None
    dew_point: TemperatureFile | None = None
    wet_bulb: TemperatureFile | None = None

    @model_validator(mode="after")
    def _is_enough(self) -> CsvWeather:
        names = ("relative_humidity", "dew_point", "wet_bulb")
        _enough(self.dry_bulb, {name: getattr(self, name) for name in names})
        return self


class Weather(Variant):
    """Where the weather comes from."""

    synthetic: SyntheticWeather | None = None
    csv: CsvWeather | None = None
