"""Breaking: how far each stress can go, and which of them breaks first."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
import pandas as pd

from .labels import shortened
from .palette import COLOURS, INK, legend
from .section import Figure, Part, Remark, Section
from .stressed import Stress, Stressed

HOLDS, BREAKS = "all demand can be carried", "some demand cannot"
_GOOD, _BAD = COLOURS[0], COLOURS[1]
_ROW_PX = 62
#: Letters of a name that fit beside a point on a telephone.
_LONGEST = 18
_LOSSLESS = "Nothing that was tried breaks it."


def first_to_break(found: Stressed) -> Section:
    """Every step of every stress by the share that it takes away, and whether it can still be carried."""
    steps = _steps(found)
    order = [_title(stress) for stress in found.stresses]
    ends = pd.DataFrame([_end(steps[steps["key"] == stress.key], stress) for stress in found.stresses])
    y = alt.Y("row", type="nominal", sort=None, scale=alt.Scale(domain=order)).axis(
        title=None, labelLimit=150, labelExpr="split(datum.label, '|')", grid=False
    )
    most = float(steps["taken"].max()) or 1.0
    scale = alt.Scale(domain=[-0.02 * most, 1.08 * most], nice=False)
    x = alt.X("taken", type="quantitative", scale=scale).axis(format="%", title="share that is taken away", tickCount=6)
    names = [HOLDS, BREAKS]
    base = alt.Chart(steps).encode(x=x, y=y)
    size = alt.Size("short_kw", type="quantitative", legend=None)
    points = base.mark_point(filled=True, opacity=0.8, stroke="white", strokeWidth=0.4).encode(
        color=alt.Color("what", type="nominal", legend=legend(names)).scale(domain=names, range=[_GOOD, _BAD]),
        shape=alt.Shape("what", type="nominal", legend=legend(names)).scale(domain=names, range=["circle", "square"]),
        size=size.scale(domain=[0, max(float(steps["short_kw"].max()), 1e-9)], range=[45, 340]),
        order=alt.Order("short_kw", type="quantitative", sort="descending"),
        tooltip=[
            alt.Tooltip("step", type="nominal"),
            alt.Tooltip("taken", type="quantitative", format=".1%", title="taken away"),
            alt.Tooltip("short_kw", type="quantitative", format=",.3~g", title="kW short"),
            alt.Tooltip("origins", type="nominal"),
            alt.Tooltip("sites", type="nominal", title="may use only"),
        ],
    )
    tail = alt.Chart(ends).encode(y=y)
    reach = tail.mark_rule(strokeWidth=11, color=_GOOD, opacity=0.16).encode(
        x=alt.X("start", type="quantitative"), x2="holds"
    )
    # To the inner side of the point, so that no text leaves the picture.
    texts = [_labels(tail, f"datum.at <= {most / 2!r}", "left"), _labels(tail, f"datum.at > {most / 2!r}", "right")]
    chart = alt.layer(reach, points, *texts)
    caption = (
        "Each step of each stress by the share of pairs, of capacity or of demand that it takes away; blue can be "
        "carried, orange cannot. The first step that breaks is named."
    )
    what = (
        "A point for each step. The band ends where something first breaks, and that step is named. The larger a "
        "square, the more kW are short. Shares of different things are not alike: read each row by itself."
    )
    figure = Figure("what-breaks", chart, caption, 30 + _ROW_PX * len(order))
    parts: list[Part] = [figure] if steps["broken"].any() else [figure, Remark(_LOSSLESS)]
    return Section("What breaks, and when", what, parts)


def _labels(tail: alt.Chart, test: str, align: Literal["left", "right"]) -> alt.Chart:
    """Names beside points on one side of the picture."""
    shown = tail.transform_calculate(shown=f"{test} ? datum.label : ''")
    texts = shown.mark_text(dy=-20, align=align, fontSize=11, color=INK)
    return texts.encode(x=alt.X("at", type="quantitative"), text=alt.Text("shown", type="nominal"))


def _steps(found: Stressed) -> pd.DataFrame:
    titles = {stress.key: _title(stress) for stress in found.stresses}
    names = ["key", "step", "mask", "taken", "broken", "short_kw", "origins", "sites"]
    steps = found.steps[names].fillna({"origins": "", "sites": ""})
    words = {True: BREAKS, False: HOLDS}
    return steps.assign(row=steps["key"].map(titles), what=steps["broken"].map(words)).reset_index(drop=True)


def _title(stress: Stress) -> str:
    """Two lines of an axis."""
    of = "demand beyond" if stress.of == "demand" else f"share of {stress.of}"
    return f"{stress.words}|({of})"


def _end(steps: pd.DataFrame, stress: Stress) -> dict[str, Any]:
    """How far all steps of a row hold, and the first one that does not."""
    row, broken = _title(stress), steps[steps["broken"]]
    whole = steps[~steps["broken"]]
    if broken.empty:
        far = float(whole["taken"].max())
        return {"row": row, "start": 0.0, "holds": far, "at": far, "label": "none breaks"}
    first = broken.sort_values("taken", kind="stable").iloc[0]
    before = whole.loc[whole["taken"] < first["taken"], "taken"]
    holds = float(before.max()) if len(before) else 0.0
    name = stress.unit.format(shortened(str(first["step"]), _LONGEST))
    return {"row": row, "start": 0.0, "holds": holds, "at": float(first["taken"]), "label": name}
