"""Replays of a world: forecasts from the user's CSV files, every cell checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.fleet import FloatArray, IntArray
from simulator.problem import InputError, KeyPath, Problem, Problems, did_you_mean
from simulator.scenario.forecast import Forecasting, ReplayForecast
from simulator.scenario.scenario import Scenario
from simulator.scenario.table import Table, raise_first, read_table

from .timestamps import since, time_zone

if TYPE_CHECKING:
    from . import World


class Issues(NamedTuple):
    """All forecasts of one site or origin, in the order of their issue."""

    issued_s: FloatArray
    """Seconds since the start of the run, [issues]."""
    first: IntArray
    """Where the rows of each issue begin, and where the last one's end, [issues + 1]."""
    target_s: FloatArray
    """Start of the interval that a value is for, rising within an issue, [rows]."""
    value: FloatArray
    """[rows]."""


class Replay(NamedTuple):
    """Forecasts of one quantity."""

    columns: tuple[Issues, ...]
    """Of each site, or of each origin."""

    def of(self, numbers: IntArray) -> Replay:
        """Those of some sites alone."""
        return Replay(tuple(self.columns[number] for number in numbers))


def read_replays(world: World, asked: Forecasting, path: KeyPath) -> dict[str, Replay]:
    """The files that a forecaster replays, by quantity; raises InputError with every mistake in them."""
    names = [site.name for site in world.sites], [origin.name for origin in world.origins]
    return build_replays(world.scenario, asked, names, path)


def build_replays(
    scenario: Scenario, asked: Forecasting, names: tuple[Sequence[str], Sequence[str]], path: KeyPath
) -> dict[str, Replay]:
    """The same for the names of the sites and of the origins; ``path`` is where the scenario asks for them."""
    problems, found = Problems(), {}
    for quantity, file in asked.replays.items():
        with problems.collecting():
            here = (*path, quantity, "replay")
            found[quantity] = _read(file, names[quantity == "demand"], quantity != "price", scenario, here)
    problems.settle()
    return found


def replay_files(asked: Forecasting, names: tuple[Sequence[str], Sequence[str]]) -> set[Path]:
    """The files themselves."""
    blocks = asked.replays.items()
    return {Path(file.file_of(name)) for quantity, file in blocks for name in names[quantity == "demand"]}


def _read(asked: ReplayForecast, names: Sequence[str], is_amount: bool, scenario: Scenario, path: KeyPath) -> Replay:
    problems, columns, sheets = Problems(), [], dict[str, _Sheet]()
    words = [name if asked.column is None else asked.column.get(name, name) for name in names]
    _check_names(asked, names, path, problems)
    problems.settle()
    zone = time_zone(asked.timezone, (*path, "timezone"))
    for name, word in zip(names, words, strict=True):
        file = asked.file_of(name)
        with problems.collecting():
            if file not in sheets:
                table = read_table(Path(file), (*path, "file"))
                heads = list(dict.fromkeys(words)) if asked.value is None else [asked.value]
                sheets[file] = _sheet(asked, table, heads, is_amount, (zone, scenario.start))
            columns.append(sheets[file].of(asked, word))
    problems.settle()
    if not any(_reaches(column, scenario.horizon_s) for column in columns):
        what = "no forecast in it is for a time within the run and issued before that time, and before the run ends"
        raise InputError([Problem((*path, "file"), what)])
    return Replay(tuple(columns))


def _reaches(issues: Issues, horizon_s: float) -> bool:
    """Whether any forecast says something of the run."""
    issued_s = np.repeat(issues.issued_s, np.diff(issues.first))
    target_s = issues.target_s
    return bool(((target_s >= 0) & (target_s < horizon_s) & (issued_s < target_s) & (issued_s < horizon_s)).any())


def _check_names(asked: ReplayForecast, names: Sequence[str], path: KeyPath, problems: Problems) -> None:
    """Hold the keys of ``column`` against the sites or origins."""
    what = "origin" if "demand" in path else "site"
    for name in asked.column or {}:
        if name not in names:
            problems.add((*path, "column", name), f"unknown {what} '{name}'{did_you_mean(name, names)}")
    for name in names:
        if asked.column is not None and name not in asked.column:
            problems.add((*path, "column"), f"{what} '{name}' has no column")


class _Sheet(NamedTuple):
    """The rows of one file with their times."""

    table: Table
    issued_s: FloatArray
    target_s: FloatArray
    values: dict[str, FloatArray]
    """By header."""

    def of(self, asked: ReplayForecast, word: str) -> Issues:
        """The forecasts of a site or origin; raises InputError where there are none, or two of the same."""
        rows, head = np.arange(len(self.table.rows)), word if asked.value is None else asked.value
        if asked.name is not None:
            cells = [cell.strip() for cell in self.table.column(asked.name)]
            rows = np.array([k for k, cell in enumerate(cells) if cell == word], dtype=np.int64)
            if len(rows) == 0:
                what = f"column '{asked.name}': no row has '{word}'{did_you_mean(word, dict.fromkeys(cells))}"
                raise InputError([Problem(self.table.path, what, str(self.table.file), 1)])
        rows = rows[np.lexsort((self.target_s[rows], self.issued_s[rows]))]
        issued, target = self.issued_s[rows], self.target_s[rows]
        twice = rows[1:][(np.diff(issued) == 0) & (np.diff(target) == 0)]
        raise_first([self.table.problem(int(k), "this target stands twice in its issue") for k in np.sort(twice)])
        first = np.flatnonzero(np.diff(issued, prepend=-np.inf))
        values = self.values[head][rows] * asked.factor
        return Issues(issued[first], np.append(first, len(rows)), target, values)


def _sheet(
    asked: ReplayForecast, table: Table, heads: Sequence[str], is_amount: bool, clock: tuple[tzinfo, datetime]
) -> _Sheet:
    """The rows of a file; raises InputError with every bad cell."""
    problems, columns = Problems(), list[FloatArray]()
    for header in (asked.issued, asked.target):
        with problems.collecting():
            columns.append(_times(table, header, *clock))
    for head in heads:
        with problems.collecting():
            columns.append(table.amounts(head) if is_amount else table.numbers(head))
    problems.settle()
    issued, target, *values = columns
    return _Sheet(table, issued, target, dict(zip(heads, values, strict=True)))


def _times(table: Table, header: str, zone: tzinfo, start: datetime) -> FloatArray:
    """Seconds since ``start`` of the cells of a column, in any order."""
    problems, seconds = [], np.zeros(len(table.rows))
    for k, text in enumerate(table.column(header)):
        try:
            seconds[k] = since(datetime.fromisoformat(text.strip()), zone, start, -np.inf)
        except (ValueError, OverflowError):
            what = f"column '{header}': a time such as 2022-09-22 00:00 is needed (given {text.strip()!r})"
            problems.append(table.problem(k, what))
    raise_first(problems)
    return seconds
