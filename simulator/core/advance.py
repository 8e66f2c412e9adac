"""The event loop: requests arise, pick a site, travel, and reach it, up to the next thing that control does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .books import FAILED, REJECTED, integrate
from .jit import apart, compiled, inlined
from .plan import FIXED, SCORE, SPLIT, Plan, Steps
from .prices import charge_request, look_at_prices, move
from .rows import keep_row
from .rules import pick_score, pick_split
from .state import State
from .stations import IDLE, forget, settle_site
from .way import ANEW, send, take

#: Why the loop comes back: time is there; the block is used up; there is no room; a user's rule picked what is no site;
#: a site has something to say to control.
SETTLED, NEXT_BLOCK, FULL, WRONG_SITE, HEARD = range(5)
#: What rules say when they pick no site, and what becomes of a pick that is no site that the origin may use.
NOWHERE, WRONG = -1, -2


@compiled
def advance(state: State, plan: Plan, own: Any, block: Any, until_s: float) -> int:
    """Settle every request event strictly before ``until_s``."""
    clock = state.clocks[0]
    while True:
        edge_s = min(until_s, clock.look_s)
        arises = clock.row < len(block.arrival_s) and block.arrival_s[clock.row] < edge_s
        if not arises and clock.row == len(block.arrival_s) and not clock.is_last:
            return NEXT_BLOCK
        time_s = block.arrival_s[clock.row] if arises else np.nextafter(edge_s, -math.inf)
        k = _travel(state, time_s)
        if clock.heard:
            _close(state, clock.heard_s)  # the other sites may lag behind
            return HEARD
        if k < 0 and not arises:
            _close(state, edge_s)
            if clock.look_s >= until_s:
                return SETTLED
            look(state, plan)
            clock.looks += 1
            clock.look_s = clock.looks * clock.refresh_s
        elif k < 0 and clock.spare < 0:
            return FULL
        else:
            asked = (block.origin[clock.row], time_s, block.u[clock.row]) if k < 0 else _asked_anew(state, k)
            site = _pick(state, plan, own, asked)
            if site == WRONG:
                return WRONG_SITE
            k = _arise(state, block, site) if k < 0 else _leave_anew(state, k, site, asked[1])
            if site >= 0:
                _set_off(state, plan, k, site, asked[1])


@inlined
def _travel(state: State, time_s: float) -> int:
    """Let those who are on their way reach their sites, up to and at this time.

    The first one who lost its site and leaves its origin anew by then, or -1; or a site wants to be heard.
    """
    clock = state.clocks[0]
    while True:
        on_the_way = clock.travelling > 0 and state.way[0].reach_s <= time_s
        at_s, k = state.way[0].reach_s if on_the_way else time_s, -1
        i = _first_to_finish(state, at_s) if clock.in_order else -1
        if i >= 0:
            at_s = state.sites[i].next_s
        elif not on_the_way:
            return -1
        else:
            is_anew = state.way[0].number >= ANEW
            k = take(state.way, clock)
            if is_anew:
                return k
            i = state.calls[k].site
        settle_site(state, i, at_s, k)
        if clock.heard:
            return -1


@inlined
def _first_to_finish(state: State, until_s: float) -> int:
    """Of the sites that want to be heard when they go idle, the one whose service finishes first; -1: none by then."""
    first, first_s = -1, until_s
    for i in range(len(state.sites)):
        site = state.sites[i]
        if site.watch & IDLE and site.next_s <= first_s and (first < 0 or site.next_s < first_s):
            first, first_s = i, site.next_s
    return first


@inlined
def _pick(state: State, plan: Plan, own: Any, asked: tuple[int, float, float]) -> int:
    """The site that a request picks; -1 for none, ``WRONG`` when a user's rule says what is no site."""
    clock, (origin, time_s, u) = state.clocks[0], asked
    if plan.rule == SPLIT:
        return pick_split(plan.ends, origin, u)
    if plan.reads_queues and clock.refresh_s == 0.0:
        for k in range(plan.watched_from[origin], plan.watched_from[origin + 1]):
            settle_site(state, plan.watched[k], time_s, -1)
            _look_at(state, plan.watched[k])
    if plan.rule == SCORE:
        return pick_score(state, plan, origin, time_s)
    i = own(origin, time_s, u, state.waiting, state.free, plan.data, plan.memory)
    for k in range(plan.allowed_from[origin], plan.allowed_from[origin + 1]):
        if i == plan.allowed[k]:
            return i if plan.usable[origin, i] else plan.instead[origin]
    clock.wrong_origin, clock.wrong_site = origin, i
    return i if i == NOWHERE else WRONG


@inlined
def _arise(state: State, block: Any, i: int) -> int:
    """The next request of the block arises and will set off for site ``i``, or is rejected; its record, or -1."""
    clock, books, row = state.clocks[0], state.books, state.clocks[0].row
    origin, time_s, number = block.origin[row], block.arrival_s[row], clock.number + row
    kept = keep_row(state.rows, clock, block, row, i)
    clock.row += 1
    if time_s >= clock.warmup_s:
        books.tallies[origin].slo_counted += 1
    if i < 0:
        books.fates[REJECTED, origin, len(state.sites)] += 1
        return -1
    k = clock.spare
    call = state.calls[k]
    clock.spare = call.behind
    call.arrival_s, call.origin, call.row = time_s, origin, kept
    call.input, call.output = block.input[row], block.output[row]
    call.out_s, call.back_s = block.out_s[row], block.back_s[row]
    if clock.may_lose:
        case = state.cases[k]
        case.departed_s, case.u, case.number, case.tries = time_s, block.u[row], number, 0
        case.jitter_out_s, case.jitter_back_s = block.out_s[row], block.back_s[row]
    return k


@inlined
def _asked_anew(state: State, k: int) -> tuple[int, float, float]:
    """What a rule is asked of request ``k``, which leaves its origin anew."""
    case = state.cases[k]
    return state.calls[k].origin, case.anew_s, case.u


@apart
def _leave_anew(state: State, k: int, i: int, time_s: float) -> int:
    """Request ``k``, which lost its site, will set off for site ``i``, or has failed; its record."""
    clock, call, case = state.clocks[0], state.calls[k], state.cases[k]
    if i >= 0:
        case.departed_s = time_s
        call.out_s, call.back_s = case.jitter_out_s, case.jitter_back_s
        if call.row >= 0:
            row = state.rows[call.row - clock.first_kept]
            row.site, row.lost_s = i, time_s - call.arrival_s
        return k
    state.books.fates[FAILED, call.origin, len(state.sites)] += 1
    if call.row >= 0:
        state.rows[call.row - clock.first_kept].fate = FAILED
    forget(call, clock, k)
    return -1


@inlined
def _set_off(state: State, plan: Plan, k: int, i: int, time_s: float) -> None:
    """Request ``k`` sets off for site ``i``; what it has as its way there and back is jitter so far."""
    clock, call = state.clocks[0], state.calls[k]
    half_s = state.half_rtt_s[call.origin, i]
    call.site, call.out_s, call.back_s = i, half_s + call.out_s, half_s + call.back_s
    if call.row >= 0:
        row = state.rows[call.row - clock.first_kept]
        row.out_s, row.back_s = call.out_s, call.back_s
    state.books.routed[call.origin, i] += 1
    send(state.way, clock, time_s + call.out_s, k)
    if plan.steps.kind != FIXED:
        _charge(state, plan.steps, i)


@inlined
def _charge(state: State, steps: Steps, i: int) -> None:
    """Charge a request to site ``i``; after so many, prices of equity move."""
    clock = state.clocks[0]
    charge_request(state.prices, steps, i)
    clock.charges += 1
    if clock.charges >= steps.every:
        clock.charges = 0
        move(state.prices, state.bases, state.paces, steps)
        if clock.refresh_s == 0.0:
            look_at_prices(state.prices, state.outlooks, steps.burdens)


@inlined
def look(state: State, plan: Plan) -> None:
    """Routers look at everything: the queues, and the prices of equity."""
    for i in range(len(state.sites)):
        _look_at(state, i)
    look_at_prices(state.prices, state.outlooks, plan.steps.burdens)


@inlined
def _look_at(state: State, i: int) -> None:
    site, outlook = state.sites[i], state.outlooks[i]
    state.waiting[i], state.free[i] = site.waiting, site.free
    outlook.wait_unit_s, outlook.ready_s = site.unit_s, site.ready_s


@apart
def _close(state: State, edge_s: float) -> None:
    """Let everything finish before ``edge_s``."""
    for i in range(len(state.sites)):
        settle_site(state, i, np.nextafter(edge_s, -math.inf), -1)
    for p in range(len(state.pools)):
        integrate(state.books.occupied_s, state.clocks[0], state.pools[p], p, edge_s)
    state.clocks[0].since_s = edge_s
