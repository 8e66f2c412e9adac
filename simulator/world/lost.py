"""Lost sites: what is left of a world when some of its sites are out of service for the whole run.

A world is built with all its sites and then cut, so that whatever names a lost site goes on to be right, and the other
sites have the signals, the outages and the boots that they would have had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from simulator.battery import Battery
from simulator.fleet import Fleet, Hardware, IntArray, ServiceCurve
from simulator.footprint import Conditions
from simulator.problem import Problems, did_you_mean

from .hardware import Pool
from .outages import Outages

_Columns = TypeVar("_Columns", Battery, Conditions, Hardware, ServiceCurve)


def standing_sites(lost: Sequence[str], sites: Sequence[str], problems: Problems) -> IntArray:
    """Numbers of the sites that are not lost; adds to ``problems`` what cannot be lost."""
    for k, name in enumerate(lost):
        if name not in sites:
            problems.add(("lost_sites", k), f"unknown site '{name}'{did_you_mean(name, sites)}")
        elif name in lost[:k]:
            problems.add(("lost_sites", k), f"'{name}' is given twice")
    if set(sites) <= set(lost):
        problems.add(("lost_sites",), "no site would be left")
    return np.flatnonzero(~np.isin(sites, lost))


def columns_of(parts: _Columns, numbers: IntArray) -> _Columns:
    """The last axis of all arrays in a named tuple cut to these numbers."""
    return parts._replace(**{name: part[..., numbers] for name, part in parts._asdict().items()})


def fleet_of(fleet: Fleet, sites: IntArray) -> Fleet:
    """The fleet of these sites alone."""
    pools = np.flatnonzero(np.isin(fleet.hardware.site, sites))
    hardware = columns_of(fleet.hardware, pools)
    by_site = ("service_s", "energy_kwh", "capacity_rps", "queue_limit", "overhead_fixed", "standing_kwh", "scarcity")
    return replace(
        fleet,
        sites=tuple(fleet.sites[i] for i in sites),
        allowed=fleet.allowed[:, sites],
        rtt_s=fleet.rtt_s[:, sites],
        hardware=hardware._replace(site=np.searchsorted(sites, hardware.site)),
        curve=columns_of(fleet.curve, pools),
        place_s=fleet.place_s[pools],
        objective=fleet.objective.at(sites, len(fleet.sites)),
        lost=tuple(np.delete(fleet.sites, sites).tolist()),
        **{name: getattr(fleet, name)[sites] for name in by_site},
    )


def pools_of_sites(pools: Sequence[Pool], sites: IntArray) -> tuple[Pool, ...]:
    """The pools of these sites alone."""
    number = {int(site): k for k, site in enumerate(sites)}
    return tuple(pool._replace(site=number[pool.site]) for pool in pools if pool.site in number)


def outages_of(outages: Outages, sites: IntArray) -> Outages:
    """The outages of these sites alone: one of a lost site changes nothing."""
    number = {int(site): k for k, site in enumerate(sites)}
    return outages._replace(
        all=tuple(sorted(one._replace(site=number[one.site]) for one in outages.all if one.site in number))
    )
