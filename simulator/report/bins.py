"""Bins: the large tables of a run, read one policy at a time and summed at once to what a chart can show.

A run may have more rows than memory has room for beside it; a page has not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

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


class Latency(NamedTuple):
    """A measure of latency: its name in ``latency.parquet``, and in words."""

    key: str
    words: str


LATENCIES = (
    Latency("ttft", "time to first token"),
    Latency("end_to_end", "end-to-end"),
    Latency("network", "network, both ways"),
    Latency("wait", "wait for a place"),
)


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


def slot_bins(file: Path, policies: Sequence[str], sites: int) -> pd.DataFrame:
    """Policy, bin, site, first slot of the bin and the number of its slots, start of the run, sum of each measure."""
    most = min(_MOST_BINS, max(_FEWEST_BINS, _MOST_ROWS // max(1, sites * len(policies))))
    measures, parts = [measure.column for measure in MEASURES], []
    for policy in policies:
        filters = [("policy", "==", policy)]
        table = pd.read_parquet(file, columns=["slot", "start_utc", "site", *measures], filters=filters)
        slots = int(table["slot"].max()) + 1
        each = -(-slots // most)
        sums = table.assign(bin=table["slot"] // each).groupby(["bin", "site"], sort=False, observed=True)
        part = sums[measures].sum().reset_index()
        part.insert(0, "policy", policy)
        part["first"] = part["bin"] * each
        part["slots"] = (slots - part["first"]).clip(upper=each)
        parts.append(part.assign(start_utc=table["start_utc"].min()))
    return pd.concat(parts, ignore_index=True)


def regret_bins(file: Path, policies: Sequence[str]) -> pd.DataFrame:
    """Policy, slot and regret [US$] at the end of some slots, as many as a chart shows, the last one among them."""
    parts = []
    for policy in policies:
        table = pd.read_parquet(file, columns=["policy", "slot", "regret_usd"], filters=[("policy", "==", policy)])
        if len(table):
            each = -(-len(table) // _MOST_BINS)
            is_shown = ((table["slot"] + 1) % each == 0) | (table["slot"] == table["slot"].max())
            parts.append(table[is_shown].astype({"policy": str}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def latency_bins(file: Path, policies: Sequence[str], names: Mapping[str, str]) -> pd.DataFrame:
    """Histograms of the origins' latencies as saved, origins under the names that charts show (``names``)."""
    keys, parts = [latency.key for latency in LATENCIES], []
    columns = ["measure", "group", "to_s", "from_s"]
    for policy in policies:
        filters = [("policy", "==", policy), ("measure", "in", keys)]
        table = pd.read_parquet(file, columns=[*columns, "requests"], filters=filters)
        shown = table.assign(group=table["group"].map(names))
        part = shown.groupby(columns, observed=True)["requests"].sum().reset_index()
        part.insert(0, "policy", policy)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
