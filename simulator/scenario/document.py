"""A document: YAML text as data, and the line and column of every key in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import yaml

from simulator.problem import KeyPath, Problem, Problems

from .scalar import Text, plain_scalar

MOST_NODES = 200_000
MOST_DEPTH = 60

Place = tuple[int, int]


class _Loader(yaml.SafeLoader):
    """A parser without implicit types: every plain scalar stays text until we read it."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """The tag of a node that carries none: so any other one was written by the user."""
        return ""


class Document:
    """A parsed text: ``data`` (dicts, tuples, scalars), and the line and column of ``keys`` and ``values`` by path.

    Raises
    ------
    InputError
        for text that is not YAML 1.2, duplicate keys, tags, keys that are not text.
    """

    def __init__(self, text: str, name: str, folder: Path):
        self.keys: dict[KeyPath, Place] = {}
        self.values: dict[KeyPath, Place] = {(): (1, 1)}
        self._name = name
        self._folder = folder
        self._problems = Problems()
        self._nodes = 0
        root = self._compose(text)
        self.data: Any = None if root is None else self._read(root, (), ())
        self._problems.settle()

    def _fail(self, what: str, mark: yaml.Mark | None, path: KeyPath = ()) -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        self._problems.found.append(Problem(path, what, self._name, line, column))

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
            self._problems.found.append(Problem((), what, self._name, line, column))
        except RecursionError:
            self._fail("the document is too deep: brackets within brackets within brackets", None)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            self._fail(f"not valid YAML: {error}", None)
        self._problems.settle()
        return None

    def _read(self, node: yaml.Node, path: KeyPath, parents: tuple[int, ...]) -> Any:
        self._nodes += 1
        self.values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
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
                first = self.keys[here][0]
                self._fail(f"duplicate key '{key}' (first given on line {first})", key_node.start_mark, here)
                continue
            self.keys[here] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            data[key] = self._read(value_node, here, parents)
            if isinstance(value_node, yaml.CollectionNode):
                self.values[here] = self.keys[here]  # a block is pointed at by its key
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
