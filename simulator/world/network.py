"""The network of a world: round-trip times and allowed pairs, each [origins, sites]."""

from __future__ import annotations

import numpy as np

from simulator.fleet import BoolArray, FloatArray
from simulator.problem import InputError, KeyPath, Problem, Problems, did_you_mean, refuse
from simulator.scenario.catalogue import index, partial_mask, places, rtt_ms
from simulator.scenario.constraints import Allowed
from simulator.scenario.network import CoordinateRtt, Network
from simulator.scenario.place import Origin, Place, Site
from simulator.scenario.table import read_matrix
from simulator.units import S_PER_MS

#: Mean radius of the Earth [km] (IUGG).
EARTH_RADIUS_KM = 6371.0088
#: Speed of light in optical fibre [km/s], about two thirds of that in vacuum.
FIBRE_KM_PER_S = 200_000.0

Origins = tuple[Origin, ...]
Sites = tuple[Site, ...]


def build_rtt(network: Network, origins: Origins, sites: Sites) -> FloatArray:
    """Round-trip times [s], [origins, sites]; raises InputError."""
    path: KeyPath = ("network", "rtt")
    if network.rtt.catalogue is not None:
        rows, columns = (_catalogued(group, path) for group in (origins, sites))
        return rtt_ms()[np.ix_(rows, columns)] * S_PER_MS
    if network.rtt.matrix is not None:
        path = (*path, "matrix")
        matrix = read_matrix(
            network.rtt.matrix.file,
            path,
            (_names(origins), _names(sites)),
            lambda row: "has a negative round-trip time" if row.min() < 0 else "",
        )
        return matrix * S_PER_MS
    assert network.rtt.coordinates is not None
    return coordinate_rtt(network.rtt.coordinates, origins, sites)


def coordinate_rtt(model: CoordinateRtt, origins: tuple[Place, ...], sites: tuple[Place, ...]) -> FloatArray:
    """2 x great circle / 200,000 km/s x stretch + fixed [s], [origins, sites].

    The stretch covers routes that leave the great circle: Singla et al., "The Internet at the Speed
    of Light", HotNets 2014, find fibre paths 1.5 to 2 times as long.
    """
    one, other = _radians("origins", origins), _radians("sites", sites)
    lat1, lon1, lat2, lon2 = one[:, :1], one[:, 1:], other[:, 0], other[:, 1]
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    distance_km = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return np.asarray(2 * distance_km / FIBRE_KM_PER_S * model.stretch + model.fixed_ms * S_PER_MS)


def _radians(kind: str, group: tuple[Place, ...]) -> FloatArray:
    """Latitudes and longitudes, [places, 2]; raises InputError where there are none."""
    found = []
    for k, place in enumerate(group):
        if place.latitude_deg is None or place.longitude_deg is None:
            raise refuse(
                (kind, k), f"'{place.name}' has no latitude_deg and longitude_deg, which rtt: coordinates needs"
            )
        found.append((place.latitude_deg, place.longitude_deg))
    return np.radians(np.array(found))


def build_allowed(allowed: Allowed, origins: Origins, sites: Sites, rtt_s: FloatArray) -> BoolArray:
    """Whether a site may serve an origin, [origins, sites]; raises InputError."""
    if allowed.paper_partial is not None:
        rows, columns = (_catalogued(group, ("allowed",)) for group in (origins, sites))
        return partial_mask()[np.ix_(rows, columns)]
    if allowed.max_rtt_ms is not None:
        return np.asarray(rtt_s <= allowed.max_rtt_ms * S_PER_MS * (1 + 1e-12))
    if allowed.regions is not None:
        return _residency(allowed.regions, origins, sites)
    if allowed.pairs is not None:
        return _listed(allowed.pairs, _names(origins), _names(sites))
    if allowed.matrix is not None:
        path: KeyPath = ("allowed", "matrix")
        matrix = read_matrix(allowed.matrix.file, path, (_names(origins), _names(sites)), _flaw_of_mask)
        return matrix == 1
    return np.ones((len(origins), len(sites)), dtype=bool)


def _flaw_of_mask(row: FloatArray) -> str:
    if not np.isin(row, (0, 1)).all():
        return "has entries that are not 0 (not allowed) or 1 (allowed)"
    return "" if row.any() else "may use no site"


def _residency(regions: dict[str, tuple[str, ...]], origins: Origins, sites: Sites) -> BoolArray:
    problems = []
    who = {origin.name for origin in origins} | {origin.region for origin in origins}
    where = {site.region for site in sites}
    for key, listed in regions.items():
        if key not in who:
            problems.append(
                Problem(
                    ("allowed", "regions", key), f"unknown origin or region '{key}'{did_you_mean(key, sorted(who))}"
                )
            )
        for k, region in enumerate(listed):
            if region not in where:
                problems.append(
                    Problem(
                        ("allowed", "regions", key, k),
                        f"no site is in region '{region}'{did_you_mean(region, sorted(where))}",
                    )
                )
        if not listed:
            problems.append(Problem(("allowed", "regions", key), "at least one region is needed"))
    if problems:
        raise InputError(problems)
    mask = np.ones((len(origins), len(sites)), dtype=bool)
    for j, origin in enumerate(origins):
        listed_for = regions.get(origin.name, regions.get(origin.region))
        if listed_for is not None:
            mask[j] = [site.region in listed_for for site in sites]
    return mask


def _listed(pairs: dict[str, tuple[str, ...]], origins: tuple[str, ...], sites: tuple[str, ...]) -> BoolArray:
    problems, path = Problems(), ("allowed", "pairs")
    mask = np.ones((len(origins), len(sites)), dtype=bool)
    for name, listed in pairs.items():
        if name not in origins:
            problems.add((*path, name), f"unknown origin '{name}'{did_you_mean(name, origins)}")
        else:
            mask[origins.index(name)] = np.isin(sites, listed)
        for k, site in enumerate(listed):
            if site not in sites:
                problems.add((*path, name, k), f"unknown site '{site}'{did_you_mean(site, sites)}")
            elif site in listed[:k]:
                problems.add((*path, name, k), f"'{site}' is given twice")
        if not listed:
            problems.add((*path, name), "at least one site is needed")
    problems.settle()
    return mask


def _catalogued(group: tuple[Place, ...], path: KeyPath) -> list[int]:
    for place in group:
        if place.kin not in places():
            near = did_you_mean(place.kin, places())
            raise refuse(path, f"'{place.name}' is not in the catalogue; say which place it is `like`{near}")
    return index([place.kin for place in group])


def _names(group: tuple[Place, ...]) -> tuple[str, ...]:
    return tuple(place.name for place in group)
