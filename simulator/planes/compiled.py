"""The compiled plane: requests as arrays, advanced by kernels between two things that control does.

The same meaning as the reference plane, request by request; it takes the tape block by block.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.clock import Clock
from simulator.core.advance import FULL, NEXT_BLOCK, WRONG_SITE, advance
from simulator.core.begin import begin, refill
from simulator.core.jit import whatever_was_compiled
from simulator.core.own import NOBODY, compiled_rule, taking_rules
from simulator.fleet import FloatArray
from simulator.latency import MEASURES, Histogram
from simulator.plan import Dual, Own, Plan, PolicyError, Split
from simulator.record import UNFINISHED, Keeping, Record, View
from simulator.tape import Block, Tape
from simulator.world import World

from .arrays import figures_of, state_of, with_more_room
from .kept import KeptRows
from .rules import not_a_site

_NO_REQUESTS = Block(*(np.zeros(0, dtype={"origin": int, "kept": bool}.get(name, float)) for name in Block._fields))


class CompiledPlane:
    """Requests in arrays, between the control events of a clock."""

    def __init__(self, world: World, keeping: Keeping | None = None, progress: Callable[[float], None] | None = None):
        self._world = world
        self._progress = progress
        self._shown = 0.0
        self._state = state_of(world)
        self._kept = None if keeping is None else KeptRows(keeping)
        self._blocks = Tape(world, 0.0 if keeping is None else keeping.share).blocks()
        self._block = _NO_REQUESTS
        self._handed = np.zeros(len(world.fleet.origins))
        self._memory = np.zeros(0)
        self._own, self._advance = NOBODY, advance
        self._figures = figures_of(Split(np.zeros(world.fleet.allowed.shape)), world, self._memory)
        # Asks for the first block and does nothing; but now the kernel is compiled.
        whatever_was_compiled(lambda: advance(self._state, self._figures, NOBODY, _NO_REQUESTS, 0.0))

    def attach(self, clock: Clock) -> None:
        """Take part in a run."""
        self._clock = clock

    def apply(self, plan: Plan) -> None:
        """From now on requests are routed by this plan."""
        world, now = self._world, self._clock.now
        if isinstance(plan, Own):
            self._take_rule(plan)
            if len(self._memory) != plan.memory:
                self._memory = np.zeros(plan.memory)
        self._figures = figures_of(plan, world, self._memory)
        if isinstance(plan, Split):
            return
        score = plan.score if isinstance(plan, Dual) else plan
        begin(self._state, self._figures, float(score.refresh_s), now)
        if not isinstance(score, Own):
            caps = world.fleet.capacity_rps if score.rate_cap_rps is None else score.rate_cap_rps
            refill(self._state.outlooks, caps * world.scenario.fleet_scale, float(score.burst_s), now)

    def _take_rule(self, plan: Own) -> None:
        """Take up a user's own rule; raises PolicyError for one that cannot be compiled."""
        try:
            self._own = compiled_rule(plan.rule)
        except TypeError as error:
            raise PolicyError(f"{error}, or choose --engine simpy") from None
        self._advance = taking_rules(advance)

    def advance(self, until: float) -> None:
        """Settle every request event before ``until`` [s]; control stops at every slot boundary."""
        fleet, clock = self._world.fleet, self._state.clocks[0]
        until = min(until, self._world.scenario.horizon_s)
        if until <= clock.since_s:
            return
        # The middle of the interval: its ends may round to a neighbour.
        clock.slot = min(int((clock.since_s + until) / 2 / fleet.slot_s), fleet.slots - 1)
        while code := self._advance(self._state, self._figures, self._own, self._block, until):
            if code == NEXT_BLOCK:
                self._next_block()
            elif code == FULL:
                self._state = with_more_room(self._state)
            elif code == WRONG_SITE:
                raise PolicyError(not_a_site(fleet, int(clock.wrong_origin), int(clock.wrong_site)))
            clock = self._state.clocks[0]

    def _next_block(self) -> None:
        """The next requests of the tape, counted by origin as they are handed out."""
        clock = self._state.clocks[0]
        clock.number += len(self._block.arrival_s)
        clock.row = 0
        block = next(self._blocks, None)
        clock.is_last = block is None
        self._block = block or _NO_REQUESTS
        self._handed += np.bincount(self._block.origin, minlength=len(self._handed))
        if self._kept is not None:
            self._state = self._kept.with_room_for(self._block, self._state)
        done = float(clock.since_s) / self._world.scenario.horizon_s
        if self._progress is not None and done >= self._shown + 0.005:
            self._shown = done
            self._progress(done)

    def view(self) -> View:
        """Queues and places now."""
        return View(self._state.sites.waiting.copy(), self._places())

    def busy_place_s(self, slot: int) -> FloatArray:
        """The ledger of a slot. Services are charged when they start, so it is final once the slot has ended."""
        ledger: FloatArray = self._state.books.ledger_s[slot].copy()
        return ledger

    def record(self) -> Record:
        """Close the books of the run."""
        books, sites = self._state.books, self._state.sites
        if self._kept is not None:
            self._kept.close(self._state)
        fates, under_way = self._unfinished()
        tallies, slo = books.tallies, self._world.scenario.workload.request.slo
        latency = {name: Histogram(len(tallies)) for name in MEASURES}
        for measure, (name, histogram) in enumerate(latency.items()):
            histogram.counts += books.latency[measure]
            histogram.sums += tallies[f"{name}_s"]
        site_wait = Histogram(len(sites))
        site_wait.counts += books.wait
        site_wait.sums += sites.wait_s
        asked = slo.ttft_s is not None or slo.end_to_end_s is not None
        return Record(
            busy_place_s=books.ledger_s,
            places=self._places(),
            served_s=books.occupied_s,
            arrived=self._handed,
            routed=books.routed.astype(float),
            received=sites.received.astype(float),
            fates=fates,
            under_way=under_way,
            most_in_use=sites.most_in_use.copy(),
            latency=latency,
            site_wait=site_wait,
            slo_met=tallies.slo_met.astype(float) if asked else np.full(len(tallies), np.nan),
            slo_counted=tallies.slo_counted.astype(float),
        )

    def _places(self) -> FloatArray:
        return self._state.sites.places.astype(float)

    def _unfinished(self) -> tuple[FloatArray, FloatArray]:
        """Fates with those who are on their way or wait at the end, and how many are on their way to each site."""
        state = self._state
        travelling = state.way.call[: int(state.clocks[0].travelling)]
        waiting = []
        for site in state.sites:
            call = site.head
            for _ in range(site.waiting):
                waiting.append(call)
                call = state.calls[call].behind
        fates = state.books.fates.astype(float)
        left = state.calls[np.concatenate([travelling, np.array(waiting, dtype=np.int64)])]
        np.add.at(fates[UNFINISHED], (left.origin, left.site), 1)
        return fates, np.bincount(state.calls.site[travelling], minlength=len(state.sites)).astype(float)
