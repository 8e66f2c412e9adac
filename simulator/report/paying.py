"""Paying: what equity costs each origin in latency, at the scenario's weights."""

from __future__ import annotations

from typing import NamedTuple

import altair as alt
import pandas as pd

from .equity import POLICY, Study
from .grid import NO_INTERVAL
from .ladder import Measure, columns_of, entitled, has_ends, picked, shared_scale
from .palette import QUIET, colour, shape
from .section import Figure, Section

NO_EQUITY = "equity without weight"
_EXTRA = Measure("extra_ttft_mean_ms", "extra TTFT, mean, ms")
_EXTRA_P99 = Measure("extra_ttft_p99_ms", "extra TTFT, p99, ms")
_MEAN = Measure("ttft_mean_ms", "TTFT, mean, ms")
_ROW_PX = 13
_SHOWN = (
    Measure("ttft_p99_ms", "TTFT, p99, ms"),
    Measure("ttft_p50_ms", "TTFT, p50, ms"),
    Measure("e2e_p99_s", "end-to-end time, p99, s"),
    Measure("e2e_p50_s", "end-to-end time, p50, s"),
    Measure("nearest_share", "share served by the nearest site"),
    Measure("extra_rtt_ms", "RTT beyond the nearest site's, ms"),
)


def paying(study: Study) -> list[Section]:
    """Origins by what they wait longer, for each way of minding distance; their latency with and without equity."""
    whole = study.paying[study.paying["policy"] == POLICY]
    rows = whole[whole["equity"] == 1.0]
    plain = (whole["way"] == study.ways[0]) & (whole["equity"] == 0.0)
    both = pd.concat([whole[plain].assign(way=NO_EQUITY), rows], ignore_index=True)
    extra = (_EXTRA, _EXTRA_P99) if study.has_intervals else (_MEAN,)
    what = (
        "What each origin's requests wait longer than without equity, at the scenario's own weights, those who pay "
        "the most on top; left of zero they wait less. Bars are Student-t intervals of 95 %, paired by seed: where "
        "they cross zero there is no difference to speak of."
        if study.has_intervals
        else f"{NO_INTERVAL} No difference is shown without one, so these are the means themselves, at the "
        "scenario's weights."
    )
    first = [_dots(study, Dots("who-pays", rows, extra, "paying", study.ways), name) for name in study.constraints]
    names = [*study.ways, NO_EQUITY]
    second = [_dots(study, Dots("origins", both, _SHOWN, "of_origins", names), name) for name in study.constraints]
    bars = "Bars are Student-t intervals of 95 %." if study.has_intervals else NO_INTERVAL
    whom = f"Percentiles, and how far requests go, without equity and at the scenario's weights. {bars}"
    return [Section("Who pays", what, first), Section("Latency of each origin", whom, second)]


class Dots(NamedTuple):
    """Origins one below the other, with a dot and a bar for each name in each of them."""

    file: str
    rows: pd.DataFrame
    measures: tuple[Measure, ...]
    """The first one orders the origins."""
    choose: str
    names: list[str]


def _dots(study: Study, made: Dots, constraint: str) -> Figure:
    measures, here = made.measures, made.rows[made.rows["allowed"] == constraint]
    first = here[here["way"] == study.ways[0]].sort_values(measures[0].key, ascending=False, kind="stable")
    origins = [*first["origin"], *(name for name in dict.fromkeys(here["origin"]) if name not in set(first["origin"]))]
    base = alt.Chart(columns_of(here, measures, "origin", "way"))
    base = base.transform_calculate(**picked(measures, made.choose)).transform_filter("isValid(datum.value)")
    base = base.encode(
        y=alt.Y("origin", type="nominal", sort=None, scale=alt.Scale(domain=origins, paddingInner=0.3)).axis(
            title=None, labelLimit=110, grid=True
        ),
        yOffset=alt.YOffset("way", type="nominal", scale=alt.Scale(domain=made.names)),
        color=colour("way", made.names),
    )
    layers = [_zero()] if measures[0] is _EXTRA else []
    if has_ends(here, measures):
        bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=1.6)
        layers.append(bars.encode(x=alt.X("low", type="quantitative"), x2="high"))
    points = base.mark_point(filled=True, size=42, opacity=1).encode(
        x=alt.X(
            "value",
            type="quantitative",
            scale=shared_scale(made.rows, measures, made.choose),
            title=None,
            axis=alt.Axis(tickCount=6),
        ),
        shape=shape("way", made.names),
        tooltip=[
            alt.Tooltip("origin", type="nominal"),
            alt.Tooltip("way", type="nominal"),
            *(
                alt.Tooltip(key, type="quantitative", format=",.4~g", title=title)
                for key, title in (("value", "value"), ("low", "from"), ("high", "to"))
            ),
        ],
    )
    chart = entitled(alt.layer(*layers, points), constraint, measures, made.choose)
    height = 30 + _ROW_PX * max(1, len(origins)) * max(2, len(made.names))
    caption = f"{measures[0].words[0].upper()}{measures[0].words[1:]} by origin, under the constraint {constraint}."
    is_wide = len(study.constraints) == 1
    return Figure(f"{made.file}-{study.slug(constraint)}", chart, caption, height, is_wide=is_wide)


def _zero() -> alt.Chart:
    """Where there is no difference."""
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}]))
    return zero.mark_rule(color=QUIET).encode(x=alt.X("zero", type="quantitative"))
