"""The folder of a sweep: one folder for each point, what is asked, and the tables when all points have ended."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from simulator.claim import MANIFEST
from simulator.mark import is_held, mark_of, owner
from simulator.problem import InputError, Problem
from simulator.scenario.writing import to_yaml
from simulator.study.agenda import Agenda
from simulator.study.point import Piece, Point, is_done

ASKED = "sweep.json"
_OTHER = "name another folder with --out"


class SweepFolder:
    """Several commands may fill one folder at the same time, if they ask for the same: what is asked stands in it.

    It is made, and what is asked is written, by whoever comes first. Nothing here is locked: every point has a claim of
    its own, and every file is written whole and then gets its name.

    Raises
    ------
    InputError
        where the folder holds anything else, or cannot be made.
    """

    def __init__(self, path: Path, agenda: Agenda):
        self.path = path
        self.agenda = agenda
        self._check()
        try:
            self._begin()
        except OSError as error:
            what = f"cannot be made: {error.strerror} ({error.filename or path})"
            raise InputError([Problem((), what, str(path))]) from None
        self._check()  # somebody may have been first, and have asked for something else

    @classmethod
    def at_free_name(cls, folder: Path, stem: str, agenda: Agenda) -> Self:
        """``folder/stem``, or the first of ``stem-2``, ``stem-3``... that is free or holds this very sweep."""
        number = 1
        while True:
            path = folder / (stem if number == 1 else f"{stem}-{number}")
            try:
                return cls(path, agenda)
            except InputError:
                if not path.is_dir():
                    raise
                number += 1

    def _check(self) -> None:
        path, problem = self.path, ""
        if path.is_dir():
            held = read_asked(path)
            if held is None:
                problem = "exists already, and is not a folder of this sweep" if any(path.iterdir()) else ""
            elif held.get("digest") != self.agenda.digest:
                problem = "holds another sweep (or one of another version, or of inputs that have changed since)"
        elif path.exists():
            problem = "exists already, and is not a folder"
        if problem:
            raise InputError([Problem((), f"{problem}; {_OTHER}", str(path))])

    def _begin(self) -> None:
        """Make the folder, and write what is asked, unless that stands there already."""
        self.path.mkdir(parents=True, exist_ok=True)
        if not (self.path / ASKED).exists():
            self._write(ASKED, json.dumps(self.agenda.as_data(), indent=1) + "\n", os.link)
        if not (self.path / "scenario.yaml").exists() and (read_asked(self.path) or {})["digest"] == self.agenda.digest:
            self.write("scenario.yaml", to_yaml(self.agenda.scenario))

    def piece(self, point: Point) -> Piece:
        """A point as a piece of work."""
        return Piece(point, self.path / "points" / point.name, self.agenda.modules)

    def is_done(self, point: Point) -> bool:
        """Whether a point is finished."""
        return is_done(self.path / "points" / point.name)

    def is_claimed(self, point: Point) -> bool:
        """Whether somebody is busy with a point, at a look."""
        return is_held(self.path / "points" / point.name)

    def claimant(self, point: Point) -> str:
        """Who is busy with a point, and the file that says so."""
        place = self.path / "points" / point.name
        return f"{owner(place)}, {mark_of(place)}"

    @property
    def is_finished(self) -> bool:
        """Whether every point is done and the tables are written."""
        return (self.path / MANIFEST).is_file()

    def note_failure(self, point: Point, reason: str, attempts: int) -> None:
        """Write down why a point failed, if that can be written: a full disk may be why it did."""
        said = {"point": point.name, "seed": point.seed, "attempts": attempts, "reason": reason}
        with suppress(OSError):
            (self.path / "failed").mkdir(exist_ok=True)
            self.write(f"failed/{point.name}.json", json.dumps(said, indent=1) + "\n")

    def forget_failure(self, point: Point) -> None:
        """A point that failed has been done since."""
        with suppress(OSError):
            (self.path / "failed" / f"{point.name}.json").unlink()

    def failures(self) -> dict[str, str]:
        """Why points failed that are not done, by name."""
        found: dict[str, str] = {}
        for file in sorted((self.path / "failed").glob("*.json")):
            with suppress(OSError, ValueError, KeyError):
                if not is_done(self.path / "points" / file.stem):
                    found[file.stem] = json.loads(file.read_text(encoding="utf-8"))["reason"]
        return found

    def write(self, name: str, text: str) -> None:
        """Write a file whole: under another name, and renamed."""
        self._write(name, text, os.replace)

    def _write(self, name: str, text: str, put: Callable[[str, Path], None]) -> None:
        """Write a file whole, and ``put`` it in its place: ``os.link`` leaves one that stands there already."""
        place = self.path / name
        handle, temporary = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        try:
            with open(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            with suppress(FileExistsError):
                put(temporary, place)
        finally:
            with suppress(OSError):
                os.unlink(temporary)


def read_asked(path: Path) -> Mapping[str, Any] | None:
    """What is asked of the sweep in a folder; None where there is none."""
    try:
        held = json.loads((path / ASKED).read_text(encoding="utf-8"))
        return held if isinstance(held, dict) and "digest" in held else None
    except (OSError, ValueError):
        return None
