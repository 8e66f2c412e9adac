"""Folders of sweeps made up from their contract, with figures that are known: docs/results.md."""

from __future__ import annotations

import csv
import itertools
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.study.collection import FIGURES

#: Student's t at 97.5 % by degrees of freedom (any textbook's table).
T975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def fake_sweep(
    folder: Path,
    axes: Mapping[str, Sequence[Any]],
    policies: Sequence[str] = ("glb-cost", "eglb-off", "hedge"),
    seeds: int = 3,
    failed: Mapping[str, str] | None = None,
    sweep: Mapping[str, Any] | None = None,
    study: Mapping[str, Any] | None = None,
) -> Path:
    """A finished sweep in ``folder``; figures are plain functions of the point, the policy and the seed."""
    folder.mkdir(parents=True)
    failed, names = failed or {}, list(axes)
    combined = [(values, seed) for values in itertools.product(*axes.values()) for seed in range(1, seeds + 1)]
    points = [
        {"name": f"{number:04d}", "values": dict(zip(names, values, strict=True)), "seed": seed}
        for number, (values, seed) in enumerate(combined, 1)
    ]
    about = {"kind": "sweep", "name": "a sweep", "purpose": "What changes?", "axes": names, "points": points}
    (folder / "sweep.json").write_text(json.dumps(about | dict(sweep or {})))
    (folder / "scenario.yaml").write_text("name: a sweep\npurpose: What changes?\n")
    rows = [
        {
            "point": point["name"],
            **point["values"],
            "seed": point["seed"],
            "state": "failed" if why else "done",
            "reason": why,
        }
        for point in points
        for why in [failed.get(point["name"], "")]
    ]
    write(folder / "points.csv", rows)
    found = {
        (tuple(point["values"].values()), policy, point["seed"]): figures(point, number, names)
        for point in points
        if point["name"] not in failed
        for number, policy in enumerate(policies)
    }
    write(
        folder / "summary.csv",
        [
            {"point": f"{k:04d}", **dict(zip(names, values, strict=True)), "policy": policy, "seed": seed, **row}
            for k, ((values, policy, seed), row) in enumerate(found.items(), 1)
        ],
    )
    means, pairs = [], []
    by_policy: dict[tuple[Any, str], list[dict[str, float]]] = {}
    for (values, policy, _), row in found.items():
        by_policy.setdefault((values, policy), []).append(row)
    for values in dict.fromkeys(key[0] for key in found):
        at = dict(zip(names, values, strict=True))
        for policy, figure in itertools.product(policies, FIGURES):
            own = [row[figure] for row in by_policy[values, policy]]
            means.append({**at, "policy": policy, "figure": figure, **interval(own)})
            if policy != policies[0]:
                other = [row[figure] for row in by_policy[values, policies[0]]]
                less = interval([a - b for a, b in zip(own, other, strict=True)])
                pairs.append({**at, "policy": policy, "against": policies[0], "figure": figure, **less})
    write(folder / "intervals.csv", means)
    columns = [*names, "policy", "against", "figure", "n", "mean", "low", "high"]
    write(folder / "differences.csv", pairs, columns)
    if study:
        (folder / "study.json").write_text(json.dumps(study))
    (folder / "manifest.json").write_text(json.dumps({"kind": "sweep", "files": {}, "versions": {"python": "3.11"}}))
    return folder


def figures(point: Mapping[str, Any], policy: int, names: Sequence[str]) -> dict[str, float]:
    """Figures of one policy at one point: those that a sweep has, no others."""
    numbers = [value if isinstance(value, int | float) else len(str(value)) for value in point["values"].values()]
    scale, luck = 1 + sum(numbers), math.sin(7 * point["seed"] + policy)
    cost_usd = 1000.0 * scale + 150 * policy + 20 * luck
    own = {
        "cost_usd": cost_usd,
        "cost_usd_per_site": cost_usd / 10,
        "par_water": 2.0 - 0.3 * policy + 0.02 * luck,
        "par_carbon": 1.8 - 0.2 * policy + 0.03 * luck,
        "ttft_p99_ms": 200.0 + 10 * policy + luck,
        "objective_usd": 3000.0 * scale - 250 * policy + 30 * luck,
    }
    return {figure: own.get(figure, len(figure) * scale + policy) for figure in FIGURES}


def interval(values: Sequence[float]) -> dict[str, Any]:
    """Mean and Student-t interval; empty ends of one value."""
    n, mean = len(values), statistics.fmean(values)
    if n == 1:
        return {"n": n, "mean": mean, "low": "", "high": ""}
    half = T975[n - 1] * statistics.stdev(values) / math.sqrt(n)
    return {"n": n, "mean": mean, "low": mean - half, "high": mean + half}


def write(file: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    with open(file, "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns or list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
