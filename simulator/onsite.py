"""On site: what a site's own sun and battery give and take in a slot, and the meter does not see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.battery import Battery, charge_limit_kw, discharge_limit_kw, lost_kwh, moved
from simulator.fleet import FloatArray
from simulator.footprint import Conditions
from simulator.plan import PolicyError
from simulator.storage import StorageControl, StorageView
from simulator.units import S_PER_H
from simulator.world import World

RELATIVE = 1e-9
#: What the flows are called in tables.
COLUMNS = {
    "produced": "solar_produced_kwh",
    "used": "solar_used_kwh",
    "stored": "solar_stored_kwh",
    "curtailed": "solar_curtailed_kwh",
    "grid_charged": "grid_charged_kwh",
    "discharged": "discharged_kwh",
    "lost": "battery_lost_kwh",
    "content": "battery_kwh",
}


class Flows(NamedTuple):
    """Energies of the full fleet [kWh], shapes [..., sites]; none is ever negative."""

    produced: FloatArray
    """By the sun; = used + stored + curtailed."""
    used: FloatArray
    """Sun that served the load."""
    stored: FloatArray
    """Sun that went into the battery."""
    curtailed: FloatArray
    """Sun that nobody took; nothing is sold."""
    grid_charged: FloatArray
    """Energy from the grid that went into the battery."""
    discharged: FloatArray
    """Energy from the battery that served the load."""
    lost: FloatArray
    """What charging and discharging turned into heat."""
    content: FloatArray
    """What is in the battery at the end of the slot."""

    def columns(self) -> dict[str, FloatArray]:
        """Each of them under its name in tables."""
        return {COLUMNS[name]: part for name, part in self._asdict().items()}

    @property
    def own_kwh(self) -> FloatArray:
        """What the meter does not see, less what it sees besides the load: facility energy - own = meter energy."""
        return self.used + self.discharged - self.grid_charged


class OnSite:
    """Sun and batteries of a fleet as a run goes on: the content of the batteries is what moves.

    Parameters
    ----------
    solar_kw
        Mean power of the panels, [slots, sites].
    battery
        Arrays [sites].
    controls
        One for each site, None where there is no battery; none at all for a fleet without batteries.
    conditions
        Prices and carbon that the controls see, [slots, sites].
    slot_s
        Length of a slot.
    """

    def __init__(
        self,
        solar_kw: FloatArray,
        battery: Battery,
        controls: Sequence[StorageControl | None],
        conditions: Conditions,
        slot_s: float,
    ):
        self._solar_kw, self._battery, self._conditions, self._slot_s = solar_kw, battery, conditions, slot_s
        self._content_kwh = battery.initial_kwh.copy()
        self._stores = np.flatnonzero(battery.capacity_kwh > 0).tolist()
        self._controls: dict[int, StorageControl] = {}
        for site in self._stores:
            control = controls[site] if site < len(controls) else None
            if control is None:
                raise ValueError(f"the battery of site {site} has no control")
            control.start()
            self._controls[site] = control
        self._idle = not self._stores and not solar_kw.any()
        self._next = 0

    @classmethod
    def of(cls, world: World, controls: Sequence[StorageControl | None] = ()) -> OnSite:
        """Those of a world."""
        return cls(world.solar_kw, world.batteries, controls, world.conditions, world.fleet.slot_s)

    def settle(self, slot: int, facility_kwh: FloatArray) -> Flows:
        """What sun and batteries did in a slot whose load [kWh], [sites], is known; slots come one after the other.

        Raises
        ------
        PolicyError
            where a control does not say a number.
        """
        if slot != self._next:
            raise ValueError(f"slot {self._next} is to be settled next (given {slot})")
        self._next += 1
        if self._idle:
            return no_flows(facility_kwh.shape)
        # In kW until the end: a control that asks for exactly the surplus must not get a rounding from the grid.
        hours, solar_kw, load_kw = self._slot_s / S_PER_H, self._solar_kw[slot], facility_kwh * S_PER_H / self._slot_s
        surplus_kw = np.maximum(solar_kw - load_kw, 0.0)
        charged_kw, given_kw = self._asked(slot, load_kw)
        stored_kw = np.minimum(charged_kw, surplus_kw)
        used = np.minimum(np.minimum(solar_kw, load_kw) * hours, facility_kwh)
        charged, given = charged_kw * hours, np.minimum(given_kw * hours, facility_kwh - used)
        self._content_kwh = moved(self._battery, self._content_kwh, charged, given)
        return Flows(
            produced=solar_kw * hours,
            used=used,
            stored=stored_kw * hours,
            curtailed=(surplus_kw - stored_kw) * hours,
            grid_charged=(charged_kw - stored_kw) * hours,
            discharged=given,
            lost=lost_kwh(self._battery, charged, given),
            content=self._content_kwh,
        )

    def _asked(self, slot: int, load_kw: FloatArray) -> FloatArray:
        """Powers [kW] that the controls charge and give, within the limits of the batteries, [2, sites]."""
        hours, asked = self._slot_s / S_PER_H, np.zeros((2, len(load_kw)))
        charge = charge_limit_kw(self._battery, self._content_kwh, hours)
        discharge = discharge_limit_kw(self._battery, self._content_kwh, hours)
        for site in self._stores:
            view = StorageView(
                slot=slot,
                slot_s=self._slot_s,
                load_kw=float(load_kw[site]),
                solar_kw=float(self._solar_kw[slot, site]),
                prices_usd_per_kwh=self._conditions.price_usd_per_kwh[: slot + 1, site],
                carbons_kg_per_kwh=self._conditions.carbon_kg_per_kwh[: slot + 1, site],
                content_kwh=float(self._content_kwh[site]),
                capacity_kwh=float(self._battery.capacity_kwh[site]),
                charge_limit_kw=float(charge[site]),
                discharge_limit_kw=float(discharge[site]),
                stored_per_charged=float(self._battery.eff_c[site]),
                drawn_per_given=float(self._battery.eff_d[site]),
            )
            wish = _wish(self._controls[site], view)
            # The zero stands first, so that no wish is never a zero below zero.
            asked[:, site] = min(max(0.0, wish), charge[site]), min(max(0.0, -wish), discharge[site])
        return asked


def _wish(control: StorageControl, view: StorageView) -> float:
    wish = control.power_kw(view)
    if isinstance(wish, bool) or not isinstance(wish, int | float | np.number) or not math.isfinite(wish):
        what = f"power_kw() must return a finite number (given {wish!r})"
        raise PolicyError(f"slot {view.slot}: {type(control).__name__}: {what}")
    return float(wish)


def no_flows(shape: tuple[int, ...]) -> Flows:
    """The flows of sites without sun and battery, all zero."""
    none = np.zeros(shape)
    return Flows(*(none for _ in Flows._fields))


def stacked(flows: Sequence[Flows]) -> Flows:
    """Flows of single slots, [sites] each, as those of a run, [slots, sites]."""
    return Flows(*(np.stack(part) for part in zip(*flows, strict=True)))


def check_flows(flows: Flows, facility_kwh: FloatArray, battery: Battery) -> dict[str, bool]:
    """Laws of sun and batteries over a run from its first slot, and whether each one holds; shapes [slots, sites]."""
    before = np.concatenate([battery.initial_kwh[None, :], flows.content[:-1]])
    charged = flows.stored + flows.grid_charged
    gained = battery.eff_c * charged - battery.eff_d * flows.discharged
    size = facility_kwh + flows.produced + charged + battery.capacity_kwh
    served = flows.used + flows.discharged
    return {
        "energies of sun and battery >= 0": all(bool((part >= 0).all()) for part in flows),
        "sun = used + stored + curtailed": _same(flows.produced, flows.used + flows.stored + flows.curtailed, size),
        "used sun and discharge <= facility energy": bool((served <= facility_kwh + RELATIVE * size).all()),
        "content gained = efficiency x charge - discharge / efficiency": _same(flows.content - before, gained, size),
        "0 <= content <= capacity": bool((flows.content <= battery.capacity_kwh).all()),
        "charge - discharge = content gained + losses": _same(
            charged - flows.discharged, flows.content - before + flows.lost, size
        ),
        "no charge and discharge in one slot": not (charged * flows.discharged).any(),
    }


def _same(one: FloatArray, other: FloatArray, size: FloatArray) -> bool:
    """Equal but for rounding of figures of this size."""
    return bool((np.abs(one - other) <= RELATIVE * size).all())
