"""Along what was varied: the main figures with error bars, and cost against fairness at all values."""

from __future__ import annotations

import altair as alt
import pandas as pd

from .grid import COST, FAIRNESS, NO_INTERVAL, Axis, Grid, Main, grid
from .palette import colour, shape
from .saved import Saved
from .section import Figure, Part, Remark, Section, choice

#: Axes of positive numbers that are this many times apart are logarithmic.
_WIDE = 100
_FEW_TICKS = 10
#: Above so many values points are small, so that they do not hide each other.
_MANY_VALUES = 60


def along(saved: Saved) -> list[Section]:
    """For each axis the main figures along it, with error bars."""
    found = grid(saved)
    if not found.axes:
        by_policy = Axis("policy", "policy", found.policies)
        return [_along(found, by_policy, "Figures", "A point for each policy.")]
    others = " The other axes stand at the values that are chosen." if len(found.axes) > 1 else ""
    return [_along(found, axis, f"Along {axis.name}", f"The main figures as it varies.{others}") for axis in found.axes]


def _along(found: Grid, axis: Axis, heading: str, what: str) -> Section:
    bars = (
        "Bars are Student-t intervals of 95 % over the seeds; where there is none, there was one seed. "
        if found.has_intervals
        else f"{NO_INTERVAL} "
    )
    figures = [_line(found, axis, main) for main in found.main]
    return Section(heading, f"{what} {bars}The upright axes do not begin at zero.", figures)


def _line(found: Grid, axis: Axis, main: Main) -> Figure:
    others = [other for other in found.axes if other.column != axis.column]
    base = alt.Chart(alt.NamedData("means")).transform_filter(alt.FieldEqualPredicate(field="figure", equal=main.key))
    for other in others:
        base = base.transform_filter(f"datum.{other.column} === {other.column}")
    base = base.encode(x=_across(axis), y=_up("mean", main.words))
    drawn = alt.layer(*_marks(base, axis, found, main))
    if others:
        drawn = drawn.add_params(*(choice(other.column, other.name, other.values) for other in others))
    number = axis.column.removeprefix("axis")
    name = f"along-{number}-{main.key.replace('_', '-')}"
    return Figure(
        name, drawn, f"{main.words} by {axis.name}, for each policy.", 280, is_wide=False, tables={"means": found.rows}
    )


def _marks(base: alt.Chart, axis: Axis, found: Grid, main: Main) -> list[alt.Chart]:
    ink = colour("policy", found.policies)
    layers = [base.mark_line(strokeWidth=1.5).encode(color=ink)] if axis.is_number else []
    # Side by side where values are names, so that bars do not hide each other.
    beside = {} if axis.is_number or axis.column == "policy" else {"xOffset": _offset(found.policies)}
    if _has_intervals(found.means, main):
        bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=1.5)
        layers.append(bars.encode(y=_up("low", main.words), y2="high", color=ink, **beside))
    points = base.mark_point(filled=True, size=55 if len(axis.values) <= _MANY_VALUES else 10, opacity=1)
    return [
        *layers,
        points.encode(color=ink, shape=shape("policy", found.policies), tooltip=_tooltip(main), **beside),
    ]


def _has_intervals(means: pd.DataFrame, main: Main) -> bool:
    return bool(means.loc[means["figure"] == main.key, "low"].notna().any())


def _offset(policies: list[str]) -> alt.XOffset:
    return alt.XOffset("policy", type="nominal", scale=alt.Scale(domain=policies))


def _tooltip(main: Main) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("policy", type="nominal"),
        alt.Tooltip("mean", type="quantitative", format=",.5~g", title=main.words),
        alt.Tooltip("low", type="quantitative", format=",.5~g", title="from"),
        alt.Tooltip("high", type="quantitative", format=",.5~g", title="to"),
        alt.Tooltip("n", type="quantitative", title="seeds"),
    ]


def _across(axis: Axis) -> alt.X:
    if not axis.is_number:
        ticks = alt.Axis(labelAngle=-30, labelLimit=140, title=axis.name, grid=False)
        return alt.X(axis.column, type="nominal", scale=alt.Scale(domain=axis.values), axis=ticks)
    low, high = min(axis.values), max(axis.values)
    scale = alt.Scale(zero=False, padding=14, type="log" if low > 0 and high >= _WIDE * low else "linear", nice=False)
    ticks = alt.Axis(title=axis.name, labelOverlap=True)
    if len(axis.values) <= _FEW_TICKS:
        ticks.values = axis.values
    return alt.X(axis.column, type="quantitative", scale=scale, axis=ticks)


def _up(field: str, words: str) -> alt.Y:
    return alt.Y(field, type="quantitative", scale=alt.Scale(zero=False, padding=10), title=words)


def trade_off(saved: Saved) -> Section:
    """Mean cost against mean PAR, with both intervals."""
    found = grid(saved)
    parts: list[Part] = [_against_cost(found, main) for main in found.main if main.key in FAIRNESS]
    bars = "Bars are Student-t intervals of 95 % over the seeds." if found.has_intervals else NO_INTERVAL
    explanation = (
        f"A point for each policy and combination of values. Further left is cheaper, further down is fairer. {bars}"
    )
    return Section("Cost and fairness", explanation, parts or [Remark("No peak-to-average ratio is known.")])


def _against_cost(found: Grid, main: Main) -> Figure:
    keys = [*(axis.column for axis in found.axes), "policy"]
    cost, par = (
        found.means[found.means["figure"] == key].drop(columns="figure").set_index(keys) for key in (COST, main.key)
    )
    both = cost.add_suffix("_cost").join(par.add_suffix("_par"), how="inner").dropna(subset=["mean_cost", "mean_par"])
    ink = colour("policy", found.policies)
    base = alt.Chart(both.reset_index()).encode(
        x=alt.X("mean_cost", type="quantitative", scale=alt.Scale(zero=False, padding=14), title="cost, US$"),
        y=alt.Y("mean_par", type="quantitative", scale=alt.Scale(zero=False, padding=14), title=main.words),
        color=ink,
    )
    wide = base.transform_filter("isValid(datum.low_cost)").mark_rule(opacity=0.7)
    high = base.transform_filter("isValid(datum.low_par)").mark_rule(opacity=0.7)
    points = base.mark_point(filled=True, size=50, opacity=0.9).encode(
        shape=shape("policy", found.policies),
        tooltip=[
            alt.Tooltip("policy", type="nominal"),
            *(alt.Tooltip(axis.column, type="nominal", title=axis.name) for axis in found.axes),
            alt.Tooltip("mean_cost", type="quantitative", format=",.5~g", title="cost, US$"),
            alt.Tooltip("mean_par", type="quantitative", format=".4~g", title=main.words),
        ],
    )
    bars = [
        wide.encode(x=alt.X("low_cost", type="quantitative"), x2="high_cost"),
        high.encode(y=alt.Y("low_par", type="quantitative"), y2="high_par"),
    ]
    chart = alt.layer(*(bars if both["low_cost"].notna().any() and both["low_par"].notna().any() else []), points)
    name = f"cost-{main.key.replace('_', '-')}"
    return Figure(name, chart, f"Mean cost against mean {main.words}, with intervals.", 330, is_wide=False)
