"""Grid: what electricity is made of, and so its carbon and the water of its power plants."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from .block import Block, Variant, wrong
from .shape import Shape
from .signal_file import SignalFile


class MixFile(SignalFile):
    """Generation by fuel from CSV: a column for each fuel, or (preset `eia`) a row for each fuel."""

    kind: ClassVar[str] = "mix"

    preset: Literal["eia"] | None = None
    column: None = None
    fuels: dict[str, str] = Field(default_factory=dict)
    """Header (or EIA's code) -> fuel, `none` to leave it out; fuels by their names and EIA's codes unless given."""
    unit: Literal["kWh", "MWh", "GWh", "MW", "share", "%"] = "MWh"
    """For the reader: only shares count."""


class Mix(Variant):
    """Generation by fuel, in any unit: only shares count."""

    synthetic: Annotated[dict[str, Shape], Field(min_length=1)] | None = None
    """Fuel -> generation, for tests and teaching."""
    csv: MixFile | None = None


class FromMix(Block):
    """Follows the `mix`."""


class OffsiteWater(Variant):
    """Water of power plants (EWIF): `mix`, or `{l_per_kwh: ...}` at the meter."""

    mix: FromMix | None = None
    l_per_kwh: Shape | None = None


class Grid(Block):
    """Carbon and off-site water of electricity at the meter."""

    carbon: Literal["signals", "mix"] = "signals"
    water: OffsiteWater | None = None
    """Given together with the on-site water of `cooling`, in place of the combined series of `signals`."""
    mix: Mix | None = None

    @model_validator(mode="after")
    def _the_mix_is_of_use(self) -> Grid:
        wanted = self.carbon == "mix" or (self.water is not None and self.water.mix is not None)
        if wanted and self.mix is None:
            raise wrong("the key 'mix' is missing: carbon or water are to follow it")
        if self.mix is not None and not wanted:
            raise wrong("the mix is not used; say carbon: mix, water: mix or both")
        return self
