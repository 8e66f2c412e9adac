"""Scalars: what a word of YAML means, by the YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#103-core-schema).

YAML 1.1 would read ``NO`` as false, ``12:30`` as 750 and ``1e-3`` as text.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

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

#: A number with more characters is a mistake.
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
