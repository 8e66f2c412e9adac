"""The catalogue: built-in places, round-trip times, calibrations and models, with their sources in docs/data.md."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np

_FOLDER = Path(__file__).parent


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    with open(_FOLDER / f"{name}.csv", encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _matrix(name: str) -> np.ndarray:
    return np.array([[float(cell) for cell in list(row.values())[1:]] for row in _rows(name)])


def places() -> dict[str, dict[str, str]]:
    """The ten places of the paper, by name: location, region, coordinates, altitude, reported PUE, health cost."""
    return {row["site"]: row for row in _rows("sites")}


def aware_monthly() -> dict[str, np.ndarray]:
    """AWARE 2.0 scarcity of the ten places, January to December, shape [12] each."""
    return {row["site"]: np.array([float(cell) for cell in list(row.values())[1:13]]) for row in _rows("aware_monthly")}


def fuels() -> dict[str, dict[str, str]]:
    """Carbon [kg/kWh] and water [L/kWh] of electricity by fuel, and EIA's code of the fuel."""
    return {row["fuel"]: row for row in _rows("fuel_factors")}


def rtt_ms() -> np.ndarray:
    """Median round-trip times between the ten places, shape [10, 10], ms."""
    return _matrix("rtt_ms")


def partial_mask() -> np.ndarray:
    """The paper's partial GLB, shape [10 origins, 10 sites], bool."""
    return _matrix("partial_mask") > 0


def calibration(signal: str) -> dict[str, dict[str, str]]:
    """The fitted model of one signal (price, carbon, water) for each of the ten places."""
    return {row["site"]: row for row in _rows("signal_calibration") if row["signal"] == signal}


def correlation(signal: str) -> np.ndarray:
    """Correlation of the places' AR(1) innovations, shape [10, 10]."""
    return _matrix(f"signal_correlation_{signal}")


def models() -> dict[str, dict[str, str]]:
    """Service curves of language models on GPU servers, by name."""
    return {row["model"]: row for row in _rows("models")}


def index(names: list[str]) -> list[int]:
    """Positions of catalogued places; KeyError for an unknown one."""
    order = {name: k for k, name in enumerate(places())}
    return [order[name] for name in names]
