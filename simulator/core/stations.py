"""The stations: what happens at a site. Requests reach it, start, wait in one queue, and finish.

At one instant services finish first, then requests reach sites, then requests arise (docs/design.md). Sites do not
touch each other between two routings, so a site's finishes may wait until somebody looks at it.
"""

from __future__ import annotations

import numpy as np

from .books import FINISHED, REJECTED, UNFINISHED, charge, integrate, note_durations
from .due import add_finish, take_finish
from .jit import inlined
from .state import Records, State


@inlined
def settle_site(state: State, i: int, time_s: float, arriving: int) -> None:
    """Let services of site ``i`` finish up to and at this time; then request ``arriving``, if any, reaches it."""
    site, clock = state.sites[i], state.clocks[0]
    while True:
        if site.next_s <= time_s:
            now_s = take_finish(state.finishes, site)
            k = _next_in_queue(site, state.calls)
            if k < 0:
                integrate(state.books.occupied_s, clock, site, i, now_s)
                site.free += 1
                site.in_use -= 1
        elif arriving >= 0:
            now_s, k, arriving = time_s, _admit(state, arriving, i, time_s), -1
        else:
            return
        if k >= 0:
            _start(state, k, i, now_s)


@inlined
def _next_in_queue(site: Records, calls: Records) -> int:
    """Whoever has waited longest, or nobody."""
    if site.waiting == 0:
        return -1
    k = site.head
    site.head = calls[k].behind
    site.waiting -= 1
    return k


@inlined
def _admit(state: State, k: int, i: int, time_s: float) -> int:
    """Request ``k`` reaches its site: it may start, or (-1) waits or is turned away."""
    call, site, clock = state.calls[k], state.sites[i], state.clocks[0]
    call.reach_s = time_s
    site.received += 1
    if call.row >= 0:
        state.rows[call.row - clock.first_kept].reach_s = time_s
    if site.free > 0:
        integrate(state.books.occupied_s, clock, site, i, time_s)
        site.free -= 1
        site.in_use += 1
        site.most_in_use = max(site.most_in_use, site.in_use)
        return k
    if 0 <= site.queue_limit <= site.waiting:
        state.books.fates[REJECTED, call.origin, i] += 1
        if call.row >= 0:
            state.rows[call.row - clock.first_kept].fate = REJECTED
        forget(call, clock, k)
    else:
        _queue(site, state.calls, k)
    return -1


@inlined
def _queue(site: Records, calls: Records, k: int) -> None:
    """To the end of the queue."""
    calls[k].behind = -1
    if site.waiting == 0:
        site.head = k
    else:
        calls[site.tail].behind = k
    site.tail = k
    site.waiting += 1


@inlined
def forget(call: Records, clock: Records, k: int) -> None:
    """The record of request ``k`` is free for another one."""
    call.behind = clock.spare
    clock.spare = k


@inlined
def _start(state: State, k: int, i: int, time_s: float) -> None:
    """A service starts: its finish is known, and with it all that has to be written down."""
    call, site, clock, books = state.calls[k], state.sites[i], state.clocks[0], state.books
    prefill_s = site.base_s + site.per_input_s * call.input
    finish_s = time_s + (prefill_s + call.output * site.per_output_s)
    add_finish(state.finishes, site, finish_s)
    charge(books.ledger_s, clock, i, time_s, finish_s)
    ends = finish_s < clock.horizon_s
    fate = FINISHED if ends else UNFINISHED
    books.fates[fate, call.origin, i] += 1
    if ends and call.arrival_s >= clock.warmup_s:
        note_durations(books, clock, call, site, (time_s, prefill_s, finish_s))
    if call.row >= 0:
        row = state.rows[call.row - clock.first_kept]
        row.start_s, row.prefill_s, row.fate = time_s, prefill_s, fate
        row.finish_s = finish_s if ends else np.nan
    forget(call, clock, k)
