"""Losses: what is short when one site or two of them are lost."""

from __future__ import annotations

from itertools import combinations

import altair as alt
import pandas as pd

from .numbers import written
from .palette import INK
from .section import AnyChart, Figure, Section
from .stressed import Stressed

_CELL_PX = 30
_MOST_TEXTS = 14
_CARRIED = "#eef1f4"
#: Above this part of the largest value cells are too dark for black letters.
_DARK = 0.3


def lost_sites(found: Stressed) -> list[Section]:
    """A map of sites against sites; nothing where no site was lost."""
    short = found.steps.set_index(["key", "level"])["short_kw"]
    single = {site: float(short["loss-1", site]) for site in found.sites}
    if not single:
        return []
    cells = [{"one": site, "other": site, "short_kw": value} for site, value in single.items()]
    for one, other in combinations(found.sites, 2):
        value = short.get(("loss-2", f"{one}, {other}"))
        if value is not None:
            cells.append({"one": one, "other": other, "short_kw": float(value)})
    table = pd.DataFrame(cells)
    most = float(table["short_kw"].max()) or 1.0
    table = table.assign(shown=[written(value, ".3g") if value else "" for value in table["short_kw"]])
    explanation = (
        "The most kW that are short in any slot when the site of the column and that of the row are lost; on the "
        "diagonal it is one site alone. Grey losses can be carried."
    )
    held = int((table["short_kw"] == 0).sum())
    caption = f"{held} of {len(table)} losses can be carried."
    height = 60 + _CELL_PX * len(found.sites)
    figure = Figure("losses", _map(found.sites, table, most), caption, height, is_wide=len(found.sites) > _MOST_TEXTS)
    return [Section("Losing sites", explanation, [figure])]


def _map(sites: list[str], table: pd.DataFrame, most: float) -> AnyChart:
    axis = alt.Axis(title=None, labelLimit=90, grid=False, domain=False, ticks=False)
    scale = alt.Scale(domain=sites)
    base = alt.Chart(table).encode(
        x=alt.X("one", type="nominal", sort=None, scale=scale, axis=alt.Axis(**axis.to_dict(), labelAngle=-40)),
        y=alt.Y("other", type="nominal", sort=None, scale=scale, axis=axis),
    )
    shades = alt.Scale(type="sqrt", domain=[0, most], range=["#fee6ce", "#d55e00", "#7f2704"], interpolate="rgb")
    legend = alt.Legend(orient="top", gradientLength=160)
    ink = alt.Color("short_kw", type="quantitative", scale=shades, title="kW short", legend=legend)
    cells = base.mark_rect(stroke="white", strokeWidth=1.5).encode(
        color=alt.when("datum.short_kw > 0").then(ink).otherwise(alt.value(_CARRIED)),
        tooltip=[
            alt.Tooltip("one", type="nominal", title="lost"),
            alt.Tooltip("other", type="nominal", title="and"),
            alt.Tooltip("short_kw", type="quantitative", format=",.3~g", title="kW short"),
        ],
    )
    if len(sites) > _MOST_TEXTS:
        return alt.layer(cells)
    # White on the dark half of the scale.
    letters = alt.when(f"datum.short_kw > {_DARK * most!r}").then(alt.value("white")).otherwise(alt.value(INK))
    return alt.layer(cells, base.mark_text(fontSize=10).encode(text=alt.Text("shown", type="nominal"), color=letters))
