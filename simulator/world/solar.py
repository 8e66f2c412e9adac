"""Solar power of every site over the slots of a run: from a clear sky, from a file, or from a shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from simulator.fleet import FloatArray
from simulator.problem import KeyPath, Problems, did_you_mean, refuse
from simulator.scenario.onsite import Solar
from simulator.scenario.place import Site
from simulator.scenario.scenario import Scenario
from simulator.scenario.table import Table, raise_first, read_table

from .onsite import solar_of
from .signals import _shape as over_run
from .sun import clear_sky_shares
from .timestamps import over_slots, read_times, regular, time_zone

Sites = tuple[Site, ...]
Reader = Callable[[Path, str, str, KeyPath], tuple[Table, FloatArray]]


def build_solar(scenario: Scenario, sites: Sites) -> FloatArray:
    """Mean power of each slot [kW], [slots, sites], of the full fleet; raises InputError with every mistake."""
    asked, power = solar_of(scenario, sites), np.zeros((scenario.slots, len(sites)))
    problems, under_clear_sky = Problems(), []
    for path, panels in {path: solar for path, solar in asked if solar is not None}.items():
        _known_sites(panels, sites, path, problems)
    read = cache(lambda file, time, zone, path: _read(file, (time, zone), scenario, path))
    for k, (site, (path, solar)) in enumerate(zip(sites, asked, strict=True)):
        if solar is None or solar.capacity_kw == 0:
            continue
        with problems.collecting():
            if solar.profile.trace is not None:
                power[:, k] = _traced(scenario, site, solar, (*path, "profile", "trace"), read)
            elif solar.profile.shape is not None:
                power[:, k] = _shaped(scenario, site, solar, (*path, "profile", "shape"))
            else:
                _has_coordinates(site, path)
                under_clear_sky.append(k)
    problems.settle()
    if under_clear_sky:
        power[:, under_clear_sky] = _clear_sky(scenario, [(sites[k], asked[k][1]) for k in under_clear_sky])
    return power


def solar_files(scenario: Scenario, sites: Sites) -> set[Path]:
    """The files that solar power is read from."""
    asked = zip(sites, solar_of(scenario, sites), strict=True)
    return {
        Path(solar.profile.trace.file.replace("{site}", site.name))
        for site, (_, solar) in asked
        if solar is not None and solar.capacity_kw > 0 and solar.profile.trace is not None
    }


def _known_sites(solar: Solar, sites: Sites, path: KeyPath, problems: Problems) -> None:
    """Hold the names of mappings from site to value or column against the sites."""
    known, profile = [site.name for site in sites], solar.profile
    if profile.shape is not None and profile.shape.per_site is not None:
        names, path = list(profile.shape.per_site), (*path, "profile", "shape", "per_site")
    elif profile.trace is not None and isinstance(profile.trace.column, dict):
        names, path = list(profile.trace.column), (*path, "profile", "trace", "column")
    else:
        return
    for name in names:
        if name not in known:
            problems.add((*path, name), f"unknown site '{name}'{did_you_mean(name, known)}")


def _has_coordinates(site: Site, path: KeyPath) -> None:
    if site.latitude_deg is None or site.longitude_deg is None:
        raise refuse(path, f"a clear sky needs latitude_deg and longitude_deg of site '{site.name}'")


def _clear_sky(scenario: Scenario, asked: list[tuple[Site, Solar | None]]) -> FloatArray:
    """Capacity x irradiance / standard irradiance x performance ratio, at most the capacity, [slots, sites]."""
    latitude, longitude, capacity, ratio = np.array(
        [
            (site.latitude_deg, site.longitude_deg, solar.capacity_kw, solar.profile.clear_sky.performance_ratio)
            for site, solar in asked
            if solar is not None and solar.profile.clear_sky is not None
        ],
        dtype=float,
    ).T
    shares = clear_sky_shares(scenario.start, scenario.slots, scenario.slot_s, (latitude, longitude))
    return capacity * np.minimum(ratio * shares, 1.0)


def _shaped(scenario: Scenario, site: Site, solar: Solar, path: KeyPath) -> FloatArray:
    shape = solar.profile.shape
    assert shape is not None
    if shape.per_site is not None:
        path = (*path, "per_site")
        if site.name not in shape.per_site:
            raise refuse(path, f"site '{site.name}' has no value")
        shape, path = shape.per_site[site.name], (*path, site.name)
    shares = over_run(shape, scenario, path)
    if shares.min() < 0 or shares.max() > 1:
        what = f"a share of the capacity is from 0 to 1 (it goes from {shares.min():g} to {shares.max():g})"
        raise refuse(path, what)
    return solar.capacity_kw * shares


def _traced(scenario: Scenario, site: Site, solar: Solar, path: KeyPath, read: Reader) -> FloatArray:
    asked = solar.profile.trace
    assert asked is not None
    header = asked.column.get(site.name) if isinstance(asked.column, dict) else asked.column or site.name
    if header is None:
        raise refuse((*path, "column"), f"site '{site.name}' has no column")
    table, times = read(Path(asked.file.replace("{site}", site.name)), asked.time, asked.timezone, path)
    values = table.numbers(header, empty=asked.gaps != "refuse", least=0.0) * asked.scale
    most, what = (1.0, "1, the whole capacity") if asked.unit == "share" else (solar.capacity_kw, "capacity_kw")
    raise_first(
        [
            table.problem(int(k), f"column '{header}': must be at most {what} (given {values[k]:g})")
            for k in np.flatnonzero(values > most)
        ]
    )
    series = regular(table, times, values[:, None], asked.gaps, ends=asked.stamp == "end")
    return over_slots(series, scenario, path, table.file)[:, 0] * (solar.capacity_kw / most)


def _read(file: Path, time: tuple[str, str], scenario: Scenario, path: KeyPath) -> tuple[Table, FloatArray]:
    """A file and the times of its rows, by the header and the zone of its times."""
    table = read_table(file, (*path, "file"))
    header, zone = time
    return table, read_times(table, header, time_zone(zone, (*path, "timezone")), scenario.start)
