"""Forecasts: what a policy may know of the slots ahead."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from simulator.fleet import FloatArray
from simulator.units import KG_PER_T, L_PER_M3
from simulator.world import World


class Outlook(NamedTuple):
    """The coming slots, the present one first: demand [h, origins], and per request at each site [h, sites]."""

    demand_rps: FloatArray
    cost_usd: FloatArray
    carbon_t: FloatArray
    water_m3: FloatArray


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
        world, window = self._world, slice(self._slot, self._slot + slots)
        meter = world.fleet.meter_kwh
        return Outlook(
            demand_rps=world.demand.rate_rps[window],
            cost_usd=world.price_usd_per_kwh[window] * meter,
            carbon_t=world.carbon_kg_per_kwh[window] * meter / KG_PER_T,
            water_m3=world.water_l_per_kwh[window] * world.fleet.energy_kwh / L_PER_M3,
        )


#: Name -> what makes the forecast of one slot.
FORECASTERS = {"perfect": Perfect}
