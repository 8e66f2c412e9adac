"""Solar power of every site over the slots of a run: from a clear sky, from a file, or from a shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from simulator.fleet import FloatArray
from simulator.problem import KeyPath, Problems, did_you_mean, refuse
from simulator.scenario.onsite import Solar
from simulator.scenario.place import Site
from simulator.scenario.scenario import Scenario
from simulator.scenario.table import raise_first

from .columns import Sheet, Sites, header_of, may_be_empty, sheets, to_slots
from .onsite import solar_of
from .shapes import course
from .sun import clear_sky_shares


def build_solar(scenario: Scenario, sites: Sites) -> FloatArray:
    """Mean power of each slot [kW], [slots, sites], of the full fleet; raises InputError with every mistake."""
    asked, power = solar_of(scenario, sites), np.zeros((scenario.slots, len(sites)))
    problems, under_clear_sky = Problems(), []
    for path, panels in {path: solar for path, solar in asked if solar is not None}.items():
        _known_sites(panels, sites, path, problems)
    # Sites of one block share its files.
    sheets_of = {
        path: sheets(solar.profile.trace, scenario, (*path, "profile", "trace"))
        for path, solar in asked
        if solar is not None and solar.profile.trace is not None
    }
    for k, (site, (path, solar)) in enumerate(zip(sites, asked, strict=True)):
        if solar is None or solar.capacity_kw == 0:
            continue
        with problems.collecting():
            if solar.profile.trace is not None:
                power[:, k] = _traced(scenario, site, solar, (*path, "profile", "trace"), sheets_of[path])
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
    known, shape, trace = [site.name for site in sites], solar.profile.shape, solar.profile.trace
    named: list[tuple[KeyPath, object]] = []
    if shape is not None:
        named.append(((*path, "profile", "shape", "per_site"), shape.per_site))
    if trace is not None:
        named.append(((*path, "profile", "trace", "column"), trace.column))
        named += [((*path, "profile", "trace", "only", header), words) for header, words in trace.only.items()]
    for where, names in named:
        for name in names if isinstance(names, dict) else ():
            if name not in known:
                problems.add((*where, name), f"unknown site '{name}'{did_you_mean(name, known)}")


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
    shares = course(shape, scenario, path)
    if shares.min() < 0 or shares.max() > 1:
        what = f"a share of the capacity is from 0 to 1 (it goes from {shares.min():g} to {shares.max():g})"
        raise refuse(path, what)
    return solar.capacity_kw * shares


def _traced(
    scenario: Scenario, site: Site, solar: Solar, path: KeyPath, sheet_of: Callable[[Site], Sheet]
) -> FloatArray:
    asked, sheet = solar.profile.trace, sheet_of(site)
    assert asked is not None
    header = header_of(asked, "solar", site.name, sheet.table, path)
    values = sheet.table.numbers(header, empty=may_be_empty(asked), least=0.0) * asked.scale
    most, what = (1.0, "1, the whole capacity") if asked.unit == "share" else (solar.capacity_kw, "capacity_kw")
    raise_first(
        [
            sheet.table.problem(int(k), f"column '{header}': must be at most {what} (given {values[k]:g})")
            for k in np.flatnonzero(values > most)
        ]
    )
    return to_slots(asked, sheet, values[:, None], scenario, path)[:, 0] * (solar.capacity_kw / most)
