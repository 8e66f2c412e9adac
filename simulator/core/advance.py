"""The event loop: requests arise, pick a site, travel, and reach it, up to the next thing that control does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .books import REJECTED, integrate
from .jit import compiled, inlined
from .plan import FIXED, SCORE, SPLIT, Plan, Steps
from .prices import charge_request, look_at_prices, move
from .rows import keep_row
from .rules import pick_score, pick_split
from .state import State
from .stations import settle_site
from .way import send, take

#: Why the loop comes back: time is there; the block is used up; there is no room; a user's rule picked what is no site.
SETTLED, NEXT_BLOCK, FULL, WRONG_SITE = range(4)
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
        while clock.travelling > 0 and state.way[0].reach_s <= time_s:
            reach_s = state.way[0].reach_s
            k = take(state.way, clock)
            settle_site(state, state.calls[k].site, reach_s, k)
        if not arises:
            _close(state, edge_s)
            if clock.look_s >= until_s:
                return SETTLED
            look(state, plan)
            clock.looks += 1
            clock.look_s = clock.looks * clock.refresh_s
        elif clock.spare < 0:
            return FULL
        else:
            site = _pick(state, plan, own, block, clock.row)
            if site == WRONG:
                return WRONG_SITE
            _leave(state, plan, block, clock.row, site)
            clock.row += 1


@inlined
def _pick(state: State, plan: Plan, own: Any, block: Any, row: int) -> int:
    """The site that a request picks; -1 for none, ``WRONG`` when a user's rule says what is no site."""
    clock, origin, time_s = state.clocks[0], block.origin[row], block.arrival_s[row]
    if plan.rule == SPLIT:
        return pick_split(plan.ends, origin, block.u[row])
    if plan.reads_queues and clock.refresh_s == 0.0:
        for k in range(plan.watched_from[origin], plan.watched_from[origin + 1]):
            settle_site(state, plan.watched[k], time_s, -1)
            _look_at(state, plan.watched[k])
    if plan.rule == SCORE:
        return pick_score(state, plan, origin, time_s)
    i = own(origin, time_s, block.u[row], state.waiting, state.free, plan.data, plan.memory)
    for k in range(plan.allowed_from[origin], plan.allowed_from[origin + 1]):
        if i == plan.allowed[k]:
            return i
    clock.wrong_origin, clock.wrong_site = origin, i
    return i if i == NOWHERE else WRONG


@inlined
def _leave(state: State, plan: Plan, block: Any, row: int, i: int) -> None:
    """A request leaves its origin for site ``i``, or is rejected."""
    clock, books, origin, time_s = state.clocks[0], state.books, block.origin[row], block.arrival_s[row]
    kept = keep_row(state.rows, clock, block, row, i)
    if time_s >= clock.warmup_s:
        books.tallies[origin].slo_counted += 1
    if i < 0:
        books.fates[REJECTED, origin, len(state.sites)] += 1
        return
    books.routed[origin, i] += 1
    k = clock.spare
    call, half_s = state.calls[k], state.half_rtt_s[origin, i]
    clock.spare = call.behind
    call.arrival_s, call.origin, call.site, call.row = time_s, origin, i, kept
    call.out_s, call.back_s = half_s + block.out_s[row], half_s + block.back_s[row]
    call.input, call.output = block.input[row], block.output[row]
    if kept >= 0:
        state.rows[kept - clock.first_kept].out_s, state.rows[kept - clock.first_kept].back_s = call.out_s, call.back_s
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
        move(state.prices, state.bases, steps)
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
    state.waiting[i], state.free[i] = state.sites[i].waiting, state.sites[i].free


@inlined
def _close(state: State, edge_s: float) -> None:
    """Let everything finish before ``edge_s``."""
    for i in range(len(state.sites)):
        settle_site(state, i, np.nextafter(edge_s, -math.inf), -1)
        integrate(state.books.occupied_s, state.clocks[0], state.sites[i], i, edge_s)
    state.clocks[0].since_s = edge_s
