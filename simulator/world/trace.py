"""A trace: requests with their own times and tokens, played once or over and over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from simulator.fleet import FloatArray, IntArray
from simulator.problem import InputError, KeyPath, refuse
from simulator.scenario.scenario import Scenario
from simulator.scenario.table import Table, raise_first, read_table
from simulator.scenario.workload import TraceDemand

#: How often a trace may be repeated: a minute's for two months.
MOST_TURNS = 100_000


@dataclass(frozen=True, eq=False)
class Trace:
    """Requests with their own times [s] since the run's start, and tokens, shapes [n]."""

    time_s: FloatArray
    input: FloatArray
    output: FloatArray
    period_s: float
    """The trace is played again after this time; infinite when it is not."""
    keep: float
    """Each request is kept with this probability."""

    def window(self, start_s: float, end_s: float) -> tuple[FloatArray, IntArray]:
        """Times in [start_s, end_s), repetitions included, and the row of each."""
        times, rows = [], []
        first = 0 if np.isinf(self.period_s) else int(start_s // self.period_s)
        last = 0 if np.isinf(self.period_s) else int(end_s // self.period_s)
        for turn in range(first, last + 1):
            moved = self.time_s + turn * self.period_s if turn else self.time_s
            low, high = np.searchsorted(moved, [start_s, end_s])
            times.append(moved[low:high])
            rows.append(np.arange(low, high))
        return np.concatenate(times), np.concatenate(rows)


def read_trace(file: Path, path: KeyPath, scenario: Scenario, asked: TraceDemand) -> Trace:
    """A trace with times counted from its first request, stretched to the rate that is asked for, times the growth.

    Its period is the time from the first to the last request and one mean gap.
    """
    table = read_table(file, path)
    times = _ordered_times(table)
    gap = times[-1] / (len(times) - 1) if len(times) > 1 else 0.0
    if gap == 0:
        raise InputError([table.problem(0, "a trace needs requests at two times at least")])
    period = times[-1] + gap
    own = len(times) / period
    stretch = own / ((asked.rate_per_s or own) * scenario.workload.growth)
    if stretch != 1:
        times, period = times * stretch, period * stretch
    keep = (asked.thin or 1.0) * scenario.fleet_scale
    if keep > 1:
        raise refuse(
            ("fleet_scale",), "a trace can be thinned, not multiplied: fleet_scale must be at most 1; use rate_per_s"
        )
    context, generated = (table.amounts(name) for name in ("ContextTokens", "GeneratedTokens"))
    if asked.repeat and scenario.horizon_s / period > MOST_TURNS:
        what = f"the trace of {period:.3g} s would be played {scenario.horizon_s / period:.2g} times"
        raise refuse(path, f"{what}; give a longer trace, a lower rate or a shorter run")
    return Trace(times, context, generated, period if asked.repeat else np.inf, keep)


def _ordered_times(table: Table) -> FloatArray:
    """Seconds since the first request; equal times are allowed, falling ones are not."""
    problems, times = [], []
    for k, text in enumerate(table.column("TIMESTAMP")):
        try:
            # Seven decimals of a second; the standard library reads six, the last one is added below.
            stamp, _, decimals = text.strip().rstrip("Z").partition(".")
            time = datetime.fromisoformat(stamp.removesuffix("+00:00"))
            time = time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
            decimals = decimals.removesuffix("+00:00") or "0"
            if not (decimals.isascii() and decimals.isdecimal()):
                raise ValueError(decimals)
            times.append((time, float(f"0.{decimals}")))
        except (ValueError, OverflowError):
            problems.append(
                table.problem(
                    k, f"column 'TIMESTAMP': a time such as 2023-11-16 18:15:46.6805900 is needed (given {text!r})"
                )
            )
            times.append(times[-1] if times else (datetime(1970, 1, 1), 0.0))
    raise_first(problems)
    first, part = times[0]
    seconds = np.array([(time - first).total_seconds() + (decimals - part) for time, decimals in times])
    falling = np.flatnonzero(np.diff(seconds) < 0)
    if len(falling):
        raise InputError([table.problem(int(falling[0]) + 1, "column 'TIMESTAMP': times must not fall")])
    return seconds
