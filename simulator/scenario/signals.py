"""Signals: price, carbon intensity and water intensity of every site over time."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from simulator.units import KG_PER_KWH, L_PER_KWH, USD_PER_KWH

from .block import Block, InputPath, NotNegative, Number, Positive, Variant

SIGNALS = ("price", "carbon", "water")


class CalibratedSignals(Block):
    """A model fitted to the paper's sites: harmonics and correlated AR(1) processes, any length, any seed."""

    seed: Annotated[int, Field(ge=0)] | None = None
    """Follows the seed of the run unless given."""


class PaperSignals(Block):
    """The authors' folder: `price/`, `carbon/` and `water/` with a CSV file for each site."""

    path: InputPath | None = None
    """The folder; `EQUIFLEET_DATA`/paper unless given."""


class Sine(Block):
    """mean + amplitude cos(2 pi (h - peak_h) / period_h), h = hours since 00:00 UTC; its mean over each slot."""

    mean: Number
    amplitude: Number
    peak_h: Number = 0.0
    period_h: Positive = 24.0


class Steps(Block):
    """Values that follow each other every `every_h` hours from the start of the run, over and over."""

    values: Annotated[tuple[Number, ...], Field(min_length=1)]
    every_h: Annotated[Number, Field(ge=1e-3)] = 1.0


class Shape(Variant):
    """A number, a sine, steps, or one of these for each site."""

    bare: ClassVar[str] = "constant"

    constant: Number | None = None
    sine: Sine | None = None
    steps: Steps | None = None
    per_site: dict[str, Shape] | None = None

    @model_validator(mode="before")
    @classmethod
    def _number(cls, data: Any) -> Any:
        return {"constant": data} if isinstance(data, int | float) and not isinstance(data, bool) else data


class SyntheticSignals(Block):
    """Made signals, for tests and teaching."""

    price_usd_per_mwh: Shape
    carbon_kg_per_kwh: Shape
    water_l_per_kwh: Shape


class SignalFile(Block):
    """One signal from CSV: one file with a column for each site, or a file for each site (`{site}` in its name)."""

    file: str
    time: str
    """The header of the time column (ISO 8601 times)."""
    column: str | dict[str, str] | None = None
    """The header of the value column; a mapping from site to header; each site's own name unless given."""
    unit: str
    timezone: str = "UTC"
    """Of times that carry no offset: `UTC`, `+02:00` or a name such as `Europe/Berlin`."""
    stamp: Literal["start", "end"] = "start"
    """Whether a time is the start or the end of its interval."""
    gaps: Literal["refuse", "hold", "interpolate"] = "refuse"
    """What to do where rows or values are missing: refuse, hold the last value, or interpolate."""
    scale: NotNegative = 1.0
    """A further factor, such as an exchange rate."""

    @model_validator(mode="before")
    @classmethod
    def _remember_the_folder(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("file"), str):
            from .block import _input_path

            return {**data, "file": str(_input_path(data["file"]))}
        return data


class PriceFile(SignalFile):
    """Price of electricity."""

    unit: Literal[tuple(USD_PER_KWH)] = "USD/MWh"  # type: ignore[valid-type]


class CarbonFile(SignalFile):
    """Carbon intensity of electricity."""

    unit: Literal[tuple(KG_PER_KWH)] = "kg/kWh"  # type: ignore[valid-type]


class WaterFile(SignalFile):
    """Water intensity: on site and off site together, per kWh of IT energy."""

    unit: Literal[tuple(L_PER_KWH)] = "L/kWh"  # type: ignore[valid-type]


class CsvSignals(Block):
    """Signals from the user's own files."""

    price: PriceFile
    carbon: CarbonFile
    water: WaterFile


class Signals(Variant):
    """Where the signals come from."""

    calibrated: CalibratedSignals | None = None
    paper: PaperSignals | None = None
    synthetic: SyntheticSignals | None = None
    csv: CsvSignals | None = None
