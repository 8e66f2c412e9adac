"""On site: what a site may have of its own, solar panels and a battery."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .block import Block, Fraction, NotNegative, Number, Positive, Variant, wrong
from .choice import ControlChoice
from .shape import Shape
from .signal_file import SignalFile


class ClearSky(Block):
    """The sun of a sky without clouds at the site's latitude and longitude, on panels that lie flat."""

    performance_ratio: Fraction = 0.8
    """Energy delivered per energy of ideal panels: heat, dirt, wires and inverter take the rest."""


class SolarFile(SignalFile):
    """Power from CSV, as a share of the capacity or in kW."""

    preset: None = None
    unit: Literal["share", "kW"] = "share"


class Profile(Variant):
    """How the panels' power goes with time."""

    clear_sky: ClearSky | None = None
    trace: SolarFile | None = None
    shape: Shape | None = None
    """A share of the capacity, from 0 to 1."""


class Solar(Block):
    """Solar panels. Power that neither the load nor the battery takes is curtailed."""

    capacity_kw: NotNegative
    """Their largest power, behind the inverter; 0 for none."""
    profile: Profile = Profile(clear_sky=ClearSky())


class Storage(Block):
    """A battery and its control: C/L/C model and lithium-ion cells of Kazhamiaka et al., Energy Informatics 2019."""

    capacity_kwh: NotNegative
    """0 for none."""
    initial_share: Annotated[Number, Field(ge=0, le=1)] | None = None
    """The share of the capacity that it holds when the run starts; v_lo unless given, so that no energy comes free."""
    control: ControlChoice = ControlChoice(name="self-consumption")
    """`self-consumption`, `price`, `carbon`, or `module:Class` for one of your own."""
    c_rate_per_h: Positive = 3.0
    """Its content rises or falls by at most this many capacities an hour."""
    eff_c: Fraction = 0.97
    """Energy that stays, per energy charged."""
    eff_d: Annotated[Number, Field(ge=1, le=10)] = 1.04
    """Energy drawn from the content, per energy given."""
    u_up_h: Annotated[Number, Field(ge=-100, le=0)] = -0.04
    """The content stays below u_up x power charged + v_up x capacity."""
    v_up: Fraction = 1.0
    u_lo_h: Annotated[Number, Field(ge=0, le=100)] = 0.01
    """The content stays above u_lo x power given + v_lo x capacity."""
    v_lo: Annotated[Number, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _holds_what_it_may(self) -> Storage:
        if self.v_lo >= self.v_up:
            raise wrong(f"v_lo must be below v_up (given {self.v_lo} and {self.v_up})")
        if not self.v_lo <= self.first_share <= self.v_up:
            raise wrong(f"initial_share must be from v_lo to v_up (given {self.first_share})")
        return self

    @property
    def first_share(self) -> float:
        """The share of the capacity that it holds when the run starts."""
        return self.v_lo if self.initial_share is None else self.initial_share
