"""Progress: a bar with the time left for each policy, on stderr, when a person is there to see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def bars(labels: Sequence[str]) -> Iterator[Callable[[int, float], None]]:
    """A function that takes a policy's number and the share done; draws nothing when stderr is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda number, share: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        whole = progress.add_task("all policies", total=float(len(labels)))
        tasks = [progress.add_task(label, total=1.0, start=False) for label in labels]

        def show(number: int, share: float) -> None:
            if progress.tasks[tasks[number]].start_time is None:
                progress.start_task(tasks[number])
            progress.update(tasks[number], completed=share)
            progress.update(whole, completed=sum(task.completed for task in progress.tasks[1:]))

        yield show
