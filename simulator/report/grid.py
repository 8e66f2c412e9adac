"""The grid of a sweep: its axes, and the main figures with their intervals, as charts and tables need them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pandas as pd

from .numbers import UNKNOWN, is_known, rounded
from .saved import Saved

#: The most rows of a table on the page; the files hold all.
MOST_ROWS = 200
NO_INTERVAL = "There is one seed only, so these figures have no interval: another seed may bring others."


class Main(NamedTuple):
    """A figure that is drawn: its name in the tables, in words with its unit, and how it is written."""

    key: str
    words: str
    style: str


#: What is held against each other.
COST, FAIRNESS = "cost_usd", ("par_water", "par_carbon")
#: All of them are among the figures that get intervals (study/collection.py).
MAIN = (
    Main(COST, "cost, US$", "money"),
    Main("par_water", "PAR of water", ",.3f"),
    Main("par_carbon", "PAR of carbon", ",.3f"),
    Main("ttft_p99_ms", "TTFT p99, ms", ""),
    Main("objective_usd", "J, US$", "money"),
)


class Axis(NamedTuple):
    """Something that was varied: its dotted key, its column in charts, and its values in their order."""

    name: str
    column: str
    values: list[Any]

    @property
    def is_number(self) -> bool:
        """Whether it is drawn along a line; else its values stand side by side."""
        return all(is_known(value) and not isinstance(value, bool) for value in self.values)


class Grid(NamedTuple):
    """A sweep as charts need it."""

    axes: list[Axis]
    means: pd.DataFrame
    """Axes by ``column``, policy, figure, n, mean, low, high; low and high empty where there is one seed."""
    policies: list[str]
    rows: list[dict[str, Any]]
    """``means`` as rows, for the charts that share them."""

    @property
    def main(self) -> list[Main]:
        """The figures that are known."""
        known = set(self.means.loc[self.means["mean"].notna(), "figure"])
        return [main for main in MAIN if main.key in known]

    @property
    def has_intervals(self) -> bool:
        """Whether any figure has an interval."""
        return bool(self.means["low"].notna().any())


def grid(saved: Saved) -> Grid:
    """The main figures of a sweep, with columns of plain names: a dotted key means something else to Vega."""
    table = saved.tables["intervals"]
    axes = []
    for number, name in enumerate(saved.axes):
        values = list(dict.fromkeys(map(plain, table[name]))) if name in table else []
        axes.append(Axis(name, f"axis{number}", sorted(values) if all(map(is_known, values)) else values))
    means = with_plain_axes(table[table["figure"].isin([main.key for main in MAIN])], axes)
    for name in ("mean", "low", "high"):
        means[name] = means[name].astype(float).map(lambda value: rounded(value, 7))
    columns = [axis.column for axis in axes] + ["policy", "figure", "n", "mean", "low", "high"]
    means = means[columns].reset_index(drop=True)
    return Grid(axes, means, saved.policies, _rows(means))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for a chart: None, which JSON has, in place of NaN."""
    known = table.replace([math.inf, -math.inf], math.nan).astype(object)
    rows: list[dict[str, Any]] = known.where(known.notna(), None).to_dict("records")  # type: ignore[assignment]
    return rows


def with_plain_axes(table: pd.DataFrame, axes: list[Axis]) -> pd.DataFrame:
    """The table with each axis under its plain name."""
    return table.assign(**{axis.column: table[axis.name].map(plain) for axis in axes if axis.name in table})


def plain(value: Any) -> Any:
    """A value of an axis as a number or as text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return "(none)" if math.isnan(value) else value


def text(value: Any) -> str:
    """A value of an axis as readers read it."""
    return f"{value:g}" if is_known(value) and not isinstance(value, bool) else UNKNOWN if value is None else str(value)


def counted(what: str, rows: int, file: str) -> str:
    """A caption that says how much of a table is left out of the page."""
    return what if rows <= MOST_ROWS else f"{what} The first {MOST_ROWS} of {rows:,} rows; {file} holds all."
