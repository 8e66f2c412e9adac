"""An agenda: the points that a sweep or a study runs, and what tells it from any other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from simulator.modules import files_of
from simulator.scenario import Scenario
from simulator.scenario.writing import to_data
from simulator.study.point import Point


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
        """What results depend on, as a hash: the text of all code and inputs, and what is asked of each point."""
        names = {name for point in self.points for name in _own_modules(point.scenario)}
        own = {file for name in names for file in files_of(name, self.modules)}
        parts = [_sha256(file) for file in [*_our_files(), *sorted({*self.inputs, *own})]]
        parts += [json.dumps(to_data(point.scenario), sort_keys=True) for point in self.points]
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


def _own_modules(scenario: Scenario) -> set[str]:
    """Modules of a user's own that a scenario names as module:Class."""
    batteries = [scenario.battery, *(site.battery for _, site in scenario.sites.own)]
    choices = [*scenario.policies, *(choice for _, choice in scenario.provisionings)]
    names = [choice.name for choice in choices] + [battery.control.name for battery in batteries if battery is not None]
    return {name.partition(":")[0] for name in names if ":" in name}


def _our_files() -> list[Path]:
    """Everything that this program is written in."""
    root = Path(__file__).resolve().parents[2]
    return sorted(file for package in ("simulator", "policies") for file in (root / package).rglob("*.py"))


def _sha256(file: Path) -> str:
    with open(file, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
