"""The robustness study: what errors of forecasts cost, what misleading ones can do, and a world that changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from .challenged import Challenged
from .curves import Curves, Mark, across, curves, ink, shapes
from .equity import difference
from .grid import MOST_ROWS, NO_INTERVAL, counted
from .ladder import Ladder, Measure, columns_of, has_ends, ladder
from .numbers import is_known
from .palette import QUIET
from .saved import Saved
from .section import AnyChart, Cell, Figure, Part, Remark, Section, Table

_GAP = Measure("gap", "J above the offline optimum, %")
_PAR_WATER, _PAR_CARBON = Measure("par_water", "PAR of water"), Measure("par_carbon", "PAR of carbon")
_OVER_HEDGE = Measure("over_hedge", "J beside that of hedge, %")
_OVER_EGLB = Measure("over_eglb", "J beside that of eglb, %")
_OVER_CENTRAL = Measure("over_plainest", "J beside that of the central form, %")
_ERROR = "relative error of forecasts a day ahead, %"
#: What is asked of advice: with perfect forecasts this near to the optimum, and never this far above hedge [%].
_CONSISTENT = Mark(0.2, "0.2 %: asked of advice with perfect forecasts")
_ROBUST = Mark(2.0, "2 %: asked of advice")
#: A PAR so many times the largest of those near the optimum would make all others one line.
_FAR = 1.15
_ROW_PX, _POLICY_PX = 26, 13
_FIGURES = {"par_water": "PAR of water", "par_carbon": "PAR of carbon", "objective_usd": "J"}


def robustness(saved: Saved) -> list[Section]:
    """The sections of the study, which stand first on its page."""
    found = Challenged(saved)
    sections = [_errors(found), _beside(found), _fairness(found)] if len(found.errors) else []
    sections += [_attacks(found)] if len(found.attacks) else []
    sections += [_shifts(found)]
    sections += [_decentralised(found)] if len(found.ages) else []
    return [*sections, *([_limits(found)] if len(found.errors) else [])]


def _bars(found: Challenged, what: str) -> str:
    if not found.has_intervals:
        return NO_INTERVAL
    return f"{what} are Student-t intervals of 95 % over {found.seeds} seeds."


def _errors(found: Challenged) -> Section:
    made = _along(found, found.near)
    chart = curves(made, _GAP, (_CONSISTENT,))
    caption = "J above the offline optimum by the error of forecasts, for each policy."
    caption += _beyond(found, _GAP, found.near, "{:.1f} %")
    what = (
        "Forecasts of demand, prices, carbon and water are the truth times a random factor: its relative error grows "
        "with the square root of the lead time and is that of the axis at 24 hours. The present slot is known. Level "
        "lines are policies that look at no such forecast. "
    )
    figure = Figure("gap-errors", chart, caption, 380)
    return Section("What errors of forecasts cost", what + _bars(found, "Bands"), [figure])


def _along(found: Challenged, drawn: list[str]) -> Curves:
    faint = [name for name in drawn if name not in found.forecasting]
    return Curves(found.errors, "error", _ERROR, found.policies, drawn, faint)


def _beyond(found: Challenged, measure: Measure, drawn: list[str], style: str) -> str:
    """Which policies are too far off to be drawn."""
    least = found.errors.groupby("policy")[measure.key].min()
    told = [f"{name} ({style.format(float(least[name]))})" for name in found.policies if name not in drawn]
    return f" Not drawn, since they are much farther off: {', '.join(told)}." if told else ""


def _beside(found: Challenged) -> Section:
    """J beside policies that need no forecast, paired by seed."""
    figures = []
    for one in (_OVER_HEDGE, _OVER_EGLB):
        names = [name for name in found.near if name != found.references[one.key.removeprefix("over_")]]
        made = _along(found, names)
        caption = f"{one.words} by the error of forecasts, for each policy."
        name = f"{one.key.replace('_', '-')}-errors"
        figures.append(Figure(name, curves(made, one, (Mark(0.0, ""),)), caption, 300, is_wide=False))
    what = "Below zero a policy beats the other one. Differences are taken seed by seed, on the same requests. "
    return Section("Where forecasts stop paying", what + _bars(found, "Bands"), figures)


def _fairness(found: Challenged) -> Section:
    figures = []
    for one in (_PAR_WATER, _PAR_CARBON):
        least = found.errors.groupby("policy")[one.key].min()
        most = _FAR * max((float(least[name]) for name in found.near), default=0.0)
        drawn = [name for name in found.policies if name in found.near or float(least[name]) <= most]
        caption = f"{one.words} by the error of forecasts, for each policy.{_beyond(found, one, drawn, '{:.2f}')}"
        name = f"{one.key.replace('_', '-')}-errors"
        figures.append(Figure(name, curves(_along(found, drawn), one), caption, 300, is_wide=False))
    what = "PAR is the largest site's footprint over the mean of the sites; 1 is even. "
    return Section("Fairness under errors", what + _bars(found, "Bands"), figures)


def _attacks(found: Challenged) -> Section:
    """J beside that of hedge, forecast by forecast."""
    chart = _dots(found, found.attacks, _OVER_HEDGE)
    rows = len(dict.fromkeys(found.attacks["step"]))
    height = 60 + (_ROW_PX + _POLICY_PX * len(found.forecasting)) * rows
    caption = "J of policies that follow forecasts beside that of hedge, by what the forecasts are."
    what = (
        "Forecasts that mislead on purpose: sites change places, so that the cheapest looks dearest (of each signal "
        "and of demand); every series is mirrored about its mean; or it is the one of half a run away, day for night. "
        "Right of zero a policy is worse than hedge on the same seeds, which needs no forecast; the upright dash is "
        "the seed on which it is worst. "
    )
    parts: list[Part] = [Figure("misled", chart, caption, height)]
    if not found.advice:
        parts.append(Remark("No policy of this study is one that leaves bad advice (advice)."))
    return Section("Forecasts that mislead", what + _bars(found, "Bars"), parts)


def _dots(found: Challenged, rows: pd.DataFrame, measure: Measure) -> AnyChart:
    made = Curves(rows, "step", "", found.policies, found.forecasting)
    most = f"{measure.key}_most"
    kept = columns_of(rows, (measure,), "step", "policy", most)
    steps = list(dict.fromkeys(kept["step"]))
    base = alt.Chart(kept).encode(
        y=alt.Y("step", type="nominal", sort=None, scale=alt.Scale(domain=steps, paddingInner=0.3)).axis(
            title=None, labelLimit=150, grid=True
        ),
        yOffset=alt.YOffset("policy", type="nominal", scale=alt.Scale(domain=found.forecasting)),
    )
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=QUIET)
    layers = [zero.encode(x=alt.X("zero", type="quantitative")), *across(_ROBUST, "x")]
    if has_ends(kept, [measure]):
        bars = base.transform_filter(f"isValid(datum.{measure.key}_low)").mark_rule(strokeWidth=1.6)
        low = alt.X(f"{measure.key}_low", type="quantitative")
        layers.append(bars.encode(x=low, x2=f"{measure.key}_high", color=ink(made)))
    ticks = base.mark_tick(thickness=1.8, size=11).encode(x=alt.X(most, type="quantitative"), color=ink(made))
    layers.append(ticks)
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=alt.X(measure.key, type="quantitative", title=measure.words, axis=alt.Axis(tickCount=6)),
        color=ink(made),
        shape=shapes(made),
        tooltip=[
            alt.Tooltip("step", type="nominal", title="forecasts"),
            alt.Tooltip("policy", type="nominal"),
            *(
                alt.Tooltip(f"{measure.key}{end}", type="quantitative", format="+,.3~f", title=title)
                for end, title in (("", measure.words), ("_low", "from"), ("_high", "to"), ("_most", "largest seed"))
            ),
        ],
    )
    return alt.layer(*layers, points)


def _shifts(found: Challenged) -> Section:
    rows = found.shifts[found.shifts["policy"].isin(found.near)]
    steps = list(dict.fromkeys(rows["step"]))
    figures = []
    for one in (_GAP, _PAR_WATER, _PAR_CARBON):
        made = Ladder(rows, "step", steps, "what changes halfway", "policy", found.near, is_joined=False)
        name = f"changes-{one.key.replace('_', '-')}"
        caption = f"{one.words} without and with a change halfway, for each policy."
        figures.append(Figure(name, ladder(made, (one,), "", "A change halfway"), caption, 280, is_wide=one is _GAP))
    parts: list[Part] = [*figures]
    short = found.shifts[found.shifts["unserved_requests"].astype(float).fillna(0.0) > 0]
    if len(short):
        what = ", ".join(dict.fromkeys(f"{row['step']} ({row['policy']})" for row in short.to_dict("records")))
        parts.append(Remark(f"Not all of the demand could be carried with: {what}."))
    explanation = (
        "Demand, or the price of the half of the sites where electricity was cheapest, is so many times what it was "
        "from the middle of the run to its end, and nobody is told: each policy has the scenario's own forecast. (Of a "
        "demand that rises it is the first half that has less than the scenario, so that it can be carried.) "
        "The optimum is that of the changed world, and knows. "
    )
    return Section("When the world changes halfway", explanation + _bars(found, "Bars"), parts)


def _decentralised(found: Challenged) -> Section:
    rows, steps = found.ages, list(dict.fromkeys(found.ages["step"]))
    names = list(dict.fromkeys(rows["policy"]))
    figures = []
    for one in (_OVER_CENTRAL, _GAP, _PAR_WATER, _PAR_CARBON):
        if rows[one.key].notna().any():
            made = Ladder(rows, "step", steps, "age of prices, at most", "policy", names)
            name = f"ages-{one.key.replace('_', '-')}"
            caption = f"{one.words} of eglb at request granularity, by the age of the prices that origins route by."
            figures.append(Figure(name, ladder(made, (one,), "", names[0]), caption, 260, is_wide=False))
    what = (
        "eglb at request granularity: its prices of equity move with every request. In the central form every "
        "router knows them at once; in the decentralised one each origin routes by a copy that is fetched anew every "
        "so often. Steps are not to scale. The first picture is paired by seed with the central form. "
    )
    return Section("eglb decentralised", what + _bars(found, "Bars"), figures)


def _limits(found: Challenged) -> Section:
    """Up to which error each policy beats which, as a table."""
    rows = found.limits.to_dict("records")
    header = ["policy", "beats", "in", "up to an error of", "not at", "difference there"]
    cells = [
        [
            Cell(str(row["policy"])),
            Cell(str(row["against"])),
            Cell(_FIGURES.get(str(row["figure"]), str(row["figure"]))),
            Cell(_error(row["better_up_to"], "never")),
            Cell(_error(row["not_at"], "-")),
            Cell(_difference(row)),
        ]
        for row in rows[:MOST_ROWS]
    ]
    what = (
        "A policy beats another one where the whole interval of the difference, paired by seed, is below zero. The "
        "difference is that at the error at which it no longer does, or else at the largest one: of J in percent."
    )
    caption = counted("Where each policy stops beating others.", len(rows), "limits.csv")
    return Section("Up to which error policies win", what, [Table(header, cells, caption, heads=3)])


def _error(value: float, otherwise: str) -> str:
    return f"{100.0 * value:g} %" if is_known(value) else otherwise


def _difference(row: Mapping[Any, Any]) -> str:
    is_share = row["figure"] == "objective_usd"
    return difference(row, "difference", "+.2f" if is_share else "+.3f", 100.0 if is_share else 1.0)
