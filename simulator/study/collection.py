"""The collection: the tables of a sweep, made of what its points have written."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from simulator.claim import MANIFEST
from simulator.statistics import mean_interval, paired_interval
from simulator.study.agenda import plain
from simulator.study.point import Point
from simulator.study.sweep_folder import SweepFolder

#: Figures of ``summary.csv`` that get intervals.
FIGURES = (
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

Cells = dict[str, str]
Grouped = list[tuple[Cells, dict[str, dict[int, Cells]]]]
"""For each variation its cells, and by policy and seed the row of ``summary.csv``."""


def collect(folder: SweepFolder) -> None:
    """Write the tables of all points that are done; with a manifest, the last file, if that is all of them."""
    agenda, failures = folder.agenda, folder.failures()
    done = [point for point in agenda.points if folder.is_done(point)]
    grouped = _grouped(folder, done)
    tables = {
        "points.csv": _csv(
            [_point_row(agenda.axes, p, folder.is_done(p), failures.get(p.name, "")) for p in agenda.points]
        ),
        "summary.csv": _csv([row for point in done for row in _rows(folder, point)]),
        "intervals.csv": _csv(list(_intervals(grouped))),
        "differences.csv": _csv(list(_differences(grouped, agenda.against))),
    }
    for name, text in tables.items():
        folder.write(name, text)
    if len(done) == len(agenda.points):
        said = {"kind": agenda.kind, "name": agenda.scenario.name, "points": len(done), "digest": agenda.digest}
        hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in tables.items()}
        folder.write(MANIFEST, json.dumps({**said, "files": hashes}, indent=2) + "\n")


def _cells(axes: Sequence[str], point: Point) -> Cells:
    return {axis: _cell(point.values.get(axis)) for axis in axes}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else json.dumps(plain(value))


def _point_row(axes: Sequence[str], point: Point, is_done: bool, reason: str) -> Cells:
    state = "done" if is_done else "failed" if reason else "open"
    return {"point": point.name, **_cells(axes, point), "seed": str(point.seed), "state": state, "reason": reason}


def _rows(folder: SweepFolder, point: Point) -> list[Cells]:
    """The rows of a point's summary, its cells as they stand there, with what was varied in front."""
    text = (folder.piece(point).folder / "summary.csv").read_text(encoding="utf-8")
    varied = {"point": point.name, **_cells(folder.agenda.axes, point)}
    return [
        {**varied, **{key: cell for key, cell in row.items() if key not in varied}}
        for row in csv.DictReader(io.StringIO(text))
    ]


def _grouped(folder: SweepFolder, done: Sequence[Point]) -> Grouped:
    found: Grouped = []
    for cells, points in groupby(done, lambda point: _cells(folder.agenda.axes, point)):
        by_policy: dict[str, dict[int, Cells]] = {}
        for point in points:
            for row in _rows(folder, point):
                by_policy.setdefault(row["policy"], {})[point.seed] = row
        found.append((cells, by_policy))
    return found


def _figure(row: Mapping[str, str], figure: str) -> float:
    return float(row.get(figure) or "nan")


def _intervals(grouped: Grouped) -> Iterable[Cells]:
    """Means over seeds, with Student-t intervals."""
    for cells, by_policy in grouped:
        for policy, rows in by_policy.items():
            for figure in FIGURES:
                found = mean_interval([_figure(row, figure) for row in rows.values()])
                yield {**cells, "policy": policy, "figure": figure} | dict(zip(_ENDS, map(_cell, found), strict=True))


def _differences(grouped: Grouped, against: str | None) -> Iterable[Cells]:
    """What policies differ by from one of them, paired by seed: all of them met the same requests."""
    for cells, by_policy in grouped:
        other = by_policy.get(against or "", {})
        for policy, rows in by_policy.items():
            seeds = [seed for seed in rows if seed in other]
            if policy == against or not seeds:
                continue
            for figure in FIGURES:
                ours, theirs = ([_figure(r[seed], figure) for seed in seeds] for r in (rows, other))
                found = paired_interval(ours, theirs)
                names = {"policy": policy, "against": str(against), "figure": figure}
                yield {**cells, **names} | dict(zip(_ENDS, map(_cell, found), strict=True))


def _csv(rows: Sequence[Cells]) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows[:1] for key in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()
