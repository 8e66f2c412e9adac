"""A table: a CSV file of the user's, read into columns that know their lines."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from simulator.problem import InputError, KeyPath, Problem, did_you_mean, did_you_mean_file

from .block import LARGEST

#: How files write that a value is missing (M: weather stations, n/e: ENTSO-E).
MISSING = ("", "nan", "na", "null", "-", "m", "n/a", "n/e")


@dataclass(frozen=True)
class Table:
    """The rows of a CSV file under its header; ``lines[k]`` is where row ``k`` stands in the file."""

    file: Path
    path: KeyPath
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    above: tuple[tuple[str, ...], ...] = ()
    """Rows above the header."""

    def has(self, name: str) -> bool:
        """Whether there is a column under this header."""
        return name.strip() in [head.strip() for head in self.header]

    def only(self, name: str, word: str) -> Table:
        """The rows with this word under a header; InputError where there are none."""
        cells = [cell.strip() for cell in self.column(name)]
        kept = [k for k, cell in enumerate(cells) if cell == word]
        if not kept:
            what = f"column '{name}': no row has '{word}'{did_you_mean(word, dict.fromkeys(cells))}"
            raise InputError([Problem(self.path, what, str(self.file), 1)])
        return replace(self, rows=tuple(self.rows[k] for k in kept), lines=tuple(self.lines[k] for k in kept))

    def column(self, name: str) -> list[str]:
        """The cells under a header; InputError where there is no such header."""
        return [row[self._index(name)] for row in self.rows]

    def numbers(self, name: str, empty: bool = False, least: float = -math.inf) -> np.ndarray:
        """A column of finite numbers, none below ``least``, shape [rows]; ``empty`` reads missing cells as NaN."""
        index, problems, values = self._index(name), [], np.empty(len(self.rows))
        for k, row in enumerate(self.rows):
            text = row[index].strip()
            try:
                values[k] = math.nan if empty and text.lower() in MISSING else float(text)
                # Python reads 1_000 as a thousand, which no other program writes, and the digits of all scripts.
                fine = (
                    "_" not in text
                    and text.isascii()
                    and (abs(values[k]) <= LARGEST or (empty and math.isnan(values[k])))
                )
            except ValueError:
                fine = False
            if not fine:
                problems.append(self.problem(k, f"column '{name}': {_flaw(text)}"))
            elif values[k] < least:
                problems.append(self.problem(k, f"column '{name}': must be at least {least:g} (given {values[k]:g})"))
        raise_first(problems)
        return values

    def amounts(self, name: str) -> np.ndarray:
        """A column of finite numbers of at least 0, shape [rows]."""
        return self.numbers(name, least=0.0)

    def problem(self, row: int, what: str) -> Problem:
        """A problem in one row of this file."""
        return Problem(self.path, what, str(self.file), self.lines[row] if self.lines else 1)

    def _index(self, name: str) -> int:
        plain = [head.strip() for head in self.header]
        if name.strip() not in plain:
            raise InputError(
                [Problem(self.path, f"there is no column '{name}'{did_you_mean(name, plain)}", str(self.file), 1)]
            )
        if plain.count(name.strip()) > 1:
            raise InputError([Problem(self.path, f"the column '{name}' stands twice", str(self.file), 1)])
        return plain.index(name.strip())


def _flaw(text: str) -> str:
    try:
        large = LARGEST < abs(float(text)) < math.inf
    except ValueError:
        large = False
    return f"no quantity is that large (given {text!r})" if large else f"a finite number is needed (given {text!r})"


def raise_first(problems: list[Problem], most: int = 5) -> None:
    """Raise the first few problems of a file, and say how many more there are."""
    if len(problems) > most:
        last = problems[most - 1]
        more = f"{last.what} (and {len(problems) - most} more in this file)"
        problems = [*problems[: most - 1], Problem(last.path, more, last.file, last.line)]
    if problems:
        raise InputError(problems)


def read_table(file: Path, path: KeyPath, first: Container[str] = ()) -> Table:
    """Read a CSV file with a header line. ``path`` is the scenario key that named the file.

    Where ``first`` names headers, the header is the first line with one of them, and lines above it are kept apart.

    Raises
    ------
    InputError
        where the file is absent, a folder, not UTF-8, empty, or has rows of another width.
    """
    found = _read_rows(file, path)
    top = next((k for k, (_, row) in enumerate(found) if any(cell.strip() in first for cell in row)), 0)
    above, found = found[:top], found[top:]
    if len(found) < 2:
        raise InputError([Problem(path, "the file has no rows under a header", str(file), 1)])
    (_, header), *rows = found
    if len(header) == 1 and any(sign in header[0] for sign in ";\t|"):
        raise InputError([Problem(path, f"cells are separated by commas (given one cell {header[0]!r})", str(file), 1)])
    lines = tuple(line for line, _ in rows)
    table = Table(file, path, header, tuple(row for _, row in rows), lines, tuple(row for _, row in above))
    raise_first(
        [
            table.problem(k, f"{len(row)} cells, the header has {len(header)}")
            for k, row in enumerate(table.rows)
            if len(row) != len(header)
        ]
    )
    return table


def _read_rows(file: Path, path: KeyPath) -> list[tuple[int, tuple[str, ...]]]:
    """The rows of a CSV file that are not empty, each with its line."""
    found, line = [], 1
    try:
        if file.is_dir():
            raise InputError([Problem(path, f"{file} is a folder, a file is needed")])
        if file.exists() and not file.is_file():
            raise InputError([Problem(path, f"{file} is no regular file; it is read more than once")])
        text = file.read_bytes().decode("utf-8-sig")
        reader = csv.reader(text.splitlines(keepends=True), strict=True)
        for row in reader:
            if any(cell.strip() for cell in row):
                found.append((line, tuple(row)))
            line = reader.line_num + 1  # where the next row starts: a quoted cell may go over several lines
    except FileNotFoundError:
        raise InputError([Problem(path, f"there is no file {file}{did_you_mean_file(file)}")]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError([Problem(path, "not UTF-8 text; save the file as UTF-8", str(file), line)]) from None
    except csv.Error as error:
        raise InputError([Problem(path, f"not a CSV file: {error}", str(file), line)]) from None
    except OSError as error:
        raise InputError([Problem(path, f"{file} cannot be read: {error.strerror}")]) from None
    return found


def read_matrix(
    file: Path, path: KeyPath, names: tuple[tuple[str, ...], tuple[str, ...]], flaw: Callable[[np.ndarray], str]
) -> np.ndarray:
    """A CSV matrix, shape [origins, sites]: the first column names the origin, the header the sites, in any order.

    ``names`` are those of origins and sites; ``flaw`` says what is wrong with an origin's row [sites], or nothing.
    """
    origins, sites = names
    table = read_table(file, path)
    for head in table.header[1:]:
        if head.strip() not in sites:
            near = did_you_mean(head.strip(), sites)
            what = f"unknown site '{head.strip()}'{near} (the first line names the sites: origin,{','.join(sites[:3])})"
            raise InputError([Problem(path, what, str(file), 1)])
    columns = np.stack([table.numbers(site) for site in sites], axis=1)
    named = [row[0].strip() for row in table.rows]
    problems = [
        table.problem(
            k,
            f"unknown origin '{name}'{did_you_mean(name, origins)}"
            if name not in origins
            else f"origin '{name}' stands twice",
        )
        for k, name in enumerate(named)
        if name not in origins or name in named[:k]
    ]
    problems += [table.problem(k, f"origin '{named[k]}' {flaw(row)}") for k, row in enumerate(columns) if flaw(row)]
    problems += [
        Problem(path, f"there is no row for origin '{name}'", str(file)) for name in origins if name not in named
    ]
    raise_first(problems)
    return columns[[named.index(name) for name in origins]]
