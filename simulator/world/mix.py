"""The fuel mix of a world: generation by fuel at every site, and the carbon and water of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from simulator.fleet import FloatArray
from simulator.problem import InputError, KeyPath, Problem, Problems, did_you_mean, refuse
from simulator.scenario.catalogue import fuels
from simulator.scenario.grid import Mix, MixFile
from simulator.scenario.preset import EIA_FUELS, PRESETS
from simulator.scenario.scenario import Scenario
from simulator.scenario.table import Table, raise_first

from .columns import Sheet, Sites, check_words, sheets, to_slots
from .shapes import shaped
from .timestamps import since, time_zone

#: The fuel of a column that is left out.
NONE = "none"
PATH: KeyPath = ("grid", "mix")


class MixTable(NamedTuple):
    """Generation by fuel, in any unit, [slots, sites, fuels]."""

    fuels: list[str]
    generation: FloatArray

    def mean_of(self, factor: str) -> FloatArray:
        """Mean of ``carbon_kg_per_kwh`` or ``water_l_per_kwh`` over the mix of each slot, [slots, sites].

        sum over fuels of generation x factor / sum of generation (docs/data.md has the factors).
        """
        factors = np.array([float(fuels()[name][factor]) for name in self.fuels])
        return np.asarray(self.generation @ factors / self.generation.sum(axis=2))


def build_mix(mix: Mix, scenario: Scenario, sites: Sites) -> MixTable:
    """The mix of every slot and site; raises InputError."""
    if mix.synthetic is not None:
        path: KeyPath = (*PATH, "synthetic")
        known_fuels({name: name for name in mix.synthetic}, path)
        shapes = [shaped(shape, scenario, sites, (*path, name), 0.0) for name, shape in mix.synthetic.items()]
        table = MixTable(list(mix.synthetic), np.stack(shapes, axis=2))
    else:
        assert mix.csv is not None
        table = MixTable(list(fuels()), _from_files(mix.csv, scenario, sites, (*PATH, "csv")))
    nothing = table.generation.sum(axis=2) <= 0
    if nothing.any():
        slot, site = (int(k[0]) for k in np.nonzero(nothing))
        raise refuse(PATH, f"site '{sites[site].name}' has no generation at all in slot {slot}")
    return table


def known_fuels(given: dict[str, str], path: KeyPath) -> None:
    """Hold the fuels of a mapping against the catalogue; raises InputError."""
    problems, known = Problems(), [*fuels(), NONE]
    for head, fuel in given.items():
        if fuel not in known:
            problems.add((*path, head), f"unknown fuel '{fuel}'{did_you_mean(fuel.replace('_', ' '), known)}")
    problems.settle()


def _from_files(asked: MixFile, scenario: Scenario, sites: Sites, path: KeyPath) -> FloatArray:
    """Generation [slots, sites, fuels], none below zero: what a plant takes for itself is not made of its fuel."""
    known_fuels(asked.fuels, (*path, "fuels"))
    problems, columns = Problems(), []
    check_words(asked, sites, path, problems)
    sheet_of = sheets(asked, scenario, path)
    for site in sites:
        with problems.collecting():
            sheet = sheet_of(site)
            if asked.preset is not None:
                sheet, heads, values = _by_row(asked, sheet, scenario, path)
            else:
                heads, values = _by_column(asked, sheet.table)
            slots = to_slots(asked, sheet, np.maximum(values, 0.0), scenario, path)
            columns.append(_by_fuel(heads, slots))
    problems.settle()
    return np.stack(columns, axis=1)


def _by_column(asked: MixFile, table: Table) -> tuple[list[str], FloatArray]:
    """Fuels and values [rows, fuels] of a file with a column for each fuel."""
    codes = {row["eia_code"]: name for name, row in fuels().items()}
    heads = [head.strip() for head in table.header]
    named = {head: asked.fuels.get(head) or codes.get(head) or (head if head in fuels() else NONE) for head in heads}
    for head in asked.fuels:
        if head not in heads:
            raise InputError(
                [Problem(table.path, f"there is no column '{head}'{did_you_mean(head, heads)}", str(table.file), 1)]
            )
    used = [head for head, fuel in named.items() if fuel != NONE]
    if not used:
        what = f"no column names a fuel{did_you_mean('', fuels())}; say which is which: fuels: {{header: fuel}}"
        raise InputError([Problem(table.path, what, str(table.file), 1)])
    empty = asked.gaps != "refuse" or asked.stamp == "instant"
    return [named[head] for head in used], np.stack([table.numbers(head, empty=empty) for head in used], axis=1)


def _by_row(asked: MixFile, sheet: Sheet, scenario: Scenario, path: KeyPath) -> tuple[Sheet, list[str], FloatArray]:
    """The same of a file with a row for each fuel, in any order: a sheet with a row for each time."""
    assert asked.preset is not None
    preset, table = PRESETS[asked.preset], sheet.table
    codes = [code.strip() for code in table.column(preset.fuel)]
    named = EIA_FUELS | asked.fuels
    raise_first(
        [
            table.problem(
                k, f"unknown fuel '{code}'{did_you_mean(code, named)}; say what it is: fuels: {{{code}: other}}"
            )
            for k, code in enumerate(codes)
            if code not in named and code not in codes[:k]
        ]
    )
    times = _times(table, asked.time or preset.time[0], asked, scenario.start, path)
    values = table.numbers(preset.columns["mix"][0], empty=True)
    used = sorted({code for code in codes if named[code] != NONE})
    moments, first, row = np.unique(times, return_index=True, return_inverse=True)
    grid = np.full((len(moments), len(used)), np.nan)
    for k, code in enumerate(codes):
        if code in used:
            cell = row[k], used.index(code)
            if not np.isnan(grid[cell]):
                raise InputError(
                    [table.problem(k, f"fuel '{code}' stands twice at one time; pick a respondent with `only`")]
                )
            grid[cell] = values[k]
    rows = Table(table.file, table.path, table.header, *_picked(table, first.tolist()))
    return Sheet(rows, moments, None), [named[code] for code in used], grid


def _picked(table: Table, rows: Sequence[int]) -> tuple[tuple[tuple[str, ...], ...], tuple[int, ...]]:
    return tuple(table.rows[k] for k in rows), tuple(table.lines[k] for k in rows)


def _times(table: Table, column: str, asked: MixFile, start: datetime, path: KeyPath) -> FloatArray:
    zone, problems, seconds = time_zone(asked.timezone, (*path, "timezone")), [], np.zeros(len(table.rows))
    for k, text in enumerate(table.column(column)):
        try:
            seconds[k] = since(datetime.fromisoformat(text.strip()), zone, start, -np.inf)
        except (ValueError, OverflowError):
            problems.append(
                table.problem(k, f"column '{column}': a time such as 2022-09-22T05 is needed (given {text!r})")
            )
    raise_first(problems)
    return seconds


def _by_fuel(heads: list[str], values: FloatArray) -> FloatArray:
    """Sums over columns of the same fuel, [slots, columns] -> [slots, fuels of the catalogue]."""
    total = np.zeros((len(values), len(fuels())))
    for k, head in enumerate(heads):
        total[:, list(fuels()).index(head)] += values[:, k]
    return total
