"""The source of a scenario: YAML text, and the line and column of every key in it.

PyYAML reads scalars by YAML 1.1 (``NO`` is false, ``12:30`` is 750, ``1e-3`` is text). Here it only
parses; scalars are resolved by the YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#103-core-schema).
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import yaml

from simulator.problem import InputError, Problem, Problems, did_you_mean
from simulator.problem import Path as KeyPath

_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)")
_NAN = re.compile(r"\.(nan|NaN|NAN)")
_YAML_11 = re.compile(r"(yes|no|on|off|y|n)", re.IGNORECASE)

MOST_NODES = 200_000
MOST_DEPTH = 60
MOST_BYTES = 4_000_000
MOST_DIGITS = 250


class Text(str):
    """A string that knows the folder it was written in, so that a path can count from there."""

    folder: Path

    def __new__(cls, value: str, folder: Path) -> Text:
        text = super().__new__(cls, value)
        text.folder = folder
        return text

    def __getnewargs__(self) -> tuple[str, Path]:  # type: ignore[override]
        return str(self), self.folder


class _Loader(yaml.SafeLoader):
    """A parser without implicit types: every plain scalar stays text until we read it."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """The tag of a node that carries none: so any other one was written by the user."""
        return ""


class Source:
    """A parsed scenario file: ``data`` (dicts, tuples, scalars) and the place of every key.

    Raises
    ------
    InputError
        for text that is not YAML 1.2, duplicate keys, tags, keys that are not text.
    """

    def __init__(self, text: str, name: str, folder: Path):
        self.name = name
        self._folder = folder
        self._keys: dict[KeyPath, tuple[int, int]] = {}
        self._values: dict[KeyPath, tuple[int, int]] = {(): (1, 1)}
        self._overridden: dict[KeyPath, str] = {}
        self._problems = Problems()
        self._nodes = 0
        root = self._compose(text)
        self.data: Any = None if root is None else self._read(root, (), ())
        self._problems.settle()

    @classmethod
    def from_file(cls, path: str | Path) -> Source:
        """Read a scenario file; raises InputError where it cannot be read as UTF-8 text."""
        path = Path(path)
        return cls(read_text(path), str(path), path.parent.resolve())

    def override(self, settings: Iterable[str], is_choice: Callable[[KeyPath], bool] = lambda path: False) -> None:
        """Apply ``KEY=VALUE`` settings of a command line: dotted keys, values in YAML.

        Where ``is_choice`` holds of a key, the one that the file chose beside it gives way.
        """
        problems = Problems()
        for setting in settings:
            with problems.collecting():
                self._override_one(setting, is_choice)
        problems.settle()

    def locate(self, problem: Problem) -> Problem:
        """The problem with its file, line and column, and its path cut to what the file says."""
        if problem.file is not None:
            return problem
        known: KeyPath = ()
        for part in problem.path:
            # Parts that the file does not have (a key left out, the name of a variant) are skipped.
            if (*known, part) in self._values:
                known = (*known, part)
        for length in range(len(known), 0, -1):
            if known[:length] in self._overridden:
                return Problem(known, problem.what, self._overridden[known[:length]])
        if problem.what.startswith("exactly one of"):
            for path, place in self._overridden.items():
                if path[: len(known)] == known:  # the file says one variant, the command line adds another
                    return Problem(known, problem.what, place)
        at_key = problem.what.startswith(("unknown key", "unknown site")) and known in self._keys
        line, column = self._keys[known] if at_key else self._values[known]
        return Problem(known, problem.what, self.name, line, column)

    def located(self, error: InputError) -> InputError:
        """The error with every problem located, in the order of the file."""
        problems = [self.locate(problem) for problem in error.problems]
        return InputError(
            sorted(problems, key=lambda p: (p.file != self.name, p.file or "", p.line or 0, p.column or 0))
        )

    def _fail(self, what: str, mark: yaml.Mark | None, path: KeyPath = ()) -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        self._problems.found.append(Problem(path, what, self.name, line, column))

    def _compose(self, text: str) -> yaml.Node | None:
        try:
            return yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = f"not valid YAML: {error.problem or error}"
            if error.problem and "expected a single document" in str(error):
                what = "one document is expected, a second one ('---') starts here"
            if mark and any("\t" in line for line in text.splitlines()[mark.line : mark.line + 1]):
                what += " (YAML does not allow tabs for indentation)"
            self._fail(what, mark)
        except yaml.reader.ReaderError as error:
            before = text[: error.position]
            line, column = before.count("\n") + 1, error.position - before.rfind("\n")
            what = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
            self._problems.found.append(Problem((), what, self.name, line, column))
        except RecursionError:
            self._fail("the document is too deep: brackets within brackets within brackets", None)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            self._fail(f"not valid YAML: {error}", None)
        self._problems.settle()
        return None

    def _read(self, node: yaml.Node, path: KeyPath, parents: tuple[int, ...]) -> Any:
        self._nodes += 1
        self._values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if id(node) in parents or self._nodes > MOST_NODES or len(parents) > MOST_DEPTH:
            if self._nodes <= MOST_NODES + 1:
                self._fail("the document is too large, too deep, or refers to itself", node.start_mark, path)
                self._nodes = MOST_NODES + 1
            return None
        if node.tag:
            written = node.tag.replace("tag:yaml.org,2002:", "!!")
            self._fail(f"tags are not used in a scenario (given {written})", node.start_mark, path)
            return None
        parents = (*parents, id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, parents)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self._read(child, (*path, index), parents) for index, child in enumerate(node.value))
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath, parents: tuple[int, ...]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._fail("a key must be a plain word", key_node.start_mark, path)
                continue
            key = key_node.value
            here = (*path, key)
            if key in data:
                first = self._keys[here][0]
                self._fail(f"duplicate key '{key}' (first given on line {first})", key_node.start_mark, here)
                continue
            self._keys[here] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            data[key] = self._read(value_node, here, parents)
            if isinstance(value_node, yaml.CollectionNode):
                self._values[here] = self._keys[here]  # a block is pointed at by its key
        return data

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if any("\ud800" <= sign <= "\udfff" for sign in node.value):
            self._fail("an escaped half of a surrogate pair is no character", node.start_mark, path)
            return None
        if node.style is not None:
            return Text(node.value, self._folder)
        try:
            return plain_scalar(node.value, self._folder)
        except ValueError as error:
            self._fail(str(error), node.start_mark, path)
            return None

    def _override_one(self, setting: str, is_choice: Callable[[KeyPath], bool]) -> None:
        key, equals, value = setting.partition("=")
        path: KeyPath = tuple(
            int(p) if p.isdecimal() and len(p) < 10 else p
            for p in key.strip().replace("[", ".").replace("]", "").split(".")
        )
        place = f"--set {setting}"
        if not equals or "" in path or len(path) > MOST_DEPTH:
            raise InputError([Problem((), "write it as KEY=VALUE, with a dotted key (fleet_scale=0.01)", place)])
        try:
            read = Source(value, place, Path.cwd())
        except InputError as error:
            raise InputError([Problem(path, problem.what, place) for problem in error.problems]) from None
        for length in range(1, len(path)):
            if is_choice(path[: length + 1]) and not _holds(self.data, path[: length + 1]):
                self.replace(path[:length], {}, place)
        self.replace(path, read.data, place)
        for inner in read._values:
            self._values.setdefault((*path, *inner), (1, 1))

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
            self.data = _with(self.data, path, value, place)
        except InputError as error:
            raise InputError([Problem(path, problem.what, place) for problem in error.problems]) from None
        for length in range(1, len(path) + 1):
            self._values.setdefault(path[:length], (1, 1))
        self._overridden[made] = place


def plain_scalar(text: str, folder: Path) -> Any:
    """A plain YAML scalar by the 1.2 core schema; ValueError for numbers that no one can mean."""
    if len(text) > MOST_DIGITS and any(kind.fullmatch(text) for kind in (_FLOAT, _OCTAL, _HEX)):
        raise ValueError(f"a number of {len(text)} characters is too long")
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(f"the number {text} is too large")
        return number
    if match := _INFINITE.fullmatch(text):
        return -math.inf if match[1] == "-" else math.inf
    if _NAN.fullmatch(text):
        return math.nan
    for pattern, value in ((_NULL, None), (_TRUE, True), (_FALSE, False)):
        if pattern.fullmatch(text):
            return value
    return Text(text, folder)


def looks_like_yaml_11_boolean(text: str) -> bool:
    """Whether a word was a truth value in YAML 1.1 (``yes``, ``off``): worth a hint."""
    return bool(_YAML_11.fullmatch(text))


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


def _holds(data: Any, path: KeyPath) -> bool:
    """Whether there is anything at a path."""
    for part in path:
        if isinstance(data, tuple) and isinstance(part, int) and part < len(data):
            data = data[part]
        elif isinstance(data, dict) and str(part) in data:
            data = data[str(part)]
        else:
            return False
    return True


def _with(data: Any, path: KeyPath, value: Any, place: str) -> Any:
    """A copy of ``data`` with ``value`` at ``path``; mappings on the way are made."""
    head, rest = path[0], path[1:]
    if isinstance(data, tuple):
        if not isinstance(head, int) or head >= len(data):
            raise InputError(
                [Problem(path, f"the list has {len(data)} entries, counted from 0 (given '{head}')", place)]
            )
        return (*data[:head], _with(data[head], rest, value, place) if rest else value, *data[head + 1 :])
    known = data if isinstance(data, dict) else {}
    key = str(head)
    if not rest:
        return {**known, key: value}
    inner = known.get(key)
    return {**known, key: _with(inner if isinstance(inner, dict | tuple) else {}, rest, value, place)}
