"""Instants: measurements at single times, regular or not, as means over the slots of a run.

Between two measurements the quantity follows the line from one to the other (or stays, where gaps are held), and
a slot has the exact mean of that.
"""

from __future__ import annotations

import numpy as np

from simulator.fleet import FloatArray
from simulator.problem import InputError, Problem
from simulator.scenario.scenario import Scenario
from simulator.scenario.table import Table
from simulator.units import S_PER_H

from .timestamps import uncovered

#: Two measurements further apart leave a gap: hourly reports of which two in a row are missing.
LONGEST_S = 3 * S_PER_H
#: The first and the last measurement hold this long beyond the time they were made: hourly reports at 53 minutes.
BEYOND_S = S_PER_H


def instants_to_slots(table: Table, times: FloatArray, values: FloatArray, gaps: str, scenario: Scenario) -> FloatArray:
    """Means over the slots [slots, columns] of ``values`` [rows, columns] measured at ``times`` [s]; NaN = missing."""
    columns = [_column(table, times, column, gaps, scenario) for column in values.T]
    return np.stack(columns, axis=1)


def _column(table: Table, times: FloatArray, column: FloatArray, gaps: str, scenario: Scenario) -> FloatArray:
    rows = np.flatnonzero(~np.isnan(column))
    if len(rows) == 0:
        raise InputError([table.problem(0, "a column has no value")])
    known, value = times[rows], column[rows]
    if known[0] - BEYOND_S > 1e-6 or known[-1] + BEYOND_S < scenario.horizon_s - 1e-6:
        raise uncovered(known[0], known[-1], scenario, Problem(table.path, "", str(table.file)))
    late = np.flatnonzero(np.diff(known) > LONGEST_S)
    if gaps == "refuse" and len(late):
        hours = float(np.diff(known)[late[0]]) / S_PER_H
        what = f"{hours:.3g} h without a value before this one; to fill such gaps say gaps: hold or interpolate"
        raise InputError([table.problem(int(rows[late[0] + 1]), what)])
    edges = np.arange(scenario.slots + 1, dtype=np.float64) * scenario.slot_s
    return np.diff(_integral(edges, known, value, hold=gaps == "hold")) / scenario.slot_s


def _integral(edges: FloatArray, times: FloatArray, values: FloatArray, hold: bool) -> FloatArray:
    """The integral from the first of ``edges`` to each of them; before the first time and after the last it is flat."""
    # A point far before and one far behind make the course flat there.
    far = float(abs(edges[-1]) + np.abs(times).max() + S_PER_H)
    times = np.concatenate([[times[0] - far], times, [times[-1] + far]])
    values = np.concatenate([values[:1], values, values[-1:]])
    length = np.diff(times)
    area = length * (values[:-1] if hold else (values[:-1] + values[1:]) / 2)
    before = np.concatenate([[0.0], np.cumsum(area)])
    k = np.clip(np.searchsorted(times, edges, side="right") - 1, 0, len(length) - 1)
    into = edges - times[k]
    slope = np.zeros(len(k)) if hold else (values[k + 1] - values[k]) / length[k]
    whole = before[k] + into * values[k] + slope * into**2 / 2
    return np.asarray(whole - whole[0])
