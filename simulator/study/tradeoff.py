"""The trade-off: what the latency study found, cost against equity against latency, and who pays for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from simulator.pareto import knee, pareto_mask
from simulator.study.agenda import Agenda, cell_of
from simulator.study.latency import AXES, POLICY
from simulator.study.readings import Key, Readings, difference, figures, interval, with_ends

#: Of each variation, over seeds.
SHOWN = (
    "cost_usd_per_site",
    "par_water",
    "par_carbon",
    "water_m3_max",
    "carbon_t_max",
    "objective_usd",
    "ttft_mean_ms",
    "ttft_p50_ms",
    "ttft_p99_ms",
    "e2e_mean_s",
    "e2e_p50_s",
    "e2e_p99_s",
    "network_mean_ms",
    "wait_mean_s",
    "service_mean_s",
    "extra_rtt_ms",
    "nearest_share",
    "slo_attainment",
    "par_ttft",
    "gini_ttft",
    "par_ttft_p99",
    "rejected",
)
#: Differences from equity without weight under the same constraints, paired by seed.
EXTRA = ("ttft_mean_ms", "ttft_p50_ms", "ttft_p99_ms", "e2e_mean_s", "network_mean_ms", "wait_mean_s", "service_mean_s")
#: A point is beaten by one that is at most as large in all of these.
CRITERIA = ("cost_usd_per_site", "par_water", "par_carbon", "ttft_p99_ms")
#: Of each origin.
OF_ORIGINS = ("ttft_mean_ms", "ttft_p50_ms", "ttft_p99_ms", "e2e_p50_s", "e2e_p99_s", "nearest_share", "extra_rtt_ms")

Row = dict[str, Any]


def tradeoff(agenda: Agenda, readings: Readings) -> tuple[dict[str, list[Row]], Row]:
    """Tables ``tradeoff.csv`` and ``paying.csv``, and what is to be said."""
    keys = list(readings.summary)
    rows = [_row(readings, key) for key in keys]
    for allowed in dict.fromkeys(key.values[0] for key in keys):
        here = [k for k, key in enumerate(keys) if key.values[0] == allowed]
        efficient = pareto_mask([[interval(readings.summary[keys[k]], name).mean for name in CRITERIA] for k in here])
        plain = [k for k in here if keys[k].policy == POLICY and _is_plain(keys[k])]
        bend = knee(*np.array([_trade(readings, keys[k]) for k in plain]).T)
        for k, flag in zip(here, efficient, strict=True):
            rows[k] |= {"pareto": int(flag), "knee": int(bend is not None and k == plain[bend])}
    paying = list(_paying(readings))
    extra = agenda.extra or {}
    said = {"answer": list(_sentences(rows, paying)), "checks": list(extra["checks"])}
    return {"tradeoff.csv": rows, "paying.csv": paying}, said


def _is_plain(key: Key) -> bool:
    """Whether equity does not mind distance."""
    return key.values[2:] == (cell_of(0.0), "")


def _reference(key: Key) -> Key:
    """Equity without weight, under the same constraints."""
    return Key((key.values[0], cell_of(0.0), cell_of(0.0), ""), POLICY)


def _trade(readings: Readings, key: Key) -> tuple[float, float]:
    """Cost, and what footprints weigh beside it in the scenario's objective, means over seeds [US$]."""
    cost, total = (float(figures(readings.summary[key], name).mean()) for name in ("cost_usd", "objective_usd"))
    return cost, total - cost


def _row(readings: Readings, key: Key) -> Row:
    rows, others = readings.summary[key], readings.summary[_reference(key)]
    row: Row = {**dict(zip(AXES, key.values, strict=True)), "policy": key.policy, "seeds": len(rows)}
    for name in SHOWN:
        row |= with_ends(name, interval(rows, name))
    row |= with_ends("extra_cost_share", difference(rows, others, "cost_usd_per_site", share=True))
    for name in EXTRA:
        row |= with_ends(f"extra_{name}", difference(rows, others, name))
    return row


def _paying(readings: Readings) -> Iterator[Row]:
    """Each origin's latency, and what it has more of than without equity."""
    for (key, origin), rows in readings.origins.items():
        row: Row = {**dict(zip(AXES, key.values, strict=True)), "policy": key.policy, "origin": origin}
        for name in OF_ORIGINS:
            row |= with_ends(name, interval(rows, name))
        others = readings.origins[_reference(key), origin]
        for name in ("ttft_mean_ms", "ttft_p99_ms"):
            row |= with_ends(f"extra_{name}", difference(rows, others, name))
        yield row


def _sentences(rows: list[Row], paying: list[Row]) -> Iterator[str]:
    found = {Key(tuple(row[axis] for axis in AXES), row["policy"]): row for row in rows}
    for allowed in dict.fromkeys(row["allowed"] for row in rows):
        whole = found[Key((allowed, cell_of(1.0), cell_of(0.0), ""), POLICY)]
        before = found[_reference(Key((allowed, "", "", ""), POLICY))]
        yield (
            f"With {_glb(allowed)}, equity at the scenario's weights changes cost by {_share(whole)}, the p99 of the"
            f" time to the first token by {_change(whole, 'ttft_p99_ms')} and its mean by"
            f" {_change(whole, 'ttft_mean_ms')}; the peak-to-average ratio of water goes from"
            f" {_number(before, 'par_water')} to {_number(whole, 'par_water')}, of carbon from"
            f" {_number(before, 'par_carbon')} to {_number(whole, 'par_carbon')}."
        )
        yield from _who_pays(allowed, paying)
        yield from _bend(allowed, rows)
        yield from _minding(allowed, rows, whole)


def _who_pays(allowed: str, paying: list[Row]) -> Iterator[str]:
    values = (allowed, cell_of(1.0), cell_of(0.0), "")
    here = [row for row in paying if tuple(row[axis] for axis in AXES) == values and row["extra_ttft_mean_ms"]]
    if here:
        most, least = (pick(here, key=lambda row: float(row["extra_ttft_mean_ms"])) for pick in (max, min))
        yield (
            f"By origin, mean TTFT changes by {_change(least, 'ttft_mean_ms')} ({least['origin']}) to"
            f" {_change(most, 'ttft_mean_ms')} ({most['origin']})."
        )


def _bend(allowed: str, rows: list[Row]) -> Iterator[str]:
    for row in rows:
        if row["allowed"] == allowed and row["knee"]:
            yield (
                f"The curve of cost against equity bends most at {float(row['equity']):g} times the weights: cost"
                f" {_share(row)}, PAR {_number(row, 'par_water')} of water and {_number(row, 'par_carbon')} of carbon,"
                f" TTFT p99 {_change(row, 'ttft_p99_ms')}."
            )


def _minding(allowed: str, rows: list[Row], whole: Mapping[str, Any]) -> Iterator[str]:
    """How much of the price in latency is saved by equity of the same weights that minds distance."""
    for row in rows:
        asked = (row["rtt_usd_per_request_s"], row["network_p99_ms"])
        if row["allowed"] == allowed and row["equity"] == cell_of(1.0) and asked != (cell_of(0.0), ""):
            how = (
                f"no round trip above {float(asked[1]):g} ms"
                if asked[1]
                else f"{float(asked[0]):g} US$ a second of RTT"
            )
            yield (
                f"Equity that minds distance ({how}) changes mean TTFT by {_change(row, 'ttft_mean_ms')} instead of"
                f" {_change(whole, 'ttft_mean_ms')}, and cost by {_share(row)} instead of {_share(whole)}; PAR"
                f" {_number(row, 'par_water')} of water and {_number(row, 'par_carbon')} of carbon."
            )


def _glb(allowed: str) -> str:
    return f"{allowed} GLB" if allowed in ("full", "paper-partial") else f"partial GLB ({allowed})"


def _number(row: Mapping[str, Any], name: str) -> str:
    return f"{float(row[name]):.2f}" if row[name] else "?"


def _share(row: Mapping[str, Any]) -> str:
    return _told(row, "extra_cost_share", lambda value: f"{100 * value:+.1f}", " %")


def _change(row: Mapping[str, Any], name: str) -> str:
    return _told(row, f"extra_{name}", lambda value: f"{value:+.0f}", " ms")


def _told(row: Mapping[str, Any], name: str, written: Any, unit: str) -> str:
    """A difference, never without its interval, or the word that there is none."""
    if not row[name]:
        return "an unknown amount"
    mean, low, high = (row[name], row[f"{name}_low"], row[f"{name}_high"])
    if not low:
        return f"{written(float(mean))}{unit} (one seed)"
    return f"{written(float(mean))}{unit} [{written(float(low))}, {written(float(high))}]"
