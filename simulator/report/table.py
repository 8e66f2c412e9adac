"""The table of a comparison: a row for each policy, published figures beside ours; plain when piped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

from simulator.result import Row, RunResult
from simulator.scenario.scenario import Published


class Column(NamedTuple):
    """A column: its header, the key of the summary row and how a number is written."""

    header: str
    key: str
    style: str


_COLUMNS = (
    Column("cost\nUS$/site", "cost_usd_per_site", ",.0f"),
    Column("PAR\nwater", "par_water", ".3f"),
    Column("PAR\ncarbon", "par_carbon", ".3f"),
    Column("J\nUS$", "objective_usd", ",.0f"),
    Column("requests", "requests", ",.0f"),
    Column("rejected", "rejected", ",.0f"),
    Column("network\nms", "network_mean_ms", ",.0f"),
    Column("wait\ns", "wait_mean_s", ".3g"),
    Column("e2e p99\ns", "e2e_p99_s", ".3g"),
    Column("SLO\nmet", "slo_attainment", ".2%"),
)
_PUBLISHED = (
    Column("published\nUS$/site", "cost_usd_per_site", ",.0f"),
    Column("PAR\nwater", "par_water", ".2f"),
    Column("PAR\ncarbon", "par_carbon", ".2f"),
)


def comparison(
    results: Sequence[RunResult], published: Published | None, has_slo: bool
) -> tuple[list[str], list[list[str]]]:
    """Headers and cells of the table."""
    summaries = [result.summary() for result in results]
    columns = [
        c for c in _COLUMNS if (c.key != "slo_attainment" or has_slo) and any(_known(row[c.key]) for row in summaries)
    ]
    headers = ["policy", *(column.header for column in columns)]
    rows = [[row["policy"], *(_cell(row[c.key], c.style) for c in columns)] for row in summaries]
    if published is not None:
        headers += [column.header for column in _PUBLISHED]
        for row in rows:
            figures = published.rows.get(row[0])
            row += [_cell(getattr(figures, c.key, None), c.style) for c in _PUBLISHED]
    return headers, rows


def print_comparison(
    console: Console, title: str, results: Sequence[RunResult], published: Published | None, has_slo: bool
) -> None:
    """Print the table, fitted to the console."""
    headers, rows = comparison(results, published, has_slo)
    if not console.is_terminal:
        console.file.write(plain(headers, rows))
        return
    table = Table(title=title, box=box.SIMPLE_HEAD, title_style="bold", title_justify="left")
    ours = len(headers) - (len(_PUBLISHED) if published else 0)
    for k, header in enumerate(headers):
        table.add_column(
            header, justify="left" if k == 0 else "right", style="dim" if k >= ours else None, no_wrap=True
        )
    for row in rows:
        table.add_row(*row)
    console.print(table)


def plain(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table as aligned text without any drawing."""
    lines = [[header.replace("\n", " ") for header in headers], *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(headers))]
    text = ""
    for line in lines:
        cells = [
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text += "  ".join(cells).rstrip() + "\n"
    return text


def shortfalls(results: Sequence[RunResult]) -> list[str]:
    """One sentence for each policy whose plans had to leave demand out."""
    sentences = []
    for result in results:
        if result.short_slots:
            left = result.summary()["unserved_requests"]
            why = f"; in the worst slot {result.witness}" if result.witness else ""
            sentences.append(
                f"{result.policy}: demand could not be carried in {result.short_slots} slot(s), "
                f"{left:,.0f} requests of the full fleet were left out{why}"
            )
    return sentences


def as_json(row: Row) -> Row:
    """A row without NaN, which JSON does not have."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


def _known(value: float | None) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _cell(value: float | None, style: str) -> str:
    if value is None or not _known(value):
        return "-"
    return format(value, style)
