"""The gap to the offline optimum, and how it came about: regret over time."""

from __future__ import annotations

import altair as alt
import pandas as pd

from .numbers import is_known, rounded, written
from .palette import colour
from .saved import Saved
from .section import Cell, Figure, Part, Remark, Section, Sentences, Table, time_axis
from .slots import MS_PER_S, slot_s

_HEADING = "The gap to the optimum"


def regret(saved: Saved) -> Section:
    """J of each policy beside that of the offline optimum, and their difference as it grows."""
    rows = saved.tables["summary"]
    if "gap" not in rows:
        return Section(_HEADING, "", [Remark("These results were saved without a gap to the offline optimum.")])
    known = rows[rows["gap"].map(is_known)]
    parts: list[Part] = []
    if len(known):
        curves = _curves(saved)
        parts += [_figure(saved, curves)] if len(curves) else []
        parts.append(_table(known))
    missing = saved.manifest.get("without_gap")
    if isinstance(missing, dict) and missing:
        parts.append(Sentences([f"{policy} has no gap: {reason}." for policy, reason in missing.items()]))
    explanation = (
        "The offline optimum is the smallest J that a plan within planned capacity could have had which knew all "
        "requests and signals beforehand. The gap is J over that of the optimum, less 1. Regret at a time is J of all "
        "that the policy has spent so far less J of what the optimal plan has spent so far: it may fall, and be below "
        "zero for a while, since the optimum spends early what it saves later."
    )
    return Section(_HEADING, explanation, parts or [Remark("There is no gap to show.")])


def _curves(saved: Saved) -> pd.DataFrame:
    """Policy, time [ms], regret [US$]; from zero at the start."""
    found, start = saved.tables.get("regret"), saved.tables["slots"]["start_utc"].min().timestamp() * MS_PER_S
    if found is None or found.empty:
        return pd.DataFrame()
    ends = found.assign(end_ms=start + (found["slot"] + 1) * slot_s(saved) * MS_PER_S)
    begin = pd.DataFrame({"policy": list(dict.fromkeys(found["policy"])), "end_ms": start, "regret_usd": 0.0})
    whole = pd.concat([begin, ends[["policy", "end_ms", "regret_usd"]]], ignore_index=True)
    return whole.assign(regret_usd=whole["regret_usd"].map(rounded))


def _figure(saved: Saved, curves: pd.DataFrame) -> Figure:
    lit = alt.selection_point(name="lit", fields=["policy"], bind="legend")
    chart = (
        alt.Chart(curves)
        .mark_line(strokeWidth=1.8)
        .encode(
            x=time_axis("end_ms"),
            y=alt.Y("regret_usd", type="quantitative", title="regret so far, US$"),
            color=colour("policy", saved.policies),
            opacity=alt.condition(lit, alt.value(1.0), alt.value(0.08)),
            tooltip=[
                alt.Tooltip("policy", type="nominal"),
                alt.Tooltip("regret_usd", type="quantitative", format=",.4~g", title="regret, US$"),
            ],
        )
        .add_params(lit)
    )
    return Figure(
        "regret", chart, "Regret over time: J so far, less J so far of the optimal plan, for each policy.", 340
    )


def _table(known: pd.DataFrame) -> Table:
    header = ["policy", "J, US$", "optimum, US$", "gap", "gap of", "compared with", "optimum above the bound"]
    least = known["gap"].min()
    rows = [
        [
            Cell(str(row["policy"])),
            Cell(written(row["objective_offline_usd"] * (1.0 + row["gap"]), "money")),
            Cell(written(row["objective_offline_usd"], "money")),
            Cell(written(row["gap"], "z.2%"), row["gap"] == least and len(known) > 1),
            Cell(str(row["gap_of"])),
            Cell({"optimum": "the optimum", "bound": "a certified lower bound"}.get(str(row["gap_against"]), "")),
            Cell("-" if row["gap_against"] == "optimum" else f"at most {row['offline_within']:.2g} of it"),
        ]
        for row in known.to_dict("records")
    ]
    caption = "Each policy beside the offline optimum, over the whole run."
    return Table(header, rows, caption)
