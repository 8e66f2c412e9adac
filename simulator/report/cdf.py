"""Distributions of latency by origin, from the saved histograms."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from simulator.fleet import FloatArray
from simulator.units import S_PER_MS

from .bins import LATENCIES, shown_names
from .numbers import rounded
from .palette import BLACK, colours, legend
from .saved import Saved, origin_names
from .section import Figure, Remark, Section, choice, titled

#: Shares at which a curve is kept.
_GRID = np.array([0.0, *np.linspace(0.04, 0.96, 24), 0.98, 0.99, 0.995, 0.999, 1.0])
ALL = "all origins"


def distributions(saved: Saved) -> Section:
    """Cumulative distributions of four latencies, a curve for each origin and one for all."""
    heading = "Latency by origin"
    table = saved.tables["latency"]
    present = [latency for latency in LATENCIES if (table["measure"] == latency.key).any()]
    if not present:
        return Section(heading, "", [Remark("No request finished after the warm-up, so there is no latency to show.")])
    names, curves = origin_names(saved.tables["origins"]), _curves(table)
    shown = [*shown_names(names), ALL]
    scale = alt.Scale(domain=shown, range=[*colours(shown[:-1], set(shown) - set(names), BLACK), BLACK])
    measure = choice("latency", "Latency", [one.key for one in present], [one.words for one in present])
    words = " : ".join(f"latency === '{one.key}' ? '{one.words}'" for one in present)
    chart = (
        alt.Chart(curves)
        .transform_filter("datum.policy === policy && datum.latency === latency")
        .mark_line(interpolate="linear")
        .encode(
            x=alt.X("ms", type="quantitative", scale=alt.Scale(type="log", nice=False), title="ms, logarithmic"),
            y=alt.Y(
                "share",
                type="quantitative",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format=".0%"),
                title="share of requests",
            ),
            color=alt.Color("origin", type="nominal", scale=scale, sort=None, legend=legend(shown)),
            strokeWidth=alt.condition(alt.FieldEqualPredicate(field="origin", equal=ALL), alt.value(3), alt.value(1.3)),
            order=alt.Order("share", type="quantitative"),
            tooltip=[
                alt.Tooltip("origin", type="nominal"),
                alt.Tooltip("ms", type="quantitative", format=",.4~g"),
                alt.Tooltip("share", type="quantitative", format=".1%"),
            ],
        )
        .properties(title=titled(f"policy + ': ' + ({words} : '')"))
        .add_params(choice("policy", "Policy", saved.policies), measure)
    )
    explanation = (
        "The share of an origin's finished requests that took at most so long, on a logarithmic scale. The further "
        "left a curve, the quicker; the further apart the curves, the less alike the origins are served. Requests that "
        "did not finish are not in it."
    )
    caption = "Cumulative distributions of latency: a curve for each origin, the thick black one for all together."
    return Section(heading, explanation, [Figure("latency", chart, caption, 340)])


def _curves(table: pd.DataFrame) -> pd.DataFrame:
    """Policy, latency, origin, ms, share of requests that took at most so long."""
    used = pd.concat([table, table.assign(group=ALL)], ignore_index=True)
    bins = used.groupby(["policy", "measure", "group", "to_s", "from_s"], observed=True)["requests"].sum().reset_index()
    groups = bins[["policy", "measure", "group"]]
    begins = np.flatnonzero((groups != groups.shift()).any(axis=1))
    parts: dict[str, list[Any]] = {"policy": [], "latency": [], "origin": [], "ms": [], "share": []}
    values = bins[["from_s", "to_s", "requests"]].to_numpy()
    for names_of, part in zip(groups.iloc[begins].itertuples(index=False), np.split(values, begins[1:]), strict=True):
        curve = curve_of(part)
        for key, name in zip(("policy", "latency", "origin"), names_of, strict=True):
            parts[key] += [name] * len(curve["ms"])
        for key, numbers in curve.items():
            parts[key] += numbers
    return pd.DataFrame(parts)


def curve_of(bins: FloatArray) -> dict[str, list[float]]:
    """A thinned distribution: ``ms`` and ``share`` at both ends of each kept bin, exact where it is given.

    ``bins`` [bins, (from s, to s, requests)] in rising order. A bin is kept where the share passes a step of the grid.
    Zero has no place on a logarithmic scale: its bin begins where it ends; the open last bin ends where it begins.
    """
    low, high, count = bins.T
    low, high = np.where(low > 0, low, high), np.where(np.isfinite(high), high, low)
    after = np.cumsum(count) / count.sum()
    before = np.concatenate([[0.0], after[:-1]])
    kept = np.unique(np.searchsorted(after, np.minimum(_GRID, after[-1])))
    ms = np.column_stack([low[kept], high[kept]]).ravel() / S_PER_MS
    share = np.column_stack([before[kept], after[kept]]).ravel()
    return {"ms": [rounded(value, 4) for value in ms], "share": [rounded(value, 4) for value in share]}
