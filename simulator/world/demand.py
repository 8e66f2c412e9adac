"""Demand of a world: requests/s of every slot and origin, and the trace or the counts behind it where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from simulator.fleet import FloatArray, IntArray
from simulator.problem import InputError, Problem, refuse
from simulator.problem import Path as KeyPath
from simulator.scenario.amount import Amount, Lognormal
from simulator.scenario.inputs import absent, find_input
from simulator.scenario.place import Origin
from simulator.scenario.scenario import Scenario
from simulator.scenario.table import Table, raise_first, read_table
from simulator.scenario.workload import HourlyDemand, PoissonDemand, TraceDemand
from simulator.units import H_PER_DAY, S_PER_H, S_PER_MIN

from .calibration import calibrated_demand
from .series import Series
from .timestamps import coverage, read_times, regular, time_zone

#: Largest demand of the authors' workload [W]: the divisor that makes it relative (arXiv 2307.05494).
PAPER_PEAK_W = 2708.0
#: Fitted to the Azure LLM 2023 conversation trace: requests/s, input and output tokens.
AZURE_RATE_RPS = 5.53
AZURE_INPUT = Amount(lognormal=Lognormal(mu=6.63, sigma=0.985))
AZURE_OUTPUT = Amount(lognormal=Lognormal(mu=5.02, sigma=0.86))
#: Requests counted in one hour that can be placed one by one.
MOST_COUNTED = 1e9
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


@dataclass(frozen=True, eq=False)
class Demand:
    """Rates of all origins together, and what fixes the requests beyond the rate."""

    rate_rps: FloatArray
    """[slots, origins]."""
    kw: FloatArray | None = None
    """Demand as IT power [kW], [slots, origins], where requests/s follow from the energy of a request."""
    trace: Trace | None = None
    counts: IntArray | None = None
    """Exactly this many requests in each slot, [slots]."""
    tokens: tuple[Amount, Amount] | None = None
    """Distributions of input and output tokens that the demand brings with it."""
    note: str = ""


def build_demand(scenario: Scenario, origins: tuple[Origin, ...], seed: int) -> Demand:
    """The demand that a scenario asks for; raises InputError for mistakes in its files."""
    asked = scenario.workload.demand
    shares = np.array([origin.share for origin in origins])
    shares = shares / shares.sum()
    if asked.calibrated is not None:
        own = asked.calibrated.seed
        series = calibrated_demand(scenario.start, scenario.horizon_s, seed if own is None else own)
        relative = series.to_slots(scenario.slots, scenario.slot_s)
        kw = relative * asked.calibrated.peak_kw * len(origins) * shares
        return Demand(np.zeros_like(kw), kw=kw)
    if asked.paper is not None:
        relative = _paper(scenario, asked.paper.path)
        kw = relative * asked.paper.peak_kw * len(origins) * shares
        return Demand(np.zeros_like(kw), kw=kw)
    if asked.poisson is not None:
        return Demand(_poisson(scenario, asked.poisson, origins) * shares)
    if asked.hourly is not None:
        return _hourly(scenario, asked.hourly, shares)
    assert asked.trace is not None
    return _trace(scenario, asked.trace, shares)


def _paper(scenario: Scenario, given: Path | None) -> FloatArray:
    path: KeyPath = ("workload", "demand", "paper", "path")
    file = find_input(given, "paper") / "AI_workload.csv"
    if not file.exists():
        raise refuse(path, absent(file, "paper"))
    table = read_table(file, path)
    values = _not_negative(table, "Power (Watt)")[:, None] / PAPER_PEAK_W
    times = read_times(table, "Time (UTC)", time_zone("UTC", path), scenario.start)
    return _slots(regular(table, times, values, "refuse", ends=False), scenario, path, file)


def _not_negative(table: Table, column: str) -> FloatArray:
    values = table.numbers(column)
    if values.min() < 0:
        row = int(values.argmin())
        raise InputError([table.problem(row, f"column '{column}': must be at least 0 (given {values[row]:g})")])
    return values


def _slots(series: Series, scenario: Scenario, path: KeyPath, file: Path) -> FloatArray:
    lacking = coverage(series, scenario.start, scenario.horizon_s)
    if lacking:
        raise InputError([Problem(path, lacking, str(file))])
    return series.to_slots(scenario.slots, scenario.slot_s)


def _poisson(scenario: Scenario, asked: PoissonDemand, origins: tuple[Origin, ...]) -> FloatArray:
    if asked.daily_profile is None:
        return np.full((scenario.slots, len(origins)), asked.rate_per_s)
    # A quarter of an hour is the finest UTC offset in use.
    step = 15 * S_PER_MIN
    profile = np.array(asked.daily_profile) / np.mean(asked.daily_profile)
    midnight = scenario.start.replace(hour=0, minute=0, second=0, microsecond=0)
    since_midnight_s = (scenario.start - midnight) / timedelta(seconds=1)
    first = since_midnight_s // step * step
    steps = np.arange(int(np.ceil((since_midnight_s - first + scenario.horizon_s) / step)))
    hours = (first + steps * step) / S_PER_H
    local = [profile[((hours + origin.utc_offset_h) % H_PER_DAY).astype(int)] for origin in origins]
    series = Series(first - since_midnight_s, step, np.stack(local, axis=1) * asked.rate_per_s)
    return series.to_slots(scenario.slots, scenario.slot_s)


def _hourly(scenario: Scenario, asked: HourlyDemand, shares: FloatArray) -> Demand:
    path: KeyPath = ("workload", "demand", "hourly", "file")
    file = find_input(asked.file, "bloom", asked.file.name)
    if not file.exists():
        raise refuse(path, absent(file, "bloom"))
    table = read_table(file, path)
    counts = _not_negative(table, asked.column)
    times = read_times(table, asked.time, time_zone("UTC", path), scenario.start)
    series = regular(table, times, counts[:, None], "refuse", ends=False)
    mean = _slots(series, scenario, path, file)[:, 0] * asked.scale
    exact = None
    if asked.arrivals == "counted":
        aligned = scenario.slot_s == series.step_s and series.start_s % series.step_s == 0
        whole = bool(np.all(counts == np.round(counts))) and counts.max() < MOST_COUNTED
        if asked.scale != 1 or scenario.fleet_scale != 1 or not aligned or not whole:
            what = (
                "counted arrivals need whole counts (below 1e9), scale 1, fleet_scale 1, and slots on the file's hours"
            )
            raise refuse(("workload", "demand", "hourly", "arrivals"), what)
        exact = mean.astype(np.int64)
    return Demand(mean[:, None] / series.step_s * shares, counts=exact)


def _trace(scenario: Scenario, asked: TraceDemand, shares: FloatArray) -> Demand:
    path: KeyPath = ("workload", "demand", "trace", "file")
    if asked.thin is not None and asked.rate_per_s is not None:
        raise refuse(("workload", "demand", "trace"), "give thin or rate_per_s, not both")
    file = find_input(asked.file, "traces", asked.file.name)
    if not file.exists():
        if asked.when_absent == "refuse":
            raise refuse(path, absent(file, "traces"))
        rate = asked.rate_per_s or AZURE_RATE_RPS * (asked.thin or 1.0)
        note = f"{file.name} is not there: Poisson arrivals and tokens fitted to the Azure 2023 trace are used"
        return Demand(rate * np.ones((scenario.slots, 1)) * shares, tokens=(AZURE_INPUT, AZURE_OUTPUT), note=note)
    trace = read_trace(file, path, scenario, asked)
    if scenario.horizon_s / trace.period_s > MOST_TURNS:
        what = f"the trace of {trace.period_s:.3g} s would be played {scenario.horizon_s / trace.period_s:.2g} times"
        raise refuse(path, f"{what}; give a longer trace, a lower rate or a shorter run")
    # The same products as the tape's, so that both see a request at a boundary in the same slot.
    edges = np.arange(scenario.slots + 1) * scenario.slot_s
    counts = np.array([len(trace.window(a, b)[0]) for a, b in pairwise(edges)])
    # Rates are those of the full fleet: thinned, not scaled.
    return Demand(counts[:, None] / scenario.slot_s * (asked.thin or 1.0) * shares, trace=trace)


def read_trace(file: Path, path: KeyPath, scenario: Scenario, asked: TraceDemand) -> Trace:
    """A trace with times counted from its first request, stretched to the rate that is asked for.

    Its period is the time from the first to the last request and one mean gap.
    """
    table = read_table(file, path)
    times = _ordered_times(table)
    gap = times[-1] / (len(times) - 1) if len(times) > 1 else 0.0
    if gap == 0:
        raise InputError([table.problem(0, "a trace needs requests at two times at least")])
    period = times[-1] + gap
    if asked.rate_per_s is not None:
        stretch = len(times) / period / asked.rate_per_s
        times, period = times * stretch, period * stretch
    keep = (asked.thin or 1.0) * scenario.fleet_scale
    if keep > 1:
        raise refuse(
            ("fleet_scale",), "a trace can be thinned, not multiplied: fleet_scale must be at most 1; use rate_per_s"
        )
    context, generated = (_not_negative(table, name) for name in ("ContextTokens", "GeneratedTokens"))
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
            if not decimals.isdecimal():
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
