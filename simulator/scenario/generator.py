"""A generator of fleets: any number of sites or origins, spread around the catalogued places."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from simulator.problem import KeyPath, Problems, did_you_mean
from simulator.streams import stream

from .catalogue import places
from .place import Catalogued, Generated, Origin, Origins, Place, Site, Sites

_Kind = TypeVar("_Kind", bound=Place)

#: Relative standard deviation of a generated site's signals around the ones of its catalogued place.
VARIATION = 0.1


def resolve_sites(sites: Sites, problems: Problems) -> tuple[Site, ...]:
    """The sites that a scenario asks for, one by one."""
    path: KeyPath = ("sites",)
    if sites.given is not None:
        return _unique(sites.given, path, problems)
    if sites.catalogue is not None:
        return _changed(sites, _catalogued(sites.catalogue, path, problems, _site), problems)
    assert sites.generate is not None
    return _changed(sites, _generated_sites(sites.generate, "sites"), problems)


def resolve_origins(origins: Origins, sites: tuple[Site, ...], problems: Problems) -> tuple[Origin, ...]:
    """The origins that a scenario asks for, one by one."""
    path: KeyPath = ("origins",)
    if origins.given is not None:
        return _unique(origins.given, path, problems)
    if origins.catalogue is not None:
        return tuple(_catalogued(origins.catalogue, path, problems, _origin))
    if origins.at_sites is not None:
        return tuple(_origin_at(site) for site in sites)
    assert origins.generate is not None
    return tuple(_origin_at(site) for site in _generated_sites(origins.generate, "gateways"))


def _changed(sites: Sites, found: list[Site], problems: Problems) -> tuple[Site, ...]:
    """Sites with the changes that a scenario makes to single ones."""
    names, changes = [site.name for site in found], sites.changes
    for name, change in changes.items():
        path = sites.path_to(0, name)
        if name not in names:
            problems.add(path, f"unknown site '{name}'{did_you_mean(name, names)}")
        if change.like is not None and change.like not in places():
            problems.add((*path, "like"), f"unknown place '{change.like}'{did_you_mean(change.like, places())}")
    return tuple(changes[site.name].applied_to(site) if site.name in changes else site for site in found)


def _unique(given: tuple[_Kind, ...], path: KeyPath, problems: Problems) -> tuple[_Kind, ...]:
    names = [place.name for place in given]
    for k, name in enumerate(names):
        if name in names[:k]:
            problems.add((*path, k, "name"), f"the name '{name}' is given twice")
        like = given[k].like
        if like is not None and like not in places():
            problems.add((*path, k, "like"), f"unknown place '{like}'{did_you_mean(like, places())}")
    return given


def _catalogued(wanted: Catalogued, path: KeyPath, problems: Problems, make: Callable[[str], _Kind]) -> list[_Kind]:
    known = list(places())
    for k, name in enumerate(wanted.only):
        if name not in known:
            problems.add((*path, "catalogue", "only", k), f"unknown place '{name}'{did_you_mean(name, known)}")
        elif name in wanted.only[:k]:
            problems.add((*path, "catalogue", "only", k), f"'{name}' is given twice")
    return [make(name) for name in known if not wanted.only or name in wanted.only]


def _site(name: str) -> Site:
    row = places()[name]
    return Site(
        name=name,
        location=row["location"],
        region=row["region"],
        latitude_deg=float(row["lat"]),
        longitude_deg=float(row["lon"]),
        utc_offset_h=float(row["utc_offset_h"]),
        pue=float(row["pue_reported"]),
        altitude_m=float(row["altitude_m"]),
    )


def _origin(name: str) -> Origin:
    return _origin_at(_site(name))


def _origin_at(site: Site) -> Origin:
    return Origin(**{key: getattr(site, key) for key in Place.model_fields} | {"like": site.like or site.name})


def _generated_sites(wanted: Generated, use: str) -> list[Site]:
    known = list(places())
    generator = stream(wanted.seed, use)
    sites = []
    for k in range(wanted.count):
        place = _site(known[k % len(known)])
        north, east, *factors = generator.standard_normal(5).tolist()
        price, carbon, water = (math.exp(VARIATION * z) for z in factors)
        assert place.latitude_deg is not None and place.longitude_deg is not None
        sites.append(
            place.model_copy(
                update={
                    "name": f"{place.name}-{k // len(known) + 1}",
                    "like": place.name,
                    "latitude_deg": min(max(place.latitude_deg + wanted.spread_deg * north, -89.0), 89.0),
                    "longitude_deg": (place.longitude_deg + wanted.spread_deg * east + 180.0) % 360.0 - 180.0,
                    "price_factor": price,
                    "carbon_factor": carbon,
                    "water_factor": water,
                }
            )
        )
    return sites
