"""Hardware of a world: the pools of servers as arrays; a pool is the servers of one type at one site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.fleet import FloatArray, Hardware, IntArray
from simulator.problem import KeyPath, Problems
from simulator.scenario.catalogue import models
from simulator.scenario.place import Site
from simulator.scenario.scenario import Scenario
from simulator.scenario.server import Servers
from simulator.scenario.workload import Request


class Pool(NamedTuple):
    """The servers of one type at one site."""

    site: int
    servers: Servers
    path: KeyPath = ("servers",)
    """Where the scenario says so."""


def pools_of(scenario: Scenario, sites: Sequence[Site], problems: Problems) -> tuple[Pool, ...]:
    """The pools of all sites, those of a site side by side in their order of preference."""
    pools = []
    for k, site in enumerate(sites):
        types = site.servers or scenario.servers
        if types is None:
            problems.add(("sites", k), f"site '{site.name}' has no servers, and the scenario gives none for all sites")
        path = () if site.servers is None else scenario.sites.path_to(k, site.name)
        pools += [Pool(k, servers, (*path, "servers", number)) for number, servers in enumerate(types or ())]
    return tuple(pools)


def build_hardware(pools: Sequence[Pool], request: Request) -> Hardware:
    """Pools as arrays."""
    kinds = [pool.servers for pool in pools]
    return Hardware(
        site=np.array([pool.site for pool in pools], dtype=np.int64),
        servers=np.array([float(kind.count) for kind in kinds]),
        concurrency=np.array([kind.concurrency for kind in kinds], dtype=np.int64),
        peak_w=np.array([kind.peak_w for kind in kinds]),
        idle_w=np.array([kind.idle_w for kind in kinds]),
        boot_w=np.array([kind.booting_w for kind in kinds]),
        off_w=np.array([kind.off_w for kind in kinds]),
        boot_s=np.array([kind.boot_s.mean for kind in kinds]),
        load_s=np.array([_load_s(kind, request) for kind in kinds]),
    )


def _load_s(servers: Servers, request: Request) -> float:
    if servers.load_s is not None or request.tokens is None:
        return servers.load_s or 0.0
    row = models().get(servers.model or request.tokens.model)
    return 0.0 if row is None else float(row["load_s"])


def queue_limits(pools: Sequence[Pool], sites: int) -> IntArray:
    """Requests that may wait at each site, [sites]; -1 where the queue is unlimited."""
    limits = np.full(sites, -1, dtype=np.int64)
    for pool in pools:
        if pool.servers.queue_limit is not None:
            limits[pool.site] = pool.servers.queue_limit
    return limits


def is_proportional(pools: Sequence[Pool], sites: int) -> list[bool]:
    """Whether the servers of each site draw for requests only, [sites]."""
    proportional = [False] * sites
    for pool in pools:
        proportional[pool.site] = pool.servers.power == "proportional"
    return proportional


def share_of_places(hardware: Hardware) -> FloatArray:
    """The share that each pool has of its site's places, [pools]; requests share themselves out so on average."""
    places = hardware.servers * hardware.concurrency
    return np.asarray(places / hardware.by_site(places)[hardware.site])
