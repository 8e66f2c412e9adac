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
        # Only what may be foreseen: whoever holds a forecast must not reach the requests to come.
        self._fleet = world.fleet
        self._slot = slot
        self._demand_rps = world.demand.rate_rps
        self._conditions = world.conditions

    def ahead(self, slots: int) -> Outlook:
        """The present slot and the next ones, as they will be."""
        fleet, window = self._fleet, slice(self._slot, self._slot + slots)
        here = self._conditions.of(window)
        pue = here.marginal_pue(fleet)
        carbon_t, water_m3 = here.carbon_kg_per_kwh * pue / KG_PER_T, here.water_l_per_kwh(fleet) / L_PER_M3
        return Outlook(
            demand_rps=self._demand_rps[window],
            cost_usd=here.price_usd_per_kwh * (pue * fleet.energy_kwh),
            carbon_t=carbon_t * fleet.energy_kwh,
            water_m3=water_m3 * fleet.energy_kwh,
            standing_carbon_t=carbon_t * fleet.standing_kwh,
            standing_water_m3=water_m3 * fleet.standing_kwh,
        )


#: Name -> what makes the forecast of one slot.
FORECASTERS = {"perfect": Perfect}
