"""The latency study: what equity costs in money and in latency, what the latency is made of, and who pays for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from .equity import PLAIN, POLICY, STEPS_TITLE, Study, difference, with_ends
from .grid import MOST_ROWS, NO_INTERVAL, counted
from .labels import label_layers, labelled
from .ladder import Ladder, Measure, bounds, columns_of, entitled, filled, has_ends, ladder, picked, shared_scale
from .palette import BLACK, QUIET, colour, shape
from .parts_of_latency import parts_of_latency
from .paying import paying
from .saved import Saved
from .section import AnyChart, Cell, Figure, Remark, Section, Table

_EXTRA_COST = Measure("extra_cost_share", "extra cost over equity without weight")
_COST = Measure("cost_usd_per_site", "cost, US$ per site")
#: The first is what is shown before a reader chooses.
_EXTRA_LATENCY = (
    Measure("extra_ttft_mean_ms", "extra TTFT, mean, ms"),
    Measure("extra_ttft_p99_ms", "extra TTFT, p99, ms"),
    Measure("extra_ttft_p50_ms", "extra TTFT, p50, ms"),
    Measure("extra_e2e_mean_s", "extra end-to-end time, mean, s"),
)
_LATENCY = (
    Measure("ttft_mean_ms", "TTFT, mean, ms"),
    Measure("ttft_p99_ms", "TTFT, p99, ms"),
    Measure("ttft_p50_ms", "TTFT, p50, ms"),
    Measure("e2e_mean_s", "end-to-end time, mean, s"),
)
_RATIOS = (Measure("par_water", "PAR of water"), Measure("par_carbon", "PAR of carbon"))
_UNEVEN = (
    Measure("par_ttft", "PAR of mean TTFT over origins"),
    Measure("gini_ttft", "Gini of mean TTFT over origins"),
)
TIMES = "\N{MULTIPLICATION SIGN}"
_PATH = (
    f"A line leads from equity without weight ({TIMES}0) through rising multiples of the scenario's weights ({TIMES}1 "
    "are these). Ringed is the bend of the curve. Hollow points are beaten by another one under the same constraint, "
    "in cost, both PARs and TTFT p99. The pictures of a measure share their axes."
)


def latency(saved: Saved) -> list[Section]:
    """The sections of the study, which stand first on its page."""
    study = Study(saved)
    return [
        _first(study),
        _fairness(study),
        parts_of_latency(study),
        *paying(study),
        _unevenness(study),
        _efficient(study),
    ]


def _first(study: Study) -> Section:
    """Latency against cost: both as differences where there are intervals, else as they are."""
    measures, against = (_EXTRA_LATENCY, _EXTRA_COST) if study.has_intervals else (_LATENCY, _COST)
    figures = [
        Figure(
            f"latency-cost-{study.slug(name)}",
            _trade_off(study, name, against, measures, "latency"),
            f"Latency against cost under the constraint {name}, along rising weights of equity.",
            360,
            is_wide=len(study.constraints) == 1,
        )
        for name in study.constraints
    ]
    what = (
        "Against equity without weight, which is glb-cost: right is dearer, up is slower, below zero is faster. Bars "
        "are Student-t intervals of 95 %, paired by seed."
        if study.has_intervals
        else f"{NO_INTERVAL} No difference is shown without one, so these are figures: right is dearer, up is slower."
    )
    return Section("Money and latency", what, [*figures, Remark(_PATH)])


def _fairness(study: Study) -> Section:
    against = _EXTRA_COST if study.has_intervals else _COST
    figures = [
        Figure(
            f"{one.key.replace('_', '-')}-cost-{study.slug(name)}",
            _trade_off(study, name, against, (one,), ""),
            f"{one.words} against cost under the constraint {name}, along rising weights of equity.",
            300,
            is_wide=len(study.constraints) == 1,
        )
        for one in _RATIOS
        for name in study.constraints
        if study.trade[one.key].notna().any()
    ]
    what = (
        "What the money buys: PAR is the largest site's footprint divided by the mean, 1 is perfectly even. "
        "Lines, rings and hollow points mean what they mean above."
    )
    return Section("Money and fairness", what, figures)


def _trade_off(study: Study, constraint: str, against: Measure, measures: tuple[Measure, ...], choose: str) -> AnyChart:
    whole = pd.concat([study.varied, study.references], ignore_index=True)
    rows = whole[whole["allowed"] == constraint].assign(order=lambda part: part["equity"])
    rows = rows.dropna(subset=[against.key, measures[0].key]).reset_index(drop=True)
    points = list(zip(rows[against.key], rows[measures[0].key], strict=True))
    rows = rows.assign(**labelled([_label(row) for row in rows.to_dict("records")], points))
    kept = columns_of(
        rows, (against, *measures), "way", "policy", "multiple", "order", "pareto", "knee", "label", "spot"
    )
    names = [*study.ways, *dict.fromkeys(study.references["way"])]
    base = alt.Chart(kept).transform_calculate(**picked(measures, choose)).transform_filter("isValid(datum.value)")
    y = alt.Y("value", type="quantitative", scale=shared_scale(whole, measures, choose), title=None)
    percent = alt.Axis(format="%" if against is _EXTRA_COST else ",~r", title=against.words, tickCount=8)
    x = alt.X(
        against.key,
        type="quantitative",
        scale=alt.Scale(domain=list(bounds(whole, against.key)), nice=False),
        axis=percent,
    )
    base = base.encode(x=x, y=y, color=colour("way", names))
    chart = alt.layer(
        *_zero(against), *_crosses(base, kept, against, measures), *_points(base, against, names, measures)
    )
    return entitled(chart, constraint, measures, choose)


def _label(row: Mapping[Any, Any]) -> str:
    """Multiples that stand beside their points: none, the weights themselves, and the bend."""
    if row["policy"] != POLICY:
        return str(row["policy"]) if row["policy"] == "glb-nearest" else ""
    is_end = row["equity"] == 0 and row["way"] == PLAIN
    return f"{TIMES}{row['multiple']}" if is_end or row["equity"] == 1 or row["knee"] else ""


def _zero(against: Measure) -> list[alt.Chart]:
    """Where equity without weight stands."""
    if against is not _EXTRA_COST:
        return []
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}]))
    return [zero.mark_rule(color=QUIET, strokeWidth=1, strokeDash=[2, 3]).encode(x=alt.X("zero", type="quantitative"))]


def _crosses(base: alt.Chart, rows: pd.DataFrame, against: Measure, measures: tuple[Measure, ...]) -> list[alt.Chart]:
    if not has_ends(rows, [against, *measures]):
        return []
    bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=1, opacity=0.35)
    along = alt.X(f"{against.key}_low", type="quantitative")
    return [
        bars.encode(x=along, x2=f"{against.key}_high"),
        bars.encode(y=alt.Y("low", type="quantitative"), y2="high"),
    ]


def _points(base: alt.Chart, against: Measure, names: list[str], measures: tuple[Measure, ...]) -> list[alt.Chart]:
    path = base.mark_line(strokeWidth=1.5).encode(order=alt.Order("order", type="quantitative"))
    ring = base.mark_point(shape="circle", size=170, strokeWidth=1.6).encode(
        color=alt.value(BLACK), opacity=alt.condition("datum.knee > 0", alt.value(1.0), alt.value(0.0))
    )
    points = base.mark_point(size=55, opacity=1, strokeWidth=1.4).encode(
        fill=filled("way", names),
        fillOpacity=alt.condition("datum.pareto > 0", alt.value(1.0), alt.value(0.0)),
        shape=shape("way", names),
        tooltip=[
            alt.Tooltip("way", type="nominal"),
            alt.Tooltip("multiple", type="nominal", title="multiple of the weights"),
            alt.Tooltip(against.key, type="quantitative", format=".1%" if against is _EXTRA_COST else ",.5~g"),
            alt.Tooltip("value", type="quantitative", format=",.5~g"),
            alt.Tooltip("low", type="quantitative", format=",.5~g", title="from"),
            alt.Tooltip("high", type="quantitative", format=",.5~g", title="to"),
        ],
    )
    spots = [str(spot) for spot in base.data["spot"]]
    return [path, ring, points, *(one.encode(color=alt.value(BLACK)) for one in label_layers(base, spots))]


def _unevenness(study: Study) -> Section:
    """How unevenly latency itself is spread over origins."""
    figures = []
    for one in _UNEVEN:
        for name in study.constraints:
            rows = study.varied[study.varied["allowed"] == name]
            if rows[one.key].notna().any():
                made = Ladder(rows, "multiple", study.multiples, STEPS_TITLE, "way", study.ways, shared=study.varied)
                caption = f"{one.words} under the constraint {name}, along rising weights of equity."
                chart = ladder(made, (one,), "", name)
                file = f"{one.key.replace('_', '-')}-{study.slug(name)}"
                figures.append(Figure(file, chart, caption, 260, is_wide=len(study.constraints) == 1))
    explanation = (
        "Whether some origins wait longer than others: the largest of the origins' mean TTFTs divided by their mean (1 "
        "is even), and the Gini coefficient (0 is even). "
    )
    bars = "Bars are Student-t intervals of 95 %." if study.has_intervals else NO_INTERVAL
    return Section("How even the latency is", explanation + bars, figures)


def _efficient(study: Study) -> Section:
    """The Pareto set as a table."""
    rows = [row for row in study.trade.to_dict("records") if row["pareto"]]
    header = ["allowed", "policy", "multiple", "extra cost, %", "cost, US$ per site", "PAR water", "PAR carbon"]
    header += ["TTFT mean, ms", "TTFT p99, ms", "bend"]
    cells = [
        [
            Cell(str(row["allowed"])),
            Cell(str(row["way"] if row["policy"] == POLICY else row["policy"])),
            Cell(str(row["multiple"]) if row["policy"] == POLICY else "-"),
            Cell(difference(row, "extra_cost_share", ",.1f", 100.0)),
            Cell(with_ends(row, "cost_usd_per_site", ",.2f")),
            *(Cell(with_ends(row, key, ",.3f")) for key in ("par_water", "par_carbon")),
            *(Cell(with_ends(row, key, ",.0f")) for key in ("ttft_mean_ms", "ttft_p99_ms")),
            Cell("bend" if row["knee"] else ""),
        ]
        for row in rows[:MOST_ROWS]
    ]
    caption = counted("Variations that no other one beats, with intervals of 95 %.", len(rows), "tradeoff.csv")
    what = (
        f"{len(rows)} of {len(study.trade)} variations are efficient: no other one under the same constraint is at "
        "most as large in cost, both PARs and TTFT p99, and smaller in one of them. By their means: where intervals "
        "overlap, other seeds may bring another set."
    )
    return Section("What no other one beats", what, [Table(header, cells, caption, heads=3)])
