"""A setting: one ``KEY=VALUE`` of a command line, the key dotted, the value in YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from simulator.problem import InputError, KeyPath, Problem, did_you_mean

from .document import MOST_DEPTH, Document


class Setting(NamedTuple):
    """A value for a path of the scenario; ``place`` is what the user typed, for messages."""

    path: KeyPath
    document: Document
    place: str


def key_path(key: str) -> KeyPath:
    """The path that a dotted key means; () where it means none."""
    path: KeyPath = tuple(
        int(part) if re.fullmatch("-?[0-9]{1,9}", part) else part
        for part in key.strip().replace("[", ".").replace("]", "").split(".")
    )
    return () if "" in path or len(path) > MOST_DEPTH else path


def read_setting(text: str) -> Setting:
    """Read ``KEY=VALUE``; paths in the value count from the current folder. Raises InputError."""
    key, equals, value = text.partition("=")
    path, place = key_path(key), f"--set {text}"
    if not equals or not path:
        raise InputError([Problem((), "write it as KEY=VALUE, with a dotted key (fleet_scale=0.01)", place)])
    try:
        return Setting(path, Document(value, place, Path.cwd()), place)
    except InputError as error:
        raise InputError([Problem(path, problem.what, place) for problem in error.problems]) from None


def numbered(data: Any, path: KeyPath) -> KeyPath:
    """The path with the entries of lists that it names by their names (``policies.eglb.step``) as numbers.

    An entry has the name that it is, that is its only key, or that stands under its key ``name``.
    """
    found: KeyPath = ()
    for length, part in enumerate(path):
        if isinstance(data, tuple) and isinstance(part, str):
            number = next((k for k, entry in enumerate(data) if _is_called(entry, part)), None)
            if number is None:
                return (*found, *path[length:])
            found, data = (*found, number), data[number]
            if isinstance(data, dict) and part not in data:
                continue  # the name stands within the entry
        found = (*found, part)
        data = data.get(str(part)) if isinstance(data, dict) else _entry(data, part)
    return found


def _is_called(entry: Any, name: str) -> bool:
    return entry == name or (isinstance(entry, dict) and (list(entry) == [name] or entry.get("name") == name))


def _entry(data: Any, part: object) -> Any:
    return data[part] if isinstance(data, tuple) and isinstance(part, int) and 0 <= part < len(data) else None


def _names(data: tuple[Any, ...]) -> list[str]:
    heads = [next(iter(entry), "") if isinstance(entry, dict) and len(entry) == 1 else entry for entry in data]
    return [str(head.get("name", "")) if isinstance(head, dict) else str(head) for head in heads]


def holds(data: Any, path: KeyPath) -> bool:
    """Whether there is anything at a path."""
    for part in path:
        if isinstance(data, tuple) and isinstance(part, int) and 0 <= part < len(data):
            data = data[part]
        elif isinstance(data, dict) and str(part) in data:
            data = data[str(part)]
        else:
            return False
    return True


def put(data: Any, path: KeyPath, value: Any, place: str) -> Any:
    """A copy of ``data`` with ``value`` at ``path``; mappings on the way are made."""
    head, rest = path[0], path[1:]
    if isinstance(data, tuple):
        if isinstance(head, str) and not head.isdigit():
            what = f"no entry of the list is called '{head}'{did_you_mean(head, _names(data))}"
            raise InputError([Problem(path, what, place)])
        if not isinstance(head, int) or not 0 <= head < len(data):
            raise InputError(
                [Problem(path, f"the list has {len(data)} entries, counted from 0 (given '{head}')", place)]
            )
        return (*data[:head], put(data[head], rest, value, place) if rest else value, *data[head + 1 :])
    known = data if isinstance(data, dict) else {}
    key = str(head)
    if isinstance(head, int) and known and key not in known:
        what = f"this is a mapping with {', '.join(map(str, known))}, not a list (given [{head}])"
        raise InputError([Problem(path, what, place)])
    if not rest:
        return {**known, key: value}
    inner = known.get(key)
    return {**known, key: put(inner if isinstance(inner, dict | tuple) else {}, rest, value, place)}
