"""Small worlds: fleets of a few sites, plans that are held, and requests that are given by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from simulator.policy import Plan, RoutingPolicy, Split
from simulator.result import RunResult
from simulator.scenario import parse
from simulator.simulation import run
from simulator.tape import Block, Tape
from simulator.world import World, build_world

HERE = {"latitude_deg": 48.2, "longitude_deg": 16.4}
#: Services of mean 1 s.
EXPONENTIAL = {"exponential": {"mean": 1.0}}


def fleet(places: Sequence[int] = (1,), shares: Sequence[float] = (1,), **changes: Any) -> dict[str, Any]:
    """A scenario as data: a site for each number of places, an origin for each share, all in one spot without RTT.

    ``queue_limit`` applies to every site, ``demand`` and ``request`` make the workload; other keys are the scenario's.
    """
    limit = {"queue_limit": changes.pop("queue_limit")} if "queue_limit" in changes else {}
    workload = {
        "demand": changes.pop("demand", {"poisson": {"rate_per_s": 0.5}}),
        "request": changes.pop("request", {"seconds": 1.0}),
    }
    return {
        "name": "small",
        "start": "2023-11-16T00:00:00Z",
        "slots": 1,
        "slot_s": 100.0,
        "sites": [
            {"name": f"s{k}", **HERE, "servers": {"count": count, "peak_w": 700, "idle_w": 100, **limit}}
            for k, count in enumerate(places)
        ],
        "origins": [{"name": f"o{k}", **HERE, "share": share} for k, share in enumerate(shares)],
        "signals": {"synthetic": {"price_usd_per_mwh": 100, "carbon_kg_per_kwh": 0.3, "water_l_per_kwh": 3}},
        "workload": workload,
        "network": {"rtt": {"coordinates": {"fixed_ms": 0}}},
        "policies": ["glb-nearest"],
        **changes,
    }


def world_of(
    data: dict[str, Any], seed: int = 1, rtt_s: Sequence[Sequence[float]] | None = None, allowed: Any = None
) -> World:
    """The world of a scenario; with round-trip times [s] and allowed pairs, [origins, sites], of the test's own."""
    world = build_world(parse(data), seed)
    changes = {} if rtt_s is None else {"rtt_s": np.array(rtt_s, dtype=float)}
    changes |= {} if allowed is None else {"allowed": np.array(allowed, dtype=bool)}
    return replace(world, fleet=replace(world.fleet, **changes))


class InTurn(RoutingPolicy):
    """Says these plans slot after slot, and holds the last one. Keeps what it saw of the queues."""

    def __init__(self, *plans: Plan):
        self.plans = plans
        self.seen: list[Any] = []

    def plan(self, observation: Any) -> Plan:
        self.seen.append(observation)
        return self.plans[min(observation.slot, len(self.plans) - 1)]


def split(*rows: Sequence[float]) -> Split:
    """A plan of shares, a row for each origin."""
    return Split(np.array(rows, dtype=float))


class Ask(NamedTuple):
    """A request given by hand."""

    at: float
    size: float = 1.0
    """Seconds of service, or output tokens."""
    origin: int = 0
    u: float = 0.0
    input: float = 0.0
    out: float = 0.0
    """Jitter [s] on the way to the site, and back."""
    back: float = 0.0


def play(world: World, policy: RoutingPolicy | Plan, asks: Iterable[Ask], engine: str = "simpy") -> RunResult:
    """A run in which exactly these requests arise, in the order given, in the tape's blocks of one slot."""
    slot_s, rows = world.fleet.slot_s, list(asks)

    def block(self: Tape, number: int) -> Block:
        here = [ask for ask in rows if number * slot_s <= ask.at < (number + 1) * slot_s]
        columns = [np.array([getattr(ask, name) for ask in here], dtype=float) for name in Ask._fields]
        at, size, origin, u, first, out, back = columns
        return Block(at, origin.astype(np.int64), u, first, size, out, back)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tape, "block", block)
        patch.setattr(Tape, "__len__", lambda self: world.fleet.slots)
        policy = policy if isinstance(policy, RoutingPolicy) else InTurn(policy)
        return run(world, policy, engine=engine, keep_requests=True)
