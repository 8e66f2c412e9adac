"""The table of a comparison: a row for each policy, published figures beside ours."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console

from simulator.report.columns import Column, Printed, print_columns
from simulator.result import Row, RunResult
from simulator.scenario.scenario import Published

_COLUMNS = (
    Column("cost", "US$/site", "cost_usd_per_site", "money", 9),
    Column("PAR", "water", "par_water", ".3f", 9),
    Column("PAR", "carbon", "par_carbon", ".3f", 9),
    Column("weighted PAR", "water", "par_weighted_water", ".3f", 8),
    Column("weighted PAR", "carbon", "par_weighted_carbon", ".3f", 8),
    Column("J", "US$", "objective_usd", "money", 7),
    Column("gap to", "optimum", "gap", "z.2%", 7),
    Column("", "requests", "requests", ",.0f", 3),
    Column("", "rejected", "rejected", ",.0f", 2),
    Column("", "failed", "failed", ",.0f", 2),
    Column("", "re-routed", "rerouted", ",.0f", 2),
    Column("", "unfinished", "unfinished", ",.0f", 1),
    Column("idle", "MWh", "idle_energy_mwh", ",.3g", 6),
    Column("", "boots", "boots", ",.0f", 3),
    Column("boot", "MWh", "boot_energy_mwh", ",.3g", 2),
    Column("network", "ms", "network_mean_ms", ",.0f", 4),
    Column("wait", "s", "wait_mean_s", ".3g", 5),
    Column("e2e p99", "s", "e2e_p99_s", ".3g", 6),
    Column("SLO", "met", "slo_attainment", ".2%", 8),
)
#: Columns that are shown where one of these is above zero for any policy.
_WHERE = {
    "failed": ("failed",),
    "rerouted": ("rerouted", "failed"),
    "idle_energy_mwh": ("boots",),
    "boots": ("boots",),
    "boot_energy_mwh": ("boots",),
}
#: Columns that are shown where they say something else than these for any policy.
_UNLIKE = {"par_weighted_water": "par_water", "par_weighted_carbon": "par_carbon"}
_PUBLISHED = (
    Column("published", "US$/site", "cost_usd_per_site", "money", 8),
    Column("published", "PAR water", "par_water", ".2f", 8),
    Column("published", "PAR carbon", "par_carbon", ".2f", 8),
)


def comparison(results: Sequence[RunResult], published: Published | None, has_slo: bool) -> list[Printed]:
    """The columns of the table, the policies' names first."""
    rows = [result.summary() for result in results]
    names = [str(row["policy"]) for row in rows]
    printed = [Printed(Column("", "policy", "policy", "", 99), names, False)]
    for column in _COLUMNS:
        shown = any(row[key] > 0 for row in rows for key in _WHERE[column.key]) if column.key in _WHERE else True
        other = _UNLIKE.get(column.key)
        shown &= other is None or any(abs(row[column.key] - row[other]) > 1e-9 for row in rows)
        if shown and (column.key != "slo_attainment" or has_slo):
            printed.append(Printed(column, _cells([row[column.key] for row in rows], column.style), False))
    known = {} if published is None else published.rows
    for column in _PUBLISHED:
        figures = [getattr(known.get(name), column.key, None) for name in names]
        printed.append(Printed(column, _cells(figures, column.style), True))
    return [part for part in printed if any(cell != "-" for cell in part.cells)]


def print_comparison(
    console: Console, title: str, results: Sequence[RunResult], published: Published | None, has_slo: bool
) -> None:
    """Print the table of a comparison."""
    print_columns(console, title, comparison(results, published, has_slo))


def as_json(row: Row) -> Row:
    """A row without NaN, which JSON does not have."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


def _cells(values: Sequence[float | None], style: str) -> list[str]:
    """Numbers as text, a dash for what is not known. Small amounts of money keep their cents."""
    known = [value for value in values if value is not None and not math.isnan(value)]
    if style == "money":
        style = ",.0f" if max(known, default=0.0) >= 1000 else ",.2f"
    return ["-" if value is None or math.isnan(value) else format(value, style) for value in values]
