"""The battery: how fast it takes and gives, and what stays in it.

The C/L/C model of Kazhamiaka, Rosenberg and Keshav, "Tractable lithium-ion storage models for optimizing energy
systems", Energy Informatics 2 (2019): constant limits of power, linear limits of content, constant efficiencies.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.fleet import FloatArray


class Battery(NamedTuple):
    """Batteries of the full fleet, shapes [sites]; a site without one has a capacity of 0. Symbols of the paper."""

    capacity_kwh: FloatArray
    initial_kwh: FloatArray
    """What is in it when the run starts."""
    c_rate_per_h: FloatArray
    """Its content may rise or fall by this many capacities an hour."""
    eff_c: FloatArray
    """Energy that stays, per energy charged."""
    eff_d: FloatArray
    """Energy that is drawn from the content, per energy given."""
    u_up_h: FloatArray
    v_up: FloatArray
    """The content must stay below u_up x power charged + v_up x capacity."""
    u_lo_h: FloatArray
    v_lo: FloatArray
    """The content must stay above u_lo x power given + v_lo x capacity."""

    @property
    def round_trip(self) -> FloatArray:
        """Energy given per energy charged, [sites]."""
        return self.eff_c / self.eff_d


def charge_limit_kw(battery: Battery, content_kwh: FloatArray, hours: float) -> FloatArray:
    """The largest power that can be charged all through the next ``hours``, [sites]."""
    by_rate = battery.capacity_kwh * battery.c_rate_per_h / battery.eff_c
    room = battery.v_up * battery.capacity_kwh - content_kwh
    return np.maximum(np.minimum(by_rate, room / (battery.eff_c * hours - battery.u_up_h)), 0.0)


def discharge_limit_kw(battery: Battery, content_kwh: FloatArray, hours: float) -> FloatArray:
    """The largest power that can be given all through the next ``hours``, [sites]."""
    by_rate = battery.capacity_kwh * battery.c_rate_per_h / battery.eff_d
    left = content_kwh - battery.v_lo * battery.capacity_kwh
    return np.maximum(np.minimum(by_rate, left / (battery.u_lo_h + battery.eff_d * hours)), 0.0)


def moved(battery: Battery, content_kwh: FloatArray, charged_kwh: FloatArray, given_kwh: FloatArray) -> FloatArray:
    """The content after these energies, [..., sites]; within 0 and the capacity whatever is rounded."""
    after = content_kwh + battery.eff_c * charged_kwh - battery.eff_d * given_kwh
    return np.clip(after, 0.0, battery.capacity_kwh)


def lost_kwh(battery: Battery, charged_kwh: FloatArray, given_kwh: FloatArray) -> FloatArray:
    """What charging and discharging turn into heat, [..., sites]."""
    return charged_kwh * (1.0 - battery.eff_c) + given_kwh * (battery.eff_d - 1.0)
