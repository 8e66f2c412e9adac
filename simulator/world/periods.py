"""Periods: a time column that holds the start and the end of its interval, as ENTSO-E's platform writes it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

import numpy as np

from simulator.fleet import FloatArray
from simulator.problem import InputError
from simulator.scenario.table import Table, raise_first

from .series import Series
from .timestamps import MOST_INTERVALS, since, without_gaps

#: ``22.09.2022 00:00``, or ``22/09/2022 00:00:00``; some exports say at the change of clocks which time is meant.
_MOMENT = re.compile(r"(\d{2})[./](\d{2})[./](\d{4}) (\d{2}):(\d{2})(?::(\d{2}))?(?: \((CET|CEST|UTC)\))?")
_OFFSET_H = {"UTC": 0, "CET": 1, "CEST": 2}


def read_periods(table: Table, column: str, zone: tzinfo, start: datetime) -> tuple[FloatArray, FloatArray]:
    """Starts and ends [s since ``start``] of the rows' intervals, starts strictly increasing, none beyond the next."""
    problems, starts, ends = [], np.zeros(len(table.rows)), np.zeros(len(table.rows))
    before = -np.inf
    for k, text in enumerate(table.column(column)):
        parts = text.strip().split(" - ")
        try:
            first, last = (_moment(part) for part in parts)
            starts[k] = since(first, zone, start, before)
            ends[k] = since(last, zone, start, starts[k])
        except (ValueError, OverflowError):
            wanted = "22.09.2022 00:00 - 22.09.2022 01:00"
            problems.append(
                table.problem(k, f"column '{column}': an interval such as {wanted} is needed (given {text!r})")
            )
            continue
        if not before < starts[k] < ends[k]:
            more = "; if there are several areas or sequences, pick one with `only`" if starts[k] == before else ""
            problems.append(table.problem(k, f"column '{column}': times must increase (given {text!r}){more}"))
        before = starts[k]
    raise_first(problems)
    # In the hour before clocks go back, the end of an interval reads as the later one of two.
    ends[:-1] = np.minimum(ends[:-1], starts[1:])
    return starts, ends


def _moment(text: str) -> datetime:
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    day, month, year, hour, minute, second, name = found.groups()
    zone = timezone(timedelta(hours=_OFFSET_H[name])) if name else None
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=zone)


def of_periods(table: Table, periods: tuple[FloatArray, FloatArray], values: FloatArray, gaps: str) -> Series:
    """Rows with ``values`` [rows, columns] on their intervals, of one length or several, as a series without gaps.

    The step is the shortest interval; the others must be multiples of it.
    """
    starts, ends = periods
    step = float((ends - starts).min())
    if (ends[-1] - starts[0]) / step > MOST_INTERVALS:
        what = f"an interval of {step:g} s; a grid this fine would have more than {MOST_INTERVALS:,} intervals"
        raise InputError([table.problem(int((ends - starts).argmin()), what)])
    first, last = ((edges - starts[0]) / step for edges in periods)
    off_grid = (np.abs(first - np.round(first)) > 1e-3) | (np.abs(last - np.round(last)) > 1e-3)
    raise_first(
        [table.problem(int(k), f"the interval is off the grid of {step:g} s") for k in np.flatnonzero(off_grid)]
    )
    begin, count = np.round(first).astype(int), np.round(last - first).astype(int)
    grid = np.full((round(float(last[-1])), values.shape[1]), np.nan)
    cells = np.repeat(begin, count) + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    grid[cells] = np.repeat(values, count, axis=0)
    return Series(float(starts[0]), step, without_gaps(table, grid, begin, gaps))
