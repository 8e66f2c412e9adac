"""The laws: what must hold in every run, checked on every run. A run that breaks one gives no figures."""

from __future__ import annotations

import numpy as np

from simulator.fleet import FloatArray
from simulator.footprint import Footprint
from simulator.problem import LawError
from simulator.record import UNFINISHED, Record
from simulator.units import J_PER_KWH
from simulator.world import World

RELATIVE = 1e-9


def check_laws(world: World, record: Record, footprint: Footprint) -> tuple[str, ...]:
    """Names of the laws, all of which hold; raises LawError naming every one that does not."""
    checks = {
        "every request of an origin has one fate": _counted(record.arrived, record.fates.sum(axis=(0, 2))),
        "every request that a site received has one fate": _sites(record),
        "busy seconds of the ledger = service received by requests, slot by slot": _close(
            record.busy_place_s, record.served_s, least=world.fleet.slot_s
        ),
        "meter energy = PUE x (idle + serving energy)": _energy(world, record, footprint),
        "cost, carbon and water = signal x energy, slot by slot": _signals(world, record, footprint),
        "no request on a site that its origin may not use": not record.routed[~world.fleet.allowed].any(),
    }
    if record.most_in_use is not None:
        places = world.fleet.places(world.scenario.fleet_scale)
        checks["places in use <= places open"] = bool((record.most_in_use <= places).all())
        full = places * world.fleet.slot_s * (1 + RELATIVE)
        checks["busy seconds of a slot <= its places"] = bool((record.busy_place_s <= full).all())
    broken = [name for name, holds in checks.items() if not holds]
    if broken:
        raise LawError("a law of the model does not hold: " + "; ".join(broken))
    return tuple(checks)


def _counted(one: FloatArray, other: FloatArray) -> bool:
    """Numbers of requests are equal; flows of the fluid engine, which are not whole, but for rounding."""
    if np.array_equal(one, np.round(one)) and np.array_equal(other, np.round(other)):
        return bool(np.array_equal(one, other))
    return _close(one, other)


def _close(one: FloatArray, other: FloatArray, least: float = 0.0) -> bool:
    """Equal, element by element, but for rounding of figures of at least this size."""
    size = np.maximum(np.maximum(np.abs(one), np.abs(other)), least)
    return bool((np.abs(one - other) <= RELATIVE * size).all())


def _sites(record: Record) -> bool:
    """What the plane sent and what the sites received, counted as it happened, against the fates of the requests."""
    fated = record.fates[:, :, :-1]
    return (
        _counted(record.routed, fated.sum(axis=0))
        and bool((record.under_way <= fated[UNFINISHED].sum(axis=0)).all())
        and _counted(record.received, fated.sum(axis=(0, 1)) - record.under_way)
    )


def _meter_kwh(world: World, busy_place_s: FloatArray) -> FloatArray:
    """Energy at the meter of busy place-seconds in slots in which all servers are on, [slots, sites]."""
    hardware = world.fleet.hardware
    idle_j = hardware.idle_w * hardware.servers * world.fleet.slot_s
    serving_j = (hardware.peak_w - hardware.idle_w) * (busy_place_s / world.scenario.fleet_scale / hardware.concurrency)
    return (idle_j + serving_j) * world.conditions.pue / J_PER_KWH


def _energy(world: World, record: Record, footprint: Footprint) -> bool:
    """The whole run at once, by the service that requests received instead of the ledger."""
    return _close(footprint.meter_kwh.sum(axis=0), _meter_kwh(world, record.served_s).sum(axis=0))


def _signals(world: World, record: Record, footprint: Footprint) -> bool:
    """From the ledger itself, not from the energies of the footprint."""
    here = world.conditions
    meter = _meter_kwh(world, record.busy_place_s)
    onsite_l = here.onsite_water_l_per_kwh * meter / here.pue
    return (
        _close(footprint.cost_usd, here.price_usd_per_kwh * meter)
        and _close(footprint.carbon_kg, here.carbon_kg_per_kwh * meter)
        and _close(footprint.water_l, onsite_l + here.offsite_water_l_per_kwh * meter)
    )
