"""The laws: what must hold in every run, checked on every run. A run that breaks one gives no figures."""

from __future__ import annotations

import numpy as np

from simulator.fleet import FloatArray
from simulator.footprint import Footprint, Usage
from simulator.onsite import Flows, check_flows
from simulator.problem import LawError
from simulator.record import UNFINISHED, Record
from simulator.units import J_PER_KWH, S_PER_H
from simulator.world import World

RELATIVE = 1e-9


def check_laws(world: World, record: Record, usage: Usage, footprint: Footprint, flows: Flows) -> tuple[str, ...]:
    """Names of the laws, all of which hold; raises LawError naming every one that does not."""
    checks = {
        "every request of an origin has one fate": _counted(record.arrived, record.fates.sum(axis=(0, 2))),
        "every request that a site received has one fate, or was routed anew": _sites(record),
        "busy seconds of the ledger = service received by requests, slot by slot": _close(
            record.busy_place_s, record.served_s, least=world.fleet.slot_s
        ),
        "every server is on, booting, off or in an outage": _servers(world, usage),
        "meter energy = PUE x (idle + serving + boot energy) - own energy": _energy(world, record, usage, footprint)
        and _close(footprint.meter_kwh, footprint.facility_kwh - flows.own_kwh, least=footprint.facility_kwh),
        "cost, carbon and water = signal x energy, slot by slot": _signals(
            world, record, usage, footprint, flows.own_kwh
        ),
        "no request on a site that its origin may not use": not record.routed[~world.fleet.allowed].any(),
    }
    if record.most_in_use is not None:
        scale, hardware = world.scenario.fleet_scale, world.fleet.hardware
        places = world.fleet.places(scale)
        checks["places in use <= places"] = bool((record.most_in_use <= places).all())
        # Servers of which one stands for several have at most this many places each.
        servers = -(-places // hardware.concurrency)
        on_s = usage.on_server_s * (servers / hardware.servers)
        room = on_s * hardware.concurrency + RELATIVE * places * world.fleet.slot_s
        checks["nobody is served by servers that are off, booting or dark"] = bool((record.busy_place_s <= room).all())
    if world.has_own_energy or any(part.any() for part in flows):
        checks["sun = power of the panels x time"] = _close(
            flows.produced, world.solar_kw * (world.fleet.slot_s / S_PER_H)
        )
        checks |= check_flows(flows, footprint.facility_kwh, world.batteries)
    broken = [name for name, holds in checks.items() if not holds]
    if broken:
        raise LawError("a law of the model does not hold: " + "; ".join(broken))
    return tuple(checks)


def _counted(one: FloatArray, other: FloatArray) -> bool:
    """Numbers of requests are equal; flows of the fluid engine, which are not whole, but for rounding."""
    if np.array_equal(one, np.round(one)) and np.array_equal(other, np.round(other)):
        return bool(np.array_equal(one, other))
    return _close(one, other)


def _close(one: FloatArray, other: FloatArray, least: FloatArray | float = 0.0) -> bool:
    """Equal, element by element, but for rounding of figures of at least this size."""
    size = np.maximum(np.maximum(np.abs(one), np.abs(other)), least)
    return bool((np.abs(one - other) <= RELATIVE * size).all())


def _sites(record: Record) -> bool:
    """What the plane sent and what the sites received, counted as it happened, against the fates of the requests."""
    sent = record.fates[:, :, :-1].sum(axis=0) + record.rerouted
    waiting = record.fates[UNFINISHED, :, :-1].sum(axis=0)
    return (
        _counted(record.routed, sent)
        and bool((record.under_way <= waiting).all())
        and _counted(record.received, sent.sum(axis=0) - record.under_way - record.lost)
    )


def _servers(world: World, usage: Usage) -> bool:
    """Never more server-seconds than there are servers; exactly so many where no server is ever in an outage."""
    fleet, spent_s = world.fleet, usage.on_server_s + usage.booting_server_s + usage.off_server_s
    full_s = np.broadcast_to(fleet.hardware.servers * fleet.slot_s, spent_s.shape)
    fails = [outage.site for outage in world.outages.all if outage.kind == "site"]
    whole = ~np.isin(fleet.hardware.site, fails)
    # Servers that drain in an outage are on as well: they finish what they serve.
    return _close(spent_s[:, whole], full_s[:, whole]) and all(bool((part >= 0).all()) for part in usage)


def _it_kwh(world: World, busy_place_s: FloatArray, usage: Usage) -> FloatArray:
    """IT energy of busy place-seconds of the simulated fleet and of what servers did, [slots, sites]."""
    hardware = world.fleet.hardware
    drawn_j = hardware.idle_w * usage.on_server_s + hardware.boot_w * usage.booting_server_s
    drawn_j += hardware.off_w * usage.off_server_s
    serving_j = (hardware.peak_w - hardware.idle_w) * (busy_place_s / world.scenario.fleet_scale / hardware.concurrency)
    return hardware.by_site(drawn_j + serving_j) / J_PER_KWH


def _facility_kwh(world: World, busy_place_s: FloatArray, usage: Usage) -> FloatArray:
    """IT energy and overhead, [slots, sites]."""
    it, pue, fixed = _it_kwh(world, busy_place_s, usage), world.conditions.pue, world.fleet.overhead_fixed
    return it + (pue - 1.0) * ((1.0 - fixed) * it + fixed * world.fleet.rated_kwh)


def _energy(world: World, record: Record, usage: Usage, footprint: Footprint) -> bool:
    """The whole run at once, by the service that requests received instead of the ledger."""
    wanted = _facility_kwh(world, record.served_s, usage).sum(axis=0)
    return _close(footprint.facility_kwh.sum(axis=0), wanted)


def _signals(world: World, record: Record, usage: Usage, footprint: Footprint, own_kwh: FloatArray) -> bool:
    """From the ledger itself, not from the energies of the footprint."""
    here = world.conditions
    meter = _facility_kwh(world, record.busy_place_s, usage) - own_kwh
    onsite_l = here.onsite_water_l_per_kwh * _it_kwh(world, record.busy_place_s, usage)
    # An outage, or sun and battery, may leave next to nothing, all of it rounding: the size is that of a full load.
    full = here.pue * world.fleet.rated_kwh
    water_l_per_kwh = here.onsite_water_l_per_kwh + here.offsite_water_l_per_kwh
    return (
        _close(footprint.cost_usd, here.price_usd_per_kwh * meter, np.abs(here.price_usd_per_kwh) * full)
        and _close(footprint.carbon_kg, here.carbon_kg_per_kwh * meter, here.carbon_kg_per_kwh * full)
        and _close(footprint.water_l, onsite_l + here.offsite_water_l_per_kwh * meter, water_l_per_kwh * full)
    )
