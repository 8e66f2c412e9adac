"""Readings: what the points of a sweep say, by what was varied and by seed."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from simulator.claim import MANIFEST
from simulator.fleet import FloatArray
from simulator.statistics import Interval, mean_interval, paired_interval
from simulator.study.point import Point
from simulator.study.sweep_folder import SweepFolder

Cells = dict[str, str]


class Key(NamedTuple):
    """A variation, by the cells of its axes, and a policy."""

    values: tuple[str, ...]
    policy: str


class Readings:
    """Tables of all points that are done, in the order of the agenda; read once each."""

    def __init__(self, folder: SweepFolder):
        self._folder = folder
        self.axes = folder.agenda.axes
        self.done = tuple(point for point in folder.agenda.points if folder.is_done(point))

    def cells(self, point: Point) -> Cells:
        """What was varied, as cells."""
        return {axis: cell_of(point.values.get(axis)) for axis in self.axes}

    def rows(self, point: Point, table: str) -> list[Cells]:
        """The rows of one of a point's CSV tables."""
        with open(self._folder.piece(point).folder / table, encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

    def manifest(self, point: Point) -> Mapping[str, Any]:
        """The manifest of a point."""
        text = (self._folder.piece(point).folder / MANIFEST).read_text(encoding="utf-8")
        return dict(json.loads(text))

    @cached_property
    def summary(self) -> dict[Key, dict[int, Cells]]:
        """The row of each variation, policy and seed."""
        found: dict[Key, dict[int, Cells]] = {}
        for point in self.done:
            values = tuple(self.cells(point).values())
            for row in self.rows(point, "summary.csv"):
                found.setdefault(Key(values, row["policy"]), {})[point.seed] = row
        return found

    @cached_property
    def origins(self) -> dict[tuple[Key, str], dict[int, Cells]]:
        """The row of each variation, policy, origin and seed."""
        found: dict[tuple[Key, str], dict[int, Cells]] = {}
        for point in self.done:
            values = tuple(self.cells(point).values())
            for row in self.rows(point, "origins.csv"):
                found.setdefault((Key(values, row["policy"]), row["origin"]), {})[point.seed] = row
        return found


def figures(rows: Mapping[int, Mapping[str, str]], figure: str, seeds: Iterator[int] | None = None) -> FloatArray:
    """A figure of the rows of some seeds, or of all; NaN where it is not known."""
    return np.array([float(rows[seed].get(figure) or "nan") for seed in (rows if seeds is None else seeds)])


def interval(rows: Mapping[int, Mapping[str, str]], figure: str) -> Interval:
    """The mean of a figure over seeds."""
    return mean_interval(figures(rows, figure))


def difference(
    rows: Mapping[int, Mapping[str, str]], others: Mapping[int, Mapping[str, str]], figure: str, share: bool = False
) -> Interval:
    """What a figure differs by, paired by seed; as a share of the other's if asked for."""
    seeds = [seed for seed in rows if seed in others]
    ours, theirs = (figures(side, figure, iter(seeds)) for side in (rows, others))
    if share:
        with np.errstate(divide="ignore", invalid="ignore"):
            return mean_interval(np.where(theirs != 0, ours / theirs - 1.0, np.nan))
    return paired_interval(ours, theirs)


def cell_of(value: Any) -> str:
    """A value as a cell: numbers in full, nothing and NaN as nothing, lists and mappings as JSON."""
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    return (
        str(value) if isinstance(value, str | int) and not isinstance(value, bool) else json.dumps(value, default=str)
    )


def with_ends(name: str, found: Interval) -> Cells:
    """A mean and the ends of its interval, as three cells of a row."""
    return {name: cell_of(found.mean), f"{name}_low": cell_of(found.low), f"{name}_high": cell_of(found.high)}
