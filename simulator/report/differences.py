"""Differences between policies, seed by seed, none without its interval."""

from __future__ import annotations

import altair as alt
import pandas as pd

from .grid import MAIN, MOST_ROWS, Grid, counted, grid, text, with_plain_axes
from .numbers import column, written
from .palette import QUIET
from .saved import Saved
from .section import Cell, Figure, Remark, Section, Table, choice, titled


def differences(saved: Saved) -> Section:
    """Paired differences between policies, none without its interval."""
    heading, table = "Differences between policies", saved.tables.get("differences")
    if table is None or table.empty:
        return Section(heading, "", [Remark("No policy was held against another one.")])
    found = grid(saved)
    whole = with_plain_axes(table, found.axes)
    shown = whole[whole["low"].notna() & whole["high"].notna() & whole["figure"].isin([main.key for main in MAIN])]
    if shown.empty:
        what = "There is one seed only, so a difference has no interval, and none is shown without it."
        return Section(heading, "", [Remark(what)])
    explanation = (
        "Policy minus policy, seed by seed on the same requests, with Student-t intervals of 95 %. A bar that crosses "
        "zero is no difference to speak of; of many intervals one in twenty misses the truth."
    )
    return Section(heading, explanation, [_difference_chart(found, shown), _difference_table(found, shown)])


def _difference_chart(found: Grid, shown: pd.DataFrame) -> Figure:
    main = [one for one in MAIN if one.key in set(shown["figure"])]
    table = shown.assign(pair=shown["policy"] + " minus " + shown["against"])
    pairs = list(dict.fromkeys(table["pair"]))
    columns = [*(axis.column for axis in found.axes), "pair", "figure", "n", "mean", "low", "high"]
    base = alt.Chart(table[columns].reset_index(drop=True)).transform_filter("datum.figure === figure")
    for axis in found.axes:
        base = base.transform_filter(f"datum.{axis.column} === {axis.column}")
    rows = alt.Y(
        "pair", type="nominal", sort=None, scale=alt.Scale(domain=pairs), axis=alt.Axis(title=None, labelLimit=150)
    )
    base = base.encode(y=rows)
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=QUIET).encode(x="zero:Q")
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low", type="quantitative", title="difference"), x2="high")
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=alt.X("mean", type="quantitative"),
        tooltip=[
            alt.Tooltip("pair", type="nominal"),
            *(alt.Tooltip(name, type="quantitative", format=",.5~g") for name in ("mean", "low", "high")),
            alt.Tooltip("n", type="quantitative", title="seeds"),
        ],
    )
    words = " : ".join(f"figure === '{one.key}' ? '{one.words}'" for one in main)
    chart = (
        alt.layer(zero, bars, points)
        .properties(title=titled(f"'Difference in ' + ({words} : '')"))
        .add_params(
            choice("figure", "Figure", [one.key for one in main], [one.words for one in main]),
            *(choice(axis.column, axis.name, axis.values) for axis in found.axes),
        )
    )
    return Figure("differences", chart, "Differences between policies, with intervals.", 50 + 26 * len(pairs))


def _difference_table(found: Grid, shown: pd.DataFrame) -> Table:
    words = {main.key: main for main in MAIN}
    header = [*(axis.name for axis in found.axes), "policy", "against", "figure", "difference", "from", "to", "seeds"]
    rows = []
    for row in shown.head(MOST_ROWS).to_dict("records"):
        main = words[row["figure"]]
        numbers = column([row["mean"], row["low"], row["high"]], main.style or ",.3f")
        heads = [text(row[axis.column]) for axis in found.axes] + [row["policy"], row["against"], main.words]
        rows.append([Cell(str(text)) for text in [*heads, *numbers, written(row["n"])]])
    caption = counted("Paired differences with their intervals.", len(shown), "differences.csv")
    return Table(header, rows, caption, heads=len(found.axes) + 3)
