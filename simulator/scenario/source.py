"""The source of a scenario: a file, the settings of the command line on top of it, and where each key stands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from simulator.problem import InputError, KeyPath, Problem, Problems, did_you_mean

from .document import Document
from .setting import Setting, holds, numbered, put, read_setting

MOST_BYTES = 4_000_000

#: Whether the last key of a path is one of which a scenario chooses one.
IsChoice = Callable[[KeyPath], bool]


class Change(NamedTuple):
    """A value for a path of a scenario, and where the user gave it, for messages."""

    path: KeyPath
    value: Any
    place: str


class Source:
    """``data`` (dicts, tuples, scalars) of a scenario, and the place of every key; raises as Document does."""

    def __init__(self, text: str, name: str, folder: Path):
        self.name = name
        document = Document(text, name, folder)
        self.data: Any = document.data
        self._keys = document.keys
        self._values = document.values
        self._overridden: dict[KeyPath, str] = {}
        self._moved: dict[KeyPath, KeyPath] = {}
        self._before_moving: dict[KeyPath, str] = {}

    @classmethod
    def from_file(cls, path: str | Path) -> Source:
        """Read a scenario file; raises InputError where it cannot be read as UTF-8 text."""
        path = Path(path)
        return cls(read_text(path), str(path), path.parent.resolve())

    def override(self, settings: Iterable[str], is_choice: IsChoice = lambda path: False) -> None:
        """Apply ``KEY=VALUE`` settings of a command line: dotted keys, values in YAML.

        Where ``is_choice`` holds of a key, the one that the file chose beside it gives way.
        """
        problems = Problems()
        for setting in settings:
            with problems.collecting():
                self._apply(read_setting(setting), is_choice)
        problems.settle()

    def locate(self, problem: Problem) -> Problem:
        """The problem with its file, line and column, and its path cut to what the file says."""
        if problem.file is not None:
            return problem
        overridden = self._overridden
        for new, old in self._moved.items():
            if problem.path[: len(new)] == new:
                problem = replace(problem, path=(*old, *problem.path[len(new) :]))
                overridden = self._before_moving
                break
        known: KeyPath = ()
        for part in problem.path:
            # Parts that the file does not have (a key left out, the name of a variant) are skipped.
            if (*known, part) in self._values:
                known = (*known, part)
        for length in range(len(known), 0, -1):
            if known[:length] in overridden:
                return Problem(known, problem.what, overridden[known[:length]])
        if problem.what.startswith("exactly one of"):
            for path, place in overridden.items():
                if path[: len(known)] == known:  # the file says one variant, the command line adds another
                    return Problem(known, problem.what, place)
        # Origins are named by keys of mappings here and by values there.
        words = ("unknown key", "unknown site", f"unknown origin '{known[-1] if known else ''}'")
        at_key = problem.what.startswith(words) and known in self._keys
        line, column = self._keys[known] if at_key else self._values[known]
        return Problem(known, problem.what, self.name, line, column)

    def located(self, error: InputError) -> InputError:
        """The error with every problem located, in the order of the file."""
        problems = [self.locate(problem) for problem in error.problems]
        return InputError(
            sorted(problems, key=lambda p: (p.file != self.name, p.file or "", p.line or 0, p.column or 0))
        )

    def varied(self, changes: Iterable[Change], without: Iterable[str], is_choice: IsChoice) -> Source:
        """A copy with these changes, all mistakes at once, and without some of its top-level keys."""
        other = copy(self)
        other.data = {key: value for key, value in self.data.items() if key not in set(without)}
        other._values, other._overridden = dict(self._values), dict(self._overridden)
        problems = Problems()
        for change in changes:
            with problems.collecting():
                other.change(change, is_choice)
        problems.settle()
        return other

    def change(self, change: Change, is_choice: IsChoice) -> KeyPath:
        """Put a value at a path, its entries of lists by number or name; the path by numbers."""
        path = numbered(self.data, change.path)
        for length in range(1, len(path)):
            if is_choice(path[: length + 1]) and not holds(self.data, path[: length + 1]):
                self.replace(path[:length], {}, change.place)
        self.replace(path, change.value, change.place)
        return path

    def place_of(self, path: KeyPath) -> str:
        """Where a value stands: ``file:line:column``, or what was typed on the command line."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._overridden:
                return self._overridden[path[:length]]
        line, column = self._values[path]
        return f"{self.name}:{line}:{column}"

    def _apply(self, setting: Setting, is_choice: IsChoice) -> None:
        path = self.change(Change(setting.path, setting.document.data, setting.place), is_choice)
        for inner in setting.document.values:
            self._values.setdefault((*path, *inner), (1, 1))

    def choose(self, path: KeyPath, entries: Sequence[tuple[Any, int | None, str]]) -> None:
        """Put a list in place of the one at ``path``: values, and the numbers that they have in the old list.

        Messages about an entry of the old list name the place it was given at; of a new one, what stands beside it.
        """
        self._before_moving = dict(self._overridden)
        self.replace(path, tuple(value for value, _, _ in entries), entries[0][2])
        for number, (value, old, place) in enumerate(entries):
            if old is None:
                self.replace((*path, number), value, place)
            else:
                self._moved[(*path, number)] = (*path, old)

    def replace(self, path: KeyPath, value: Any, place: str) -> None:
        """Put a value in place of the file's; ``place`` is where the user gave it, for messages."""
        made, given = path, self.data
        for length, part in enumerate(path, 1):
            known: dict[Any, Any] = given if isinstance(given, dict) else dict(enumerate(given))
            given = known.get(str(part) if isinstance(given, dict) else part)
            if not isinstance(given, dict | tuple):
                made = path[:length]  # from here on nothing of the file is left
                break
        try:
            self.data = put(self.data, path, value, place)
        except InputError as error:
            raise InputError([Problem(path, problem.what, place) for problem in error.problems]) from None
        for length in range(1, len(path) + 1):
            self._values.setdefault(path[:length], (1, 1))
        self._overridden[made] = place


def read_text(path: Path) -> str:
    """The UTF-8 text of an input file; InputError with a sentence that helps where there is none."""
    name = str(path)
    try:
        size = os.stat(path).st_size
        if path.is_dir():
            raise InputError([Problem((), "this is a folder, a file is needed", name)])
        if size > MOST_BYTES:
            raise InputError([Problem((), f"a scenario of {size:,} bytes is too large", name)])
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        head = error.object[: error.start]
        line, column = head.count(b"\n") + 1, error.start - head.rfind(b"\n")
        what = f"not UTF-8 text (byte 0x{error.object[error.start]:02x}); save the file as UTF-8"
        raise InputError([Problem((), what, name, line, column)]) from None
    except FileNotFoundError:
        near = did_you_mean(path.name, _neighbours(path)) if _neighbours(path) else ""
        raise InputError([Problem((), f"there is no such file{near}", name)]) from None
    except (OSError, ValueError) as error:
        raise InputError([Problem((), f"cannot be read: {getattr(error, 'strerror', None) or error}", name)]) from None


def _neighbours(path: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in path.parent.iterdir() if entry.suffix == path.suffix)
    except (OSError, ValueError):
        return []
