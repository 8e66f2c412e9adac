"""The outlook: what is known of the present slot and of those ahead, as planners reckon with it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from simulator.fleet import Fleet, FloatArray
from simulator.units import KG_PER_T, L_PER_M3


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


class Foreseen(NamedTuple):
    """Demand [..., origins] and signals [..., sites] of some slots, as they are known or foreseen."""

    demand_rps: FloatArray
    price_usd_per_kwh: FloatArray
    """At the meter; likewise carbon."""
    carbon_kg_per_kwh: FloatArray
    water_l_per_kwh: FloatArray
    """Per kWh of IT energy, on site and off site."""
    pue: FloatArray
    """Energy at the meter that a kWh of IT energy adds."""

    def outlook(self, fleet: Fleet) -> Outlook:
        """What requests bring about, and servers by being on."""
        carbon_t, water_m3 = self.carbon_kg_per_kwh * self.pue / KG_PER_T, self.water_l_per_kwh / L_PER_M3
        return Outlook(
            demand_rps=self.demand_rps,
            cost_usd=self.price_usd_per_kwh * (self.pue * fleet.energy_kwh),
            carbon_t=carbon_t * fleet.energy_kwh,
            water_m3=water_m3 * fleet.energy_kwh,
            standing_carbon_t=carbon_t * fleet.standing_kwh,
            standing_water_m3=water_m3 * fleet.standing_kwh,
        )
