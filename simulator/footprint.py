"""The footprint: server-seconds x power x what the slot was like -> kWh, US$, kg, L.

One pure function serves the finished ledger and what a policy sees during the run.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.fleet import Fleet, FloatArray, IntArray
from simulator.units import J_PER_KWH, KG_PER_T, L_PER_M3


class Conditions(NamedTuple):
    """What some slots are like at each site, shapes [..., sites]."""

    price_usd_per_kwh: FloatArray
    """At the meter; likewise carbon."""
    carbon_kg_per_kwh: FloatArray
    onsite_water_l_per_kwh: FloatArray
    """Cooling water per kWh of IT energy; a combined series of on-site and off-site water stands here."""
    offsite_water_l_per_kwh: FloatArray
    """Water of power plants per kWh at the meter (EWIF)."""
    pue: FloatArray
    """Power usage effectiveness at full load."""
    scarcity: FloatArray
    """Weight of a litre where and when it is drunk, m3 world-eq per m3 (AWARE); 1 where it is not known."""
    health_usd_per_kwh: FloatArray
    """Cost of the harm that power plants' air pollution does, at the meter; NaN where it is not known."""

    def of(self, slots: slice | int | IntArray) -> Conditions:
        """Those of some slots."""
        return Conditions(*(part[slots] for part in self))

    def marginal_pue(self, fleet: Fleet) -> FloatArray:
        """Energy at the meter that a kWh of IT energy adds, [..., sites]."""
        return self.pue - (self.pue - 1.0) * fleet.overhead_fixed

    def water_l_per_kwh(self, fleet: Fleet) -> FloatArray:
        """Water that a kWh of IT energy adds, on site and off site, [..., sites]."""
        return self.onsite_water_l_per_kwh + self.offsite_water_l_per_kwh * self.marginal_pue(fleet)


class Usage(NamedTuple):
    """What servers of the full fleet did in some slots, shapes [..., pools]."""

    busy_place_s: FloatArray
    on_server_s: FloatArray
    """On, draining included."""
    booting_server_s: FloatArray
    off_server_s: FloatArray
    """Off and not in an outage."""


class Footprint(NamedTuple):
    """What sites consumed; consumption is positive. Shapes [..., sites]."""

    serving_kwh: FloatArray
    """IT energy above idle, spent on requests."""
    idle_kwh: FloatArray
    """IT energy of servers being on."""
    boot_kwh: FloatArray
    off_kwh: FloatArray
    """IT energy of booting servers, and of those that are off."""
    facility_kwh: FloatArray
    """IT energy and overhead."""
    meter_kwh: FloatArray
    """What the grid delivered."""
    cost_usd: FloatArray
    carbon_kg: FloatArray
    water_l: FloatArray

    def summed(self) -> Footprint:
        """Over the slots, [sites]."""
        return Footprint(*(part.sum(axis=0) for part in self))

    @property
    def it_kwh(self) -> FloatArray:
        """IT energy."""
        return self.serving_kwh + self.idle_kwh + self.boot_kwh + self.off_kwh

    @property
    def carbon_t(self) -> FloatArray:
        """Carbon in tonnes."""
        return self.carbon_kg / KG_PER_T

    @property
    def water_m3(self) -> FloatArray:
        """Water in cubic metres."""
        return self.water_l / L_PER_M3


def footprint(usage: Usage, fleet: Fleet, conditions: Conditions, own_kwh: FloatArray | float = 0.0) -> Footprint:
    """Footprint of some slots; ``own_kwh`` [..., sites] is what sun and battery of a site gave (less what they took).

    IT energy = idle_w x on + (peak_w - idle_w) / concurrency x busy + boot_w x booting + off_w x off;
    facility = PUE x IT + (PUE - 1) x the fixed share of the overhead x (IT at full load - IT);
    meter = facility - own; water = on-site intensity x IT + off-site intensity x meter.
    """
    hardware = fleet.hardware
    serving = hardware.by_site(hardware.dynamic_w * usage.busy_place_s / J_PER_KWH)
    idle = hardware.by_site(hardware.idle_w * usage.on_server_s / J_PER_KWH)
    boot = hardware.by_site(hardware.boot_w * usage.booting_server_s / J_PER_KWH)
    off = hardware.by_site(hardware.off_w * usage.off_server_s / J_PER_KWH)
    it = serving + idle + boot + off
    fixed = (conditions.pue - 1.0) * fleet.overhead_fixed * (fleet.rated_kwh - it)
    facility = conditions.pue * it + fixed
    meter = facility - own_kwh
    return Footprint(
        serving_kwh=serving,
        idle_kwh=idle,
        boot_kwh=boot,
        off_kwh=off,
        facility_kwh=facility,
        meter_kwh=meter,
        cost_usd=conditions.price_usd_per_kwh * meter,
        carbon_kg=conditions.carbon_kg_per_kwh * meter,
        water_l=conditions.onsite_water_l_per_kwh * it + conditions.offsite_water_l_per_kwh * meter,
    )


def nothing(sites: int) -> Footprint:
    """The footprint before anything has happened."""
    return Footprint(*(np.zeros(sites) for _ in Footprint._fields))


def added(one: Footprint, other: Footprint) -> Footprint:
    """The sum of two footprints."""
    return Footprint(*(a + b for a, b in zip(one, other, strict=True)))
