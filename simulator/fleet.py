"""The fleet: what is fixed about sites and origins for a whole run, as arrays in site and origin order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.objective import Objective
from simulator.units import J_PER_KWH, S_PER_H

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)


@lru_cache(maxsize=16)
def _first_of(site: bytes) -> IntArray:
    """Where each site's pools begin: asked for at every sum over pools, and the same for a whole run."""
    first = np.flatnonzero(np.diff(np.frombuffer(site, dtype=np.int64), prepend=-1))
    first.flags.writeable = False
    return first


class ServiceCurve(NamedTuple):
    """Service of a request in each pool: (base + per_input x input) + output x per_output, seconds, shapes [pools].

    Prefill is the bracket; a request sized by energy or seconds has no prefill.
    """

    base_s: FloatArray
    per_input_s: FloatArray
    per_output_s: FloatArray

    def service_s(self, inputs: float, outputs: float) -> FloatArray:
        """Service of a request of this size [s], shape [pools]."""
        return (self.base_s + self.per_input_s * inputs) + outputs * self.per_output_s


class Hardware(NamedTuple):
    """Pools of the full fleet, shapes [pools]; a pool is the servers of one type at one site.

    Pools of a site stand side by side in their order of preference, sites in the order of the fleet.
    """

    site: IntArray
    """The site that a pool belongs to."""
    servers: FloatArray
    concurrency: IntArray
    peak_w: FloatArray
    idle_w: FloatArray
    boot_w: FloatArray
    off_w: FloatArray
    boot_s: FloatArray
    """Mean time to boot; then the model is loaded."""
    load_s: FloatArray

    @property
    def first(self) -> IntArray:
        """The first pool of each site, [sites]."""
        return _first_of(self.site.tobytes())

    @property
    def dynamic_w(self) -> FloatArray:
        """Power that a busy place adds, [pools]."""
        return (self.peak_w - self.idle_w) / self.concurrency

    def by_site(self, values: NDArray[Number]) -> NDArray[Number]:
        """Sums over the pools of each site: [..., pools] -> [..., sites]."""
        return np.asarray(np.add.reduceat(values, self.first, axis=-1))


@dataclass(frozen=True, eq=False)
class Fleet:
    """What a routing policy is told once; extensive figures are those of the full fleet."""

    sites: tuple[str, ...]
    origins: tuple[str, ...]
    slots: int
    slot_s: float
    allowed: BoolArray
    """Whether a site may serve an origin, [origins, sites]."""
    rtt_s: FloatArray
    """Round-trip times [s], [origins, sites]."""
    service_s: FloatArray
    """Mean service of a request [s], [sites]."""
    energy_kwh: FloatArray
    """Mean marginal IT energy of a request [kWh], [sites]."""
    capacity_rps: FloatArray
    """Planned capacity [requests/s], [sites]."""
    queue_limit: IntArray
    """Requests that may wait at a site, [sites]; -1 where the queue is unlimited."""
    overhead_fixed: FloatArray
    """Share of the overhead (cooling, conversion) that does not follow the load, [sites]."""
    standing_kwh: FloatArray
    """IT energy of a slot that a site draws whatever it serves [kWh], [sites]."""
    objective: Objective
    hardware: Hardware
    curve: ServiceCurve
    place_s: FloatArray
    """Place-seconds that a request of a site brings to each of its pools on average, [pools]; they sum to service_s."""
    scarcity: FloatArray
    """How scarce water is beside the other sites: AWARE factors of the year over their mean, [sites].

    The mean is over all sites of the scenario, lost ones too.
    """
    lost: tuple[str, ...] = ()
    """Sites that are out of service for the whole run: settings may name them."""

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def standing_requests(self) -> FloatArray:
        """Requests of a slot that would draw what a site draws whatever it serves, [sites]."""
        return self.standing_kwh / self.energy_kwh

    @property
    def rated_kwh(self) -> FloatArray:
        """IT energy of a slot in which all servers are busy [kWh], [sites]."""
        return self.hardware.by_site(self.hardware.peak_w * self.hardware.servers) * self.slot_s / J_PER_KWH

    @cached_property
    def allowed_sites(self) -> tuple[tuple[int, ...], ...]:
        """The sites that each origin may use, in rising order."""
        return tuple(tuple(np.flatnonzero(row).tolist()) for row in self.allowed)

    @cached_property
    def nearest(self) -> IntArray:
        """The allowed site with the smallest RTT for each origin, [origins]; -1 where none is allowed."""
        distance = np.where(self.allowed, self.rtt_s, np.inf)
        found: IntArray = _on_bytes(np.where(self.allowed.any(axis=1), distance.argmin(axis=1), -1))
        return found

    def it_kw(self, rate_rps: float, sites: Sequence[str] = ()) -> float:
        """IT power that so many requests/s add [kW]: mean marginal energy x rate.

        The mean is over these sites, weighted by their planned capacity; over all sites where these carry nothing.
        """
        chosen = np.where(np.isin(self.sites, sites), self.capacity_rps, 0.0)
        weight = chosen if chosen.any() else self.capacity_rps
        energy = np.average(self.energy_kwh, weights=weight if weight.any() else None)
        return float(rate_rps * energy * S_PER_H)

    def places(self, scale: float) -> IntArray:
        """Places of each pool in a fleet of this scale, [pools]."""
        exact = scale * self.hardware.servers * self.hardware.concurrency
        # Rounded first: 0.07 x 100 is 7.000000000000001 in floating point, and must be 7 places.
        return np.array([max(1, math.ceil(round(float(n), 9))) for n in exact], dtype=np.int64)


def marginal_kwh(service_s: FloatArray, hardware: Hardware) -> FloatArray:
    """Dynamic IT energy of a service of this length in each pool [kWh], [pools]."""
    return service_s * (hardware.peak_w - hardware.idle_w) / hardware.concurrency / J_PER_KWH


def idle_share_kwh(service_s: FloatArray, hardware: Hardware) -> FloatArray:
    """Idle IT energy of the place that a service of this length takes in each pool [kWh], [pools]."""
    return service_s * hardware.idle_w / hardware.concurrency / J_PER_KWH


def freeze(frozen: Any) -> None:
    """Make the arrays in a frozen dataclass immutable, and those in its named tuples and dataclasses.

    Not only read-only, which whoever holds an array may undo: a policy must not be able to move the world.
    """
    for field in fields(frozen):
        object.__setattr__(frozen, field.name, _immutable(getattr(frozen, field.name)))


def _immutable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value if _is_immutable(value) else _on_bytes(value)
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make(_immutable(part) for part in value)
    if is_dataclass(value):
        freeze(value)
    return value


def _is_immutable(array: NDArray[Any]) -> bool:
    base: Any = array
    while isinstance(base, np.ndarray) and not base.flags.writeable:
        base = base.base
    return isinstance(base, bytes)


def _on_bytes(array: NDArray[Any]) -> NDArray[Any]:
    """A copy in a buffer that nobody can write to."""
    return np.frombuffer(array.tobytes() or bytes(array.itemsize), array.dtype, array.size).reshape(array.shape)
