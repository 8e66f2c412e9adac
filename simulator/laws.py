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
        "every request of an origin has one fate": _origins(record),
        "every request that a site received has one fate": _sites(record),
        "busy seconds of the ledger = service received by requests": _close(
            record.busy_place_s.sum(axis=0), record.served_s
        ),
        "meter energy = PUE x (idle + serving energy)": _energy(world, record, footprint),
        "cost, carbon and water = signal x energy, slot by slot": _signals(world, footprint),
        "no request on a site that its origin may not use": not record.routed[~world.fleet.allowed].any(),
        "places in use <= places open": bool(
            (record.most_in_use <= world.fleet.places(world.scenario.fleet_scale)).all()
        ),
    }
    broken = [name for name, holds in checks.items() if not holds]
    if broken:
        raise LawError("a law of the model does not hold: " + "; ".join(broken))
    return tuple(checks)


def _close(one: FloatArray, other: FloatArray) -> bool:
    scale = max(float(np.abs(one).max(initial=0.0)), float(np.abs(other).max(initial=0.0)))
    return bool((np.abs(one - other) <= RELATIVE * scale).all())


def _origins(record: Record) -> bool:
    return _close(record.arrived, record.fates.sum(axis=(0, 2)))


def _sites(record: Record) -> bool:
    """The sites' own counts of requests received, against fates and routes counted from the requests."""
    fated = record.fates[:, :, :-1]
    at_site = fated.sum(axis=(0, 1)) - record.under_way
    sent = _close(record.routed, fated.sum(axis=0)) and bool(
        (record.under_way <= fated[UNFINISHED].sum(axis=0) + 1e-9).all()
    )
    return sent and _close(record.received, at_site)


def _energy(world: World, record: Record, footprint: Footprint) -> bool:
    hardware, scale = world.fleet.hardware, world.scenario.fleet_scale
    idle_j = hardware.idle_w * hardware.servers * world.scenario.horizon_s
    serving_j = (hardware.peak_w - hardware.idle_w) / hardware.concurrency * record.served_s / scale
    return _close(footprint.meter_kwh.sum(axis=0), hardware.pue * (idle_j + serving_j) / J_PER_KWH)


def _signals(world: World, footprint: Footprint) -> bool:
    return (
        _close(footprint.cost_usd, world.price_usd_per_kwh * footprint.meter_kwh)
        and _close(footprint.carbon_kg, world.carbon_kg_per_kwh * footprint.meter_kwh)
        and _close(footprint.water_l, world.water_l_per_kwh * footprint.it_kwh)
    )
