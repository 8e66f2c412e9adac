"""Forecasts: what a policy may know of the slots ahead."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from simulator.fleet import FloatArray
from simulator.units import KG_PER_T, L_PER_M3
from simulator.world import World


class Outlook(NamedTuple):
    """The coming slots, the present one first."""

    demand_rps: FloatArray
    """[h, origins]."""
    cost_usd: FloatArray
    """Of one request at each site, [h, sites]; likewise carbon and water."""
    carbon_t: FloatArray
    water_m3: FloatArray
    standing_carbon_t: FloatArray
    """Of each site's servers being on, whatever they serve, [h, sites]; likewise water."""
    standing_water_m3: FloatArray


class Forecast(Protocol):
    """A forecast made at one slot."""

    def ahead(self, slots: int) -> Outlook:
        """The present slot and the next ones, at most ``slots`` and not beyond the end of the run."""
        ...


class Perfect:
    """The truth: signals and demand rates as they will be (never the requests themselves)."""

    def __init__(self, world: World, slot: int):
        self._world = world
        self._slot = slot

    def ahead(self, slots: int) -> Outlook:
        """The present slot and the next ones, as they will be."""
        world, fleet, window = self._world, self._world.fleet, slice(self._slot, self._slot + slots)
        carbon = world.carbon_kg_per_kwh[window] * fleet.hardware.pue / KG_PER_T
        water = world.water_l_per_kwh[window] / L_PER_M3
        return Outlook(
            demand_rps=world.demand.rate_rps[window],
            cost_usd=world.price_usd_per_kwh[window] * fleet.meter_kwh,
            carbon_t=carbon * fleet.energy_kwh,
            water_m3=water * fleet.energy_kwh,
            standing_carbon_t=carbon * fleet.standing_kwh,
            standing_water_m3=water * fleet.standing_kwh,
        )


#: Name -> what makes the forecast of one slot.
FORECASTERS = {"perfect": Perfect}
