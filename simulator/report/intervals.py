"""The table of a sweep: means over seeds with their intervals, a row for each variation and policy."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from rich.console import Console

from simulator.report.columns import Column, Printed, print_columns

_COLUMNS = (
    Column("cost", "US$/site", "cost_usd_per_site", "money", 9),
    Column("PAR", "water", "par_water", ".3f", 9),
    Column("PAR", "carbon", "par_carbon", ".3f", 9),
    Column("J", "US$", "objective_usd", "money", 7),
    Column("network", "ms", "network_mean_ms", ",.0f", 4),
    Column("wait", "s", "wait_mean_s", ".3g", 5),
    Column("TTFT p99", "ms", "ttft_p99_ms", ",.0f", 6),
    Column("e2e p99", "s", "e2e_p99_s", ".3g", 6),
    Column("SLO", "met", "slo_attainment", ".2%", 8),
)
#: A half width that is a smaller part of its mean is rounding: the values are equal.
_ROUNDING = 1e-9
#: A longer table is for a spreadsheet.
MOST_ROWS = 60


def print_intervals(console: Console, title: str, folder: Path) -> None:
    """Print the head of a sweep's table, if it is there."""
    file = folder / "intervals.csv"
    if not file.is_file():
        return
    with open(file, encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        axes = [
            name for name in reader.fieldnames or () if name not in ("policy", "figure", "n", "mean", "low", "high")
        ]
        rows: dict[tuple[str, ...], dict[str, dict[str, str]]] = {}
        for line in reader:
            rows.setdefault((*(line[axis] for axis in axes), line["policy"]), {})[line["figure"]] = line
    shown = dict(list(rows.items())[:MOST_ROWS])
    printed = [
        Printed(Column("", name.rpartition(".")[2], name, "", 99), [key[k] for key in shown], False)
        for k, name in enumerate([*axes, "policy"])
    ]
    printed += [
        Printed(column, [_cell(row.get(column.key), column.style) for row in shown.values()], False)
        for column in _COLUMNS
    ]
    printed = [part for part in printed if any(cell not in ("-", "") for cell in part.cells)]
    print_columns(console, title, printed)
    counts = sorted(
        {int(row["n"]) for figures in rows.values() for key, row in figures.items() if key == "objective_usd"}
    )
    several = counts and counts[-1] > 1
    note = "means over seeds; +/- is half of the 95 % interval" if several else "one seed: no intervals; say --seeds 10"
    console.print(note, style="dim", markup=False)
    if len(rows) > MOST_ROWS:
        console.print(f"{len(rows) - MOST_ROWS} more rows in {file}", style="dim", markup=False, soft_wrap=True)


def _cell(row: dict[str, str] | None, style: str) -> str:
    mean, low = (float((row or {}).get(end) or "nan") for end in ("mean", "low"))
    if math.isnan(mean):
        return "-"
    if style == "money":
        style = ",.0f" if abs(mean) >= 1000 else ",.2f"
    if math.isnan(low):
        return format(mean, style)
    half = mean - low if mean - low > _ROUNDING * abs(mean) else 0.0
    return f"{mean:{style}} +/- {half:{'.2g' if style == ',.0f' and half < 1 else style}}"
