"""Demand of a world: requests/s of every slot and origin, and the trace or the counts behind it where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from simulator.fleet import FloatArray, IntArray
from simulator.problem import KeyPath, refuse
from simulator.scenario.amount import Amount, Lognormal
from simulator.scenario.inputs import absent, find_input
from simulator.scenario.place import Origin
from simulator.scenario.scenario import Scenario
from simulator.scenario.table import read_table
from simulator.scenario.workload import HourlyDemand, PoissonDemand, TraceDemand
from simulator.units import H_PER_DAY, S_PER_H, S_PER_MIN

from .calibration import calibrated_demand, made_counts
from .series import Series
from .timestamps import over_slots, read_times, regular, time_zone
from .trace import Trace, read_trace

#: Largest demand of the authors' workload [W]: the divisor that makes it relative (arXiv 2307.05494).
PAPER_PEAK_W = 2708.0
#: Of the Azure LLM 2023 conversation trace: requests/s, requests, and fits to its input and output tokens.
AZURE_RATE_RPS = 5.53
AZURE_REQUESTS = 19_366
AZURE_INPUT = Amount(lognormal=Lognormal(mu=6.63, sigma=0.985))
AZURE_OUTPUT = Amount(lognormal=Lognormal(mu=5.02, sigma=0.86))
#: Requests counted in one hour that can be placed one by one.
MOST_COUNTED = 1e9


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
    rps_per_kw: float = 0.0
    """Requests/s that a kW of IT power serves, at the mean energy of a request over the sites."""


def build_demand(scenario: Scenario, origins: tuple[Origin, ...], seed: int) -> Demand:
    """The demand that a scenario asks for; raises InputError for mistakes in its files."""
    asked, growth = scenario.workload.demand, scenario.workload.growth
    shares = np.array([origin.share for origin in origins])
    shares = shares / shares.sum()
    if asked.calibrated is not None:
        own = asked.calibrated.seed
        series = calibrated_demand(scenario.start, scenario.horizon_s, seed if own is None else own)
        relative = series.to_slots(scenario.slots, scenario.slot_s)
        kw = relative * (asked.calibrated.peak_kw * growth) * len(origins) * shares
        return Demand(np.zeros_like(kw), kw=kw)
    if asked.paper is not None:
        relative = _paper(scenario, asked.paper.path)
        kw = relative * (asked.paper.peak_kw * growth) * len(origins) * shares
        return Demand(np.zeros_like(kw), kw=kw)
    if asked.poisson is not None:
        return Demand(_poisson(scenario, asked.poisson, origins) * growth * shares)
    if asked.hourly is not None:
        return _hourly(scenario, asked.hourly, shares, seed)
    assert asked.trace is not None
    return _trace(scenario, asked.trace, shares)


def _paper(scenario: Scenario, given: Path | None) -> FloatArray:
    path: KeyPath = ("workload", "demand", "paper", "path")
    file = find_input(given, "paper") / "AI_workload.csv"
    if not file.exists():
        raise refuse(path, absent(file, "paper"))
    table = read_table(file, path)
    values = table.amounts("Power (Watt)")[:, None] / PAPER_PEAK_W
    times = read_times(table, "Time (UTC)", time_zone("UTC", path), scenario.start)
    return over_slots(regular(table, times, values, "refuse", ends=False), scenario, path, file)


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


def _hourly(scenario: Scenario, asked: HourlyDemand, shares: FloatArray, seed: int) -> Demand:
    path: KeyPath = ("workload", "demand", "hourly", "file")
    file, note = find_input(asked.file, "bloom", asked.file.name), ""
    growth = scenario.workload.growth
    scale = asked.scale * growth
    if file.exists():
        table = read_table(file, path)
        counts = table.amounts(asked.column)
        times = read_times(table, asked.time, time_zone("UTC", path), scenario.start)
        series = regular(table, times, counts[:, None], "refuse", ends=False)
        mean = over_slots(series, scenario, path, file)[:, 0] * scale
    elif asked.when_absent == "refuse":
        raise refuse(path, absent(file, "bloom"))
    else:
        series = made_counts(scenario.start, scenario.horizon_s, seed)
        counts, mean = series.values[:, 0], series.to_slots(scenario.slots, scenario.slot_s)[:, 0] * scale
        note = f"{file.name} is not there: made counts, lognormal about a daily wave fitted to the BLOOM log, are used"
    exact = None
    if asked.arrivals == "counted":
        aligned = scenario.slot_s == series.step_s and series.start_s % series.step_s == 0
        whole = bool(np.all(counts == np.round(counts))) and counts.max() < MOST_COUNTED
        if {asked.scale, growth, scenario.fleet_scale} != {1.0} or not aligned or not whole:
            fixed = "scale 1, growth 1, fleet_scale 1"
            what = f"counted arrivals need whole counts (below 1e9), {fixed}, and slots on the file's hours"
            raise refuse(("workload", "demand", "hourly", "arrivals"), what)
        exact = mean.astype(np.int64)
    return Demand(mean[:, None] / series.step_s * shares, counts=exact, note=note)


def _trace(scenario: Scenario, asked: TraceDemand, shares: FloatArray) -> Demand:
    path: KeyPath = ("workload", "demand", "trace", "file")
    if asked.thin is not None and asked.rate_per_s is not None:
        raise refuse(("workload", "demand", "trace"), "give thin or rate_per_s, not both")
    file = find_input(asked.file, "traces", asked.file.name)
    if not file.exists():
        if asked.when_absent == "refuse":
            raise refuse(path, absent(file, "traces"))
        rate = (asked.rate_per_s or AZURE_RATE_RPS * (asked.thin or 1.0)) * scenario.workload.growth
        note = f"{file.name} is not there: Poisson arrivals and tokens fitted to the Azure 2023 trace are used"
        # Without repetition the fitted trace ends when the true one would: after as many requests.
        ends_s = np.inf if asked.repeat else AZURE_REQUESTS / rate * (asked.thin or 1.0)
        on = np.clip(ends_s - np.arange(scenario.slots) * scenario.slot_s, 0.0, scenario.slot_s) / scenario.slot_s
        return Demand(rate * on[:, None] * shares, tokens=(AZURE_INPUT, AZURE_OUTPUT), note=note)
    trace = read_trace(file, path, scenario, asked)
    # The same products as the tape's, so that both see a request at a boundary in the same slot.
    edges = np.arange(scenario.slots + 1) * scenario.slot_s
    counts = np.array([len(trace.window(a, b)[0]) for a, b in pairwise(edges)])
    # Rates are those of the full fleet: thinned, not scaled.
    return Demand(counts[:, None] / scenario.slot_s * (asked.thin or 1.0) * shares, trace=trace)
