"""Calibration: signals and demand made from models fitted to the paper's data (docs/data.md)."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np

from simulator.fleet import FloatArray
from simulator.scenario.catalogue import calibration, correlation, index
from simulator.streams import stream
from simulator.units import H_PER_DAY, S_PER_H

from .series import Series

#: UTC hours in which the US sites pay their peak price.
PEAK_HOURS = range(10, 16)
#: Demand relative to its peak: harmonics (cos24, sin24, cos12, sin12), AR(1) and clip, fitted to the paper's demand.
DEMAND = {
    "mean": 0.6378,
    "cos24": 0.0232,
    "sin24": 0.0159,
    "cos12": -0.0074,
    "sin12": 0.0032,
    "ar1": 0.454,
    "sigma": 0.1227,
    "min": 0.48,
    "max": 1.0,
}
#: Requests of an hour at the BLOOM API: their logarithm as a daily wave and AR(1), fitted to 413 hours of its log
#: (arXiv 2211.02001), the level set so that the mean is that of the log, 559; and the largest count.
BLOOM = {
    "mean": 6.167,
    "cos24": -0.0446,
    "sin24": -0.2463,
    "cos12": 0.0,
    "sin12": 0.0,
    "ar1": 0.44,
    "sigma": 0.536,
    "max": 3630.0,
}
_NUMBER = {"price": 0, "carbon": 1, "water": 2}


def calibrated_signal(signal: str, names: list[str], start: datetime, horizon_s: float, seed: int) -> Series:
    """One signal (price, carbon, water) in the unit of its calibration at catalogued places, hourly, [hours, names].

    All ten places are drawn, always, so that a place has the same signal in every fleet.
    """
    first, hours = _hours(start, horizon_s)
    rows = list(calibration(signal).values())
    generator = stream(seed, "signals", _NUMBER[signal])
    noise = correlated_ar1(
        hours,
        np.array([float(row["ar1"] or 0) for row in rows]),
        np.array([float(row["sigma"] or 0) for row in rows]),
        correlation(signal),
        generator,
    )
    hour = (first.hour + np.arange(hours)) % H_PER_DAY
    columns = []
    for k, row in enumerate(rows):
        if row["kind"] == "time_of_use":
            value = np.where(np.isin(hour, PEAK_HOURS), float(row["peak"]), float(row["mean"]))
        else:
            value = (
                harmonics(hour, {key: float(row[key]) for key in ("mean", "cos24", "sin24", "cos12", "sin12")})
                + noise[:, k]
            )
        columns.append(np.clip(value, float(row["min"]), float(row["max"])))
    return Series((first - start).total_seconds(), S_PER_H, np.stack(columns, axis=1)[:, index(names)])


def calibrated_demand(start: datetime, horizon_s: float, seed: int) -> Series:
    """Demand relative to its peak, the same for every origin, hourly, [hours, 1]."""
    first_s, value = _wave(DEMAND, start, horizon_s, seed)
    return Series(first_s, S_PER_H, np.clip(value, DEMAND["min"], DEMAND["max"])[:, None])


def made_counts(start: datetime, horizon_s: float, seed: int) -> Series:
    """Whole numbers of requests, as those of the BLOOM API: lognormal about a daily wave, hourly, [hours, 1]."""
    first_s, logarithm = _wave(BLOOM, start, horizon_s, seed)
    counts: FloatArray = np.round(np.minimum(np.exp(logarithm), BLOOM["max"])).astype(np.float64)
    return Series(first_s, S_PER_H, counts[:, None])


def _wave(model: dict[str, float], start: datetime, horizon_s: float, seed: int) -> tuple[float, FloatArray]:
    """Where the first hour begins [s], and a daily wave with AR(1) noise from the stream of the demand, [hours]."""
    first, hours = _hours(start, horizon_s)
    noise = correlated_ar1(
        hours, np.array([model["ar1"]]), np.array([model["sigma"]]), np.eye(1), stream(seed, "demand")
    )
    hour = (first.hour + np.arange(hours)) % H_PER_DAY
    wave: FloatArray = harmonics(hour, model) + noise[:, 0]
    return (first - start).total_seconds(), wave


def harmonics(hour: np.ndarray, model: dict[str, float]) -> FloatArray:
    """Mean + daily and half-daily waves at the hours of a day (whole numbers), [hours]."""
    wave = []
    for h in range(H_PER_DAY):
        day = 2 * math.pi * h / H_PER_DAY
        daily = model["cos24"] * math.cos(day) + model["sin24"] * math.sin(day)
        wave.append(model["mean"] + daily + model["cos12"] * math.cos(2 * day) + model["sin12"] * math.sin(2 * day))
    return np.array(wave)[hour]


def correlated_ar1(
    steps: int, ar1: FloatArray, sigma: FloatArray, correlation: FloatArray, generator: np.random.Generator
) -> FloatArray:
    """Stationary AR(1) processes with correlated innovations, [steps, columns].

    ``sigma`` is the stationary standard deviation. A longer run begins with the same values.
    """
    draws = generator.standard_normal((steps, len(ar1)))
    root = cholesky(correlation)
    noise = np.empty_like(draws)
    fresh = np.sqrt(1 - ar1**2)
    # The processes are as correlated in the first step as ever after.
    first = cholesky(correlation * np.outer(fresh, fresh) / (1 - np.outer(ar1, ar1)))
    noise[0] = sigma * _products(first, draws[:1])[0]
    innovations = fresh * sigma * _products(root, draws)
    for k in range(1, steps):
        noise[k] = ar1 * noise[k - 1] + innovations[k]
    return noise


def cholesky(matrix: FloatArray) -> FloatArray:
    """The lower root of a positive definite matrix, by Cholesky's recursion.

    In plain arithmetic: a root from a linear algebra library may have other signs, and other last digits, on
    another processor, and the same seed would mean another world.
    """
    root = np.zeros_like(matrix)
    for i in range(len(matrix)):
        for j in range(i + 1):
            rest = float(matrix[i, j])
            for k in range(j):
                rest -= root[i, k] * root[j, k]
            root[i, j] = math.sqrt(rest) if i == j else rest / root[j, j]
    return root


def _products(root: FloatArray, draws: FloatArray) -> FloatArray:
    """The root times each row of ``draws`` [steps, columns], column by column, for the same reason."""
    total = np.zeros_like(draws)
    for k in range(draws.shape[1]):
        total += np.multiply.outer(draws[:, k], root[:, k])
    return total


def _hours(start: datetime, horizon_s: float) -> tuple[datetime, int]:
    first = start.replace(minute=0, second=0, microsecond=0)
    return first, int(np.ceil((horizon_s + (start - first) / timedelta(seconds=1)) / S_PER_H))
