"""Signals: price, carbon intensity and water intensity of every site over time."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .block import Block, InputPath, Variant
from .shape import Shape
from .signal_file import CarbonFile, PriceFile, WaterFile

SIGNALS = ("price", "carbon", "water")


class CalibratedSignals(Block):
    """A model fitted to the paper's sites: harmonics and correlated AR(1) processes, any length, any seed."""

    seed: Annotated[int, Field(ge=0)] | None = None
    """Follows the seed of the run unless given."""


class PaperSignals(Block):
    """The authors' folder: `price/`, `carbon/` and `water/` with a CSV file for each site."""

    path: InputPath | None = None
    """The folder; `EQUIFLEET_DATA`/paper unless given."""


class SyntheticSignals(Block):
    """Made signals, for tests and teaching."""

    price_usd_per_mwh: Shape
    carbon_kg_per_kwh: Shape | None = None
    """Left out where `grid` gives it."""
    water_l_per_kwh: Shape | None = None
    """Left out where `cooling` and `grid` give it."""


class CsvSignals(Block):
    """Signals from the user's own files."""

    price: PriceFile
    carbon: CarbonFile | None = None
    """Left out where `grid` gives it."""
    water: WaterFile | None = None
    """Left out where `cooling` and `grid` give it."""


class Signals(Variant):
    """Where the signals come from."""

    calibrated: CalibratedSignals | None = None
    paper: PaperSignals | None = None
    synthetic: SyntheticSignals | None = None
    csv: CsvSignals | None = None
