"""Columns: a table as it is printed, fitted to a terminal, whole and plain into a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table


class Paper(Console):
    """A console that leaves a reader who has gone to its caller."""

    def on_broken_pipe(self) -> None:
        """Not the library's own exit."""
        raise  # noqa: PLE0704


class Column(NamedTuple):
    """A column: two lines of header, its summary key, how numbers are written (names: no style), when it gives way."""

    above: str
    below: str
    key: str
    style: str
    keep: int
    """A narrow terminal drops the column with the smallest number first."""


#: Blanks that the terminal's table puts beside a column.
_GAP = 3


class Printed(NamedTuple):
    """A column as it is printed: one cell for each row."""

    column: Column
    cells: list[str]
    published: bool = False

    @property
    def width(self) -> int:
        return max(len(text) for text in (self.column.above, self.column.below, *self.cells))


def print_columns(console: Console, title: str, printed: list[Printed]) -> None:
    """Print a table: fitted to a terminal, whole and plain into a pipe."""
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
        justify: Literal["left", "right"] = "right" if part.column.style else "left"
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
