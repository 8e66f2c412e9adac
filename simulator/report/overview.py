"""The overview: the answer in a sentence, cost against PAR, and the table of all policies."""

from __future__ import annotations

from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from .labels import label_layers, labelled, padded
from .numbers import column, is_known, written
from .palette import colour, shape
from .saved import Saved
from .section import Cell, Figure, Part, Remark, Section, Table

Row = dict[str, Any]
#: Shares of finished requests that are as good as equal.
_SAME_SHARE = 1e-3
ONE_SEED = (
    "There is one seed only, so no difference between policies has an interval: another seed may bring another order."
)


class Shown(NamedTuple):
    """A column of the table: header, key of the summary, style, and whether less is better."""

    header: str
    key: str
    style: str = ""
    is_burden: bool = False


_COLUMNS = (
    Shown("cost, US$ per site", "cost_usd_per_site", "money", True),
    Shown("PAR water", "par_water", ",.3f", True),
    Shown("PAR carbon", "par_carbon", ",.3f", True),
    Shown("J, US$", "objective_usd", "money", True),
    Shown("gap to the optimum", "gap", "z.2%"),
    Shown("water, mean, m³", "water_m3_mean"),
    Shown("water, largest site, m³", "water_m3_max", "", True),
    Shown("carbon, mean, t", "carbon_t_mean"),
    Shown("carbon, largest site, t", "carbon_t_max", "", True),
    Shown("energy, MWh", "energy_mwh", "", True),
    Shown("requests", "requests", ",.0f"),
    Shown("finished", "finished_share", ".2%"),
    Shown("wait, mean, s", "wait_mean_s", "", True),
    Shown("TTFT p99, ms", "ttft_p99_ms", "", True),
    Shown("end-to-end p99, s", "e2e_p99_s", "", True),
    Shown("SLO met", "slo_attainment", ".2%"),
)
_PUBLISHED = (
    Shown("published cost, US$ per site", "cost_usd_per_site", "money"),
    Shown("published PAR water", "par_water", ",.2f"),
    Shown("published PAR carbon", "par_carbon", ",.2f"),
)


def summary_rows(saved: Saved) -> list[Row]:
    """A row for each policy, as saved, with the share of its requests that finished."""
    rows: list[Row] = saved.tables["summary"].to_dict("records")  # type: ignore[assignment]
    for row in rows:
        row["finished_share"] = row["finished"] / row["requests"] if row["requests"] else float("nan")
    return rows


def headline(saved: Saved) -> str:
    """The answer in a sentence or two, from the figures alone."""
    rows = summary_rows(saved)
    known = [row for row in rows if is_known(row["objective_usd"])]
    if not known:
        return "No policy has a cost that is known."
    best, cheapest = (min(known, key=lambda row: row[key]) for key in ("objective_usd", "cost_usd"))
    if len(rows) == 1:
        return f"{best['policy']} costs {_usd(best, 'cost_usd')} in all; {_ratios(best)}.{_lost(best, rows)}"
    first = (
        f"{best['policy']} has the smallest J, the cost and what the footprints of the sites weigh: "
        f"{_usd(best, 'objective_usd')}. {_ratios(best).capitalize()}."
    )
    if best is cheapest:
        return f"{first} It is the cheapest policy as well, at {_usd(best, 'cost_usd')}.{_lost(best, rows)}"
    more = best["cost_usd"] - cheapest["cost_usd"]
    share = f" ({more / cheapest['cost_usd']:.1%})" if cheapest["cost_usd"] > 0 else ""
    second = (
        f"It costs {_money(more)}{share} more than the cheapest policy, {cheapest['policy']}, for which "
        f"{_ratios(cheapest)}."
    )
    return f"{first} {second}{_lost(best, rows)}"


def _usd(row: Row, key: str) -> str:
    return _money(row[key])


def _money(value: float) -> str:
    return f"US$ {written(value, 'money')}"


def _ratios(row: Row) -> str:
    """What is known of the largest site."""
    parts = [
        f"{written(row[f'par_{name}'], ',.2f')} times the mean {name}"
        for name in ("water", "carbon")
        if is_known(row[f"par_{name}"])
    ]
    return f"the largest site has {' and '.join(parts)}" if parts else "no site uses water or emits carbon"


def _lost(best: Row, rows: list[Row]) -> str:
    """A policy that leaves requests out is not to be praised for what it saves."""
    shares = [row["finished_share"] for row in rows if is_known(row["finished_share"])]
    own = best["finished_share"]
    if not is_known(own) or (own >= max(shares) - _SAME_SHARE and own >= 0.99):
        return ""
    return f" Mind that it finishes {own:.2%} of its requests only (the most of any policy: {max(shares):.2%})."


def overview(saved: Saved) -> Section:
    """Cost against the peak-to-average ratios, and all figures."""
    rows = summary_rows(saved)
    parts: list[Part] = []
    for name in ("water", "carbon"):
        known = [row for row in rows if is_known(row["cost_usd_per_site"]) and is_known(row[f"par_{name}"])]
        if known:
            parts.append(_cost_against_par(known, name))
        else:
            parts.append(Remark(f"No site has any {name}, so there is no peak-to-average ratio of {name}."))
    parts.append(_table(saved, rows))
    explanation = (
        "PAR is the peak-to-average ratio: the largest site's footprint divided by the mean over the sites; 1 is "
        "perfectly even. Further left is cheaper, further down is fairer. PAR can improve while every site worsens, so "
        "the table has the mean and the largest site beside it."
    )
    return Section("Cost and fairness", f"{explanation} {ONE_SEED}" if len(rows) > 1 else explanation, parts)


def _cost_against_par(rows: list[Row], name: str) -> Figure:
    par = f"par_{name}"
    points = [(row["cost_usd_per_site"], row[par]) for row in rows]
    x, y = padded([cost for cost, _ in points]), padded([ratio for _, ratio in points], least=1.0)
    names = [str(row["policy"]) for row in rows]
    frame = pd.DataFrame(rows)[["policy", "cost_usd_per_site", par]].assign(**labelled(names, points, least=1.0))
    base = alt.Chart(frame).encode(
        x=alt.X("cost_usd_per_site", type="quantitative", scale=alt.Scale(domain=x), title="cost, US$ per site"),
        y=alt.Y(par, type="quantitative", scale=alt.Scale(domain=y), title=f"PAR of {name}"),
    )
    marks = base.mark_point(filled=True, size=90, opacity=1).encode(
        color=colour("policy", names),
        shape=shape("policy", names),
        tooltip=[
            alt.Tooltip("policy", type="nominal"),
            alt.Tooltip("cost_usd_per_site", type="quantitative", format=",.2f", title="US$ per site"),
            alt.Tooltip(par, type="quantitative", format=".3f", title=f"PAR of {name}"),
        ],
    )
    chart = alt.layer(marks, *label_layers(base, list(frame["spot"])))
    caption = f"Cost per site against the peak-to-average ratio of {name}, a point for each policy."
    return Figure(f"cost-par-{name}", chart, caption, 330, is_wide=False)


def _table(saved: Saved, rows: list[Row]) -> Table:
    shown = [one for one in _COLUMNS if any(is_known(row.get(one.key)) for row in rows)]
    columns = [_cells([row.get(one.key) for row in rows], one) for one in shown]
    header = ["policy", *(one.header for one in shown)]
    published = (saved.scenario.get("published") or {}).get("rows") or {}
    for one in _PUBLISHED:
        figures = [(published.get(str(row["policy"])) or {}).get(one.key) for row in rows]
        if any(is_known(value) for value in figures):
            header.append(one.header)
            columns.append(_cells(figures, one))
    names = [[Cell(str(row["policy"]))] for row in rows]
    cells = [[*name, *rest] for name, rest in zip(names, zip(*columns, strict=True), strict=True)]
    best = " The least of a column is bold." if len(rows) > 1 else ""
    return Table(header, cells, f"All policies, over the whole run.{best}")


def _cells(values: list[Any], one: Shown) -> list[Cell]:
    texts, known = column(values, one.style), [value for value in values if is_known(value)]
    least = texts[values.index(min(known))] if one.is_burden and known else None
    # What reads the same is the same: nothing is the least where all is.
    return [Cell(text, text == least and len(set(texts)) > 1) for text in texts]
