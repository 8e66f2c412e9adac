"""Small worlds: fleets of a few sites, plans that are held, and requests that are given by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from simulator import simulation
from simulator.plan import Plan, Split
from simulator.policy import RoutingPolicy
from simulator.provisioning import Order, ProvisioningPolicy, SiteView
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

    def start(self, fleet: Any) -> None:
        self.seen = []

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


class Orders(ProvisioningPolicy):
    """Says these numbers of servers slot after slot, and holds the last one. Work keeps a server on.

    With ``idle`` a site that has gone idle is switched off.
    """

    def __init__(self, *servers: float, idle: bool = False):
        self.servers = servers
        self.hears_idle = idle  # type: ignore[misc]

    def order(self, view: SiteView) -> Order:
        servers = self.servers[min(view.slot, len(self.servers) - 1)]
        if view.reason == "idle":
            return Order(0.0)
        return Order(max(servers, 1.0) if view.in_use + view.waiting > 0 or view.reason == "work" else servers)


class Timed(ProvisioningPolicy):
    """Wants so many servers from these times [s] on, whatever happens; keeps why it was asked."""

    def __init__(self, *steps: tuple[float, float]):
        self.steps = steps
        self.reasons: list[tuple[float, str]] = []

    def order(self, view: SiteView) -> Order:
        self.reasons.append((view.time_s, view.reason))
        wanted = [servers for time_s, servers in self.steps if time_s <= view.time_s][-1]
        return Order(wanted, next((time_s for time_s, _ in self.steps if time_s > view.time_s), None))


def play(
    world: World,
    policy: RoutingPolicy | Plan,
    asks: Iterable[Ask],
    engine: str | None = None,
    block: int = 7,
    orders: Callable[[], Sequence[ProvisioningPolicy]] | None = None,
) -> RunResult:
    """A run in which exactly these requests arise, in the order given, in blocks of so many requests.

    By both engines that know requests, which must say the same of every one of them, unless one is named. ``orders``
    makes the provisioning policies of all sites.
    """
    rows = list(asks)

    def blocks(self: Tape) -> Iterator[Block]:
        for start in range(0, len(rows), block):
            here = rows[start : start + block]
            columns = [np.array([getattr(ask, name) for ask in here], dtype=float) for name in Ask._fields]
            at, size, origin, u, first, out, back = columns
            yield Block(at, origin.astype(np.int64), u, first, size, out, back, np.ones(len(here), dtype=bool))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tape, "blocks", blocks)
        policy = policy if isinstance(policy, RoutingPolicy) else InTurn(policy)
        if orders is not None:
            patch.setattr(simulation, "make_provisioning", lambda *_: orders())
        if engine is not None:
            return run(world, policy, engine=engine, keep_requests=True)
        compiled, reference = (run(world, policy, engine=name, keep_requests=True) for name in ("compiled", "simpy"))
        assert_equal(compiled, reference)
        return compiled


def assert_equal(one: RunResult, other: RunResult) -> None:
    """Every request the same, every count the same, every sum the same up to the order of additions."""
    counts = (
        "requests",
        "arrived",
        "routed",
        "rerouted",
        "lost",
        "received",
        "fates",
        "under_way",
        "most_in_use",
        "asked",
    )
    for name in counts:
        np.testing.assert_equal(getattr(one.record, name), getattr(other.record, name), err_msg=name)
    for name in ("slo_met", "slo_counted"):
        np.testing.assert_equal(getattr(one.record, name), getattr(other.record, name), err_msg=name)
    # To the last bit: policies learn from the ledger and from what servers did, and must plan the same.
    np.testing.assert_array_equal(one.record.busy_place_s, other.record.busy_place_s)
    for name, mine in one.usage._asdict().items():
        np.testing.assert_array_equal(mine, getattr(other.usage, name), err_msg=name)
    # Whole ticks, so in whatever order they were added: to the last bit.
    assert one.record.batches is not None
    np.testing.assert_equal(one.record.batches, other.record.batches)
    np.testing.assert_array_equal(one.booted, other.booted)
    np.testing.assert_allclose(one.boot_wait_s, other.boot_wait_s, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(one.record.served_s, other.record.served_s, rtol=1e-9, atol=1e-9)
    for name, histogram in {**one.record.latency, "site": one.record.site_wait}.items():
        twin = other.record.site_wait if name == "site" else other.record.latency[name]
        np.testing.assert_equal(histogram.counts, twin.counts, err_msg=name)
        np.testing.assert_allclose(histogram.sums, twin.sums, rtol=1e-9, atol=1e-9, err_msg=name)
