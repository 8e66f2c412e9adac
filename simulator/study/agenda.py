"""An agenda: the points that a sweep or a study runs, and what tells it from any other."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from simulator.scenario import Scenario
from simulator.scenario.writing import to_data
from simulator.study.point import Point

_LIBRARIES = ("numpy", "numba", "highspy", "simpy", "pandas")


@dataclass(frozen=True)
class Agenda:
    """Points in order, and the scenario they are variations of."""

    kind: str
    """`sweep`, or the study's name."""
    scenario: Scenario
    axes: tuple[str, ...]
    """Dotted keys that are varied, in the order of their columns."""
    points: tuple[Point, ...]
    against: str | None
    """The policy that others are held against."""
    modules: tuple[Path, ...]
    """Folders of a user's own modules."""
    inputs: tuple[Path, ...]
    """Files that are read."""
    extra: Mapping[str, Any] | None = None
    """What a study found out before its points were run, in plain data."""

    @cached_property
    def digest(self) -> str:
        """What results and tables depend on, as a hash: all code and libraries, inputs, and what is asked."""
        asked = [self.kind, self.axes, self.against, plain(self.extra or {})]
        parts = [code_digest(), json.dumps(asked, sort_keys=True)]
        parts += [_sha256(file) for file in sorted({*self.inputs, *_loaded_from(self.modules)})]
        parts += [json.dumps([plain(p.values), to_data(p.scenario)], sort_keys=True) for p in self.points]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def as_data(self) -> dict[str, Any]:
        """The content of ``sweep.json``."""
        return {
            "kind": self.kind,
            "name": self.scenario.name,
            "purpose": self.scenario.purpose,
            "axes": list(self.axes),
            "against": self.against,
            "digest": self.digest,
            "points": [
                {"name": point.name, "values": plain(point.values), "seed": point.seed} for point in self.points
            ],
            **({} if self.extra is None else {"extra": plain(self.extra)}),
        }


def alike(variations: Sequence[tuple[Mapping[str, Any], Scenario]]) -> tuple[int, int] | None:
    """Two variations that no table could tell apart, if there are any."""
    seen: dict[tuple[str, ...], int] = {}
    for number, (values, _) in enumerate(variations):
        first = seen.setdefault(tuple(f"{axis}={cell_of(value)}" for axis, value in values.items()), number)
        if first != number:
            return first, number
    return None


def numbered_points(
    variations: Sequence[tuple[Mapping[str, Any], Scenario]], seeds: Sequence[int]
) -> tuple[Point, ...]:
    """Every variation on every seed, the seeds of a variation side by side."""
    width = max(4, len(str(len(variations) * len(seeds))))
    pairs = [(values, scenario, seed) for values, scenario in variations for seed in seeds]
    return tuple(
        Point(f"{number:0{width}d}", values, scenario.model_copy(update={"seed": seed}))
        for number, (values, scenario, seed) in enumerate(pairs, 1)
    )


def plain(value: Any) -> Any:
    """Plain data for JSON: mappings, lists, texts and numbers."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def cell_of(value: Any) -> str:
    """A value as a cell: numbers in full, nothing and NaN as nothing, lists and mappings as JSON."""
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    return (
        str(value) if isinstance(value, str | int) and not isinstance(value, bool) else json.dumps(value, default=str)
    )


@cache
def code_digest() -> str:
    """A hash of what this program is made of: the text of its modules and tables, and the libraries that compute."""
    root = Path(__file__).resolve().parents[2]
    kept = [file for package in ("simulator", "policies") for file in (root / package).rglob("*") if _computes(file)]
    libraries = [f"{name} {_version(name)}" for name in _LIBRARIES]
    return hashlib.sha256("\n".join([sys.version, *libraries, *map(_sha256, sorted(kept))]).encode()).hexdigest()


def _computes(file: Path) -> bool:
    """Whether results may depend on a file: not those of the report and of the command line."""
    return file.suffix in (".py", ".csv") and not {"report", "cli"} & set(file.parts[-3:])


def _loaded_from(folders: Sequence[Path]) -> set[Path]:
    """The files of a user's own modules, and of what they import, as far as it has been imported."""
    found = set()
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "")
        ours = name.partition(".")[0] in ("simulator", "policies", "__main__", "__mp_main__")
        installed = {"site-packages", "dist-packages"} & set(file.parts)
        if file.suffix == ".py" and not ours and not installed and any(folder in file.parents for folder in folders):
            found.add(file)
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def _sha256(file: Path) -> str:
    with open(file, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
