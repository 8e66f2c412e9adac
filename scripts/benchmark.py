"""Measure: the planning programs, the SimPy engine and the start of the command, in one run.

    .venv/bin/python scripts/benchmark.py [--json FILE]

Figures are medians of several repetitions; machines differ, so compare figures of one run only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from policies import POLICIES
from policies.horizon_program import HorizonProgram, Spent
from simulator import build_world, load, run
from simulator.forecast import Perfect
from simulator.problem import InputError
from simulator.tape import Tape


def median_s(action: Callable[[], object], repetitions: int = 5) -> float:
    """Median wall time of an action [s]."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def planning() -> dict[str, float]:
    """Build and solve the offline program of Table 1; the authors' data where they are, else calibrated signals."""
    found = {}
    for glb in ("", "-partial"):
        try:
            world, data = build_world(load(f"paper-table1{glb}")), "paper"
        except InputError:
            world, data = build_world(load(f"table1{glb}")), "calibrated"
        none = np.zeros(len(world.fleet.sites))
        outlook = Perfect(world, 0).ahead(world.fleet.slots)

        def solve(world=world, outlook=outlook, none=none) -> object:  # type: ignore[no-untyped-def]
            return HorizonProgram(world.fleet, world.fleet.objective).solve(outlook, Spent(none, none))

        found[f"offline program, {'partial' if glb else 'full'} GLB, {data} data [s]"] = median_s(solve)
        for policy in ("eglb", "hedge", "mpc"):
            spent = median_s(lambda policy=policy, world=world: run(world, POLICIES[policy](), engine="fluid"), 3)
            found[f"{policy}, {'partial' if glb else 'full'} GLB, a decision with the fluid engine [ms]"] = (
                1e3 * spent / world.fleet.slots
            )
    changes = [
        "slots=12",
        "sites={generate: {count: 200}}",
        "origins={generate: {count: 200}}",
        "network.rtt=coordinates",
    ]
    world = build_world(load("table1", changes))
    spent = median_s(lambda: run(world, POLICIES["glb-cost"](), engine="fluid"), 3)
    found["glb-cost, 200 sites, 200 origins, a decision with the fluid engine [ms]"] = 1e3 * spent / world.fleet.slots
    return found


def requests() -> dict[str, float]:
    """Requests per second of the SimPy engine, and of making the tape alone."""
    world = build_world(load("table1", ["slots=48"]))
    count = float(run(world, POLICIES["glb-cost"](), engine="simpy").record.arrived.sum())
    found = {"tape alone [requests/s]": count / median_s(lambda: [len(block.u) for block in Tape(world).blocks()])}
    for rule in ("split", "score"):
        took = median_s(lambda rule=rule: run(world, POLICIES["glb-cost"](rule=rule), engine="simpy"), 3)
        found[f"simpy, {rule} [requests/s]"] = count / took
    return found


def start() -> dict[str, float]:
    """Wall time of the command's quick answers [s]."""
    command = [sys.executable, "-m", "simulator"]
    return {
        f"{name} [s]": median_s(lambda words=words: subprocess.run([*command, *words], check=True, capture_output=True))
        for name, words in {"--help": ["--help"], "validate table1": ["validate", "table1"]}.items()
    }


def main() -> None:
    """Print the figures; write them as JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    figures = {**start(), **planning(), **requests()}
    figures["peak memory of this process [MB]"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(machine)
    for name, value in figures.items():
        print(f"{name:70s} {value:14,.4g}" if value < 1000 else f"{name:70s} {value:14,.0f}")
    if asked.json:
        asked.json.write_text(json.dumps({"machine": machine, "figures": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
