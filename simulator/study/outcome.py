"""The outcome of a comparison: results, failures, and what is to be said of them; and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from simulator.folder import Folder
from simulator.gap import with_gaps
from simulator.remarks import remarks
from simulator.result import RunResult
from simulator.signatures import decision_times, signatures
from simulator.study.comparison import Failure
from simulator.world import World
from simulator.world.files import input_files


class Outcome(NamedTuple):
    """What became of the policies of a scenario in its world."""

    world: World
    results: Sequence[RunResult]
    failed: dict[str, str]
    """Policies that did not come to their end, and why."""
    notes: Sequence[str]

    @classmethod
    def of(cls, world: World, ended: Sequence[RunResult | Failure]) -> Outcome:
        """Results and failures apart, with what is to be said."""
        results = with_gaps([one for one in ended if isinstance(one, RunResult)])
        failed = {one.policy: one.reason for one in ended if isinstance(one, Failure)}
        notes, published = [*world.notes, *remarks(results)], world.scenario.published
        if published is not None:
            notes.append(f"published figures: {published.source}")
        return cls(world, results, failed, notes)

    def write(self, folder: Folder, beside: Callable[[Path], None] | None = None) -> None:
        """Fill the folder, which takes its name then; ``beside`` may add what is made from it. OSError if it cannot."""
        scenario = self.world.scenario
        short = {result.policy: row for result in self.results if (row := result.shortfall())}
        more = {
            "notes": list(self.notes),
            "failed": dict(self.failed),
            "shortfalls": short,
            "without_gap": {r.policy: r.gap.reason for r in self.results if not r.gap.against},
            "signatures": {result.policy: [one.row() for one in signatures(result)] for result in self.results},
            "decisions": {result.policy: decision_times(result) for result in self.results},
        }
        folder.write(scenario, self.results, input_files(scenario, self.world.sites), more, beside)
