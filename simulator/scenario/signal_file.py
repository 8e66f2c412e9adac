"""A signal file: where a quantity of every site stands in CSV files of the user's."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from simulator.units import DEGC, KG_PER_KWH, L_PER_KWH, PCT, USD_PER_KWH

from .block import Block, NotNegative, _input_path, wrong
from .preset import PRESETS


class SignalFile(Block):
    """One signal from CSV: one file with a column for each site, or a file for each site (`{site}` in its name)."""

    #: What a preset calls the unit of this signal.
    kind: ClassVar[str] = ""

    file: str
    preset: str | None = None
    """A platform whose files are known: fills the keys that are not given."""
    time: str | None = None
    """The header of the time column (ISO 8601 times)."""
    column: str | dict[str, str] | None = None
    """The header of the value column; a mapping from site to header; each site's own name unless given."""
    only: dict[str, str | dict[str, str]] = Field(default_factory=dict)
    """Take only rows with this word under this header, or with a word for each site: `{station: {texas: DFW}}`."""
    unit: str
    timezone: str = "UTC"
    """Of times that carry no offset: `UTC`, `+02:00`, a name such as `Europe/Berlin`, or `file`: as the file says."""
    stamp: Literal["start", "end", "instant"] = "start"
    """Whether a time starts or ends its interval, or is the instant of a measurement: a line is drawn between those."""
    gaps: Literal["refuse", "hold", "interpolate"] = "refuse"
    """What to do where rows or values are missing: refuse, hold the last value, or interpolate."""
    scale: NotNegative = 1.0
    """A further factor, such as an exchange rate."""

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Remember the folder of the file, and take from the preset what is not given."""
        if not isinstance(data, dict):
            return data
        preset = PRESETS.get(data["preset"]) if isinstance(data.get("preset"), str) else None
        filled = {}
        if preset is not None:
            filled = {"timezone": preset.timezone, "stamp": preset.stamp}
            filled |= {"unit": preset.units[cls.kind]} if cls.kind in preset.units else {}
        if isinstance(data.get("file"), str):
            data = {**data, "file": str(_input_path(data["file"]))}
        return {**filled, **data}

    @model_validator(mode="after")
    def _time_is_known(self) -> SignalFile:
        if self.time is None and self.preset is None:
            raise wrong("the key 'time' is missing")
        return self


class PriceFile(SignalFile):
    """Price of electricity."""

    kind: ClassVar[str] = "price"

    preset: Literal["entso-e"] | None = None
    unit: Literal[tuple(USD_PER_KWH)] = "USD/MWh"  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _euros_have_a_price(self) -> PriceFile:
        if self.preset == "entso-e" and "scale" not in self.model_fields_set:
            raise wrong("these prices are in EUR/MWh: give `scale`, the US$ for a euro")
        return self


class CarbonFile(SignalFile):
    """Carbon intensity of electricity."""

    kind: ClassVar[str] = "carbon"

    preset: Literal["electricity-maps", "electricity-maps-direct"] | None = None
    """With or without the emissions of building and fuelling power plants (life cycle, direct)."""
    unit: Literal[tuple(KG_PER_KWH)] = "kg/kWh"  # type: ignore[valid-type]


class WaterFile(SignalFile):
    """Water intensity: on site and off site together, per kWh of IT energy."""

    preset: None = None
    unit: Literal[tuple(L_PER_KWH)] = "L/kWh"  # type: ignore[valid-type]


class TemperatureFile(SignalFile):
    """A temperature of the outside air."""

    kind: ClassVar[str] = "temperature"

    preset: Literal["open-meteo", "iem-asos"] | None = None
    unit: Literal[tuple(DEGC)] = "degC"  # type: ignore[valid-type]


class HumidityFile(SignalFile):
    """Relative humidity of the outside air."""

    kind: ClassVar[str] = "humidity"

    preset: Literal["open-meteo", "iem-asos"] | None = None
    unit: Literal[tuple(PCT)] = "%"  # type: ignore[valid-type]
