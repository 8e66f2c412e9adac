"""Colours and shapes that readers tell apart, also those who are colour-blind and those who print."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import altair as alt

BLACK = "#000000"
#: Okabe and Ito, "Color Universal Design" (2008), their yellow darkened to be seen on white; then four that differ
#: from them in lightness.
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    BLACK,
    "#b8a800",
    "#882255",
    "#999999",
    "#8c510a",
    "#9a8ff0",
)
GREY = "#8a8f98"
#: Of those that are drawn together.
PALE = "#c3c7cd"
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
#: Dark enough to be read on white (WCAG AA), for text that steps back.
INK, QUIET, RULE = "#1a1c1f", "#5a6069", "#d9dce1"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_LETTER_PX, _SYMBOL_PX = 6.3, 34
#: Width of a legend on paper.
_LEGEND_PX = 420

#: What all charts share.
CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "padding": 4,
    "view": {"stroke": None, "continuousWidth": 560, "continuousHeight": 300, "discreteWidth": 560},
    "axis": {
        "labelColor": QUIET,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "titleFontSize": 12,
        "labelFontSize": 11,
        "gridColor": "#eceef1",
        "domainColor": "#9aa0a8",
        "tickColor": "#9aa0a8",
        "titlePadding": 8,
        "labelFlush": False,
        "labelSeparation": 6,
        "numberFormat": ",~r",
    },
    "legend": {"orient": "bottom", "labelColor": INK, "titleColor": QUIET, "titleFontWeight": "normal"}
    | {"labelFontSize": 11, "titleFontSize": 11, "symbolSize": 70, "rowPadding": 3, "columnPadding": 14}
    # Of a symbol that stands for pale bars and full points alike.
    | {"symbolOpacity": 1},
    "title": {"anchor": "start", "fontSize": 12, "fontWeight": 600, "color": INK, "offset": 10, "frame": "group"},
    "text": {"fontSize": 11, "color": INK},
    "line": {"strokeJoin": "round"},
}


def colours(names: Sequence[str], others: Collection[str] = (), without: str = "") -> list[str]:
    """A colour for each name; they begin anew after the last one, where shapes go on. ``others`` are pale."""
    used = [one for one in COLOURS if one != without]
    return [PALE if name in others else used[number % len(used)] for number, name in enumerate(names)]


def legend(names: Sequence[str], title: str | None = None) -> alt.Legend:
    """A legend below the chart, in columns as wide as its longest name; the page counts them anew for its screen."""
    wide = _SYMBOL_PX + _LETTER_PX * max((len(name) for name in names), default=1)
    columns = max(1, min(len(names), int(_LEGEND_PX / wide)))
    return alt.Legend(title=title, columns=columns, labelLimit=_LEGEND_PX)


def colour(field: str, names: Sequence[str], others: Collection[str] = ()) -> alt.Color:
    """Colour by a name, in the order of the names; those of ``others`` are pale."""
    scale = alt.Scale(domain=list(names), range=colours(names, others))
    return alt.Color(field=field, type="nominal", scale=scale, sort=None, legend=legend(names))


def shape(field: str, names: Sequence[str], title: str | None = None) -> alt.Shape:
    """Shape by a name: with the colour, more than eighty are told apart."""
    scale = alt.Scale(domain=list(names), range=[SHAPES[number % len(SHAPES)] for number in range(len(names))])
    return alt.Shape(field=field, type="nominal", scale=scale, sort=None, legend=legend(names, title))
