"""A sweep: what was varied, which points failed, and every figure with its interval."""

from __future__ import annotations

from typing import Any

from .grid import MOST_ROWS, NO_INTERVAL, Axis, Main, counted, grid, plain, text
from .numbers import UNKNOWN, column, is_known, written
from .saved import Saved
from .section import Cell, Part, Remark, Section, Small, Table

#: The most values of an axis that are listed.
_MOST_VALUES = 20


def headline(saved: Saved) -> list[str]:
    """What was run, and which policy is the best by its mean J."""
    points, found = saved.tables["points"], grid(saved)
    done = int((points["state"] == "done").sum()) if "state" in points else len(points)
    seeds = points["seed"].nunique() if "seed" in points else 1
    failed = "" if done == len(points) else f"; {len(points) - done:,} failed"
    what = f"{done:,} of {len(points):,} points came to their end{failed}"
    sentences = [
        f"{what}: {len(found.policies)} policies, {seeds:,} {'seed' if seeds == 1 else 'seeds'} at each value."
    ]
    cost = found.means[(found.means["figure"] == "objective_usd") & found.means["mean"].notna()]
    if not cost.empty and len(found.policies) > 1:
        where = [axis.column for axis in found.axes]
        best = cost.loc[cost.groupby(where, sort=False)["mean"].idxmin() if where else [cost["mean"].idxmin()]]
        name, count = next(iter(best["policy"].value_counts().items()))
        at = f" at {count:,} of {len(best):,} combinations of values" if where else ""
        chance = (
            "whether by more than chance, the differences below tell"
            if found.has_intervals
            else "with one seed only there is no interval, and another seed may bring another order"
        )
        sentences.append(f"{name} has the smallest mean J{at}; {chance}.")
    return sentences


def varied(saved: Saved) -> Section:
    """The axes and their values, and the points that failed with their reasons."""
    found, points = grid(saved), saved.tables["points"]
    entries = [(axis.name, _listed(axis)) for axis in found.axes]
    parts: list[Part] = [Small(entries)] if entries else [Remark("Nothing but the seed was varied.")]
    if not found.has_intervals:
        parts.append(Remark(NO_INTERVAL))
    failed = points[points["state"] == "failed"] if "state" in points else points.iloc[:0]
    if len(failed):
        header = ["point", *(axis.name for axis in found.axes), "seed", "reason"]
        rows = [
            [
                Cell(str(row["point"])),
                *(Cell(text(plain(row.get(axis.name)))) for axis in found.axes),
                Cell(text(row.get("seed"))),
                Cell(str(row.get("reason") or UNKNOWN)),
            ]
            for row in failed.head(MOST_ROWS).to_dict("records")
        ]
        parts.append(Table(header, rows, counted("Points that failed.", len(failed), "points.csv"), len(header)))
    return Section("What was varied", "", parts)


def _listed(axis: Axis) -> str:
    values = [text(value) for value in axis.values]
    if len(values) <= _MOST_VALUES:
        return ", ".join(values)
    return f"{', '.join(values[: _MOST_VALUES - 1])}, ... {values[-1]} ({len(values):,} values)"


def intervals(saved: Saved) -> Section:
    """Every main figure by axis value and policy."""
    found, rows = grid(saved), []
    main = found.main
    keys = [*(axis.column for axis in found.axes), "policy"]
    groups = found.means.groupby(keys, sort=False)
    for values, part in list(groups)[:MOST_ROWS]:
        by_figure: dict[str, Any] = {row["figure"]: row for row in part.to_dict("records")}
        cells = [Cell(text(value)) for value in values]
        seeds = max((row["n"] for row in by_figure.values()), default=0)
        rows.append([*cells, Cell(written(seeds)), *(Cell(_interval(by_figure.get(one.key), one)) for one in main)])
    header = [*(axis.name for axis in found.axes), "policy", "seeds", *(one.words for one in main)]
    caption = counted("Means over the seeds, with intervals of 95 % in brackets.", groups.ngroups, "intervals.csv")
    note = "" if found.has_intervals else NO_INTERVAL
    return Section("All figures", note, [Table(header, rows, caption, heads=len(keys))])


def _interval(row: dict[str, Any] | None, main: Main) -> str:
    if row is None or not is_known(row["mean"]):
        return UNKNOWN
    mean, low, high = column([row["mean"], row["low"], row["high"]], main.style)
    return f"{mean} [{low}, {high}]" if is_known(row["low"]) else mean
