"""The reference plane: one SimPy process for each request. Readable, and the oracle for faster engines.

Order at equal times (docs/design.md): control acts first; then services finish, requests reach sites, requests that
were lost leave anew, requests arise. A freed place is handed to the first in the queue at once, before any other event.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np

from simulator.asked import Asked
from simulator.clock import ANEW, ARISE, FINISH, HAND_OVER, LOOK, REACH, Clock, Event, Heard, Interrupt
from simulator.core.standing import Standing
from simulator.core.stations import IDLE, WORK
from simulator.fleet import BoolArray, Fleet, FloatArray, IntArray
from simulator.plan import Dual, Own, Plan, Split
from simulator.record import FAILED, FINISHED, REJECTED, Counts, Keeping, Record, Requests, View
from simulator.tape import Tape
from simulator.world import World

from .books import close_books
from .equity import EquityPrices
from .ledger import spread_busy
from .rules import Buckets, DualRule, OwnRule, Rule, ScoreRule, SplitRule
from .station import Call, Pool, Station

Process = Generator[Event, None, None]


class ReferencePlane:
    """Requests as SimPy processes in the environment of the run."""

    def __init__(self, world: World, keeping: Keeping | None = None, progress: Callable[[float], None] | None = None):
        fleet, scale = world.fleet, world.scenario.fleet_scale
        origins, sites = fleet.allowed.shape
        self._world = world
        self._keeping = keeping
        self._progress = progress
        self._stations = _stations(world)
        self._pools = [pool for station in self._stations for pool in station.pools]
        self._half_rtt_s = (fleet.rtt_s / 2).tolist()
        self._ledger = np.zeros((fleet.slots, len(self._pools)))
        self._buckets = Buckets(sites)
        self._equity = EquityPrices(sites, scale)
        self._memory = np.zeros(0)
        self._rule: Rule = SplitRule(Split(np.zeros(fleet.allowed.shape)))
        self._refresh_s = 0.0
        self._series = 0
        self._calls: list[Call] = []
        self._handed, self._asked = np.zeros(origins), Asked(fleet)
        self._sent = np.zeros((origins, sites))
        self._rerouted = np.zeros((origins, sites))
        self._cut = np.zeros((origins, sites), dtype=bool)
        self._watch = np.zeros(sites, dtype=np.int64)
        self._cut_short: list[tuple[int, float, float]] = []

    def attach(self, clock: Clock) -> None:
        """Start the arrivals."""
        self._clock = clock
        clock.process(self._arrivals())

    def apply(self, plan: Plan, known: Fleet) -> None:
        """From now on requests are routed by this plan, in the fleet as far as it is known to be up."""
        if isinstance(plan, Split):
            self._rule = SplitRule(plan.within(known))
            return
        self._equity.follow(plan if isinstance(plan, Dual) else None, is_fresh=_refresh_s(plan) == 0)
        self._look_every(_refresh_s(plan))
        if isinstance(plan, Own):
            if len(self._memory) != plan.memory:
                self._memory = np.zeros(plan.memory)
            self._rule = OwnRule(plan, self._memory, self._world.fleet, known, self)
            return
        score = plan.score if isinstance(plan, Dual) else plan
        caps = known.capacity_rps if score.rate_cap_rps is None else score.rate_cap_rps
        self._buckets.refill((caps * self._world.scenario.fleet_scale).tolist(), score.burst_s, self._clock.now)
        rule = ScoreRule(score, known, self._buckets, self, self._equity)
        self._rule = DualRule(rule, self._equity, score.refresh_s == 0) if isinstance(plan, Dual) else rule

    def advance(self, until: float) -> Heard | None:
        """Nothing to do: requests are events of the same environment."""
        return None

    def stand(self, standing: Standing, killed: IntArray) -> None:
        """From now on servers stand so, and pools serve so many requests fewer."""
        now, lost = self._clock.now, []
        told = (part.tolist() for part in (standing.open, standing.spare, standing.failing, killed))
        for pool, open_, spare, failing, count in zip(self._pools, *told, strict=True):
            pool.drain(now)
            pool.open, pool.spare, pool.failing = open_, spare, failing
            for call in sorted(pool.running, key=lambda call: (-call.u, -call.number))[:count]:
                self._take_back(call, pool, now)
                lost.append(call)
        for i, station in enumerate(self._stations):
            station.wait_for_boots(now)
            station.booting, station.is_dark = int(standing.booting[i]), bool(standing.dark[i])
            station.unit_s, station.ready_s = float(standing.unit_s[i]), float(standing.ready_s[i])
            if station.is_dark:
                lost += station.queue
                station.queue.clear()
        for call in lost:
            call.process.interrupt()
        for station in self._stations:
            while station.queue and station.free > 0:
                self._hand_over(station)

    def cut(self, cut: BoolArray) -> None:
        """From now on these links [origins, sites] are down."""
        self._cut = cut

    def watch(self, watch: IntArray) -> None:
        """What control wants to hear of each site, [sites]."""
        self._watch = watch

    def view(self) -> View:
        """Queues and places in use now."""
        waiting = np.array([len(station.queue) for station in self._stations], dtype=np.int64)
        in_use = np.array([pool.in_use for pool in self._pools], dtype=np.int64)
        return View(waiting, in_use, self._sent.sum(axis=0))

    def closed_server_s(self, slot: int) -> tuple[FloatArray, FloatArray]:
        """Server-seconds of draining, and of being off, since this was last asked: at each slot's end, [pools] each."""
        for pool in self._pools:
            pool.drain(self._clock.now)
        drained, off = (np.array([getattr(pool, name) for pool in self._pools]) for name in ("drained_s", "off_s"))
        for pool in self._pools:
            pool.drained_s = pool.off_s = 0.0
        return drained, off

    def boot_wait_s(self) -> FloatArray:
        """Request-seconds waited so far for places that were booting, [sites]."""
        for station in self._stations:
            station.wait_for_boots(self._clock.now)
        return np.array([station.boot_wait_s for station in self._stations])

    def busy_place_s(self, slot: int) -> FloatArray:
        """The ledger of a slot: services are charged when they start, so it is final once the slot has ended."""
        return self._ledger[slot].copy()

    def expected_wait_s(self, site: int) -> float:
        """What routers know of the wait at a site [s]; requests under way are unknown.

        max(0, waiting + 1 - free) x mean service / open places; with no open place, the time until one opens and
        waiting x mean service / places that are booting.
        """
        station = self._stations[site]
        waiting, free, unit_s, ready_s = station.snapshot if self._refresh_s > 0 else station.seen()
        if ready_s != 0:
            return max(0.0, ready_s - self._clock.now if ready_s > 0 else -ready_s) + waiting * unit_s
        ahead = waiting + 1 - free
        return ahead * unit_s if ahead > 0 else 0.0

    def seen(self) -> tuple[list[int], list[int]]:
        """Requests waiting and places free as routers know them, [sites] each."""
        if self._refresh_s == 0:
            self._look()
        waiting, free, _, _ = zip(*(station.snapshot for station in self._stations), strict=True)
        return list(waiting), list(free)

    def record(self) -> Record:
        """Close the books of the run."""
        requests = self._rows(self._calls)
        if self._keeping is not None:
            kept = np.array([call.kept for call in self._calls], dtype=bool)
            self._keeping.take(Requests(*(column[kept] for column in requests)))
        counts = Counts(
            handed=self._handed,
            routed=self._sent,
            rerouted=self._rerouted,
            received=np.array([station.received for station in self._stations], dtype=float),
            lost=np.array([station.lost for station in self._stations], dtype=float),
            most_in_use=np.array([pool.most_in_use for pool in self._pools], dtype=np.int64),
            cut_short=self._cut_short,
        )
        return close_books(self._world, requests, self._ledger, counts)._replace(asked=self._asked.requests)

    def _rows(self, calls: list[Call]) -> Requests:
        def column(name: str, kind: type = float) -> Any:
            return np.array([getattr(call, name) for call in calls], dtype=kind)

        return Requests(
            number=np.arange(len(calls)),
            arrival_s=column("arrival"),
            origin=column("origin", np.int64),
            site=column("site", np.int64),
            reach_s=column("reach"),
            start_s=column("start"),
            finish_s=column("finish"),
            fate=column("fate", np.int64),
            out_s=column("out"),
            back_s=column("back"),
            prefill_s=column("prefill"),
            lost_s=column("departed") - column("arrival"),
            retries=column("retries", np.int64),
            pool=column("pool", np.int64),
        )

    def _arrivals(self) -> Process:
        clock, horizon = self._clock, self._world.scenario.horizon_s
        tape = Tape(self._world, 0.0 if self._keeping is None else self._keeping.share)
        for count, row in enumerate(self._handed_out(tape)):
            yield clock.at(row[0], ARISE)
            time, origin, u, first, second, out_s, back_s, kept = row
            call = Call(count, time, origin, u, (first, second), kept)
            call.process = clock.process(self._request(call, (out_s, back_s)))
            if self._progress is not None and count % 4096 == 0:
                self._progress(row[0] / horizon)

    def _handed_out(self, tape: Tape) -> Iterator[tuple[Any, ...]]:
        """The requests of the tape one by one, counted by origin as its blocks are handed out."""
        for block in tape.blocks():
            self._handed += np.bincount(block.origin, minlength=len(self._handed))
            self._asked.take(block)
            yield from zip(*(column.tolist() for column in block), strict=True)

    def _request(self, call: Call, jitter_s: tuple[float, float]) -> Process:
        """The life of one request: it tries until it is served, has no site to go to, or has no retry left."""
        clock, world = self._clock, self._world
        self._calls.append(call)
        while True:
            call.site = site = self._rule.pick(call.origin, clock.now, call.u)
            if site < 0:
                call.fate = FAILED if call.retries else REJECTED
                return
            try:
                yield from self._attempt(call, site, jitter_s)
                return
            except Interrupt:
                lost_s = clock.now
            if call.retries >= world.outages.retries:
                call.fate = FAILED
                return
            self._rerouted[call.origin, site] += 1
            call.retries += 1
            call.begin_anew()
            yield clock.at(lost_s + world.outages.detection_s + self._half_rtt_s[call.origin][site], ANEW)

    def _attempt(self, call: Call, site: int, jitter_s: tuple[float, float]) -> Process:
        """On the way to a site, in its queue, in service; raises Interrupt when an outage ends that."""
        clock, station, leg_s = self._clock, self._stations[site], self._half_rtt_s[call.origin][site]
        call.departed = clock.now
        self._sent[call.origin, site] += 1
        call.out, call.back = leg_s + jitter_s[0], leg_s + jitter_s[1]
        yield clock.at(clock.now + call.out, REACH)

        if self._cut[call.origin, site]:
            station.lost += 1
            raise Interrupt("the link is down")
        call.reach = clock.now
        station.received += 1
        if station.is_dark:
            raise Interrupt("the site is dark")
        free = station.take_place()
        if free is not None:
            self._start(call, free)
        elif not self._wait(call, station):
            call.fate = REJECTED
            return
        else:
            assert call.turn is not None
            yield call.turn
        pool = self._pools[call.pool]
        yield clock.at(call.finish_due, FINISH + pool.rank)

        call.finish, call.fate = clock.now, FINISHED
        pool.running.remove(call)
        self._leave_place(station, pool, site)

    def _wait(self, call: Call, station: Station) -> bool:
        """A request finds no place free: to the end of the queue, if there is room; control may want to hear of it."""
        has_room = not station.is_full()
        if has_room:
            call.turn = self._clock.event()
            station.wait_for_boots(self._clock.now)
            station.queue.append(call)
        if self._watch[call.site] & WORK and not station.booting and not any(pool.open for pool in station.pools):
            self._clock.hear(Heard(self._clock.now, call.site, is_idle=False))
        return has_room

    def _start(self, call: Call, pool: Pool) -> None:
        """A service starts in a place that was taken for it: its finish is known, and the slots it is charged to."""
        first, second = call.size
        call.start, call.pool = self._clock.now, pool.number
        call.prefill = pool.base_s + pool.per_input_s * first
        call.finish_due = call.start + (call.prefill + second * pool.per_output_s)
        spread_busy(self._ledger, pool.number, call.start, call.finish_due, self._world.fleet.slot_s)
        pool.running.add(call)

    def _leave_place(self, station: Station, pool: Pool, site: int) -> None:
        """A service has finished: the place goes to whoever has waited longest, if it stays open."""
        if pool.in_use > pool.open:
            pool.drain(self._clock.now)
        pool.in_use -= 1
        if station.queue and pool.free > 0:
            self._hand_over(station)
        elif station.is_idle and self._watch[site] & IDLE:
            self._clock.hear(Heard(self._clock.now, site, is_idle=True))

    def _hand_over(self, station: Station) -> None:
        """Whoever has waited longest takes a free place."""
        station.wait_for_boots(self._clock.now)
        call, pool = station.queue.popleft(), station.take_place()
        assert call.turn is not None and pool is not None
        self._start(call, pool)
        call.turn._ok, call.turn._value = True, pool
        self._clock.schedule(call.turn, HAND_OVER)

    def _take_back(self, call: Call, pool: Pool, now: float) -> None:
        """A request in service is killed: what it was charged but not served is taken back."""
        spread_busy(self._ledger, pool.number, now, call.finish_due, self._world.fleet.slot_s, -1.0)
        self._cut_short.append((pool.number, call.start, now))
        pool.running.remove(call)
        pool.in_use -= 1

    def _look(self) -> None:
        """Routers look at all queues, and at the prices of equity."""
        for station in self._stations:
            station.look()
        self._equity.look()

    def _look_every(self, refresh_s: float) -> None:
        """Look now and at every multiple of ``refresh_s``, until a plan asks for another rhythm (0: always fresh)."""
        if refresh_s == self._refresh_s:
            return
        self._refresh_s = refresh_s
        self._series += 1
        if refresh_s > 0:
            self._look()
            self._clock.process(self._looks(self._series, refresh_s))

    def _looks(self, series: int, refresh_s: float) -> Process:
        turn = math.ceil(self._clock.now / refresh_s)
        while True:
            yield self._clock.at(max(turn * refresh_s, self._clock.now), LOOK)
            if self._series != series:
                return
            self._look()
            turn += 1


def _stations(world: World) -> list[Station]:
    """The sites of a world with their pools."""
    fleet, hardware = world.fleet, world.fleet.hardware
    curve, places = [column.tolist() for column in fleet.curve], fleet.places(world.scenario.fleet_scale).tolist()
    stations = []
    for site, limit in enumerate(fleet.queue_limit.tolist()):
        numbers = np.flatnonzero(hardware.site == site).tolist()
        pools = [
            Pool(p, rank / len(numbers), int(hardware.concurrency[p]), places[p], tuple(part[p] for part in curve))
            for rank, p in enumerate(numbers)
        ]
        stations.append(Station(pools, limit, float(fleet.service_s[site])))
    return stations


def _refresh_s(plan: Plan) -> float:
    """How old routers' knowledge may be under a plan."""
    return 0.0 if isinstance(plan, Split) else (plan.score if isinstance(plan, Dual) else plan).refresh_s
