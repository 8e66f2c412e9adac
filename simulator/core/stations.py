"""The stations: what happens at a site. Requests reach it, start, wait in one queue, and finish.

At one instant services finish first (of one site, in the order of its pools), then requests reach sites, then those
that were lost leave anew, then requests arise (docs/design.md). Sites do not touch each other between two routings, so
a site's finishes may wait until somebody looks at it.
"""

from __future__ import annotations

import numpy as np

from .books import FAILED, FINISHED, REJECTED, UNFINISHED, charge, drain, integrate, note_durations, wait_for_boots
from .due import add_finish, take_finish
from .jit import apart, inlined
from .rows import begin_anew
from .state import Records, State
from .way import send_anew

#: What control may ask to hear of a site: work and no place open or booting; nothing left to do.
WORK, IDLE = 1, 2


@inlined
def settle_site(state: State, i: int, time_s: float, arriving: int) -> None:
    """Let services of site ``i`` finish up to and at this time; then request ``arriving``, if any, reaches it."""
    site = state.sites[i]
    while True:
        k, p = -1, site.pool
        if site.next_s <= time_s:
            now_s = site.next_s
            while state.pools[p].next_s > now_s:  # of equal ones the preferred pool
                p += 1
            k = _finish(state, p, i, now_s)
        elif arriving >= 0:
            now_s = time_s
            if _admit(state, arriving, i, time_s):
                k, p = arriving, _take_place(state, i, time_s)
            arriving = -1
        else:
            return
        if k >= 0:
            _start(state, k, p, now_s)
        _next(state, site)


@inlined
def serve(state: State, i: int, time_s: float) -> None:
    """Places of site ``i`` may have opened: whoever waits starts."""
    site = state.sites[i]
    while site.waiting > 0 and site.free > 0:
        k = _next_in_queue(state, site, time_s)
        _start(state, k, _take_place(state, i, time_s), time_s)
    _next(state, site)


@apart
def lose(state: State, k: int, i: int, time_s: float) -> None:
    """Request ``k`` loses its site: it leaves its origin anew once that is known there, or has failed."""
    call, case, clock = state.calls[k], state.cases[k], state.clocks[0]
    if case.tries >= clock.retries:
        state.books.fates[FAILED, call.origin, i] += 1
        if call.row >= 0:
            state.rows[call.row - clock.first_kept].fate = FAILED
        forget(call, clock, k)
        return
    state.books.rerouted[call.origin, i] += 1
    case.tries += 1
    call.site = -1
    if call.row >= 0:
        begin_anew(state.rows[call.row - clock.first_kept], case.tries)
    case.anew_s = time_s + clock.detection_s + state.half_rtt_s[call.origin, i]
    send_anew(state.way, clock, case.anew_s, k)


@apart
def conclude(state: State, k: int, now_s: float) -> None:
    """Request ``k``, which might have been lost, finishes."""
    call, case = state.calls[k], state.cases[k]
    _write_down(state, call, (case.start_s, case.prefill_s, now_s, case.departed_s - call.arrival_s))
    forget(call, state.clocks[0], k)


@inlined
def _next(state: State, site: Records) -> None:
    """When the first service of a site finishes."""
    next_s = state.pools[site.pool].next_s
    for p in range(site.pool + 1, site.pool + site.pools):
        next_s = min(next_s, state.pools[p].next_s)
    site.next_s = next_s


@inlined
def _finish(state: State, p: int, i: int, now_s: float) -> int:
    """A service finishes; whoever takes the place at once, or -1."""
    pool, site, clock, books = state.pools[p], state.sites[i], state.clocks[0], state.books
    k = take_finish(state.finishes, pool)
    if clock.may_lose:
        conclude(state, k, now_s)
    if pool.in_use <= pool.open:
        if site.waiting > 0:
            return _next_in_queue(state, site, now_s)
    else:
        drain(books, clock.slot, pool, p, now_s)
    integrate(books.occupied_s, clock, pool, p, now_s)
    pool.in_use -= 1
    site.in_use -= 1
    if pool.in_use < pool.open:
        pool.free += 1
        site.free += 1
    if site.in_use == 0 and site.waiting == 0 and site.watch & IDLE:
        clock.heard, clock.heard_site, clock.heard_s = IDLE, i, now_s
    return -1


@inlined
def _next_in_queue(state: State, site: Records, time_s: float) -> int:
    """Whoever has waited longest."""
    if site.booting > 0:
        wait_for_boots(site, time_s)
    k = site.head
    site.head = state.calls[k].behind
    site.waiting -= 1
    return k


@inlined
def _admit(state: State, k: int, i: int, time_s: float) -> bool:
    """Request ``k`` reaches its site: it may start, or waits, is turned away, or finds the site dark."""
    call, site, clock = state.calls[k], state.sites[i], state.clocks[0]
    if clock.may_lose and state.cut[call.origin, i]:
        site.lost += 1
        lose(state, k, i, time_s)
        return False
    call.reach_s = time_s
    site.received += 1
    if call.row >= 0:
        state.rows[call.row - clock.first_kept].reach_s = time_s
    if site.dark:
        lose(state, k, i, time_s)
        return False
    if site.free > 0:
        return True
    if site.open + site.booting == 0 and site.watch & WORK:
        clock.heard, clock.heard_site, clock.heard_s = WORK, i, time_s
    if 0 <= site.queue_limit <= site.waiting:
        state.books.fates[REJECTED, call.origin, i] += 1
        if call.row >= 0:
            state.rows[call.row - clock.first_kept].fate = REJECTED
        forget(call, clock, k)
    else:
        _queue(state, site, k, time_s)
    return False


@inlined
def _queue(state: State, site: Records, k: int, time_s: float) -> None:
    """To the end of the queue."""
    if site.booting > 0:
        wait_for_boots(site, time_s)
    state.calls[k].behind = -1
    if site.waiting == 0:
        site.head = k
    else:
        state.calls[site.tail].behind = k
    site.tail = k
    site.waiting += 1


@inlined
def _take_place(state: State, i: int, time_s: float) -> int:
    """Take a place of the first pool that has one free."""
    site = state.sites[i]
    p = site.pool
    while state.pools[p].free == 0:
        p += 1
    pool = state.pools[p]
    integrate(state.books.occupied_s, state.clocks[0], pool, p, time_s)
    pool.free -= 1
    pool.in_use += 1
    pool.most_in_use = max(pool.most_in_use, pool.in_use)
    site.free -= 1
    site.in_use += 1
    return p


@inlined
def forget(call: Records, clock: Records, k: int) -> None:
    """The record of request ``k`` is free for another one."""
    call.behind = clock.spare
    clock.spare = k


@inlined
def _start(state: State, k: int, p: int, time_s: float) -> None:
    """A service starts: its finish is known, and with it all that has to be written down."""
    call, pool, clock = state.calls[k], state.pools[p], state.clocks[0]
    prefill_s = pool.base_s + pool.per_input_s * call.input
    finish_s = time_s + (prefill_s + call.output * pool.per_output_s)
    charge(state.books.ledger_s, clock, p, time_s, finish_s)
    if call.row >= 0:
        row = state.rows[call.row - clock.first_kept]
        row.start_s, row.prefill_s, row.pool = time_s, prefill_s, p
    if clock.may_lose:
        case = state.cases[k]
        case.start_s, case.prefill_s = time_s, prefill_s
        add_finish(state.finishes, pool, finish_s, k)
    else:
        add_finish(state.finishes, pool, finish_s, -1)
        _write_down(state, call, (time_s, prefill_s, finish_s, 0.0))
        forget(call, clock, k)


@inlined
def _write_down(state: State, call: Records, moments_s: tuple[float, ...]) -> None:
    """What becomes of a request that starts, has its first token and finishes at these moments."""
    clock, books, finish_s = state.clocks[0], state.books, moments_s[2]
    ends = finish_s < clock.horizon_s
    fate = FINISHED if ends else UNFINISHED
    books.fates[fate, call.origin, call.site] += 1
    if ends:
        note_durations(books, clock, call, state.sites[call.site], moments_s)
    if call.row >= 0:
        row = state.rows[call.row - clock.first_kept]
        row.fate = fate
        row.finish_s = finish_s if ends else np.nan
