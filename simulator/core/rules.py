"""Rules: how a single request picks its site under a plan. Their plain twins stand in ``planes/rules.py``."""

from __future__ import annotations

import math

from .guide import Guide, interval_of
from .jit import inlined
from .plan import Plan
from .state import Records, State


@inlined
def pick_split(ends: Guide, origin: int, u: float) -> int:
    """The first site whose cumulative share exceeds ``u``; -1 when none does."""
    i = interval_of(ends, origin, u)
    return i if i < ends.ends.shape[1] else -1


@inlined
def pick_score(state: State, plan: Plan, origin: int, time_s: float) -> int:
    """The allowed site with the smallest price among those that have a token, else the one with the most tokens."""
    best, best_price, best_tokens = -1, math.inf, 0.0
    most, most_tokens = -1, -math.inf
    for k in range(plan.allowed_from[origin], plan.allowed_from[origin + 1]):
        i = plan.allowed[k]
        held = tokens_at(state.outlooks[i], time_s)
        if held > most_tokens:
            most, most_tokens = i, held
        if held >= 1.0:
            price = plan.price_usd[origin, i] + state.outlooks[i].equity_usd
            if plan.wait_price_usd_per_s > 0.0:
                price += plan.wait_price_usd_per_s * _expected_wait_s(state, i, time_s)
            if price < best_price:
                best, best_price, best_tokens = i, price, held
    if best < 0:
        best, best_tokens = most, most_tokens
    if best >= 0:
        state.outlooks[best].level, state.outlooks[best].since_s = best_tokens - 1.0, time_s
    return best


@inlined
def tokens_at(outlook: Records, time_s: float) -> float:
    """Tokens in the bucket of a site."""
    return min(outlook.depth, outlook.level + outlook.rate_rps * (time_s - outlook.since_s))


@inlined
def _expected_wait_s(state: State, i: int, time_s: float) -> float:
    """What routers know of the wait at a site [s].

    max(0, waiting + 1 - free) x mean service / open places; with no open place, the time until one opens and
    waiting x mean service / places that are booting.
    """
    outlook, ahead = state.outlooks[i], state.waiting[i] + 1 - state.free[i]
    if outlook.ready_s != 0.0:
        left_s = outlook.ready_s - time_s if outlook.ready_s > 0.0 else -outlook.ready_s
        return max(0.0, left_s) + state.waiting[i] * outlook.wait_unit_s
    return ahead * outlook.wait_unit_s if ahead > 0 else 0.0
