"""A problem: one thing that is wrong with the input, where it stands and what may have been meant."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One mistake in the input.

    ``path`` leads to the key in the scenario; ``file``, ``line`` and ``column`` are filled in
    by whoever knows them (a data file names its own).
    """

    path: KeyPath
    what: str
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        text = ": ".join(part for part in (place, dotted(self.path), self.what) if part)
        return one_line(text)


class InputError(ValueError):
    """All mistakes found in the input; nothing has been run and nothing written."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def within(self, path: KeyPath) -> InputError:
        """The error of what stands at a path."""
        return InputError(replace(problem, path=(*path, *problem.path)) for problem in self.problems)


class LawError(RuntimeError):
    """A law of the model does not hold in a run: the figures must not be used."""


class Problems:
    """Mistakes as they are collected; raised together by :meth:`settle`."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, path: KeyPath, what: str) -> None:
        self.found.append(Problem(path, what))

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Take in the problems of an InputError raised inside, and go on after the block."""
        try:
            yield
        except InputError as error:
            self.found += error.problems

    def settle(self) -> None:
        """Raise InputError if anything was found."""
        if self.found:
            raise InputError(dict.fromkeys(self.found))


def one_line(text: str) -> str:
    """A text on one line, whatever stands in the user's own words, and nothing in it that a terminal would obey."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def refuse(path: KeyPath, what: str) -> InputError:
    """The InputError of a single mistake."""
    return InputError([Problem(path, what)])


def dotted(path: KeyPath) -> str:
    """A path as users write it: ``sites[0].servers.count``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def did_you_mean_file(path: pathlib.Path) -> str:
    """The tail of a message about a file that is not there: the nearest name in its folder, if one is near."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except (OSError, ValueError):
        return ""
    near = get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """The tail of a message about an unknown word: the nearest known one, or all of them."""
    names = [str(name) for name in known if name != ""]
    if isinstance(word, str) and word.replace("-", "_") in names:
        return f"; did you mean '{word.replace('-', '_')}'?"
    # Letters of another case are the nearest of all (usd/mwh, USD/MWh), but far by difflib.
    near = [name for name in names if name.lower() == str(word).lower()]
    near = near or get_close_matches(str(word), names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"; known: {shown}"
