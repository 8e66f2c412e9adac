"""The footprint: place-seconds x power x signals -> kWh, US$, kg, L.

One pure, linear function serves the finished ledger and what a policy sees during the run.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.fleet import FloatArray, Hardware
from simulator.units import J_PER_KWH, KG_PER_T, L_PER_M3


class Footprint(NamedTuple):
    """What sites consumed; consumption is positive. Shapes [..., sites]."""

    serving_kwh: FloatArray
    """IT energy above idle, spent on requests."""
    idle_kwh: FloatArray
    """IT energy of servers being on."""
    meter_kwh: FloatArray
    cost_usd: FloatArray
    carbon_kg: FloatArray
    water_l: FloatArray

    @property
    def it_kwh(self) -> FloatArray:
        """IT energy."""
        return self.serving_kwh + self.idle_kwh

    @property
    def carbon_t(self) -> FloatArray:
        """Carbon in tonnes."""
        return self.carbon_kg / KG_PER_T

    @property
    def water_m3(self) -> FloatArray:
        """Water in cubic metres."""
        return self.water_l / L_PER_M3


class Intensities(NamedTuple):
    """Signals of some slots, shapes [..., sites]."""

    price_usd_per_kwh: FloatArray
    carbon_kg_per_kwh: FloatArray
    water_l_per_kwh: FloatArray


def footprint(busy_place_s: FloatArray, on_server_s: FloatArray, hardware: Hardware, signals: Intensities) -> Footprint:
    """Footprint of busy place-seconds [..., sites] and on server-seconds [..., sites] or [sites].

    IT energy = idle_w x on + (peak_w - idle_w) / concurrency x busy; meter = PUE x IT;
    water = combined intensity x IT (the paper's water series holds on-site and off-site water together).
    """
    serving = (hardware.peak_w - hardware.idle_w) / hardware.concurrency * busy_place_s / J_PER_KWH
    idle = np.broadcast_to(hardware.idle_w * on_server_s / J_PER_KWH, serving.shape)
    meter = hardware.pue * (serving + idle)
    return Footprint(
        serving_kwh=serving,
        idle_kwh=idle,
        meter_kwh=meter,
        cost_usd=signals.price_usd_per_kwh * meter,
        carbon_kg=signals.carbon_kg_per_kwh * meter,
        water_l=signals.water_l_per_kwh * (serving + idle),
    )


def nothing(sites: int) -> Footprint:
    """The footprint before anything has happened."""
    return Footprint(*(np.zeros(sites) for _ in Footprint._fields))


def added(one: Footprint, other: Footprint) -> Footprint:
    """The sum of two footprints."""
    return Footprint(*(a + b for a, b in zip(one, other, strict=True)))
