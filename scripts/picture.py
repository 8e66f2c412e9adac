"""Draw the picture of the README: the table of a scenario as it is printed, from a run made here and now.

.venv/bin/python scripts/picture.py table1 docs/table1.svg
"""

from __future__ import annotations

import io
import re
import sys

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from simulator import build_world, load
from simulator.report.table import print_comparison
from simulator.result import RunResult
from simulator.study.comparison import Task, compare
from simulator.study.crew import free_cores


def main() -> None:
    """Run the scenario and write its table as SVG."""
    name, file = sys.argv[1:]
    scenario = load(name)
    task = Task(scenario, scenario.engine, scenario.seed, ())
    outcomes = compare(task, build_world(scenario), free_cores(), lambda number, share: None)
    results = [outcome for outcome in outcomes if isinstance(outcome, RunResult)]
    console = Console(record=True, force_terminal=True, width=144, file=io.StringIO(), highlight=False)
    print_comparison(console, scenario.name, results, scenario.published, has_slo=False)
    source = f"published figures: {scenario.published.source}" if scenario.published else ""
    for note in (*build_world(scenario).notes, source):
        console.print(note, style="dim", highlight=False)
    # The usual frame asks the network for a font; a picture in a repository must not.
    frame = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    console.save_svg(file, title=f"./scripts/run scenarios/{name}.yaml", code_format=frame)


if __name__ == "__main__":
    main()
