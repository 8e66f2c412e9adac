"""The race: the footprint of the largest site as it grows away from the mean."""

from __future__ import annotations

import altair as alt

from .palette import colour
from .saved import Saved
from .section import Figure, Section, time_axis
from .slots import cumulative

_UNITS = {"water": "m³", "carbon": "t"}
_KINDS = ("largest site", "mean of the sites")


def race(saved: Saved) -> Section:
    """Cumulative water and carbon of the largest site and of the mean, for each policy."""
    table = cumulative(saved)
    figures = []
    for name, unit in _UNITS.items():
        long = table.melt(
            ["policy", "end_ms"], [f"{name}_largest", f"{name}_mean"], var_name="kind", value_name="value"
        )
        long["kind"] = long["kind"].map({f"{name}_largest": _KINDS[0], f"{name}_mean": _KINDS[1]})
        lit = alt.selection_point(name="lit", fields=["policy"], bind="legend")
        dash = alt.Scale(domain=list(_KINDS), range=[[1, 0], [4, 3]])
        chart = (
            alt.Chart(long)
            .mark_line(strokeWidth=1.8)
            .encode(
                x=time_axis("end_ms"),
                y=alt.Y("value", type="quantitative", title=f"{name} so far, {unit}"),
                color=colour("policy", saved.policies),
                strokeDash=alt.StrokeDash("kind", type="nominal", scale=dash, sort=None, legend=None),
                detail=alt.Detail("kind", type="nominal"),
                opacity=alt.condition(lit, alt.value(1.0), alt.value(0.08)),
                tooltip=[
                    alt.Tooltip("policy", type="nominal"),
                    alt.Tooltip("kind", type="nominal"),
                    alt.Tooltip("value", type="quantitative", format=",.4~g", title=f"{name}, {unit}"),
                ],
            )
            .add_params(lit)
        )
        caption = f"{name.capitalize()} since the start: the largest site (solid) and the mean over the sites (dashed)."
        figures.append(Figure(f"race-{name}", chart, caption, 340, is_wide=False))
    explanation = (
        "How the largest footprint grows away from the mean: the wider a policy's two lines part, the more one place "
        "carries for the others. The largest site may be another one later. A policy in the legend may be picked out."
    )
    return Section("The largest footprint over time", explanation, figures)
