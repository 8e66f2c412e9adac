"""Numbers as readers read them: thousands separated, few digits, a dash for what is not known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

UNKNOWN = "-"
_MANY = 1000


def is_known(value: Any) -> bool:
    """Whether this is a number, and a finite one."""
    return isinstance(value, int | float) and math.isfinite(value)


def written(value: Any, style: str = "") -> str:
    """A number in a style of Python's format; three digits unless given, thousands whole."""
    if not is_known(value):
        return UNKNOWN
    if style == "money":
        style = ",.0f" if abs(value) >= _MANY else ",.2f"
    if not style:
        style = ",.0f" if abs(value) >= _MANY or value == int(value) else ",.3g"
    return format(value, style)


def column(values: Sequence[Any], style: str) -> list[str]:
    """A column, its money alike: with cents only where all of it is small."""
    if style == "money":
        largest = max((abs(value) for value in values if is_known(value)), default=0.0)
        style = ",.0f" if largest >= _MANY else ",.2f"
    return [written(value, style) for value in values]


def rounded(value: float, digits: int = 5) -> float:
    """A number with so many significant digits, so that charts stay small."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else value
