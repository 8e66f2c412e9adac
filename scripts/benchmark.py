"""Measure: requests per second of the engines, how costs grow with the fleet, the planning programs, the start-up.

    .venv/bin/python scripts/benchmark.py [--only PART] [--json FILE]

Parts: engines, switching, growth, memory, planning, decisions, bound, start, sweep.

All in one run: machines differ and are noisy, so compare figures of one run only. Figures are the best of several
repetitions where a whole run is timed, and medians where a decision is.
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
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ciw
import numpy as np

from policies import POLICIES
from policies.decomposition import TOLERANCE, Bounded, Decomposition
from policies.horizon_program import HorizonProgram, Spent
from simulator import Observation, RoutingPolicy, Split, World, build_world, load, run
from simulator.fleet import Fleet
from simulator.forecast import Perfect
from simulator.plan import Plan
from simulator.problem import InputError
from simulator.tape import Tape

Figures = dict[str, float]

#: What requests may be routed by: name -> policy with its settings. One second of waiting costs a tenth of a cent.
WAITS = {"wait_price_usd_per_s": 0.001}
ROUTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "split": ("glb-cost", {}),
    "score": ("glb-cost", {"rule": "score"}),
    "score, fresh queues": ("glb-cost", {"rule": {"score": WAITS}}),
    "score, queues seen each second": ("glb-cost", {"rule": {"score": {**WAITS, "refresh_s": 1.0}}}),
    "dual, eglb at each request": ("eglb", {"update_every": 1}),
    "dual, eglb each 100 requests": ("eglb", {"update_every": 100}),
    "dual, hedge at each request": ("hedge", {"update_every": 1}),
    "dual, hedge each 100 requests": ("hedge", {"update_every": 100}),
}


class Timed(RoutingPolicy):
    """Times the decisions of another policy, forecasts included."""

    def __init__(self, policy: RoutingPolicy):
        self.policy, self.forecaster = policy, policy.forecaster
        self.spent: list[float] = []

    def start(self, fleet: Fleet) -> None:
        """As the other one."""
        self.policy.start(fleet)

    def plan(self, observation: Observation) -> Plan:
        """As the other one."""
        start = time.perf_counter()
        made = self.policy.plan(observation)
        self.spent.append(time.perf_counter() - start)
        return made


def decision_s(world: World, policy: RoutingPolicy) -> list[float]:
    """Wall time of each decision of a run [s]."""
    timed = Timed(policy)
    run(world, timed, engine="fluid")
    return timed.spent


class Everywhere(RoutingPolicy):
    """Every origin uses every site alike: what is worst for caches and for finding a site."""

    def plan(self, observation: Observation) -> Split:
        """Equal shares."""
        return Split(np.full(observation.fleet.allowed.shape, 1.0 / len(observation.fleet.sites)))


def seconds(action: Callable[[], object], repetitions: int = 5) -> list[float]:
    """Wall times of an action [s]."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return times


def rate(world: World, policy: Callable[[], RoutingPolicy], engine: str, repetitions: int = 3) -> float:
    """Requests/s of a whole run: plans, tape, routing, queues, latency, footprint and laws."""
    counts: list[float] = []
    best = min(seconds(lambda: counts.append(run(world, policy(), engine=engine).record.arrived.sum()), repetitions))
    return counts[0] / best


def engines() -> Figures:
    """The paper's fleet, whole (10 sites of 2,400 places, 4 Wh a request): all engines on the same requests."""
    found: Figures = {}
    hours = build_world(load("table1", ["fleet_scale=1", "slots=4"]))
    minutes = build_world(load("table1", ["fleet_scale=1", "slots=2", "slot_s=300"]))
    count = float(sum(len(block.u) for block in Tape(hours).blocks()))
    found["tape alone [requests/s]"] = count / min(seconds(lambda: [None for _ in Tape(hours).blocks()]))
    for name, (policy, settings) in ROUTERS.items():

        def made(policy: str = policy, settings: dict[str, Any] = settings) -> RoutingPolicy:
            return POLICIES[policy](**settings)

        found[f"compiled, {name} [requests/s]"] = rate(hours, made, "compiled")
        if name in ("split", "score, fresh queues", "dual, hedge at each request"):
            compiled, simpy = rate(minutes, made, "compiled", 5), rate(minutes, made, "simpy", 1)
            found[f"compiled, {name}, 10 minutes [requests/s]"] = compiled
            found[f"simpy, {name}, 10 minutes [requests/s]"] = simpy
            found[f"compiled / simpy, {name}"] = compiled / simpy
    return found | one_queue()


def switching() -> Figures:
    """The paper's fleet, whole, with servers that are always on and with servers switched by hourly plans."""
    found: Figures = {}
    for policy in ("glb-nearest", "glb-cost"):
        for name, asked in {
            "": "static",
            ", followed": "{follow: {utilisation: 0.8}}",
            ", staffed": "staffing",
        }.items():
            changes = ["fleet_scale=1", "slots=6", f"provisioning={asked}"]
            found[f"{policy}{name} [requests/s]"] = rate(
                build_world(load("table1", changes)), POLICIES[policy], "compiled"
            )
        for name in ("followed", "staffed"):
            kept = found[f"{policy}, {name} [requests/s]"] / found[f"{policy} [requests/s]"]
            found[f"{policy}, {name} / always on"] = kept
    return found


def one_queue() -> Figures:
    """An M/M/8 queue at 0.8, 200,000 requests; Ciw as a yardstick from outside."""
    changes = ["slots=1", "slot_s=31250", "warmup_s=0", "workload.demand.poisson.rate_per_s=6.4"]
    world = build_world(load("mmc", [*changes, "servers.count=8"]))
    found = {
        f"M/M/8, {engine} [requests/s]": rate(world, POLICIES["glb-nearest"], engine, repetitions)
        for engine, repetitions in (("compiled", 5), ("simpy", 1))
    }

    def by_ciw() -> None:
        arrivals, services = [ciw.dists.Exponential(6.4)], [ciw.dists.Exponential(1.0)]
        network = ciw.create_network(
            arrival_distributions=arrivals, service_distributions=services, number_of_servers=[8]
        )
        ciw.seed(1)
        ciw.Simulation(network).simulate_until_max_time(31250)

    return found | {"M/M/8, Ciw [requests/s]": world.expected_requests / min(seconds(by_ciw, 1))}


def growth() -> Figures:
    """Nanoseconds a request as the number of requests, of sites and of places grows."""
    found: Figures = {}
    for slots in (1, 4, 16):
        world = build_world(load("table1", ["fleet_scale=1", f"slots={slots}"]))
        found[f"{world.expected_requests / 1e6:.1f} million requests [ns]"] = 1e9 / rate(
            world, POLICIES["glb-cost"], "compiled"
        )
    for sites in (10, 100, 1000):
        changes = [f"sites={{generate: {{count: {sites}}}}}", "origins=at_sites", "network.rtt=coordinates", "slots=1"]
        demand = f"workload.demand={{calibrated: {{peak_kw: {20000 / sites}}}}}"
        world = build_world(load("table1", ["fleet_scale=1", *changes, demand, f"servers.count={12000 // sites}"]))
        found[f"{sites} sites [ns]"] = 1e9 / rate(world, Everywhere, "compiled")
    for places in (10, 1_000, 100_000):
        # 7,000 requests/s keep 0.7 of the places busy: with more places services are longer, the rest is the same.
        service = f"workload.request={{seconds: {{exponential: {{mean: {places / 1000}}}}}}}"
        changes = ["slots=1", "slot_s=700", "workload.demand={poisson: {rate_per_s: 7000}}", "planning={}", service]
        hardware = f"servers={{count: {places}, peak_w: 500}}"
        world = build_world(load("table1", ["fleet_scale=1", *changes, hardware]))
        found[f"{places:,} places a site, exponential services [ns]"] = 1e9 / rate(world, Everywhere, "compiled")
    return found


def memory() -> Figures:
    """Peak memory of a process that runs a number of requests [MB]."""
    program = """
import sys
from pathlib import Path
from policies import POLICIES
from simulator import build_world, load, run
run(build_world(load("table1", ["fleet_scale=1", f"slots={sys.argv[1]}"])), POLICIES["glb-cost"](), engine="compiled")
# Not getrusage: that begins with the size of the process that started this one.
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
"""
    found = {}
    for slots in (1, 8, 64):
        done = subprocess.run([sys.executable, "-c", program, str(slots)], check=True, capture_output=True, text=True)
        found[f"peak memory, {slots} hours of the whole fleet [MB]"] = float(done.stdout) / 1024
    return found


def planning() -> Figures:
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

        found[f"offline program, {'partial' if glb else 'full'} GLB, {data} data [s]"] = statistics.median(
            seconds(solve)
        )
        for policy in ("eglb", "hedge", "mpc"):
            spent = seconds(lambda policy=policy, world=world: run(world, POLICIES[policy](), engine="fluid"), 3)
            found[f"{policy}, {'partial' if glb else 'full'} GLB, a decision with the fluid engine [ms]"] = (
                1e3 * statistics.median(spent) / world.fleet.slots
            )
    many = ["sites={generate: {count: 200}}", "origins={generate: {count: 200}}", "network.rtt=coordinates"]
    world = build_world(load("table1", ["slots=12", *many]))
    spent = seconds(lambda: run(world, POLICIES["glb-cost"](), engine="fluid"), 3)
    found["glb-cost, 200 sites, 200 origins, a decision with the fluid engine [ms]"] = (
        1e3 * statistics.median(spent) / world.fleet.slots
    )
    return found


def bound() -> Figures:
    """A certified bound on the offline optimum of a year of 5-minute slots at ten sites: 1,051,200 flows, full GLB."""
    found = {}
    for glb in ("", "-partial"):
        world = build_world(load(f"table1{glb}", ["slots=105120", "slot_s=300"]))
        outlook, none = Perfect(world, 0).ahead(world.fleet.slots), np.zeros(len(world.fleet.sites))
        for tolerance in (1e-4, TOLERANCE):
            bounded: list[Bounded] = []

            def search(tolerance=tolerance, world=world, outlook=outlook, none=none, bounded=bounded) -> None:  # type: ignore[no-untyped-def]
                spent = Spent(none, none)
                bounded.append(Decomposition(world.fleet, world.fleet.objective, outlook, spent).solve(tolerance))

            name = f"a year of 5-minute slots, {'partial' if glb else 'full'} GLB, to {tolerance:g}"
            found[f"{name} [s]"] = min(seconds(search, 3))
            found[f"{name}: (plan - bound) / bound"] = bounded[0].within
            found[f"{name}: rounds"] = bounded[0].rounds
    return found


#: Policies whose decisions are timed.
DECIDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "eglb": ("eglb", {}),
    "hedge": ("hedge", {}),
    "hedge, adaptive": ("hedge", {"step": "adaptive"}),
    "fairobd": ("fairobd", {}),
    "hindsight": ("hindsight", {}),
    "advice": ("advice", {}),
    "mpc, 24 h seasonal": ("mpc", {}),
    "mpc, 24 h noisy": ("mpc", {"forecaster": "noisy"}),
    "mpc, 24 h perfect": ("mpc", {"forecaster": "perfect"}),
}
#: Those that are timed at a thousand sites.
FAST = ("eglb", "hedge", "hedge, adaptive", "fairobd")


def decisions() -> Figures:
    """The time that plan() takes [ms], of a run: ten sites, and a thousand with as many origins."""
    found: Figures = {}
    many = ["sites={generate: {count: 1000}}", "origins={generate: {count: 1000}}", "network.rtt=coordinates"]
    fleets = {
        "10 sites, full GLB": ["slots=120"],
        "10 sites, partial GLB": ["slots=120", "allowed=paper-partial"],
        "1,000 sites and origins, full GLB": [*many, "slots=5"],
        "1,000 sites and origins, within 80 ms": [*many, "slots=5", "allowed={max_rtt_ms: 80}"],
    }
    for fleet, changes in fleets.items():
        world = build_world(load("table1", changes))
        for name, (policy, settings) in DECIDERS.items():
            if "1,000" in fleet and name not in FAST:
                continue
            spent = decision_s(world, POLICIES[policy](**settings))
            found[f"{name}, {fleet}, a decision, median [ms]"] = 1e3 * statistics.median(spent)
            if len(spent) >= 100:
                found[f"{name}, {fleet}, 99th percentile [ms]"] = 1e3 * statistics.quantiles(spent, n=100)[98]
    return found


def start() -> Figures:
    """Wall time of the command's quick answers, and of a run with next to nothing to do [s]."""
    command = [sys.executable, "-m", "simulator"]
    words = {"--help": ["--help"], "validate table1": ["validate", "table1"]}
    found = {
        f"{name} [s]": statistics.median(
            seconds(lambda words=words: subprocess.run([*command, *words], check=True, capture_output=True))
        )
        for name, words in words.items()
    }
    loading = "from simulator import build_world, load, run\nfrom policies import POLICIES\n"
    tiny_run = "run(build_world(load('table1', ['slots=1', 'fleet_scale=0.001'])), POLICIES['glb-cost']())"
    found["a process that runs 1,000 requests, compiled before [s]"] = statistics.median(
        seconds(lambda: subprocess.run([sys.executable, "-c", loading + tiny_run], check=True, capture_output=True))
    )
    return found


#: Points of the sweep that is timed.
POINTS = 1000


def sweep() -> Figures:
    """What a sweep of many short points adds to the simulation itself [s a point]: processes, worlds, files, tables.

    Three hours of table1, three policies; the simulation alone is that of such points in one process.
    """
    changes = ["slots=3", "fleet_scale=0.001", "policies=[glb-cost,eglb-off,hedge]", "accept_scaled=true"]
    scenario = load("table1", changes)
    names = ("glb-cost", "eglb-off", "hedge")
    worlds = [build_world(scenario, seed) for seed in range(1, 51)]
    alone = min(seconds(lambda: [run(world, name) for world in worlds for name in names], 2)) / len(worlds)
    found: Figures = {"a point of a sweep: the simulation alone [s]": alone}
    command = [sys.executable, "-m", "simulator", "sweep", "table1", *(word for c in changes for word in ("--set", c))]
    for jobs in (1, os.cpu_count() or 1):
        with tempfile.TemporaryDirectory() as folder:
            words = [*command, "--seeds", str(POINTS), "--jobs", str(jobs), "--out", f"{folder}/sweep"]
            (whole,) = seconds(lambda words=words: subprocess.run(words, check=True, capture_output=True), 1)
        found[f"a point of a sweep of {POINTS:,}, {jobs} at a time: what is added [s]"] = whole / POINTS - alone / jobs
    return found


PARTS: dict[str, Callable[[], Figures]] = {
    "start": start,
    "sweep": sweep,
    "engines": engines,
    "switching": switching,
    "growth": growth,
    "memory": memory,
    "planning": planning,
    "bound": bound,
    "decisions": decisions,
}


def main() -> None:
    """Print the figures; write them as JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    # Whatever has to be compiled is compiled before anything is timed.
    run(load("table1", ["slots=1", "fleet_scale=0.001"]), "glb-cost")
    machine = f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}"
    print(machine)
    figures: Figures = {}
    for name in asked.only or PARTS:
        part = PARTS[name]()
        figures |= part
        for what, value in part.items():
            print(f"{what:70s} {value:14,.4g}" if value < 1000 else f"{what:70s} {value:14,.0f}", flush=True)
    figures["peak memory of this process [MB]"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if asked.json:
        asked.json.write_text(json.dumps({"machine": machine, "figures": figures}, indent=2) + "\n")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
