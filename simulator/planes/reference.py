"""The reference plane: one SimPy process for each request. Readable, and the oracle for faster engines.

Order at equal times (docs/design.md): control acts first; then services finish, requests reach sites, requests arise.
A freed place is handed to the first in the queue at once, before any other event of that time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np

from simulator.clock import URGENT, Clock, Event
from simulator.fleet import FloatArray
from simulator.plan import Dual, Own, Plan, Split
from simulator.record import FINISHED, REJECTED, Counts, Keeping, Record, Requests, View
from simulator.tape import Tape
from simulator.world import World

from .books import close_books
from .equity import EquityPrices
from .ledger import spread_busy
from .rules import Buckets, DualRule, OwnRule, Rule, ScoreRule, SplitRule
from .station import Call, Station

Process = Generator[Event, None, None]

#: What goes first among request events at one time.
FINISH, REACH, ARISE = URGENT + 1, URGENT + 2, URGENT + 3


class ReferencePlane:
    """Requests as SimPy processes in the environment of the run."""

    def __init__(self, world: World, keeping: Keeping | None = None, progress: Callable[[float], None] | None = None):
        fleet, scale = world.fleet, world.scenario.fleet_scale
        self._world = world
        self._keeping = keeping
        self._progress = progress
        self._stations = [
            Station(places, limit, service)
            for places, limit, service in zip(
                fleet.places(scale).tolist(), fleet.queue_limit.tolist(), fleet.service_s.tolist(), strict=True
            )
        ]
        self._curve = [tuple(float(c[i]) for c in fleet.curve) for i in range(len(fleet.sites))]
        self._half_rtt_s = (fleet.rtt_s / 2).tolist()
        self._ledger = np.zeros((fleet.slots, len(fleet.sites)))
        self._buckets = Buckets(len(fleet.sites))
        self._equity = EquityPrices(len(fleet.sites), scale)
        self._memory = np.zeros(0)
        self._rule: Rule = SplitRule(Split(np.zeros(fleet.allowed.shape)))
        self._refresh_s = 0.0
        self._series = 0
        self._calls: list[Call] = []
        self._handed = np.zeros(len(fleet.origins))
        self._sent = [[0] * len(fleet.sites) for _ in fleet.origins]

    def attach(self, clock: Clock) -> None:
        """Start the arrivals."""
        self._clock = clock
        clock.process(self._arrivals())

    def apply(self, plan: Plan) -> None:
        """From now on requests are routed by this plan."""
        if isinstance(plan, Split):
            self._rule = SplitRule(plan)
            return
        self._equity.follow(plan if isinstance(plan, Dual) else None, is_fresh=_refresh_s(plan) == 0)
        self._look_every(_refresh_s(plan))
        if isinstance(plan, Own):
            if len(self._memory) != plan.memory:
                self._memory = np.zeros(plan.memory)
            self._rule = OwnRule(plan, self._memory, self._world.fleet, self)
            return
        fleet, score = self._world.fleet, plan.score if isinstance(plan, Dual) else plan
        caps = fleet.capacity_rps if score.rate_cap_rps is None else score.rate_cap_rps
        self._buckets.refill((caps * self._world.scenario.fleet_scale).tolist(), score.burst_s, self._clock.now)
        rule = ScoreRule(score, fleet, self._buckets, self, self._equity)
        self._rule = DualRule(rule, self._equity, score.refresh_s == 0) if isinstance(plan, Dual) else rule

    def advance(self, until: float) -> None:
        """Nothing to do: requests are events of the same environment."""

    def view(self) -> View:
        """Queues and places now."""
        waiting = np.array([len(station.queue) for station in self._stations], dtype=np.int64)
        return View(waiting, self._places())

    def busy_place_s(self, slot: int) -> FloatArray:
        """The ledger of a slot: services are charged when they start, so it is final once the slot has ended."""
        return self._ledger[slot].copy()

    def expected_wait_s(self, site: int) -> float:
        """max(0, waiting + 1 - free) x mean service / places [s]; requests under way are unknown."""
        station = self._stations[site]
        waiting, free = station.snapshot if self._refresh_s > 0 else (len(station.queue), station.free)
        ahead = waiting + 1 - free
        return ahead * station.wait_unit_s if ahead > 0 else 0.0

    def seen(self) -> tuple[list[int], list[int]]:
        """Requests waiting and places free as routers know them, [sites] each."""
        if self._refresh_s == 0:
            self._look()
        waiting, free = zip(*(station.snapshot for station in self._stations), strict=True)
        return list(waiting), list(free)

    def record(self) -> Record:
        """Close the books of the run."""
        requests = self._rows(self._calls)
        if self._keeping is not None:
            kept = np.array([call.kept for call in self._calls], dtype=bool)
            self._keeping.take(Requests(*(column[kept] for column in requests)))
        counts = Counts(
            handed=self._handed,
            routed=np.array(self._sent, dtype=float),
            received=np.array([station.received for station in self._stations], dtype=float),
            places=self._places(),
            most_in_use=np.array([station.most_in_use for station in self._stations], dtype=np.int64),
        )
        return close_books(self._world, requests, self._ledger, counts)

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
        )

    def _places(self) -> FloatArray:
        return np.array([station.places for station in self._stations], dtype=float)

    def _arrivals(self) -> Process:
        clock, horizon = self._clock, self._world.scenario.horizon_s
        tape = Tape(self._world, 0.0 if self._keeping is None else self._keeping.share)
        for count, row in enumerate(self._handed_out(tape)):
            yield clock.at(row[0], ARISE)
            clock.process(self._request(row))
            if self._progress is not None and count % 4096 == 0:
                self._progress(row[0] / horizon)

    def _handed_out(self, tape: Tape) -> Iterator[tuple[Any, ...]]:
        """The requests of the tape one by one, counted by origin as its blocks are handed out."""
        for block in tape.blocks():
            self._handed += np.bincount(block.origin, minlength=len(self._handed))
            yield from zip(*(column.tolist() for column in block), strict=True)

    def _request(self, row: tuple[Any, ...]) -> Process:
        """The life of one request, a row of the tape."""
        time, origin, u, first, second, out_s, back_s, kept = row
        clock = self._clock
        call = Call(time, origin, kept)
        self._calls.append(call)
        call.site = site = self._rule.pick(origin, time, u)
        if site < 0:
            call.fate = REJECTED
            return
        self._sent[origin][site] += 1
        leg = self._half_rtt_s[origin][site]
        call.out, call.back = leg + out_s, leg + back_s
        yield clock.at(time + call.out, REACH)

        station = self._stations[site]
        call.reach = clock.now
        station.received += 1
        if station.free > 0:
            station.free -= 1
        elif station.is_full():
            call.fate = REJECTED
            return
        else:
            turn = clock.event()
            station.queue.append(turn)
            yield turn

        call.start = start = clock.now
        station.in_use += 1
        station.most_in_use = max(station.most_in_use, station.in_use)
        base, per_input, per_output = self._curve[site]
        call.prefill = base + per_input * first
        finish = start + (call.prefill + second * per_output)
        spread_busy(self._ledger, site, start, finish, self._world.fleet.slot_s)
        yield clock.at(finish, FINISH)

        call.finish, call.fate = finish, FINISHED
        station.in_use -= 1
        if station.queue:
            turn = station.queue.popleft()
            turn._ok, turn._value = True, None
            clock.schedule(turn, URGENT)
        else:
            station.free += 1

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
            yield self._clock.at(max(turn * refresh_s, self._clock.now), URGENT)
            if self._series != series:
                return
            self._look()
            turn += 1


def _refresh_s(plan: Plan) -> float:
    """How old routers' knowledge may be under a plan."""
    return 0.0 if isinstance(plan, Split) else (plan.score if isinstance(plan, Dual) else plan).refresh_s
