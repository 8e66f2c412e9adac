"""Curves: a figure along a number, a line with its band for each policy, and marks that others must stay below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from .ladder import Measure, columns_of
from .palette import INK, QUIET, colour, shape
from .section import AnyChart

_BAND, _FAINT = 0.16, 0.06


class Mark(NamedTuple):
    """A level that is drawn across a picture, and what it is."""

    at: float
    words: str


class Curves(NamedTuple):
    """Rows of some policies along a column."""

    rows: pd.DataFrame
    along: str
    title: str
    """What the column is, with its unit."""
    names: list[str]
    """Policies, in the order of their colours; those that are not drawn here keep theirs elsewhere."""
    drawn: list[str]
    faint: Sequence[str] = ()
    """Policies whose bands step back."""


def curves(made: Curves, measure: Measure, marks: tuple[Mark, ...] = ()) -> AnyChart:
    """The chart of a measure."""
    rows = made.rows[made.rows["policy"].isin(made.drawn)]
    kept = columns_of(rows.assign(faint=rows["policy"].isin(made.faint)), (measure,), made.along, "policy", "faint")
    scale = alt.Scale(nice=False, padding=6)
    x = alt.X(made.along, type="quantitative", scale=scale, axis=alt.Axis(title=made.title, tickCount=6, grid=False))
    y = alt.Y(measure.key, type="quantitative", scale=alt.Scale(zero=False, padding=8), title=measure.words)
    shade = ink(made)
    base = alt.Chart(kept).encode(x=x)
    layers: list[Any] = [layer for mark in marks for layer in across(mark, "y")]
    if kept[f"{measure.key}_low"].notna().any():
        low = alt.Y(f"{measure.key}_low", type="quantitative")
        for test, opacity in (("datum.faint", _FAINT), ("!datum.faint", _BAND)):
            band = base.transform_filter(test).mark_area(opacity=opacity)
            layers.append(band.encode(y=low, y2=f"{measure.key}_high", color=shade))
    layers.append(base.mark_line(strokeWidth=1.8).encode(y=y, color=shade))
    points = base.mark_point(filled=True, size=46, opacity=1)
    layers.append(points.encode(y=y, color=shade, shape=shapes(made), tooltip=_tooltip(made, measure)))
    return alt.layer(*layers)


def across(mark: Mark, way: str) -> list[alt.Chart]:
    """A broken line at a level of the upright axis (``y``) or of the other one, and its words."""
    data = alt.Chart(alt.InlineData(values=[{"at": mark.at, "words": mark.words}]))
    line = data.mark_rule(color=INK, strokeWidth=1.2, strokeDash=[5, 4])
    text = alt.Text("words", type="nominal")
    if way == "y":
        up = alt.Y("at", type="quantitative")
        if not mark.words:
            return [line.encode(y=up)]
        words = data.mark_text(align="right", baseline="bottom", dx=-4, dy=-3, fontSize=11, color=QUIET)
        return [line.encode(y=up), words.encode(x=alt.value("width"), y=up, text=text)]
    along = alt.X("at", type="quantitative")
    words = data.mark_text(align="left", baseline="top", dx=4, dy=2, fontSize=11, color=QUIET)
    return [line.encode(x=along), words.encode(x=along, y=alt.value(0), text=text)]


def ink(made: Curves) -> alt.Color:
    """Colours as in all charts of the page, with a legend of those that are drawn."""
    whole = colour("policy", made.names)["scale"]
    ranges = [shade for name, shade in zip(made.names, whole["range"], strict=True) if name in made.drawn]
    shown = [name for name in made.names if name in made.drawn]
    return alt.Color(
        field="policy",
        type="nominal",
        scale=alt.Scale(domain=shown, range=ranges),
        sort=None,
        legend=colour("policy", shown)["legend"],
    )


def shapes(made: Curves) -> alt.Shape:
    """Shapes in the same way."""
    whole = shape("policy", made.names)["scale"]
    ranges = [form for name, form in zip(made.names, whole["range"], strict=True) if name in made.drawn]
    shown = [name for name in made.names if name in made.drawn]
    return alt.Shape(
        field="policy",
        type="nominal",
        scale=alt.Scale(domain=shown, range=ranges),
        sort=None,
        legend=shape("policy", shown)["legend"],
    )


def _tooltip(made: Curves, measure: Measure) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("policy", type="nominal"),
        alt.Tooltip(made.along, type="quantitative", format=",.4~g", title=made.title),
        alt.Tooltip(measure.key, type="quantitative", format=",.4~g", title=measure.words),
        alt.Tooltip(f"{measure.key}_low", type="quantitative", format=",.4~g", title="from"),
        alt.Tooltip(f"{measure.key}_high", type="quantitative", format=",.4~g", title="to"),
    ]
