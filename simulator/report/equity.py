"""A latency study as its charts need it: constraints, ways of minding distance, and multiples of the weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from .numbers import is_known, rounded, written
from .saved import Saved

#: The policy whose weights are varied; the others stand beside.
POLICY = "eglb-off"
PLAIN = "equity alone"
STEPS_TITLE = "multiple of the weights (not to scale)"
_ENDS = ("_low", "_high")


class Study:
    """The tables of a latency study, with what charts tell apart in words."""

    def __init__(self, saved: Saved):
        self.trade = _worded(saved.tables["tradeoff"])
        self.paying = _worded(saved.tables["paying"])

    @cached_property
    def constraints(self) -> list[str]:
        """Constraints, in the order of the study."""
        return list(dict.fromkeys(self.trade["allowed"]))

    @cached_property
    def ways(self) -> list[str]:
        """Ways of minding distance, from none on."""
        return list(dict.fromkeys(self.varied["way"]))

    @cached_property
    def varied(self) -> pd.DataFrame:
        """Rows of the policy whose weights are varied, by rising weights."""
        return self.trade[self.trade["policy"] == POLICY].sort_values(["equity"], kind="stable")

    @cached_property
    def references(self) -> pd.DataFrame:
        """Rows of the policies beside; their way is their name."""
        return self.trade[self.trade["policy"] != POLICY].assign(way=lambda rows: rows["policy"])

    @cached_property
    def multiples(self) -> list[str]:
        """Multiples of the weights, from none on, as they are written."""
        return list(dict.fromkeys(self.varied["multiple"]))

    @cached_property
    def has_intervals(self) -> bool:
        """Whether there was more than one seed."""
        return bool(self.trade["ttft_mean_ms_low"].notna().any() or self.trade["cost_usd_per_site_low"].notna().any())

    def slug(self, constraint: str) -> str:
        """A constraint as part of the name of a file."""
        number = self.constraints.index(constraint) + 1
        return f"{number}-{re.sub('[^a-z0-9]+', '-', constraint.lower()).strip('-')}".rstrip("-")


def with_ends(row: Mapping[Any, Any], key: str, style: str = "", times: float = 1.0) -> str:
    """A figure of a row with its interval in brackets, where it has one."""
    mean, low, high = (row[f"{key}{end}"] for end in ("", *_ENDS))
    if not is_known(mean):
        return written(mean)
    texts = [written(times * value, style) for value in (mean, low, high)]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]" if is_known(low) else texts[0]


def difference(row: Mapping[Any, Any], key: str, style: str = "", times: float = 1.0) -> str:
    """A difference with its interval; never without it."""
    return with_ends(row, key, style, times) if is_known(row[f"{key}_low"]) else "no interval"


def _worded(table: pd.DataFrame) -> pd.DataFrame:
    """The table with ``way`` and ``multiple`` in words, and numbers of so many digits as eyes can tell."""
    ways = [_way(price, bound) for price, bound in _pairs(table)]
    numbers = [
        name for name in map(str, table.select_dtypes("number")) if name not in ("equity", "seeds", "pareto", "knee")
    ]
    rows = table.assign(way=ways, multiple=[f"{value:g}" for value in table["equity"]])
    return rows.assign(**{name: rows[name].astype(float).map(lambda value: rounded(value, 7)) for name in numbers})


def _pairs(table: pd.DataFrame) -> Sequence[tuple[float, float]]:
    return list(zip(table["rtt_usd_per_request_s"].astype(float), table["network_p99_ms"].astype(float), strict=True))


def _way(price: float, bound: float) -> str:
    """How equity minds distance, in words."""
    parts = [f"round trips at {price:g} US$/s"] if is_known(price) and price > 0 else []
    parts += [f"round trips up to {bound:g} ms"] if is_known(bound) else []
    return f"equity, {' and '.join(parts)}" if parts else PLAIN
