"""Where the time of a request goes in the compiled engine: what is saved when one step of the loop is left out.

    .venv/bin/python scripts/breakdown.py

Each figure is a process of its own, with a step replaced by nothing before the kernels are compiled; its share is
the difference. The whole of the paper's fleet, an hour, routed by shares. Beside it the tape alone and a bare queue.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

#: What is left out: a word for it -> (module of the core, name).
STEPS = {
    "nothing": ("", ""),
    "latency histograms": ("stations", "note_durations"),
    "ledger, split at slots": ("stations", "charge"),
    "integral of places in use": ("stations", "integrate"),
}


@numba.njit
def _nothing(*_: Any) -> None:
    return None


@numba.njit
def _bare_queue(arrival: np.ndarray, service: np.ndarray, free: np.ndarray, start: np.ndarray) -> None:
    """First come first served at one site, services of one length, nothing else: places are free in turn."""
    place = 0
    for k in range(len(arrival)):
        start[k] = max(arrival[k], free[place])
        free[place] = start[k] + service[k]
        place = 0 if place + 1 == len(free) else place + 1


@numba.njit
def _bare_heap(arrival: np.ndarray, service: np.ndarray, free: np.ndarray, start: np.ndarray) -> None:
    """The same for services of any length: the recursion of Kiefer and Wolfowitz, a heap of when places are free."""
    size = len(free)
    for k in range(len(arrival)):
        start[k] = max(arrival[k], free[0])
        finish, hole, below = start[k] + service[k], 0, 1
        while below < size:
            if below + 1 < size and free[below + 1] < free[below]:
                below += 1
            if free[below] >= finish:
                break
            free[hole] = free[below]
            hole, below = below, 2 * below + 1
        free[hole] = finish


def best(action: Callable[[], Any], repetitions: int = 7) -> float:
    """The shortest wall time of an action [s]."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def child(step: str) -> None:
    """Time one variant, and print nanoseconds a request."""
    module, name = STEPS[step]
    if name:
        setattr(__import__(f"simulator.core.{module}", fromlist=[module]), name, _nothing)
    from policies import POLICIES
    from simulator import build_world, load
    from simulator.control import simulate
    from simulator.planes.compiled import CompiledPlane

    world = build_world(load("table1", ["fleet_scale=1", "slots=2"]))
    handed: list[float] = []

    def whole() -> None:
        policy, plane = POLICIES["glb-cost"](), CompiledPlane(world)
        policy.start(world.fleet)
        simulate(world, policy, plane)
        handed.append(plane._handed.sum())

    whole()
    print(1e9 * best(whole) / handed[-1])


def main() -> None:
    """Print the profile."""
    if len(sys.argv) > 1:
        child(sys.argv[1])
        return
    from simulator import build_world, load
    from simulator.tape import Tape

    world = build_world(load("table1", ["fleet_scale=1", "slots=2"]))
    count = sum(len(block.u) for block in Tape(world).blocks())
    with tempfile.TemporaryDirectory() as cache:
        found = {}
        for number, step in enumerate(STEPS):
            env = {**os.environ, "NUMBA_CACHE_DIR": f"{cache}/{number}"}
            done = subprocess.run([sys.executable, __file__, step], env=env, check=True, capture_output=True, text=True)
            found[step] = float(done.stdout)
    tape = 1e9 * best(lambda: [None for _ in Tape(world).blocks()]) / count
    generator, start = np.random.default_rng(1), np.zeros(10**6)
    arrival = np.sort(generator.random(10**6))
    equal, random = np.full(10**6, 2e-3), generator.exponential(2e-3, 10**6)
    rows = {
        "a request, all included": found["nothing"],
        "  making the tape": tape,
        **{f"  {step}": found["nothing"] - took for step, took in found.items() if step != "nothing"},
    }
    rows["  the rest: picking a site, the way there, queue, start and finish"] = 2 * found["nothing"] - sum(
        rows.values()
    )
    for name, bare, service in (
        ("services of one length", _bare_queue, equal),
        ("exponential services", _bare_heap, random),
    ):

        def queue(bare: Any = bare, service: np.ndarray = service) -> None:
            bare(arrival, service, np.zeros(2400), start)

        queue()
        rows[f"for comparison: a bare queue of 2,400 places, {name}"] = 1e9 * best(queue) / 1e6
    for name, value in rows.items():
        print(f"{name:70s} {value:6.1f} ns")


if __name__ == "__main__":
    main()
