"""Signals of a world: price [US$/kWh], carbon [kg/kWh] and water [L/kWh], each [slots, sites]."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from simulator.fleet import FloatArray
from simulator.problem import InputError, KeyPath, Problems, did_you_mean, refuse
from simulator.scenario.catalogue import places
from simulator.scenario.inputs import absent, find_input
from simulator.scenario.scenario import Scenario
from simulator.scenario.shape import Shape
from simulator.scenario.signal_file import SignalFile
from simulator.scenario.signals import CsvSignals
from simulator.scenario.table import read_table
from simulator.units import KG_PER_KWH, L_PER_KWH, USD_PER_KWH

from .calibration import calibrated_signal
from .columns import Sites, slot_columns
from .shapes import shaped
from .timestamps import over_slots, read_times, regular, time_zone

#: Units of the calibrations and of the authors' files.
_USUAL = {"price": "USD/MWh", "carbon": "kg/kWh", "water": "L/kWh"}
_FACTORS = {"price": USD_PER_KWH, "carbon": KG_PER_KWH, "water": L_PER_KWH}


def build_signals(
    wanted: Iterable[str], scenario: Scenario, sites: Sites, seed: int, problems: Problems
) -> dict[str, FloatArray]:
    """Those of price, carbon and water that are wanted; mistakes in their files are added to ``problems``."""
    signals = scenario.signals
    found = {}
    for signal in wanted:
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
    shape: Shape = getattr(scenario.signals.synthetic, key)
    least = -math.inf if signal == "price" else 0.0
    factor = _FACTORS[signal][_USUAL[signal]]
    return shaped(shape, scenario, sites, ("signals", "synthetic", key), least) * factor


def _csv(signal: str, scenario: Scenario, sites: Sites, files: CsvSignals) -> FloatArray:
    asked: SignalFile = getattr(files, signal)
    values = slot_columns(asked, signal, scenario, sites, ("signals", "csv", signal))
    return values * (_FACTORS[signal][asked.unit] * asked.scale)
