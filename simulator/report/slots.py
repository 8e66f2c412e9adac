"""Slots of a run in few bins of time, and many names in few groups: what a chart can show."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from simulator.units import KG_PER_T, L_PER_M3, S_PER_H

from .numbers import rounded
from .saved import Saved

#: The most bins of time in a chart, and the fewest where policies and sites are many.
_MOST_BINS, _FEWEST_BINS = 120, 24
#: Rows of policy x site x bin that a page can carry.
_MOST_ROWS = 16_000
#: Names that a chart tells apart by colour.
MOST_NAMES = 12


class Measure(NamedTuple):
    """Something that sites draw, spend or emit: its column in ``slots.parquet``, and its name and unit per hour."""

    column: str
    name: str
    unit: str


MEASURES = (
    Measure("meter_kwh", "energy at the meter", "kWh per hour"),
    Measure("cost_usd", "cost", "US$ per hour"),
    Measure("carbon_kg", "carbon", "kg per hour"),
    Measure("water_l", "water", "L per hour"),
)


def slot_s(saved: Saved) -> float:
    """Length of a slot."""
    return float(saved.scenario.get("slot_s", S_PER_H))


def grouped(weights: pd.Series, what: str, most: int = MOST_NAMES) -> dict[str, str]:
    """Names as a chart shows them: the largest by weight their own, the others together. In the order given."""
    names = [str(name) for name in weights.index]
    if len(names) <= most:
        return {name: name for name in names}
    large = {str(name) for name in weights.sort_values(ascending=False, kind="stable").index[: most - 1]}
    rest = f"{len(names) - len(large)} other {what}"
    return {name: name if name in large else rest for name in names}


def shown_names(names: dict[str, str]) -> list[str]:
    """What :func:`grouped` made, each once, the group of the others last."""
    own = [shown for name, shown in names.items() if name == shown]
    return [*own, *dict.fromkeys(shown for name, shown in names.items() if name != shown)]


def binned(saved: Saved) -> tuple[pd.DataFrame, float]:
    """Policy, site, bin, its beginning and end [ms since 1970], and the sum of each measure; and the hours of a bin."""
    table, length_s = saved.tables["slots"], slot_s(saved)
    slots = int(table["slot"].max()) + 1
    pairs = max(1, len(table[["policy", "site"]].drop_duplicates()))
    most = min(_MOST_BINS, max(_FEWEST_BINS, _MOST_ROWS // pairs))
    each = -(-slots // most)
    sums = table.assign(bin=table["slot"] // each).groupby(["policy", "bin", "site"], sort=False, observed=True)
    found = sums[[measure.column for measure in MEASURES]].sum().reset_index()
    begin_ms = int(table["start_utc"].min().timestamp() * 1000)
    edge = np.minimum(np.arange(-(-slots // each) + 1) * each, slots)
    found["begin_ms"] = begin_ms + edge[found["bin"]] * length_s * 1000
    found["end_ms"] = begin_ms + edge[found["bin"] + 1] * length_s * 1000
    found["hours"] = (edge[found["bin"] + 1] - edge[found["bin"]]) * length_s / S_PER_H
    return found, each * length_s / S_PER_H


def cumulative(saved: Saved) -> pd.DataFrame:
    """Policy, time [ms], and of the sites' footprints up to then the largest and the mean: water [m3], carbon [t]."""
    found, _ = binned(saved)
    sites = found["site"].nunique()
    grown = found.sort_values("bin", kind="stable")
    by_site = grown.groupby(["policy", "site"], sort=False, observed=True)
    grown = grown.assign(water=by_site["water_l"].cumsum() / L_PER_M3, carbon=by_site["carbon_kg"].cumsum() / KG_PER_T)
    ends = grown.groupby(["policy", "end_ms"], sort=False, observed=True)[["water", "carbon"]]
    parts = ends.max().add_suffix("_largest").join((ends.sum() / sites).add_suffix("_mean")).reset_index()
    start = pd.DataFrame({"policy": saved.policies, "end_ms": found["begin_ms"].min()})
    whole = pd.concat([start, parts], ignore_index=True).fillna(0.0)
    numbers = [str(name) for name in whole if name not in ("policy", "end_ms")]
    return whole.assign(**{name: whole[name].map(rounded) for name in numbers})
