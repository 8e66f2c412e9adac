"""Witnesses: for each step that breaks, whose demand cannot be carried where and when."""

from __future__ import annotations

from typing import Any

from .grid import MOST_ROWS, counted
from .numbers import written
from .section import Cell, Remark, Section, Table
from .stressed import Stressed

_FEW = 4


def witnesses(found: Stressed) -> Section:
    """The table of all steps that cannot be carried."""
    heading = "Why it breaks"
    broken = found.steps[found.steps["broken"]]
    if broken.empty:
        return Section(heading, "", [Remark("Every step that was tried can be carried.")])
    words = {stress.key: stress.words for stress in found.stresses}
    header = ["stress", "step", "when, UTC", "these origins", "may use only", "taken away", "kW short"]
    rows = [
        [
            Cell(words[str(row["key"])] + (f" {row['mask']}" if row["key"] == "mask" else "")),
            Cell(str(row["step"])),
            Cell(_text(row["start_utc"])),
            Cell(_few(row["origins"])),
            Cell(_few(row["sites"]) or "no site"),
            Cell(written(row["taken"], ".1%")),
            Cell(written(row["short_kw"], ",.3g")),
        ]
        for row in broken.head(MOST_ROWS).to_dict("records")
    ]
    explanation = (
        "For each step that cannot be carried a witness: origins whose demand, in the slot where most is short, "
        "exceeds what the sites that they may use can serve."
    )
    caption = counted("Steps that cannot be carried.", len(broken), "partial.csv")
    return Section(heading, explanation, [Table(header, rows, caption, heads=5)])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _few(value: Any) -> str:
    """The first of many names, and how many more there are."""
    names = _text(value).split("; ") if _text(value) else []
    return ", ".join(names) if len(names) <= _FEW else f"{', '.join(names[: _FEW - 1])}, {len(names) - _FEW + 1} others"
