"""Paying: what equity costs each origin in latency, at the scenario's weights."""

from __future__ import annotations

import altair as alt
import pandas as pd

from .equity import POLICY, Study, bounds, difference, with_ends
from .grid import MOST_ROWS, NO_INTERVAL, counted
from .ladder import Measure, columns_of
from .palette import QUIET, colour, shape
from .section import Cell, Figure, Part, Section, Table

_EXTRA = Measure("extra_ttft_mean_ms", "extra mean TTFT over equity without weight, ms")
_MEAN = Measure("ttft_mean_ms", "mean TTFT, ms")
_ROW_PX = 15
_SHOWN = (
    ("TTFT p50, ms", "ttft_p50_ms", ",.0f", 1.0),
    ("TTFT p99, ms", "ttft_p99_ms", ",.0f", 1.0),
    ("end-to-end p50, s", "e2e_p50_s", ",.2f", 1.0),
    ("end-to-end p99, s", "e2e_p99_s", ",.2f", 1.0),
    ("served nearest, %", "nearest_share", ",.1f", 100.0),
    ("RTT beyond the nearest, ms", "extra_rtt_ms", ",.1f", 1.0),
)


def paying(study: Study) -> list[Section]:
    """Origins by what they wait longer, for each way of minding distance, and their latency in figures."""
    whole = study.paying[study.paying["policy"] == POLICY]
    rows = whole[whole["equity"] == 1.0]
    measure = _EXTRA if study.has_intervals else _MEAN
    parts: list[Part] = [_dots(study, rows, name, measure) for name in study.constraints]
    what = (
        "What each origin's requests wait longer than without equity, at the scenario's own weights, those who pay the "
        "most on top; left of zero they wait less. Bars are Student-t intervals of 95 %, paired by seed: where they cross "
        "zero there is no difference to speak of."
        if study.has_intervals
        else f"{NO_INTERVAL} No difference is shown without one, so these are the means themselves, at the scenario's weights."
    )
    return [Section("Who pays", what, [*parts, _table(study, whole)])]


def _dots(study: Study, rows: pd.DataFrame, constraint: str, measure: Measure) -> Figure:
    here = rows[rows["allowed"] == constraint]
    origins = [str(name) for name in here[here["way"] == study.ways[0]].sort_values(measure.key)["origin"][::-1]]
    origins += [name for name in dict.fromkeys(here["origin"]) if name not in origins]
    low, high = bounds(rows, measure.key)
    scale = alt.Scale(domain=[min(low, 0.0), max(high, 0.0)], nice=False)
    beside = alt.YOffset("way", type="nominal", scale=alt.Scale(domain=study.ways))
    base = alt.Chart(columns_of(here, (measure,), "origin", "way")).encode(
        y=alt.Y("origin", type="nominal", sort=None, scale=alt.Scale(domain=origins))
        .axis(title=None, labelLimit=110, grid=True),
        yOffset=beside,
        color=colour("way", study.ways),
    )
    x = alt.X(measure.key, type="quantitative", scale=scale, title=measure.words)
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=QUIET)
    layers = [zero.encode(x=alt.X("zero", type="quantitative"))] if measure is _EXTRA else []
    if here[f"{measure.key}_low"].notna().any():
        bars = base.mark_rule(strokeWidth=1.6)
        layers.append(bars.encode(x=alt.X(f"{measure.key}_low", type="quantitative"), x2=f"{measure.key}_high"))
    points = base.mark_point(filled=True, size=45, opacity=1).encode(
        x=x,
        shape=shape("way", study.ways),
        tooltip=[
            alt.Tooltip("origin", type="nominal"),
            alt.Tooltip("way", type="nominal"),
            *(
                alt.Tooltip(f"{measure.key}{end}", type="quantitative", format=",.4~g", title=title)
                for end, title in (("", "ms"), ("_low", "from"), ("_high", "to"))
            ),
        ],
    )
    chart = alt.layer(*layers, points).properties(title=alt.TitleParams(text=constraint))
    height = 40 + _ROW_PX * max(1, len(origins)) * max(2, len(study.ways))
    caption = f"{measure.words[0].upper()}{measure.words[1:]} by origin, under the constraint {constraint}."
    return Figure(f"who-pays-{study.slug(constraint)}", chart, caption, height, is_wide=len(study.constraints) == 1)


def _table(study: Study, whole: pd.DataFrame) -> Table:
    """Latency of each origin without equity, and at the scenario's weights by each way of minding distance."""
    plain = whole["way"] == study.ways[0]
    rows = whole[(whole["equity"] == 1.0) | (plain & (whole["equity"] == 0.0))].to_dict("records")
    header = ["allowed", "policy", "origin", *(words for words, *_ in _SHOWN)]
    header += ["extra TTFT mean, ms", "extra TTFT p99, ms"] if study.has_intervals else []
    cells = []
    for row in rows[:MOST_ROWS]:
        without = row["equity"] == 0.0
        heads = [row["allowed"], "equity without weight" if without else row["way"], row["origin"]]
        texts = [with_ends(row, key, style, times) for _, key, style, times in _SHOWN]
        if study.has_intervals:
            extra = ("extra_ttft_mean_ms", "extra_ttft_p99_ms")
            texts += ["" if without else difference(row, key, "+,.0f") for key in extra]
        cells.append([Cell(str(text)) for text in [*heads, *texts]])
    caption = counted("Latency by origin, with intervals of 95 % over the seeds.", len(rows), "paying.csv")
    return Table(header, cells, caption, heads=3)
