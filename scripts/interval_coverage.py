"""Do 95 % intervals cover the true mean in 95 % of experiments? An M/M/1 queue says, whose mean wait is known.

    .venv/bin/python scripts/interval_coverage.py [--experiments N] [--first N] [--replications N] [--customers N]

Arrivals at 0.7/s, services of 1 s on average, one place: the mean wait is rho / (mu - lambda) = 7/3 s (Gross et al.,
Fundamentals of Queueing Theory, 4th ed., section 2.2). Two ways to an interval are held against it, with the
``compiled`` engine:

* replications: each experiment runs the queue 20 times and takes Student's t over the 20 means (``mean_interval``).
* batch means: each experiment is one run of as many customers as all replications have together (``batch_means``).

A replication is exactly the given number of customers, the first after the warm-up: its run is long enough that as many
arrive and finish, and its rows of requests say their waits. So neither the chance of how many arrive nor the end of the
run, which leaves out who has not finished, moves its mean. The one long run is cut by time, as in ``summary.csv``;
there that number is expected. The warm-up of 1,000 s is 27 relaxation times 1 / (mu (1 - sqrt(rho))^2) (Gross, 2.12).

Every run has a seed of its own, from which numpy's ``SeedSequence`` makes independent streams. Replication r = 0, 1,
... of experiment e = 1, 2, ... has seed replications x (e - 1) + r + 1, so no two share one, and none depends on the
order in which processes take them; the single run of experiment e has seed 1,000,000,000 + e.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from policies import POLICIES
from simulator import build_world, load, run
from simulator.result import RunResult
from simulator.scenario import Scenario
from simulator.statistics import Interval, mean_interval

RATE_RPS, SERVICE_RPS = 0.7, 1.0
TRUE_WAIT_S = RATE_RPS / SERVICE_RPS / (SERVICE_RPS - RATE_RPS)
WARMUP_S = 1000.0
#: Of all runs, so that whoever arrives among the customers that count also finishes.
MARGIN_S = 500.0
FIRST_LONG_SEED = 10**9
#: The normal distribution's 97.5 % point, for the interval of a share of thousands.
Z = 1.959964


class Asked(NamedTuple):
    """How large an experiment is."""

    experiments: range
    replications: int
    customers: int


def queue(customers: float) -> Scenario:
    """The queue as a scenario, long enough for so many expected customers after the warm-up."""
    length_s = WARMUP_S + customers / RATE_RPS
    changes = ["servers.count=1", f"workload.demand.poisson.rate_per_s={RATE_RPS}", "slots=1"]
    return load("mmc", [*changes, f"slot_s={length_s!r}", f"warmup_s={WARMUP_S!r}"])


def simulated(scenario: Scenario, seed: int, rows: bool = False) -> RunResult:
    """One run, with its rows of requests or without."""
    return run(build_world(scenario, seed), POLICIES["glb-nearest"](), engine="compiled", keep_requests=rows)


def mean_wait_s(scenario: Scenario, seed: int, customers: int) -> float:
    """Mean wait of exactly so many customers, the first after the warm-up [s]."""
    rows = simulated(scenario, seed, rows=True).record.requests
    assert rows is not None
    waits = (rows.start_s - rows.reach_s)[rows.arrival_s >= WARMUP_S][:customers]
    assert len(waits) == customers and not np.isnan(waits).any(), f"seed {seed}: too few customers"
    return float(waits.mean())


def by_replications(asked: Asked, experiment: int) -> Interval:
    """The interval of the mean wait that one experiment's replications give."""
    first = asked.replications * (experiment - 1) + 1
    # Six standard deviations more than are needed.
    scenario = queue(asked.customers + 6 * asked.customers**0.5 + MARGIN_S * RATE_RPS)
    seeds = range(first, first + asked.replications)
    return mean_interval([mean_wait_s(scenario, seed, asked.customers) for seed in seeds])


def by_batch_means(asked: Asked, experiment: int) -> Interval:
    """The interval of the mean wait that one long run gives."""
    result = simulated(queue(asked.replications * asked.customers), FIRST_LONG_SEED + experiment)
    assert result.record.settled is not None
    return result.record.settled.interval("wait_s", WARMUP_S)


def told(name: str, intervals: Sequence[Interval], true_s: float = TRUE_WAIT_S) -> str:
    """How many intervals cover the truth, with Wilson's interval of that share, and how wide they are."""
    n, low, high = len(intervals), *(np.array([getattr(found, end) for found in intervals]) for end in ("low", "high"))
    covered = int(((low <= true_s) & (true_s <= high)).sum())
    share, extra = covered / n, Z**2 / n
    middle, half = share + extra / 2, Z * np.sqrt(share * (1 - share) / n + extra / 4 / n)
    ends = ((middle - half) / (1 + extra), (middle + half) / (1 + extra))
    mean = float(np.mean([found.mean for found in intervals]))
    width = float((high - low).mean()) / 2 / true_s
    return (
        f"{name}: {covered} of {n} cover {true_s:.5f} s, {share:.1%} (95 % interval {ends[0]:.1%} to {ends[1]:.1%}); "
        f"mean half width {width:.2%}; mean of all {mean:.5f} s"
    )


def main() -> None:
    """Print the coverage of both ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1, help="number of the first experiment")
    parser.add_argument("--replications", type=int, default=20)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    experiments = range(given.first, given.first + given.experiments)
    asked = Asked(experiments, given.replications, given.customers)
    simulated(queue(100), 1)  # whatever has to be compiled is compiled before processes begin
    ways: dict[str, Callable[[Asked, int], Interval]] = {
        f"{asked.replications} replications of {asked.customers:,}": by_replications,
        f"batch means of one run of {asked.replications * asked.customers:,}": by_batch_means,
    }
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        for name, way in ways.items():
            start = time.perf_counter()
            found = pool.map(partial(way, asked), asked.experiments, chunksize=4)
            print(told(name, found), f"({time.perf_counter() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
