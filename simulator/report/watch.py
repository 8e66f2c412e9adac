"""The watch on a sweep: a live table with the time left, on stderr; a line now and then where nobody looks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

#: Seconds between two lines where stderr is no terminal.
LINE_EVERY_S = 10.0
#: Claims of others that are listed one by one.
CLAIMS_SHOWN = 10


class SweepWatch:
    """Counts points as they end; points that are being run are shown by name."""

    def __init__(self, labels: Sequence[str], asked: int):
        self._console = Console(stderr=True, highlight=False, emoji=False)
        self._labels = labels
        self._asked = asked
        self._done = self._failed = self._found = 0
        self._began_s = self._said_s = time.monotonic()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
        )
        self._progress = Progress(
            *columns, console=self._console, transient=True, disable=not self._console.is_terminal
        )
        self._whole = self._progress.add_task("all points", total=float(asked), count=f"0 of {asked}")
        self._tasks: dict[int, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def share(self, number: int, share: float) -> None:
        """How much of a point is done."""
        if number not in self._tasks:
            self._tasks[number] = self._progress.add_task(escape(self._labels[number]), total=1.0, count="")
        self._progress.update(self._tasks[number], completed=share)

    def found(self, count: int) -> None:
        """So many points were done already."""
        self._found = self._done = count
        self._update()

    def done(self, number: int) -> None:
        """A point is done."""
        self._done += 1
        self._end(number)

    def failed(self, number: int, reason: str, again: bool) -> None:
        """A point failed, and will be tried again or not."""
        self._failed += not again
        what = "failed, and is tried again" if again else "failed"
        self._console.print(f"{self._labels[number]} {what}: {reason}", style="dim", markup=False, soft_wrap=True)
        self._end(number)

    def waits(self, claimants: Mapping[int, str]) -> None:
        """Nothing is left but these points, which others are busy with: who, and where it says so."""
        lines = [
            f"waiting for {len(claimants)} points that others have claimed; where one of them is gone, remove its file:"
        ]
        shown = list(claimants.items())[:CLAIMS_SHOWN]
        lines += [f"  {self._labels[number]}: {claimant}" for number, claimant in shown]
        lines += [f"  and {len(claimants) - len(shown)} more"] if len(claimants) > len(shown) else []
        self._console.print("\n".join(lines), style="dim", markup=False, soft_wrap=True)

    def _end(self, number: int) -> None:
        if number in self._tasks:
            self._progress.remove_task(self._tasks.pop(number))
        self._update()

    def _update(self) -> None:
        count = f"{self._done} of {self._asked}" + (f", {self._failed} failed" if self._failed else "")
        self._progress.update(self._whole, completed=self._done + self._failed, count=count)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said_s >= LINE_EVERY_S:
            self._said_s = now
            self._console.print(f"{count} points done{self._left(now)}", markup=False)

    def _left(self, now: float) -> str:
        ended = self._done + self._failed - self._found
        if not ended:
            return ""
        left_s = (now - self._began_s) / ended * (self._asked - self._done - self._failed)
        return f", about {left_s / 60:.0f} min left" if left_s >= 90 else f", about {left_s:.0f} s left"
