"""The parts of latency: network, wait and service, along the weights of equity."""

from __future__ import annotations

import altair as alt
import pandas as pd

from simulator.units import S_PER_MS

from .equity import STEPS_TITLE, Study
from .grid import NO_INTERVAL
from .ladder import Ladder, Measure, entitled, ladder
from .numbers import rounded
from .palette import colour
from .section import AnyChart, Figure, Part, Remark, Section, choice

NETWORK, WAIT, PREFILL, SERVICE = "network", "wait", "service up to the first token", "service"
_MEASURE = Measure("value", "mean TTFT, ms")
_EXTRA = Measure("extra", "extra mean, ms")


def parts_of_latency(study: Study) -> Section:
    """What the mean TTFT is made of, and by how much each part differs from equity without weight."""
    figures: list[Part] = []
    for name in study.constraints:
        caption = f"Mean TTFT by its parts, under the constraint {name}, along rising weights of equity."
        figures.append(
            Figure(f"ttft-parts-{study.slug(name)}", _stack(study, name), caption, 280, len(study.constraints) == 1)
        )
    if study.has_intervals:
        for name in study.constraints:
            caption = (
                f"Differences of the parts from equity without weight, under the constraint {name}, with intervals."
            )
            figures.append(
                Figure(
                    f"extra-parts-{study.slug(name)}", _extra(study, name), caption, 280, len(study.constraints) == 1
                )
            )
    else:
        figures.append(Remark("There is one seed only, so a difference has no interval, and none is shown without it."))
    explanation = (
        "The mean time to the first token is the network's, both ways, the wait for a free place, and the service up "
        "to the first token. The whole service is the same for a request wherever it is served, unless servers differ. "
    )
    bars = "Bars are Student-t intervals of 95 %, paired by seed." if study.has_intervals else NO_INTERVAL
    return Section("What the latency is made of", explanation + bars, figures)


def _here(study: Study, constraint: str) -> pd.DataFrame:
    rows = study.varied[study.varied["allowed"] == constraint]
    return rows.assign(number=rows["way"].map({way: str(k) for k, way in enumerate(study.ways)}))


def _way(study: Study) -> alt.Parameter:
    """Which way of minding distance is shown; the same in all charts of the page."""
    return choice("way", "Show", [str(k) for k in range(len(study.ways))], study.ways)


def _stack(study: Study, constraint: str) -> AnyChart:
    rows = _here(study, constraint)
    wait_ms = rows["wait_mean_s"] / S_PER_MS
    rest_ms = (rows["ttft_mean_ms"] - rows["network_mean_ms"] - wait_ms).clip(lower=0.0)
    parts = [(NETWORK, rows["network_mean_ms"]), (WAIT, wait_ms), (PREFILL, rest_ms)]
    table = pd.concat(
        [
            rows[["number", "multiple"]].assign(part=part, rank=rank, value=values.map(rounded))
            for rank, (part, values) in enumerate(parts)
        ],
        ignore_index=True,
    )
    names = [part for part, _ in parts]
    steps = alt.Axis(title=STEPS_TITLE, labelAngle=0, grid=False)
    bars = (
        alt.Chart(table)
        .transform_filter("datum.number === way")
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("multiple", type="ordinal", sort=None, scale=alt.Scale(domain=study.multiples), axis=steps),
            y=alt.Y("value", type="quantitative", stack="zero", title=None),
            color=colour("part", names),
            order=alt.Order("rank", type="quantitative"),
            tooltip=[
                alt.Tooltip("multiple", type="nominal", title="multiple of the weights"),
                alt.Tooltip("part", type="nominal"),
                alt.Tooltip("value", type="quantitative", format=",.4~g", title="ms"),
            ],
        )
    )
    return entitled(alt.layer(bars), constraint, (_MEASURE,), "").add_params(_way(study))


def _extra(study: Study, constraint: str) -> AnyChart:
    table = _differences(_here(study, constraint))
    made = Ladder(table, "multiple", study.multiples, STEPS_TITLE, "part", [NETWORK, WAIT, SERVICE], only="number")
    return ladder(made, (_EXTRA,), "", constraint).add_params(_way(study))


def _differences(rows: pd.DataFrame) -> pd.DataFrame:
    """Each part's difference from equity without weight [ms], with its interval."""
    return pd.concat(
        [
            rows[["number", "multiple"]].assign(
                part=part,
                **{f"extra{end}": (rows[f"extra_{key}{end}"] * scale).map(rounded) for end in ("", "_low", "_high")},
            )
            for part, key, scale in (
                (NETWORK, "network_mean_ms", 1.0),
                (WAIT, "wait_mean_s", 1.0 / S_PER_MS),
                (SERVICE, "service_mean_s", 1.0 / S_PER_MS),
            )
        ],
        ignore_index=True,
    )
