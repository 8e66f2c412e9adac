"""The answer of a study, as it is printed."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console


def print_answer(console: Console, folder: Path) -> bool:
    """Print what a study concludes, if it has concluded."""
    file = folder / "study.json"
    if not file.is_file():
        return False
    said = json.loads(file.read_text(encoding="utf-8"))
    console.print(said["title"], style="bold", markup=False)
    console.print(said["purpose"], style="dim", markup=False, soft_wrap=True)
    for sentence in said["answer"]:
        console.print(f"* {sentence}", markup=False, soft_wrap=True)
    for check in said["checks"]:
        console.print(f"checked: {check}", style="dim", markup=False, soft_wrap=True)
    return True
