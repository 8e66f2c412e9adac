"""A partial-GLB study as its charts need it: stresses, their steps in order, and which of them break."""

from __future__ import annotations

from functools import cached_property
from math import comb
from typing import NamedTuple

import pandas as pd

from .numbers import rounded
from .saved import Saved

_LOSS, _MASK, _GROWTH, _RTT = "loss", "mask", "growth", "rtt"
_TEXTS = ("step", "stress", "level", "policy", "start_utc", "origins", "sites", "key")
_COUNTS = {1: "one", 2: "two", 3: "three"}


class Stress(NamedTuple):
    """One stress: its key, in words, and what its steps and its share mean."""

    key: str
    words: str
    axis: str
    of: str
    """What a share of is taken away."""
    unit: str = "{}"
    """How a step is said."""
    is_ordered: bool = True
    is_mask: bool = False


_STRESSES = {
    _RTT: Stress(_RTT, "Bound on the round trip", "round trips up to, ms", "pairs", "{} ms"),
    _MASK: Stress(_MASK, "Random masks", "share of the pairs that is kept", "pairs", "density {}", is_mask=True),
    "residency": Stress("residency", "Residency", "regions that are served at home", "pairs"),
    _GROWTH: Stress(_GROWTH, "Growth of demand", "times the demand", "demand", "{} times"),
}


class Stressed:
    """The table of a partial-GLB study, with what charts tell apart in words."""

    def __init__(self, saved: Saved):
        table = saved.tables["partial"]
        numbers = [str(name) for name in table.select_dtypes("number") if name not in ("mask", "feasible")]
        rows = table.assign(
            **{name: table[name].astype(float).map(lambda value: rounded(value, 7)) for name in numbers}
        )
        rows = rows.assign(broken=rows["feasible"] == 0, short_kw=rows["short_kw"].astype(float).fillna(0.0))
        self._most = int((saved.scenario.get("study") or {}).get("partial", {}).get("losses", 2))
        lost = list(dict.fromkeys(rows.loc[rows["stress"] == _LOSS, "level"].astype(str)))
        self.sites = lost[: site_count(len(lost), self._most)]
        self._lost = dict(zip(lost, _sizes(len(self.sites), self._most), strict=False))
        self.rows = rows.assign(
            step=[level.replace(", ", " + ") for level in rows["level"].astype(str)],
            key=[
                self._key(stress, level)
                for stress, level in zip(rows["stress"], rows["level"].astype(str), strict=True)
            ],
        )

    def _key(self, stress: str, level: str) -> str:
        return f"{_LOSS}-{self._lost[level]}" if stress == _LOSS else stress

    @cached_property
    def policies(self) -> list[str]:
        """Policies in the order of the scenario."""
        return [str(name) for name in dict.fromkeys(self.rows["policy"])]

    @cached_property
    def steps(self) -> pd.DataFrame:
        """One row for each step of each stress: what breaks does not depend on the policy."""
        return self.rows[self.rows["policy"] == self.policies[0]].reset_index(drop=True)

    @cached_property
    def stresses(self) -> list[Stress]:
        """Stresses in the order of the study; losses by how many sites are lost at once."""
        return [_stress(key) for key in dict.fromkeys(self.rows["key"])]

    @cached_property
    def ladders(self) -> list[Stress]:
        """Those whose steps stand side by side: of losses, the single ones."""
        return [stress for stress in self.stresses if not stress.key.startswith(_LOSS) or stress.key == f"{_LOSS}-1"]

    @cached_property
    def has_intervals(self) -> bool:
        """Whether there was more than one seed."""
        return bool(self.rows["objective_usd_low"].notna().any())

    def of(self, stress: Stress) -> pd.DataFrame:
        """The rows of a stress."""
        return self.rows[self.rows["key"] == stress.key]


def _stress(key: str) -> Stress:
    if key in _STRESSES:
        return _STRESSES[key]
    number = int(key.rpartition("-")[2]) if key.startswith(f"{_LOSS}-") else 1
    words = f"Loss of {_COUNTS.get(number, str(number))} site{'s' if number > 1 else ''}"
    return Stress(key, words, "site that is lost", "capacity", is_ordered=False)


def site_count(losses: int, most: int) -> int:
    """How many sites there are if so many losses of up to ``most`` at once, and never of all, were tried."""
    count = 0
    while len(_sizes(count, most)) < losses:
        count += 1
    return count


def _sizes(sites: int, most: int) -> list[int]:
    """How many sites each loss takes, in the order in which they are tried: single ones first."""
    return [size for size in range(1, min(most, sites - 1) + 1) for _ in range(comb(sites, size))]
