"""Timestamps: the time column of a user's file as a regular grid of intervals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from simulator.fleet import FloatArray, IntArray
from simulator.problem import InputError, KeyPath, Problem, refuse
from simulator.scenario.scenario import Scenario
from simulator.scenario.table import Table, raise_first

from .series import Series

#: Intervals of the finest grid that is made of a file: ten minutes' rows for 190 years.
MOST_INTERVALS = 10_000_000


def time_zone(name: str, path: KeyPath) -> tzinfo:
    """A time zone from ``UTC``, ``+02:00`` or an IANA name; InputError for an unknown one."""
    if name in ("UTC", "Z"):
        return UTC
    try:
        if name[:1] in "+-" and len(name) == 6:
            sign = -1 if name[0] == "-" else 1
            return timezone(sign * timedelta(hours=int(name[1:3]), minutes=int(name[4:6])))
        return ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise refuse(path, f"unknown time zone '{name}'; write UTC, +02:00 or a name such as Europe/Berlin") from None


def since(time: datetime, zone: tzinfo, start: datetime, after: float) -> float:
    """Seconds from ``start`` to a time, local in ``zone`` where it carries no offset.

    Where clocks go back, a local time stands twice: if the first one is not later than ``after``, the second is meant.
    """
    local = time if time.tzinfo else time.replace(tzinfo=zone)
    seconds = (local - start) / timedelta(seconds=1)
    if seconds <= after and time.tzinfo is None:
        seconds = (local.replace(fold=1).astimezone(UTC) - start) / timedelta(seconds=1)
    return seconds


def read_times(table: Table, column: str, zone: tzinfo, start: datetime) -> FloatArray:
    """Seconds since ``start`` for each row, strictly increasing; InputError naming the lines that are not."""
    problems, seconds = [], np.empty(len(table.rows))
    before = -np.inf
    for k, text in enumerate(table.column(column)):
        try:
            seconds[k] = since(datetime.fromisoformat(text.strip()), zone, start, before)
        except (ValueError, OverflowError):
            problems.append(
                table.problem(
                    k, f"column '{column}': a time such as 2022-09-22 00:00 is needed (given {text.strip()!r})"
                )
            )
            continue
        if seconds[k] <= before:
            problems.append(table.problem(k, f"column '{column}': times must increase (given {text.strip()!r})"))
        before = seconds[k]
    raise_first(problems)
    return seconds


def regular(table: Table, times: FloatArray, values: FloatArray, gaps: str, ends: bool) -> Series:
    """Rows at ``times`` [s] with ``values`` [rows, columns] (NaN = missing) as a series without gaps.

    ``gaps`` is ``refuse``, ``hold`` or ``interpolate``; ``ends`` says that times end their intervals.
    The step is the smallest distance between rows; rows off that grid are refused.
    """
    if len(times) < 2:
        raise InputError([table.problem(0, "at least two rows are needed to know the length of an interval")])
    distances = np.diff(times)
    step = float(distances.min())
    if (times[-1] - times[0]) / step > MOST_INTERVALS:
        what = f"two rows are {step:g} s apart; a grid this fine would have more than {MOST_INTERVALS:,} intervals"
        raise InputError([table.problem(int(distances.argmin()) + 1, what)])
    position = np.round((times - times[0]) / step).astype(int)
    off_grid = np.abs(times - times[0] - position * step) > 1e-3 * step
    raise_first(
        [
            table.problem(int(k), f"the time is off the grid of {step:g} s that the other rows keep")
            for k in np.flatnonzero(off_grid)
        ]
    )
    grid = np.full((position[-1] + 1, values.shape[1]), np.nan)
    grid[position] = values
    grid = without_gaps(table, grid, position, gaps)
    return Series(float(times[0]) - (step if ends else 0.0), step, grid)


def without_gaps(table: Table, grid: FloatArray, position: IntArray, gaps: str) -> FloatArray:
    """A grid [intervals, columns] whose missing values are filled or refused; ``position`` is where each row begins."""
    missing = np.isnan(grid)
    if not missing.any():
        return grid
    if gaps == "refuse":
        row = int(np.flatnonzero(missing.any(axis=1))[0])
        near = int(np.searchsorted(position, row))
        count = int(missing.any(axis=1).sum())
        what = f"{count} interval(s) without a value, the first here; to fill them say gaps: hold or interpolate"
        raise InputError([table.problem(min(near, len(position) - 1), what)])
    grid = np.stack([_filled(column, gaps) for column in grid.T], axis=1)
    if np.isnan(grid).any():
        raise InputError([table.problem(0, "a column has no value to fill its gaps with")])
    return grid


def _filled(column: FloatArray, gaps: str) -> FloatArray:
    known = np.flatnonzero(~np.isnan(column))
    if len(known) == 0:
        return column
    where = np.arange(len(column))
    if gaps == "interpolate":
        return np.interp(where, known, column[known])
    return column[known[np.clip(np.searchsorted(known, where, side="right") - 1, 0, None)]]


def over_slots(series: Series, scenario: Scenario, path: KeyPath, file: Path) -> FloatArray:
    """Means over the slots of a run, [slots, columns]; InputError where the file does not cover the run."""
    if not series.covers(scenario.horizon_s):
        raise uncovered(series.start_s, series.end_s, scenario, Problem(path, "", str(file)))
    return series.to_slots(scenario.slots, scenario.slot_s)


def uncovered(start_s: float, end_s: float, scenario: Scenario, place: Problem) -> InputError:
    """The error of a file that holds another time than the run needs."""
    held = [scenario.start + timedelta(seconds=s) for s in (start_s, end_s)]
    needed = [scenario.start, scenario.start + timedelta(seconds=scenario.horizon_s)]
    spans = [" to ".join(f"{time:%Y-%m-%dT%H:%MZ}" for time in span) for span in (held, needed)]
    return InputError([Problem(place.path, f"holds {spans[0]}, the run needs {spans[1]}", place.file)])
