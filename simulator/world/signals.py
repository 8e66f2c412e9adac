"""Signals of a world: price [US$/kWh], carbon [kg/kWh] and water [L/kWh], each [slots, sites]."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from simulator.fleet import FloatArray
from simulator.problem import InputError, KeyPath, Problems, did_you_mean, refuse
from simulator.scenario.catalogue import places
from simulator.scenario.inputs import absent, find_input
from simulator.scenario.place import Site
from simulator.scenario.scenario import Scenario
from simulator.scenario.signals import SIGNALS, CsvSignals, Shape, SignalFile
from simulator.scenario.table import Table, read_table
from simulator.units import KG_PER_KWH, L_PER_KWH, S_PER_H, USD_PER_KWH

from .calibration import calibrated_signal
from .series import Series
from .timestamps import over_slots, read_times, regular, time_zone

Sites = tuple[Site, ...]

#: Units of the calibrations and of the authors' files.
_USUAL = {"price": "USD/MWh", "carbon": "kg/kWh", "water": "L/kWh"}
_FACTORS = {"price": USD_PER_KWH, "carbon": KG_PER_KWH, "water": L_PER_KWH}


def build_signals(scenario: Scenario, sites: Sites, seed: int, problems: Problems) -> dict[str, FloatArray]:
    """The three signals of a scenario; mistakes in its files are added to ``problems``."""
    signals = scenario.signals
    found = {}
    for signal in SIGNALS:
        with problems.collecting():
            if signals.calibrated is not None:
                own = signals.calibrated.seed
                found[signal] = _calibrated(signal, scenario, sites, seed if own is None else own)
            elif signals.paper is not None:
                found[signal] = _paper(signal, scenario, sites, signals.paper.path)
            elif signals.synthetic is not None:
                found[signal] = _synthetic(signal, scenario, sites)
            else:
                assert signals.csv is not None
                found[signal] = _csv(signal, scenario, sites, signals.csv)
    return found


def _calibrated(signal: str, scenario: Scenario, sites: Sites, seed: int) -> FloatArray:
    names = _kin(sites, ("signals", "calibrated"))
    series = calibrated_signal(signal, names, scenario.start, scenario.horizon_s, seed)
    own = np.array([getattr(site, f"{signal}_factor") for site in sites])
    factor = _FACTORS[signal][_USUAL[signal]]
    return series.to_slots(scenario.slots, scenario.slot_s) * (factor * own)


def _kin(sites: Sites, path: KeyPath) -> list[str]:
    strangers = [site.name for site in sites if site.kin not in places()]
    if strangers:
        near = did_you_mean(strangers[0], places())
        raise refuse(path, f"no calibration for site '{strangers[0]}'; say which place it is `like`{near}")
    return [site.kin for site in sites]


def _paper(signal: str, scenario: Scenario, sites: Sites, given: Path | None) -> FloatArray:
    path: KeyPath = ("signals", "paper", "path")
    folder = find_input(given, "paper")
    if not folder.is_dir():
        raise refuse(path, absent(folder, "paper"))
    columns = []
    for name in _kin(sites, path):
        file = paper_file(folder, signal, name)
        table = read_table(file, path)
        times = read_times(table, "Time (UTC)", time_zone("UTC", path), scenario.start)
        if len(table.header) < 2:
            raise InputError([table.problem(0, "a second column, of values, is needed")])
        values = table.numbers(table.header[1])[:, None]
        columns.append(over_slots(regular(table, times, values, "refuse", ends=False), scenario, path, file))
    return np.hstack(columns) * _FACTORS[signal][_USUAL[signal]]


def paper_file(folder: Path, signal: str, place: str) -> Path:
    """The file of one signal of one place in the authors' folder."""
    spelled = "Belguim" if place == "belgium" else place.capitalize()  # the authors spell it so
    return folder / signal / f"{spelled}_{'Price' if signal == 'price' else signal}.csv"


def _synthetic(signal: str, scenario: Scenario, sites: Sites) -> FloatArray:
    assert scenario.signals.synthetic is not None
    key = {"price": "price_usd_per_mwh", "carbon": "carbon_kg_per_kwh", "water": "water_l_per_kwh"}[signal]
    path: KeyPath = ("signals", "synthetic", key)
    shape: Shape = getattr(scenario.signals.synthetic, key)
    factor = _FACTORS[signal][_USUAL[signal]]
    if shape.per_site is not None:
        _every_site(shape.per_site, sites, (*path, "per_site"), "value")
    columns = []
    for site in sites:
        own, where = (
            (shape, path) if shape.per_site is None else (shape.per_site[site.name], (*path, "per_site", site.name))
        )
        columns.append(_shape(own, scenario, where))
        if signal != "price" and columns[-1].min() < 0:
            raise refuse(where, f"an intensity cannot be negative (it falls to {columns[-1].min():g})")
    return np.stack(columns, axis=1) * factor


def _every_site(given: Mapping[str, object], sites: Sites, path: KeyPath, what: str) -> None:
    """Hold the keys of a mapping against the names of the sites; raises InputError."""
    problems, known = Problems(), [site.name for site in sites]
    for name in given:
        if name not in known:
            problems.add((*path, name), f"unknown site '{name}'{did_you_mean(name, known)}")
    for name in known:
        if name not in given:
            problems.add(path, f"site '{name}' has no {what}")
    problems.settle()


def _shape(shape: Shape, scenario: Scenario, path: KeyPath) -> FloatArray:
    if shape.constant is not None:
        return np.full(scenario.slots, shape.constant)
    midnight = scenario.start.replace(hour=0, minute=0, second=0, microsecond=0)
    start_h = (scenario.start - midnight).total_seconds() / S_PER_H
    middle_h = (np.arange(scenario.slots) + 0.5) * scenario.slot_s / S_PER_H
    if shape.sine is not None:
        wave = 2 * np.pi * (start_h + middle_h - shape.sine.peak_h) / shape.sine.period_h
        # The mean of a cosine over an interval is its middle x sin(x)/x, x half the interval as an angle.
        flattened = shape.sine.amplitude * np.sinc(scenario.slot_s / S_PER_H / shape.sine.period_h)
        return np.asarray(shape.sine.mean + flattened * np.cos(wave))
    if shape.steps is not None:
        step_s = shape.steps.every_h * S_PER_H
        # One step more than the run is long: a slot's end may be rounded to just beyond the last one.
        values = np.resize(shape.steps.values, int(np.ceil(scenario.horizon_s / step_s)) + 1)
        return Series(0.0, step_s, values[:, None]).to_slots(scenario.slots, scenario.slot_s)[:, 0]
    raise refuse(path, "a value per site cannot hold another value per site")


def _csv(signal: str, scenario: Scenario, sites: Sites, files: CsvSignals) -> FloatArray:
    asked: SignalFile = getattr(files, signal)
    path: KeyPath = ("signals", "csv", signal)
    problems, columns = Problems(), []
    if isinstance(asked.column, dict):
        with problems.collecting():
            _every_site(asked.column, sites, (*path, "column"), "column")
    read = cache(lambda file: _read_csv(file, asked, scenario, path))
    for site in sites:
        with problems.collecting():
            table, times = read(Path(asked.file.replace("{site}", site.name)))
            values = _csv_values(signal, asked, site.name, table, path)
            series = regular(table, times, values[:, None], asked.gaps, ends=asked.stamp == "end")
            columns.append(over_slots(series, scenario, path, table.file))
    problems.settle()
    return np.hstack(columns) * (_FACTORS[signal][asked.unit] * asked.scale)


def _read_csv(file: Path, asked: SignalFile, scenario: Scenario, path: KeyPath) -> tuple[Table, FloatArray]:
    """A file and the times of its rows: read once, however many sites stand in it."""
    table = read_table(file, (*path, "file"))
    return table, read_times(table, asked.time, time_zone(asked.timezone, (*path, "timezone")), scenario.start)


def _csv_values(signal: str, asked: SignalFile, site: str, table: Table, path: KeyPath) -> FloatArray:
    if isinstance(asked.column, dict) and site not in asked.column:
        raise refuse((*path, "column"), f"site '{site}' has no column")
    header = asked.column[site] if isinstance(asked.column, dict) else asked.column or site
    values = table.numbers(header, empty=asked.gaps != "refuse")
    if signal != "price" and (values < 0).any():
        row = int(np.flatnonzero(values < 0)[0])
        raise InputError(
            [table.problem(row, f"column '{header}': an intensity cannot be negative (given {values[row]:g})")]
        )
    return values
