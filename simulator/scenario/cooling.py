"""Cooling: what keeps servers cool, in water and in energy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .block import Block, Number, Variant
from .shape import Shape


class CombinedWater(Block):
    """On-site and off-site water are one series, the one of `signals`."""


class WetBulbWater(Block):
    """Cooling towers that follow the wet bulb of the `weather`; see docs/data.md for the formula."""

    cycles: Annotated[Number, Field(gt=1, le=100)] = 6.0
    """Cycles of concentration: how often water goes round before it is drained."""
    method: Literal["ashrae", "stull"] = "ashrae"
    """The wet bulb by the psychrometric balance, or by Stull's formula for sea level."""


class CoolingWater(Variant):
    """On-site water: `combined`, `{wet_bulb: {...}}`, or `{l_per_kwh: ...}` of IT energy."""

    combined: CombinedWater | None = None
    wet_bulb: WetBulbWater | None = None
    l_per_kwh: Shape | None = None


class TemperaturePue(Block):
    """PUE that follows the outside temperature of the `weather`; see docs/data.md for the formula."""

    other_overhead: Annotated[Number, Field(ge=0, le=4)] = 0.0
    """Overhead besides cooling (conversion of power, light), as a share of IT energy."""


class Pue(Block):
    """Power usage effectiveness at full load, and how it changes with the load."""

    temperature: TemperaturePue | None = None
    """Takes the place of the sites' own `pue`."""
    fixed_share: Annotated[Number, Field(ge=0, le=1)] = 0.0
    """Share of the overhead that is there whatever the load: Rasmussen's no-load loss (APC White Paper 113)."""


class Cooling(Block):
    """Water and energy of cooling. Servers of `power: proportional` keep PUE 1 whatever stands here."""

    water: CoolingWater = CoolingWater(combined=CombinedWater())
    pue: Pue = Pue()
