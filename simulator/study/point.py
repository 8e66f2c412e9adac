"""A point: one variation of a scenario and one seed; a run of all its policies, in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.claim import MANIFEST, Running
from simulator.folder import Folder
from simulator.problem import InputError, one_line
from simulator.scenario import Scenario
from simulator.study.comparison import Task, compare
from simulator.study.crew import Tell
from simulator.study.outcome import Outcome
from simulator.world import build_world


@dataclass(frozen=True)
class Point:
    """What is varied has these ``values`` by dotted key; the scenario has them, and the seed, already."""

    name: str
    values: Mapping[str, Any]
    scenario: Scenario

    @property
    def seed(self) -> int:
        """The seed of all randomness."""
        return self.scenario.seed


@dataclass(frozen=True)
class Piece:
    """A point as a piece of work: where its results go, and where a user's own modules are."""

    point: Point
    folder: Path
    modules: tuple[Path, ...]


@dataclass(frozen=True)
class Ended:
    """A point that came to its end, or failed for this reason, or that somebody else is busy with."""

    reason: str = ""
    elsewhere: bool = False

    @classmethod
    def badly(cls, reason: str) -> Ended:
        """A point that failed, for a reason in the words of whatever failed."""
        return cls(one_line(reason))


def is_done(folder: Path) -> bool:
    """Whether a folder holds a finished point."""
    return (folder / MANIFEST).is_file()


def perform(piece: Piece, tell: Tell) -> Ended:
    """Run a point and write its folder, unless that is done; what goes wrong is a reason, never an exception."""
    if is_done(piece.folder):
        return Ended()
    try:
        folder = Folder(piece.folder)
    except Running:
        return Ended(elsewhere=True)
    except InputError as error:
        return Ended() if is_done(piece.folder) else Ended.badly(str(error))
    try:
        return Ended.badly(_run(piece, folder, tell))
    except KeyboardInterrupt:  # not from the keyboard: a policy raised it
        return Ended("KeyboardInterrupt")
    except (Exception, SystemExit) as error:
        return Ended.badly(f"{type(error).__name__}: {error}")
    finally:
        folder.discard()


def _run(piece: Piece, folder: Folder, tell: Tell) -> str:
    """Run and write; why it failed, if it did."""
    scenario, world = piece.point.scenario, build_world(piece.point.scenario)
    count = len(scenario.policies)
    task = Task(scenario, scenario.engine, scenario.seed, piece.modules, folder.partial / "requests")
    outcome = Outcome.of(world, compare(task, world, 1, lambda number, share: tell((number + share) / count)))
    if outcome.failed:
        return "; ".join(f"{policy}: {reason}" for policy, reason in outcome.failed.items())
    outcome.write(folder)
    return ""
