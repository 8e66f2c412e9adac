"""A new plan begins: buckets get their rates, prices of equity their signals, and routers the rhythm of their looks."""

from __future__ import annotations

import math

import numpy as np

from .adaptive import begin_round
from .advance import look
from .jit import compiled, inlined
from .plan import ADAPTIVE_ENTROPIC, ADAPTIVE_EUCLIDEAN, ENTROPIC, FIXED, Plan
from .prices import look_at_prices, quote
from .rules import tokens_at
from .state import Floats, Records, State


@compiled
def begin(state: State, plan: Plan, refresh_s: float, now_s: float) -> None:
    """Take up a plan of scores or of a user's own rule."""
    clock = state.clocks[0]
    if plan.steps.kind not in (FIXED, clock.kind):
        _reset(state.prices, state.bases, state.paces, plan.steps.kind)
        clock.kind, clock.charges = plan.steps.kind, 0
    if plan.steps.kind in (ADAPTIVE_EUCLIDEAN, ADAPTIVE_ENTROPIC) and plan.steps.round != state.paces[0].number:
        begin_round(state.prices, state.paces, plan.steps.round)
    if refresh_s != clock.refresh_s:
        clock.refresh_s, clock.look_s = refresh_s, np.inf
        if refresh_s > 0.0:
            look(state, plan)
            clock.looks = math.ceil(now_s / refresh_s)
            clock.look_s = clock.looks * refresh_s
    if plan.steps.kind == FIXED:
        for i in range(len(state.outlooks)):
            state.outlooks[i].equity_usd = 0.0
    elif refresh_s == 0.0:
        look_at_prices(state.prices, state.outlooks, plan.steps.burdens)
    else:
        quote(state.prices, state.outlooks, plan.steps.burdens)


@compiled
def refill(outlooks: Records, rates_rps: Floats, burst_s: float, now_s: float) -> None:
    """Set the rates of the buckets. Those that keep theirs are not touched: a plan repeated changes nothing."""
    for i in range(len(outlooks)):
        outlook, depth = outlooks[i], max(1.0, burst_s * rates_rps[i])
        if outlook.rate_rps == rates_rps[i] and outlook.depth == depth:
            continue
        outlook.level = depth if outlook.depth < 0.0 else min(depth, tokens_at(outlook, now_s))
        outlook.since_s, outlook.rate_rps, outlook.depth = now_s, rates_rps[i], depth


@inlined
def _reset(prices: Records, bases: Floats, paces: Records, kind: int) -> None:
    """No prices of equity yet: zero, or even ones that sum to one."""
    for footprint in range(len(bases)):
        bases[footprint] = 0.0
        pace = paces[footprint]
        pace.rate, pace.hardness, pace.before, pace.moves, pace.number = np.inf, 0.0, 0.0, 0.0, -1
        for i in range(prices.shape[1]):
            price = prices[footprint, i]
            price.gamma = price.seen = 1.0 / prices.shape[1] if kind in (ENTROPIC, ADAPTIVE_ENTROPIC) else 0.0
            price.logarithm, price.weight, price.charged_usd = 0.0, 1.0, 0.0
