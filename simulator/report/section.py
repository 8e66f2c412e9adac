"""A section of a report: a heading, what it shows, and its charts and tables. Plain data; ``page`` writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt

AnyChart = alt.Chart | alt.LayerChart | alt.FacetChart


class Figure(NamedTuple):
    """A chart: one view or layers of views, so that it can be as wide as its page."""

    name: str
    """Names the file of the figure: small letters, digits and hyphens."""
    chart: AnyChart
    caption: str
    """What is drawn, for those who cannot see it, and as a caption."""
    height_px: int = 300
    is_wide: bool = True
    """Whether it has the whole width of a large screen for itself; two others share it."""
    share: float = 0.0
    """Height as a share of the width on a screen (maps); 0 for a height of its own."""
    tables: Mapping[str, list[dict[str, Any]]] = {}
    """Rows of data that the chart names, beside those that it holds."""


class Cell(NamedTuple):
    """A cell of a table."""

    text: str
    is_best: bool = False


class Table(NamedTuple):
    """A table; the first ``heads`` columns name the row."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    heads: int = 1


class Remark(NamedTuple):
    """A sentence in place of a picture."""

    text: str


class Sentences(NamedTuple):
    """Several sentences, one below the other."""

    texts: Sequence[str]


class Small(NamedTuple):
    """Names and values in small print."""

    entries: Sequence[tuple[str, str]]


Part = Figure | Table | Remark | Sentences | Small


class Section(NamedTuple):
    """One heading of the page."""

    heading: str
    explanation: str
    parts: Sequence[Part]


def choice(name: str, label: str, options: Sequence[Any], labels: Sequence[str] | None = None) -> alt.Parameter:
    """A parameter that the reader chooses from a list; the first option without a reader, as on paper."""
    shown = [str(text) for text in (options if labels is None else labels)]
    bind = alt.binding_select(options=list(options), labels=shown, name=f"{label} ")
    return alt.param(name=name, value=options[0], bind=bind)


def titled(expression: str) -> alt.TitleParams:
    """A title that follows the reader's choice, by a Vega expression that holds no text of ours or the user's."""
    return alt.TitleParams(text=alt.ExprRef(expr=expression))


def time_axis(field: str) -> alt.X:
    """Time from the first to the last moment, in UTC."""
    hours = {"hours": "%H:%M", "minutes": "%H:%M", "seconds": "%H:%M:%S"}
    days = {"year": "%Y", "quarter": "%b %Y", "month": "%b %Y", "week": "%d %b", "date": "%d %b", "day": "%d %b"}
    axis = alt.Axis(
        title="time, UTC", labelFlush=True, labelOverlap=True, labelSeparation=8, labelBound=True, format=days | hours
    )
    return alt.X(field, type="temporal", scale=alt.Scale(type="utc", nice=False), axis=axis)
