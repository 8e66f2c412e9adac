"""What is given up for what: cost against another burden, and the policies that no other one beats in both."""

from __future__ import annotations

from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from simulator.pareto import pareto_mask

from .labels import label_layers, labelled
from .numbers import is_known
from .overview import summary_rows
from .palette import GREY, colour, shape
from .saved import Saved
from .section import Figure, Remark, Section, choice, titled


class Burden(NamedTuple):
    """A figure of which less is better: its key in ``summary.csv``, and in words with its unit."""

    key: str
    words: str


BURDENS = (
    Burden("water_m3_max", "water of the largest site, m³"),
    Burden("carbon_t_max", "carbon of the largest site, t"),
    Burden("par_water", "PAR of water"),
    Burden("par_carbon", "PAR of carbon"),
    Burden("ttft_p99_ms", "TTFT p99, ms"),
    Burden("e2e_p99_s", "end-to-end p99, s"),
    Burden("objective_usd", "J, US$"),
)
COST = Burden("cost_usd", "cost, US$")


def pareto(saved: Saved) -> Section:
    """Cost against a burden that is chosen; policies that no other one beats are joined by a line."""
    heading, rows = "What is given up for what", summary_rows(saved)
    present = [burden for burden in BURDENS if any(is_known(row.get(burden.key)) for row in rows)]
    if not present:
        return Section(heading, "", [Remark("There is no figure to hold against cost.")])
    tables = []
    for burden in present:
        both = [row for row in rows if is_known(row.get(burden.key)) and is_known(row[COST.key])]
        points = [(row[COST.key], row[burden.key]) for row in both]
        tables.append(
            pd.DataFrame(
                {
                    "policy": [row["policy"] for row in both],
                    "burden": burden.key,
                    "cost": [cost for cost, _ in points],
                    "value": [value for _, value in points],
                    "unbeaten": pareto_mask(np.reshape(points, (-1, 2))),
                    **labelled([str(row["policy"]) for row in both], points),
                }
            )
        )
    words = " : ".join(f"burden === '{one.key}' ? '{one.words}'" for one in present)
    table = pd.concat(tables, ignore_index=True)
    base = (
        alt.Chart(table)
        .transform_filter("datum.burden === burden")
        .encode(
            x=alt.X("cost", type="quantitative", scale=alt.Scale(zero=False, padding=18), title=COST.words),
            y=alt.Y("value", type="quantitative", scale=alt.Scale(zero=False, padding=18), title=None),
        )
    )
    front = (
        base.transform_filter("datum.unbeaten")
        .mark_line(interpolate="step-after", color=GREY, strokeWidth=1.2, strokeDash=[4, 3])
        .encode(order=alt.Order("cost", type="quantitative"))
    )
    points_drawn = base.mark_point(filled=True, size=90).encode(
        color=colour("policy", saved.policies),
        shape=shape("policy", saved.policies),
        opacity=alt.condition("datum.unbeaten", alt.value(1.0), alt.value(0.45)),
        tooltip=[
            alt.Tooltip("policy", type="nominal"),
            alt.Tooltip("cost", type="quantitative", format=",.2f", title=COST.words),
            alt.Tooltip("value", type="quantitative", format=",.5~g"),
            alt.Tooltip("unbeaten", type="nominal", title="no policy is better in both"),
        ],
    )
    chart = (
        alt.layer(front, points_drawn, *label_layers(base, list(table["spot"])))
        .properties(title=titled(words + " : ''"))
        .add_params(choice("burden", "Against cost", [one.key for one in present], [one.words for one in present]))
    )
    explanation = (
        "A policy is on the line if no other one is both cheaper and better in what is chosen; the pale ones are "
        "beaten. The axes do not begin at zero."
    )
    caption = "Cost against a burden, a point for each policy; the dashed line joins those that no other one beats."
    return Section(heading, explanation, [Figure("pareto", chart, caption, 360)])
