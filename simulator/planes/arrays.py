"""Arrays for the compiled core: the state of a world's fleet at the start of a run, and a plan's figures."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from simulator.batches import cut_of
from simulator.core.guide import guide_of
from simulator.core.plan import (
    ADAPTIVE_ENTROPIC,
    ADAPTIVE_EUCLIDEAN,
    BURDEN,
    ENTROPIC,
    EUCLIDEAN,
    FIXED,
    OWN,
    SCORE,
    SPLIT,
    Steps,
)
from simulator.core.plan import Plan as Figures
from simulator.core.state import (
    BATCH,
    CALL,
    CASE,
    CLOCK,
    OUTLOOK,
    PACE,
    POOL,
    PRICE,
    ROW,
    SITE,
    TALLY,
    TRAVELLER,
    Books,
    Finishes,
    Ints,
    Records,
    State,
)
from simulator.fleet import Fleet, FloatArray
from simulator.latency import BINS, MEASURES
from simulator.plan import Dual, Own, Plan, Score, Split
from simulator.prices import falling
from simulator.record import FATES
from simulator.world import World

#: Requests under way or waiting that there is room for at first.
ROOM = 1024
_KINDS = {
    "euclidean": EUCLIDEAN,
    "entropic": ENTROPIC,
    "adaptive-euclidean": ADAPTIVE_EUCLIDEAN,
    "adaptive-entropic": ADAPTIVE_ENTROPIC,
}


def records(kind: np.dtype[Any], *shape: int, **values: Any) -> Records:
    """Records of a kind, with these values and zeros."""
    made = np.zeros(shape, dtype=kind)
    for name, value in values.items():
        made[name] = value
    return made.view(np.recarray)


def state_of(world: World) -> State:
    """The state at the start of a run: all servers are on."""
    fleet, places = world.fleet, world.fleet.places(world.scenario.fleet_scale)
    sites, hardware = len(fleet.sites), fleet.hardware
    at_site = hardware.by_site(places)
    return State(
        clocks=_clocks(world),
        half_rtt_s=fleet.rtt_s / 2,
        calls=records(CALL, ROOM, behind=np.append(np.arange(1, ROOM), -1)),
        cases=records(CASE, ROOM if world.outages.losing else 0),
        way=records(TRAVELLER, ROOM),
        sites=records(
            SITE,
            sites,
            pool=hardware.first,
            pools=np.bincount(hardware.site),
            queue_limit=fleet.queue_limit,
            next_s=np.inf,
            free=at_site,
            open=at_site,
            unit_s=fleet.service_s / at_site,
        ),
        pools=records(
            POOL,
            len(places),
            places=places,
            free=places,
            open=places,
            first=np.cumsum(places) - places,
            concurrency=hardware.concurrency,
            next_s=np.inf,
            **fleet.curve._asdict(),
        ),
        finishes=Finishes(*(np.empty(places.sum(), dtype=kind) for kind in (float, float, np.int64, np.int64))),
        cut=np.zeros(fleet.allowed.shape, dtype=np.int64),
        books=_books(world),
        rows=records(ROW, 0),
        outlooks=records(OUTLOOK, sites, depth=-1.0, wait_unit_s=fleet.service_s / at_site),
        waiting=np.zeros(sites, dtype=np.int64),
        free=at_site.copy(),
        prices=records(PRICE, 2, sites),
        paces=records(PACE, 2),
        bases=np.zeros(2),
    )


def _clocks(world: World) -> Records:
    scenario, slo, cut = world.scenario, world.scenario.workload.request.slo, cut_of(world)
    return records(
        CLOCK,
        1,
        horizon_s=scenario.horizon_s,
        warmup_s=scenario.warmup_s,
        slot_s=scenario.slot_s,
        batches_per_s=cut.batches_per_s,
        ticks_per_s=cut.ticks_per_s,
        ttft_slo_s=np.inf if slo.ttft_s is None else slo.ttft_s,
        end_to_end_slo_s=np.inf if slo.end_to_end_s is None else slo.end_to_end_s,
        look_s=np.inf,
        may_lose=bool(world.outages.losing),
        retries=world.outages.retries,
        detection_s=world.outages.detection_s,
    )


def _books(world: World) -> Books:
    slots, sites, origins = world.fleet.slots, len(world.fleet.sites), len(world.fleet.origins)
    pools = len(world.pools)

    def counts(*shape: int) -> Ints:
        return np.zeros(shape, dtype=np.int64)

    return Books(
        ledger_s=np.zeros((slots, pools)),
        occupied_s=np.zeros((slots, pools)),
        drained_s=np.zeros((slots, pools)),
        off_s=np.zeros((slots, pools)),
        routed=counts(origins, sites),
        rerouted=counts(origins, sites),
        fates=counts(len(FATES), origins, sites + 1),
        latency=counts(len(MEASURES), origins, BINS),
        wait=counts(sites, BINS),
        tallies=records(TALLY, origins),
        batches=records(BATCH, cut_of(world).rows, sites),
    )


def with_more_room(state: State) -> State:
    """The state with room for twice as many requests under way or waiting; called when all room is taken."""
    room = len(state.calls)
    calls, way, cases = records(CALL, 2 * room), records(TRAVELLER, 2 * room), records(CASE, 2 * len(state.cases))
    calls[:room], way[:room], cases[: len(state.cases)] = state.calls, state.way, state.cases
    calls.behind[room:] = np.append(np.arange(room + 1, 2 * room), -1)
    state.clocks.spare[0] = room
    return state._replace(calls=calls, cases=cases, way=way)


def figures_of(plan: Plan, world: World, memory: FloatArray, known: Fleet) -> Figures:
    """A plan as arrays, for the fleet as far as it is known to be up."""
    fleet, every = world.fleet, range(len(world.fleet.sites))
    score = plan.score if isinstance(plan, Dual) else plan
    own = isinstance(plan, Own)
    allowed, allowed_from = _listed(fleet.allowed_sites if own else known.allowed_sites)
    watched, watched_from = _listed([every] * len(fleet.origins)) if own else (allowed, allowed_from)
    wait_price = float(score.wait_price_usd_per_s) if isinstance(score, Score) else 0.0
    return Figures(
        rule=SPLIT if isinstance(plan, Split) else OWN if own else SCORE,
        ends=guide_of(plan.within(known).cumulative() if isinstance(plan, Split) else np.ones((1, 1))),
        price_usd=score.prices(fleet) if isinstance(score, Score) else np.zeros((1, 1)),
        wait_price_usd_per_s=wait_price,
        reads_queues=own or wait_price > 0,
        allowed=allowed,
        allowed_from=allowed_from,
        usable=known.allowed.astype(np.int64),
        instead=known.nearest,
        watched=watched,
        watched_from=watched_from,
        steps=_steps(plan, world),
        data=plan.data.copy() if isinstance(plan, Own) else np.zeros((1, 1)),
        memory=memory,
    )


def _listed(sites: Iterable[Iterable[int]]) -> tuple[Ints, Ints]:
    """Lists of sites one after the other, and where each begins."""
    rows = [list(row) for row in sites]
    return np.array([*chain(*rows)], dtype=np.int64), np.cumsum([0, *(len(row) for row in rows)])


def _steps(plan: Plan, world: World) -> Steps:
    """How a plan's prices of equity move."""
    sites, scale = len(world.fleet.sites), world.scenario.fleet_scale
    if not isinstance(plan, Dual):
        return Steps(FIXED, 0.0, 0, 1, 0.0, records(BURDEN, 2, sites))
    expected = plan.requests * scale
    return Steps(
        kind=_KINDS[plan.steps],
        step=float(plan.step),
        round=plan.round,
        every=plan.update_every,
        share=plan.update_every / expected if expected > 0 else 0.0,
        burdens=records(
            BURDEN,
            2,
            sites,
            burden_usd=plan.burden_usd,
            charge_usd=plan.burden_usd / scale,
            most_usd=plan.most_usd,
            order=[falling(most) for most in plan.most_usd.tolist()],
        ),
    )
