"""The rule by which a planner's prices reach single requests: `split`, or `score` with its settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from simulator.fleet import FloatArray
from simulator.plan import LEAST_REFRESH_S, Plan, Score, Split
from simulator.policy import Observation
from simulator.problem import did_you_mean

Rule = str | Mapping[str, Any]
_SETTINGS = [name for name in inspect.signature(Score).parameters if name not in ("score", "rate_cap_rps")]


def checked_rule(rule: Rule) -> Rule:
    """The rule, if it is one: ``split``, ``score`` or ``{score: {wait_price_usd_per_s: 0.001}}``; else ValueError."""
    name, settings = (rule, {}) if isinstance(rule, str) else next(iter(rule.items()), ("", {}))
    if name not in ("split", "score") or (not isinstance(rule, str) and len(rule) != 1):
        raise ValueError(f"rule must be split or score (given {rule}){did_you_mean(name, ('split', 'score'))}")
    known = _SETTINGS if name == "score" else []
    for key, value in (settings or {}).items():
        if key not in known:
            raise ValueError(f"rule {name} has no setting '{key}'{did_you_mean(key, known)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < np.inf:
            raise ValueError(f"rule {name}: {key} must be a number, at least 0 (given {value})")
        if key == "refresh_s" and 0 < value < LEAST_REFRESH_S:
            raise ValueError(
                f"rule {name}: {key} must be 0 (always fresh) or at least {LEAST_REFRESH_S:g} (given {value})"
            )
    return rule


def ruled(
    rule: Rule,
    price: Callable[[], FloatArray],
    observation: Observation,
    split: Callable[[], Split],
    rate_cap_rps: FloatArray | None = None,
) -> Plan:
    """The plan of a planner with these prices per request, [sites] or [origins, sites].

    As scores, sites serve up to their planned capacity, or ``rate_cap_rps`` [sites].
    """
    return split() if is_split(rule) else replace(scored(rule, price(), observation), rate_cap_rps=rate_cap_rps)


def is_split(rule: Rule) -> bool:
    """Whether a rule is one of shares."""
    return rule == "split" or (not isinstance(rule, str) and "split" in rule)


def scored(rule: Rule, price: FloatArray, observation: Observation) -> Score:
    """Scores of these prices, with the settings of the rule if it has any."""
    settings = {} if isinstance(rule, str) else rule.get("score") or {}
    return Score(np.broadcast_to(price, observation.fleet.allowed.shape).copy(), **settings)
