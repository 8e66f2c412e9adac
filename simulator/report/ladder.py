"""A ladder: figures along steps that have an order and no measure, such as weights from none to very large."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from .palette import colour, shape
from .section import AnyChart, choice, titled

#: Steps of so many letters in all stand side by side on a telephone; more are slanted.
_LETTERS_FLAT = 40
#: Width of one line of several, and of their median.
_THIN, _THICK = 0.9, 2.2


class Measure(NamedTuple):
    """A column that is drawn, with ``_low`` and ``_high`` beside it: its name, and in words with its unit."""

    key: str
    words: str


class Ladder(NamedTuple):
    """Rows, a column of steps, and a column that colours tell apart."""

    rows: pd.DataFrame
    step: str
    steps: Sequence[str]
    """In their order."""
    title: str
    """What the steps are."""
    series: str
    names: Sequence[str]
    is_joined: bool = True
    """Whether a line joins the steps of a series."""
    thin: str = ""
    """A column of several lines of a series, drawn thin with their median."""
    broken: str = ""
    """A column that is true where something was left out: those points are hollow."""
    only: str = ""
    """A column that holds the number of the way that the reader has chosen."""
    from_zero: bool = False
    shared: pd.DataFrame | None = None
    """Rows of all pictures that are to have the same upright axis."""


def ladder(made: Ladder, measures: Sequence[Measure], choose: str, name: str) -> AnyChart:
    """The chart of one measure, or of several to choose from; bars where there are intervals."""
    base = alt.Chart(columns_of(made.rows, measures, made.step, made.series, made.thin, made.broken, made.only))
    if made.only:
        base = base.transform_filter(f"datum.{made.only} === way")
    base = base.transform_calculate(**picked(measures, choose)).transform_filter("isValid(datum.value)")
    base = base.encode(x=_across(made), color=colour(made.series, made.names))
    if made.shared is not None:
        scale = shared_scale(made.shared, measures, choose)
    else:
        scale = alt.Scale(zero=True) if made.from_zero else alt.Scale(zero=False, padding=8)
    up = alt.Y("value", type="quantitative", scale=scale, title=None)
    layers = _lines(base, made, up)
    if has_ends(made.rows, measures):
        bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=1.4, opacity=0.8)
        layers.append(bars.encode(y=alt.Y("low", type="quantitative"), y2="high", **_beside(made)))
    layers.append(_points(base, made, measures, up))
    return entitled(alt.layer(*layers), name, measures, choose)


def picked(measures: Sequence[Measure], choose: str) -> dict[str, str]:
    """Expressions for ``value``, ``low`` and ``high`` of the measure that is chosen."""
    key = choose if len(measures) > 1 else f"'{measures[0].key}'"
    return {"value": f"datum[{key}]", "low": f"datum[{key} + '_low']", "high": f"datum[{key} + '_high']"}


def entitled(chart: AnyChart, name: str, measures: Sequence[Measure], choose: str) -> AnyChart:
    """The chart with a name and its measure above, and the list to choose the measure from where there are several.

    The name is the value of a parameter: a text of the user's must not stand in an expression.
    """
    words = " : ".join(f"{choose} === '{one.key}' ? {json.dumps(one.words)}" for one in measures[:-1])
    shown = f"({words} : {json.dumps(measures[-1].words)})" if words else json.dumps(measures[0].words)
    chart = chart.properties(title=titled(f"name + ': ' + {shown}")).add_params(alt.param(name="name", value=name))
    if len(measures) < 2:
        return chart
    return chart.add_params(choice(choose, "Show", [one.key for one in measures], [one.words for one in measures]))


def filled(field: str, names: Sequence[str]) -> alt.Fill:
    """The colour of points that may be hollow; of one legend with their edges."""
    ink = colour(field, names)
    return alt.Fill(field=field, type="nominal", scale=ink["scale"], sort=None, legend=ink["legend"])


def has_ends(rows: pd.DataFrame, measures: Sequence[Measure]) -> bool:
    """Whether any of the measures has an interval anywhere."""
    return any(bool(rows[f"{one.key}_low"].notna().any()) for one in measures)


def bounds(rows: pd.DataFrame, key: str) -> tuple[float, float]:
    """From the smallest to the largest end of a column, with room."""
    found = rows[[key, f"{key}_low", f"{key}_high"]].to_numpy(dtype=float)
    known = found[np.isfinite(found)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def shared_scale(rows: pd.DataFrame, measures: Sequence[Measure], choose: str) -> alt.Scale:
    """One scale for several pictures, whatever measure is chosen."""
    ends = [bounds(rows, one.key) for one in measures]
    if len(measures) == 1:
        return alt.Scale(domain=list(ends[0]), nice=False)

    def expression(end: int) -> alt.ExprRef:
        tests = [f"{choose} === '{one.key}' ? {found[end]!r}" for one, found in zip(measures, ends, strict=True)]
        return alt.ExprRef(expr=f"{' : '.join(tests)} : 0")

    return alt.Scale(domainMin=expression(0), domainMax=expression(1), nice=False, zero=False)


def columns_of(rows: pd.DataFrame, measures: Sequence[Measure], *names: str) -> pd.DataFrame:
    """The rows with these columns alone, and those of the measures with their ends."""
    ends = [f"{one.key}{end}" for one in measures for end in ("", "_low", "_high")]
    return rows[[name for name in dict.fromkeys([*names, *ends]) if name]].reset_index(drop=True)


def _across(made: Ladder) -> alt.X:
    letters = sum(len(step) for step in made.steps)
    axis = alt.Axis(title=made.title, labelAngle=0 if letters <= _LETTERS_FLAT else -40, labelLimit=110, grid=False)
    # With room between the steps, so that one sees which points belong together.
    scale = (
        alt.Scale(domain=list(made.steps), paddingInner=0.5) if _beside(made) else alt.Scale(domain=list(made.steps))
    )
    return alt.X(made.step, type="ordinal", sort=None, scale=scale, axis=axis)


def _beside(made: Ladder) -> dict[str, Any]:
    """Side by side, so that bars of one step do not hide each other."""
    if made.thin or len(made.names) < 2:
        return {}
    scale = alt.Scale(domain=list(made.names))
    return {"xOffset": alt.XOffset(made.series, type="nominal", scale=scale)}


def _lines(base: alt.Chart, made: Ladder, up: alt.Y) -> list[alt.Chart]:
    if not made.is_joined:
        return []
    if not made.thin:
        return [base.mark_line(strokeWidth=1.5).encode(y=up, **_beside(made))]
    thin = base.mark_line(strokeWidth=_THIN, opacity=0.4).encode(y=up, detail=alt.Detail(made.thin, type="nominal"))
    middle = base.transform_aggregate(value="median(value)", groupby=[made.step, made.series])
    return [thin, middle.mark_line(strokeWidth=_THICK).encode(y=up)]


def _points(base: alt.Chart, made: Ladder, measures: Sequence[Measure], up: alt.Y) -> alt.Chart:
    extra: dict[str, Any] = dict(_beside(made))
    if made.broken:
        extra["fillOpacity"] = alt.condition(f"datum.{made.broken}", alt.value(0.0), alt.value(1.0))
    words = measures[0].words if len(measures) == 1 else "value"
    shown = [
        alt.Tooltip(made.step, type="nominal", title=made.title),
        alt.Tooltip(made.series, type="nominal"),
        *([alt.Tooltip(made.thin, type="nominal")] if made.thin else []),
        alt.Tooltip("value", type="quantitative", format=",.5~g", title=words),
        alt.Tooltip("low", type="quantitative", format=",.5~g", title="from"),
        alt.Tooltip("high", type="quantitative", format=",.5~g", title="to"),
    ]
    # Encoded, not marked, so that a hollow point keeps its edge.
    points = base.mark_point(size=30 if made.thin else 50, opacity=1, strokeWidth=1.5)
    fill = filled(made.series, made.names)
    return points.encode(y=up, fill=fill, shape=shape(made.series, made.names), tooltip=shown, **extra)
