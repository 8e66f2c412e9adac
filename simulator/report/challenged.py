"""A robustness study as its charts need it: shares in percent, challenges and their levels in words."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from simulator.units import H_PER_DAY, S_PER_H, S_PER_MIN

from .numbers import rounded
from .saved import Saved

SHIFT, ERROR, ATTACK, REFRESH = "shift", "error", "attack", "refresh"
#: Shares, which are shown in percent.
_SHARES = ("gap", "over_eglb", "over_hedge", "over_plainest")
#: A policy whose gap is so many times the largest of those that minimise J would make all others one line.
_FAR = 1.5
_ATTACKS = {
    "permuted": "sites change places",
    "flipped": "series are mirrored",
    "season": "another season",
}
_PERFECT, _OWN = "perfect forecasts", "the scenario's own"


class Challenged:
    """The tables of a robustness study, with what charts tell apart in words."""

    def __init__(self, saved: Saved):
        rows = saved.tables["robustness"].copy()
        for name in rows.select_dtypes("number"):
            times = 100.0 if str(name).startswith(_SHARES) else 1.0
            rows[name] = [rounded(times * float(value), 7) for value in rows[name]]
        self.rows = rows.assign(level=rows["level"].astype(str))
        self.limits = saved.tables["limits"]
        extra = saved.sweep["extra"]
        labels = [str(name) for name in extra["policies"]]
        self.forecasting = [str(name) for name in extra["forecasting"]]
        self.references = {str(key): str(name) for key, name in extra["references"].items()}
        self._names = dict(zip(labels, map(str, extra["names"]), strict=True))
        self._jumps = {str(key): float(value) for key, value in extra["shifts"].items()}
        self.near = self._near(labels)
        """Policies that are near enough to the optimum to be drawn with those that minimise J."""
        self.far = [name for name in labels if name not in self.near]
        #: All of them; in this order colours are the same in all charts.
        self.policies = [*self.near, *self.far]

    def of(self, challenge: str) -> pd.DataFrame:
        """The rows of a challenge."""
        return self.rows[self.rows["challenge"] == challenge].reset_index(drop=True)

    @cached_property
    def errors(self) -> pd.DataFrame:
        """Rows along the error of forecasts, in percent."""
        rows = self.of(ERROR)
        return rows.assign(error=[rounded(100.0 * float(level)) for level in rows["level"]])

    @cached_property
    def attacks(self) -> pd.DataFrame:
        """Forecasts that mislead, with perfect ones and the scenario's own beside; of policies that forecast."""
        perfect = self.of(ERROR)
        perfect = perfect[[float(level) == 0 for level in perfect["level"]]].assign(step=_PERFECT)
        own = self.of(SHIFT)
        own = own[own["level"] == "none"].assign(step=_OWN)
        misled = self.of(ATTACK)
        misled = misled.assign(step=[_ATTACKS.get(level, level) for level in misled["level"]])
        rows = pd.concat([perfect, own, misled], ignore_index=True)
        return rows[rows["policy"].isin(self.forecasting)].reset_index(drop=True)

    @cached_property
    def shifts(self) -> pd.DataFrame:
        """The scenario as it is, and with each change halfway."""
        words = {
            "none": "no change",
            "demand": f"demand \N{MULTIPLICATION SIGN}{self._jumps['demand']:g}",
            "price": f"low prices \N{MULTIPLICATION SIGN}{self._jumps['price']:g}",
        }
        rows = self.of(SHIFT)
        return rows.assign(step=[words[level] for level in rows["level"]])

    @cached_property
    def ages(self) -> pd.DataFrame:
        """Decentralised `eglb` by the age of its prices."""
        rows = self.of(REFRESH)
        return rows.assign(step=[_age(float(level)) for level in rows["level"]])

    def _near(self, labels: list[str]) -> list[str]:
        gaps = self.rows[self.rows["challenge"].isin([SHIFT, ERROR])].groupby("policy")["gap"].min()
        core = [*self.forecasting, self.references["eglb"], self.references["hedge"]]
        most = _FAR * max((float(gaps[name]) for name in core if name in gaps), default=0.0)
        return [name for name in labels if name in gaps and float(gaps[name]) <= most]

    @cached_property
    def advice(self) -> list[str]:
        """Policies that follow a forecast only as long as it pays."""
        return [label for label, name in self._names.items() if name == "advice"]

    @cached_property
    def has_intervals(self) -> bool:
        """Whether there was more than one seed."""
        return bool(self.rows["objective_usd_low"].notna().any())

    @cached_property
    def seeds(self) -> int:
        """How many seeds the figures are means of."""
        return int(self.rows["seeds"].max())


def _age(age_s: float) -> str:
    """An age in words; none: the central form."""
    if age_s == 0:
        return "central"
    for unit, size in (("d", H_PER_DAY * S_PER_H), ("h", S_PER_H), ("min", S_PER_MIN)):
        if age_s >= size and age_s % size == 0:
            return f"{age_s / size:g} {unit}"
    return f"{age_s:g} s"
