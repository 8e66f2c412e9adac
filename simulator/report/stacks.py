"""Stacks: what each site draws, spends or emits, hour by hour."""

from __future__ import annotations

import altair as alt
import pandas as pd

from simulator.units import S_PER_H, S_PER_MIN

from .bins import MEASURES, grouped, shown_names
from .numbers import rounded
from .palette import colour
from .saved import Saved
from .section import Figure, Section, choice, time_axis, titled
from .slots import binned


def stacks(saved: Saved) -> Section:
    """Energy, cost, carbon or water of each site over time, one policy at a time."""
    found, hours = binned(saved)
    names = grouped(found.groupby("site", sort=False)["meter_kwh"].sum(), "sites")
    shown = shown_names(names)
    table = _steps(found.assign(site=found["site"].map(names)), shown)
    columns = [measure.column for measure in MEASURES]
    labels = [f"{measure.name}, {measure.unit}" for measure in MEASURES]
    policy = choice("policy", "Policy", saved.policies)
    measure = choice("measure", "Measure", columns, labels)
    words = " : ".join(f"measure === '{one.column}' ? '{one.name}, {one.unit}'" for one in MEASURES)
    chart = (
        alt.Chart(table)
        .transform_filter("datum.policy === policy")
        .transform_calculate(value="datum[measure]")
        .mark_area(interpolate="step-after", line=False, stroke="white", strokeWidth=0.4)
        .encode(
            x=time_axis("time"),
            y=alt.Y("value", type="quantitative", stack="zero", title=None),
            color=colour("site", shown, set(shown) - set(names)),
            order=alt.Order("rank", type="quantitative"),
            tooltip=[
                alt.Tooltip("site", type="nominal"),
                alt.Tooltip("policy", type="nominal"),
            ],
        )
        .properties(title=titled(f"policy + ': ' + ({words} : '')"))
        .add_params(policy, measure)
    )
    explanation = (
        "What the sites draw, spend, emit and drink, one above the other, as it goes up and down with demand, prices "
        f"and weather. Each step is the mean of {_duration(hours)}."
    )
    caption = "Stacked steps over time, one colour for each site, for the policy and the measure that are chosen."
    return Section("Hour by hour", explanation, [Figure("stacks", chart, caption, 340)])


def _duration(hours: float) -> str:
    return f"{hours:,.3g} h" if hours >= 1 else f"{hours * S_PER_H / S_PER_MIN:,.3g} min"


def _steps(found: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Rates per hour by policy, shown site and beginning of a bin; the last bin once more at its end, where it ends."""
    rates = [measure.column for measure in MEASURES]
    sums = found.groupby(["policy", "site", "bin"], sort=False, observed=True)
    table = sums[rates].sum().join(sums[["begin_ms", "end_ms", "hours"]].first()).reset_index()
    last = table[table["bin"] == table["bin"].max()]
    table = pd.concat([table.assign(time=table["begin_ms"]), last.assign(time=last["end_ms"])], ignore_index=True)
    for name in rates:
        table[name] = (table[name] / table["hours"]).map(rounded)
    table["rank"] = table["site"].map({site: rank for rank, site in enumerate(order)})
    return table.sort_values(["policy", "site", "time"], kind="stable")[["policy", "site", "rank", "time", *rates]]
