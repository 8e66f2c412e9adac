"""The compiled plane: requests as arrays, advanced by kernels between two things that control does.

The same meaning as the reference plane, request by request; it takes the tape block by block.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.asked import Asked
from simulator.batches import SUMS, Batches, cut_of
from simulator.clock import Clock, Heard
from simulator.core.advance import FULL, HEARD, NEXT_BLOCK, WRONG_SITE, advance
from simulator.core.begin import begin, refill
from simulator.core.jit import whatever_was_compiled
from simulator.core.own import NOBODY, compiled_rule, taking_rules
from simulator.core.standing import Standing, drain_all, stand
from simulator.core.state import Ints, Records
from simulator.core.stations import IDLE
from simulator.core.way import ANEW
from simulator.fleet import BoolArray, Fleet, FloatArray, IntArray
from simulator.latency import MEASURES, Histogram
from simulator.plan import Dual, Own, Plan, PolicyError, Split
from simulator.record import UNFINISHED, Keeping, Record, View
from simulator.tape import Block, Tape
from simulator.world import World

from .arrays import figures_of, state_of, with_more_room
from .kept import KeptRows
from .ledger import slot_of, spread_busy
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
        self._handed, self._asked = np.zeros(len(world.fleet.origins)), Asked(world.fleet)
        self._memory = np.zeros(0)
        self._own, self._advance = NOBODY, advance
        nothing = Split(np.zeros(world.fleet.allowed.shape))
        self._figures = figures_of(nothing, world, self._memory, world.fleet)
        # Asks for the first block and does nothing; but now the kernel is compiled.
        whatever_was_compiled(lambda: advance(self._state, self._figures, NOBODY, _NO_REQUESTS, 0.0))

    def attach(self, clock: Clock) -> None:
        """Take part in a run."""
        self._clock = clock

    def apply(self, plan: Plan, known: Fleet) -> None:
        """From now on requests are routed by this plan, in the fleet as far as it is known to be up."""
        world, now = self._world, self._clock.now
        if isinstance(plan, Own):
            self._take_rule(plan)
            if len(self._memory) != plan.memory:
                self._memory = np.zeros(plan.memory)
        self._figures = figures_of(plan, world, self._memory, known)
        if isinstance(plan, Split):
            return
        score = plan.score if isinstance(plan, Dual) else plan
        begin(self._state, self._figures, float(score.refresh_s), now)
        if not isinstance(score, Own):
            caps = known.capacity_rps if score.rate_cap_rps is None else score.rate_cap_rps
            refill(self._state.outlooks, caps * world.scenario.fleet_scale, float(score.burst_s), now)

    def _take_rule(self, plan: Own) -> None:
        """Take up a user's own rule; raises PolicyError for one that cannot be compiled."""
        try:
            self._own = compiled_rule(plan.rule)
        except TypeError as error:
            raise PolicyError(f"{error}, or choose --engine simpy") from None
        self._advance = taking_rules(advance)

    def advance(self, until: float) -> Heard | None:
        """Settle every request event before ``until`` [s], or up to the first one that control wants to hear of."""
        fleet, clock = self._world.fleet, self._state.clocks[0]
        until = min(until, self._world.scenario.horizon_s)
        if until <= clock.since_s:
            return None
        # The middle of the interval: its ends may round to a neighbour.
        clock.slot = min(int((clock.since_s + until) / 2 / fleet.slot_s), fleet.slots - 1)
        while code := self._advance(self._state, self._figures, self._own, self._block, until):
            if code == NEXT_BLOCK:
                self._next_block()
            elif code == FULL:
                self._state = with_more_room(self._state)
            elif code == WRONG_SITE:
                raise PolicyError(not_a_site(fleet, int(clock.wrong_origin), int(clock.wrong_site)))
            elif code == HEARD:
                heard, clock.heard = int(clock.heard), 0
                return Heard(float(clock.heard_s), int(clock.heard_site), heard == IDLE)
            clock = self._state.clocks[0]
        return None

    def _next_block(self) -> None:
        """The next requests of the tape, counted by origin as they are handed out."""
        clock = self._state.clocks[0]
        clock.number += len(self._block.arrival_s)
        clock.row = 0
        block = next(self._blocks, None)
        clock.is_last = block is None
        self._block = block or _NO_REQUESTS
        self._handed += np.bincount(self._block.origin, minlength=len(self._handed))
        self._asked.take(self._block)
        if self._kept is not None:
            self._state = self._kept.with_room_for(self._block, self._state)
        done = float(clock.since_s) / self._world.scenario.horizon_s
        if self._progress is not None and done >= self._shown + 0.005:
            self._shown = done
            self._progress(done)

    def stand(self, standing: Standing, killed: IntArray) -> None:
        """From now on servers stand so, and pools serve so many requests fewer."""
        now, lost = self._clock.now, []
        for p in np.flatnonzero(killed).tolist():
            lost += self._killed(p, int(killed[p]), now)
        for i in np.flatnonzero(standing.dark).tolist():
            lost += [(call, i) for call in self._queue(i)]
        self._state.clocks[0].slot = slot_of(now, self._world.fleet.slot_s)
        stand(self._state, standing, killed, np.array(lost, dtype=np.int64).reshape(-1, 2), now)

    def cut(self, cut: BoolArray) -> None:
        """From now on these links [origins, sites] are down."""
        self._state.cut[:] = cut

    def watch(self, watch: IntArray) -> None:
        """What control wants to hear of each site, [sites]."""
        self._state.sites.watch = watch
        self._state.clocks.in_order = bool((watch & IDLE).any())

    def view(self) -> View:
        """Queues and places now."""
        state = self._state
        return View(state.sites.waiting.copy(), state.pools.in_use.copy(), state.books.routed.sum(axis=0).astype(float))

    def closed_server_s(self, slot: int) -> tuple[FloatArray, FloatArray]:
        """Server-seconds of draining, and of being off, in a slot up to now, [pools] each."""
        books = self._state.books
        drain_all(self._state, slot, self._clock.now)
        return books.drained_s[slot].copy(), books.off_s[slot].copy()

    def boot_wait_s(self) -> FloatArray:
        """Request-seconds waited so far for places that were booting, [sites]."""
        sites = self._state.sites
        waited: FloatArray = sites.boot_wait_s + np.minimum(sites.waiting, sites.booting) * (
            self._clock.now - sites.since_s
        )
        return waited

    def busy_place_s(self, slot: int) -> FloatArray:
        """The ledger of a slot. Services are charged when they start, so it is final once the slot has ended."""
        ledger: FloatArray = self._state.books.ledger_s[slot].copy()
        return ledger

    def record(self) -> Record:
        """Close the books of the run."""
        books, sites, pools = self._state.books, self._state.sites, self._state.pools
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
            served_s=books.occupied_s,
            arrived=self._handed,
            routed=books.routed.astype(float),
            rerouted=books.rerouted.astype(float),
            lost=sites.lost.astype(float),
            received=sites.received.astype(float),
            fates=fates,
            under_way=under_way,
            most_in_use=pools.most_in_use.copy(),
            latency=latency,
            site_wait=site_wait,
            slo_met=tallies.slo_met.astype(float) if asked else np.full(len(tallies), np.nan),
            slo_counted=tallies.slo_counted.astype(float),
            batches=Batches.of_ticks(cut_of(self._world), np.stack([books.batches[name] for name in SUMS])),
            asked=self._asked.requests,
        )

    def _killed(self, p: int, count: int, now_s: float) -> list[tuple[int, int]]:
        """Take the requests with the largest lots out of service, and what they were charged but not served back."""
        state, pool = self._state, self._state.pools[p]
        run = pool.first + (pool.run_head + np.arange(pool.run_size)) % pool.places
        heap = pool.first + np.arange(pool.heap_size)
        due_s = np.concatenate([state.finishes.run_s[run], state.finishes.heap_s[heap]])
        calls = np.concatenate([state.finishes.run_call[run], state.finishes.heap_call[heap]])
        order = np.lexsort((-state.cases.number[calls], -state.cases.u[calls]))
        for k in order[:count].tolist():
            spread_busy(state.books.ledger_s, p, now_s, float(due_s[k]), self._world.fleet.slot_s, -1.0)
        left = order[count:][np.argsort(due_s[order[count:]], kind="stable")]
        here = slice(int(pool.first), int(pool.first) + len(left))
        state.finishes.run_s[here], state.finishes.run_call[here] = due_s[left], calls[left]
        pool.run_head, pool.run_size, pool.heap_size = 0, len(left), 0
        pool.next_s = due_s[left[0]] if len(left) else np.inf
        return [(int(call), int(self._world.fleet.hardware.site[p])) for call in calls[order[:count]]]

    def _queue(self, i: int) -> list[int]:
        """The requests that wait at a site, in their order."""
        site, waiting = self._state.sites[i], []
        call = int(site.head)
        for _ in range(site.waiting):
            waiting.append(call)
            call = int(self._state.calls[call].behind)
        return waiting

    def _unfinished(self) -> tuple[FloatArray, FloatArray]:
        """Fates with those who have none at the end, and how many are on their way to each site."""
        state = self._state
        way = state.way[: int(state.clocks[0].travelling)]
        here = [way.call, np.array([call for i in range(len(state.sites)) for call in self._queue(i)], dtype=np.int64)]
        if state.clocks[0].may_lose:
            here += [self._running(pool) for pool in state.pools]
        fates = state.books.fates.astype(float)
        left = state.calls[np.concatenate(here)]
        # Who is about to leave anew has no site: -1 is the last column.
        np.add.at(fates[UNFINISHED], (left.origin, left.site), 1)
        sites = state.calls.site[way.call[way.number < ANEW]]
        return fates, np.bincount(sites, minlength=len(state.sites)).astype(float)

    def _running(self, pool: Records) -> Ints:
        """The requests that a pool serves."""
        run = pool.first + (pool.run_head + np.arange(pool.run_size)) % pool.places
        finishes = self._state.finishes
        return np.concatenate([finishes.run_call[run], finishes.heap_call[pool.first : pool.first + pool.heap_size]])
