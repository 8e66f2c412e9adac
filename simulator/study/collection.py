"""The collection: the tables of a sweep, made of what its points have written."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from simulator.claim import MANIFEST
from simulator.statistics import Interval
from simulator.study.agenda import Agenda, cell_of
from simulator.study.breakage import breakage
from simulator.study.endurance import endurance
from simulator.study.readings import Cells, Key, Readings, difference, interval
from simulator.study.sweep_folder import SweepFolder
from simulator.study.tradeoff import tradeoff

Tables = dict[str, list[dict[str, Any]]]

#: Figures of ``summary.csv`` that get intervals.
FIGURES = (
    "cost_usd",
    "cost_usd_per_site",
    "water_m3_mean",
    "water_m3_max",
    "par_water",
    "gini_water",
    "carbon_t_mean",
    "carbon_t_max",
    "par_carbon",
    "gini_carbon",
    "objective_usd",
    "objective_offline_usd",
    "gap",
    "energy_mwh",
    "rejected",
    "failed",
    "unserved_requests",
    "network_mean_ms",
    "wait_mean_s",
    "service_mean_s",
    "extra_rtt_ms",
    "ttft_mean_ms",
    "ttft_p50_ms",
    "ttft_p99_ms",
    "par_ttft",
    "gini_ttft",
    "e2e_mean_s",
    "e2e_p50_s",
    "e2e_p99_s",
    "slo_attainment",
    "nearest_share",
)
_ENDS = ("n", "mean", "low", "high")
#: What a study concludes of its points: tables by file, and what is to be said.
CONCLUSIONS: dict[str, Callable[[Agenda, Readings], tuple[Tables, dict[str, Any]]]] = {
    "latency": tradeoff,
    "partial": breakage,
    "robustness": endurance,
}


def collect(folder: SweepFolder) -> list[str]:
    """Write the tables of all points that are done; with a manifest, the last file, if that is all of them.

    Returns what a study has checked and found not to hold.
    """
    agenda, readings = folder.agenda, Readings(folder)
    tables = {
        "points.csv": csv_text(list(_point_rows(folder))),
        "summary.csv": csv_text(list(_summary(readings))),
        "intervals.csv": csv_text(list(_intervals(readings)), (*agenda.axes, "policy", "figure", *_ENDS)),
        "differences.csv": csv_text(
            list(_differences(readings, agenda.against)), (*agenda.axes, "policy", "against", "figure", *_ENDS)
        ),
    }
    is_whole = len(readings.done) == len(agenda.points)
    if is_whole and agenda.kind in CONCLUSIONS:
        tables |= _concluded(agenda, readings)
    for name, text in tables.items():
        folder.write(name, text)
    if is_whole:
        said = {"kind": agenda.kind, "name": agenda.scenario.name, "points": len(agenda.points)}
        hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in tables.items()}
        folder.write(MANIFEST, json.dumps({**said, "digest": agenda.digest, "files": hashes}, indent=2) + "\n")
    return list(json.loads(tables["study.json"]).get("broken", [])) if "study.json" in tables else []


def _concluded(agenda: Agenda, readings: Readings) -> dict[str, str]:
    """What a study concludes: its tables, and what it says."""
    tables, said = CONCLUSIONS[agenda.kind](agenda, readings)
    title = {"kind": agenda.kind, "title": agenda.scenario.name, "purpose": agenda.scenario.purpose}
    study = json.dumps({**title, **said}, indent=1, allow_nan=False) + "\n"
    return {**{name: csv_text(rows) for name, rows in tables.items()}, "study.json": study}


def _point_rows(folder: SweepFolder) -> Iterator[Cells]:
    failures = folder.failures()
    for point in folder.agenda.points:
        reason = failures.get(point.name, "")
        state = "done" if folder.is_done(point) else "failed" if reason else "open"
        varied = {axis: cell_of(point.values.get(axis)) for axis in folder.agenda.axes}
        yield {"point": point.name, **varied, "seed": str(point.seed), "state": state, "reason": reason}


def _summary(readings: Readings) -> Iterator[Cells]:
    """The rows of all points, their cells as they stand there, with what was varied in front."""
    for point in readings.done:
        varied = {"point": point.name, **readings.cells(point)}
        for row in readings.rows(point, "summary.csv"):
            yield {**varied, **{key: cell for key, cell in row.items() if key not in varied}}


def _intervals(readings: Readings) -> Iterator[Cells]:
    """Means over seeds, with Student-t intervals."""
    for key, rows in readings.summary.items():
        varied = dict(zip(readings.axes, key.values, strict=True))
        for figure in FIGURES:
            yield {**varied, "policy": key.policy, "figure": figure, **ends(interval(rows, figure))}


def _differences(readings: Readings, against: str | None) -> Iterator[Cells]:
    """What policies differ by from one of them, paired by seed: all of them met the same requests."""
    for key, rows in readings.summary.items():
        others = readings.summary.get(Key(key.values, against or ""), {})
        if key.policy == against or not others:
            continue
        varied = {**dict(zip(readings.axes, key.values, strict=True)), "policy": key.policy, "against": str(against)}
        for figure in FIGURES:
            yield {**varied, "figure": figure, **ends(difference(rows, others, figure))}


def ends(found: Interval) -> Cells:
    """An interval as cells."""
    return dict(zip(_ENDS, map(cell_of, found), strict=True))


def csv_text(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """Rows as the text of a CSV file; the columns of the first row, or those given where there is none."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
