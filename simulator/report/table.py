"""The table of a comparison: a row for each policy, published figures beside ours; plain when piped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simulator.result import Row, RunResult
from simulator.scenario.scenario import Published


class Paper(Console):
    """A console that leaves a reader who has gone to its caller."""

    def on_broken_pipe(self) -> None:
        """Not the library's own exit."""
        raise  # noqa: PLE0704


class Column(NamedTuple):
    """A column: its two lines of header, its summary key, how a number is written, and how soon it gives way."""

    above: str
    below: str
    key: str
    style: str
    keep: int
    """A narrow terminal drops the column with the smallest number first."""


_COLUMNS = (
    Column("cost", "US$/site", "cost_usd_per_site", "money", 9),
    Column("PAR", "water", "par_water", ".3f", 9),
    Column("PAR", "carbon", "par_carbon", ".3f", 9),
    Column("J", "US$", "objective_usd", "money", 7),
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
_PUBLISHED = (
    Column("published", "US$/site", "cost_usd_per_site", "money", 8),
    Column("published", "PAR water", "par_water", ".2f", 8),
    Column("published", "PAR carbon", "par_carbon", ".2f", 8),
)
#: Blanks that the terminal's table puts beside a column.
_GAP = 3


class Printed(NamedTuple):
    """A column as it is printed: one cell for each policy."""

    column: Column
    cells: list[str]
    published: bool

    @property
    def width(self) -> int:
        return max(len(text) for text in (self.column.above, self.column.below, *self.cells))


def comparison(results: Sequence[RunResult], published: Published | None, has_slo: bool) -> list[Printed]:
    """The columns of the table, the policies' names first."""
    rows = [result.summary() for result in results]
    names = [str(row["policy"]) for row in rows]
    printed = [Printed(Column("", "policy", "policy", "", 99), names, False)]
    for column in _COLUMNS:
        shown = any(row[key] > 0 for row in rows for key in _WHERE[column.key]) if column.key in _WHERE else True
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
    """Print the table: fitted to a terminal, whole and plain into a pipe."""
    printed = comparison(results, published, has_slo)
    if not console.is_terminal:
        console.file.write(plain(printed))
        return
    left_out = []
    while sum(part.width + _GAP for part in printed) + _GAP > console.width and len(printed) > 2:
        left_out.append(min(reversed(printed), key=_keep))
        printed.remove(left_out[-1])
    table = Table(title=escape(title), box=box.SIMPLE_HEAD, title_style="bold", title_justify="left", padding=(0, 1))
    for part in printed:
        header = f"{part.column.above}\n{part.column.below}"
        justify: Literal["left", "right"] = "left" if part.column.key == "policy" else "right"
        table.add_column(header, justify=justify, style="dim" if part.published else None, no_wrap=True)
    for row in zip(*(part.cells for part in printed), strict=True):
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
    if left_out:
        names = ", ".join(f"{part.column.above} {part.column.below}".strip() for part in left_out)
        console.print(f"not shown for want of room: {names}", style="dim", markup=False)


def _keep(part: Printed) -> int:
    """How long a column stays: rejected and failed requests always, when there are any."""
    lost = part.column.key in ("rejected", "failed") and any(cell not in ("0", "-") for cell in part.cells)
    return 10 if lost else part.column.keep


def plain(printed: Sequence[Printed]) -> str:
    """The table as aligned text without any drawing, one line of header."""
    columns = [[f"{part.column.above} {part.column.below}".strip(), *part.cells] for part in printed]
    widths = [max(len(cell) for cell in column) for column in columns]
    text = ""
    for line in zip(*columns, strict=True):
        first, *others = (
            cell.rjust(width) if k else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        text += "  ".join([first, *others]).rstrip() + "\n"
    return text


def as_json(row: Row) -> Row:
    """A row without NaN, which JSON does not have."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


def _cells(values: Sequence[float | None], style: str) -> list[str]:
    """Numbers as text, a dash for what is not known. Small amounts of money keep their cents."""
    known = [value for value in values if value is not None and not math.isnan(value)]
    if style == "money":
        style = ",.0f" if max(known, default=0.0) >= 1000 else ",.2f"
    return ["-" if value is None or math.isnan(value) else format(value, style) for value in values]
