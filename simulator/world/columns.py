"""Columns: a quantity of every site from the user's CSV files, as means over the slots of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta, timezone, tzinfo
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.fleet import FloatArray
from simulator.problem import InputError, KeyPath, Problem, Problems, did_you_mean, refuse
from simulator.scenario.place import Site
from simulator.scenario.preset import PRESETS, ZONES
from simulator.scenario.scenario import Scenario
from simulator.scenario.signal_file import SignalFile
from simulator.scenario.table import Table, read_table

from .instants import instants_to_slots
from .periods import of_periods, read_periods
from .timestamps import over_slots, read_times, regular, time_zone

Sites = tuple[Site, ...]

#: Quantities that may fall below zero.
SIGNED = ("price", "dry_bulb", "dew_point", "wet_bulb")


class Sheet(NamedTuple):
    """Rows of a file with their times [s] since the run's start."""

    table: Table
    times: FloatArray
    ends: FloatArray | None
    """Where the rows say themselves when they end."""


def every_site(given: Mapping[str, object], sites: Sites, path: KeyPath, what: str) -> None:
    """Hold the keys of a mapping against the names of the sites; raises InputError."""
    problems, known = Problems(), [site.name for site in sites]
    for name in given:
        if name not in known:
            problems.add((*path, name), f"unknown site '{name}'{did_you_mean(name, known)}")
    for name in known:
        if name not in given:
            problems.add(path, f"site '{name}' has no {what}")
    problems.settle()


def slot_columns(asked: SignalFile, quantity: str, scenario: Scenario, sites: Sites, path: KeyPath) -> FloatArray:
    """Means over the slots in the unit of the files, [slots, sites]; InputError with every mistake in them.

    ``quantity`` is what a preset calls the values: price, carbon, dry_bulb, ...
    """
    problems, columns = Problems(), []
    if isinstance(asked.column, dict):
        with problems.collecting():
            every_site(asked.column, sites, (*path, "column"), "column")
    check_words(asked, sites, path, problems)
    sheet_of = sheets(asked, scenario, path)
    for site in sites:
        with problems.collecting():
            sheet = sheet_of(site)
            values = _values(asked, quantity, site.name, sheet.table, path)
            columns.append(to_slots(asked, sheet, values[:, None], scenario, path))
    problems.settle()
    return np.hstack(columns)


def check_words(asked: SignalFile, sites: Sites, path: KeyPath, problems: Problems) -> None:
    """Hold the words by which a site's rows are found against the sites; adds to ``problems``."""
    for header, words in asked.only.items():
        if isinstance(words, dict):
            with problems.collecting():
                every_site(words, sites, (*path, "only", header), "word")


def sheets(asked: SignalFile, scenario: Scenario, path: KeyPath) -> Callable[[Site], Sheet]:
    """What gives the sheet of a site; each file is read once, however many sites stand in it."""
    preset = PRESETS[asked.preset] if asked.preset else None
    headers = (asked.time or preset.time[0],) if preset is not None and preset.head else ()
    table_of = cache(lambda file: read_table(file, (*path, "file"), headers))

    @cache
    def sheet(file: Path, words: tuple[tuple[str, str], ...]) -> Sheet:
        table = table_of(file)
        for header, word in words:
            table = table.only(header, word)
        return _timed(asked, table, scenario, path)

    def of(site: Site) -> Sheet:
        given = {}
        for header, words in asked.only.items():
            if isinstance(words, dict) and site.name not in words:
                raise refuse((*path, "only", header), f"site '{site.name}' has no word")
            given[header] = words[site.name] if isinstance(words, dict) else words
        return sheet(Path(asked.file.replace("{site}", site.name)), tuple(given.items()))

    return of


def _timed(asked: SignalFile, table: Table, scenario: Scenario, path: KeyPath) -> Sheet:
    preset = PRESETS[asked.preset] if asked.preset else None
    column = asked.time or _first_of(preset.time if preset else (), table)
    zone = _zone_of(table, column, path) if asked.timezone == "file" else time_zone(asked.timezone, (*path, "timezone"))
    if preset is not None and preset.one:
        words = sorted(set(table.column(preset.one)))
        if len(words) > 1:
            what = f"column '{preset.one}': {', '.join(words[:3])} stand in one file; pick one with `only`"
            raise InputError([Problem(path, what, str(table.file), 1)])
    if preset is not None and preset.fuel:
        # A row for each fuel: times repeat, and whoever reads the rows puts them in order.
        return Sheet(table, np.zeros(0), None)
    if preset is not None and preset.periods:
        return Sheet(table, *read_periods(table, column, zone, scenario.start))
    return Sheet(table, read_times(table, column, zone, scenario.start), None)


def _zone_of(table: Table, column: str, path: KeyPath) -> tzinfo:
    """The zone that a file names: in the brackets of its time header, or as an offset in the lines above it."""
    for names, *rows in [table.above] if table.above else []:
        offsets = {row[names.index("utc_offset_seconds")] for row in rows if "utc_offset_seconds" in names}
        if len(offsets) == 1:
            return timezone(timedelta(seconds=float(offsets.pop())))
    name = column.partition("(")[2].rstrip(") ")
    if name not in ZONES:
        what = f"the file does not say the zone of its times (column '{column}'); give a time zone"
        raise InputError([Problem((*path, "timezone"), what, str(table.file), 1)])
    return time_zone(ZONES[name], path)


def header_of(asked: SignalFile, quantity: str, site: str, table: Table, path: KeyPath) -> str:
    """The header of the column that holds the values of a site."""
    if isinstance(asked.column, dict) and site not in asked.column:
        raise refuse((*path, "column"), f"site '{site}' has no column")
    header = asked.column[site] if isinstance(asked.column, dict) else asked.column
    if header is None:
        header = _first_of(PRESETS[asked.preset].columns.get(quantity, ()), table) if asked.preset else site
    return header


def may_be_empty(asked: SignalFile) -> bool:
    """Whether cells without a value are no mistake."""
    return asked.gaps != "refuse" or asked.stamp == "instant"


def _values(asked: SignalFile, quantity: str, site: str, table: Table, path: KeyPath) -> FloatArray:
    header = header_of(asked, quantity, site, table, path)
    values = table.numbers(header, empty=may_be_empty(asked))
    if quantity not in SIGNED and (values < 0).any():
        row = int(np.flatnonzero(values < 0)[0])
        what = "humidity" if quantity == "relative_humidity" else "an intensity"
        raise InputError([table.problem(row, f"column '{header}': {what} cannot be negative (given {values[row]:g})")])
    return values


def _first_of(headers: tuple[str, ...], table: Table) -> str:
    """The first of these headers that a file has, else the first of them, for the message about it."""
    return next((header for header in headers if table.has(header)), headers[0])


def to_slots(asked: SignalFile, sheet: Sheet, values: FloatArray, scenario: Scenario, path: KeyPath) -> FloatArray:
    """``values`` [rows, columns] of a sheet as means over the slots, [slots, columns]."""
    table = sheet.table
    if asked.stamp == "instant":
        return instants_to_slots(table, sheet.times, values, asked.gaps, scenario)
    if sheet.ends is not None:
        series = of_periods(table, (sheet.times, sheet.ends), values, asked.gaps)
    else:
        series = regular(table, sheet.times, values, asked.gaps, ends=asked.stamp == "end")
    return over_slots(series, scenario, path, table.file)
