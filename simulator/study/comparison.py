"""A comparison: the policies of one scenario on the same requests, in separate processes when cores are free."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from simulator.parts import Parts
from simulator.record import Keeping
from simulator.result import RunResult
from simulator.roster import make_policy
from simulator.scenario import Scenario
from simulator.simulation import run
from simulator.study.crew import Crew, Lost, Tell
from simulator.world import World, build_world

#: (policy's number, share done)
Progress = Callable[[int, float], None]


@dataclass(frozen=True)
class Task:
    """What a process is asked to do: some policies of a scenario under an engine and a seed."""

    scenario: Scenario
    engine: str
    seed: int
    folders: tuple[Path, ...]
    rows: Path | None = None
    """The folder for rows of requests, if the scenario asks for them."""


@dataclass(frozen=True)
class Failure:
    """A policy that did not come to its end, and why."""

    policy: str
    reason: str


def compare(task: Task, world: World, jobs: int, progress: Progress) -> list[RunResult | Failure]:
    """Results of all policies in the order of the scenario; a failure harms no other policy.

    With ``fluid``, one policy or one job all runs in this process, in ``world``, that of the task.
    """
    count = len(task.scenario.policies)
    if jobs == 1 or count == 1 or task.engine == "fluid":
        return [_attempt(task, world, number, partial(progress, number)) for number in range(count)]
    found: dict[int, RunResult | Failure] = {}
    left = list(range(count))
    with Crew(_alone, min(jobs, count), compiled=task.engine == "compiled") as crew:
        while left or crew.running:
            while left and crew.room:
                crew.start(left[0], (task, left.pop(0)))
            for number, said in crew.heard():
                progress(number, said if isinstance(said, float) else 1.0)
                if isinstance(said, Lost):
                    found[number] = Failure(task.scenario.labels()[number], f"its process {said.reason}")
                elif not isinstance(said, float):
                    found[number] = said
    return [found[number] for number in range(count)]


def _alone(piece: tuple[Task, int], tell: Tell) -> RunResult | Failure:
    """One policy in a process of its own."""
    task, number = piece
    try:
        return _attempt(task, build_world(task.scenario, task.seed), number, tell)
    except KeyboardInterrupt:  # not from the keyboard: a policy raised it
        return Failure(task.scenario.labels()[number], "KeyboardInterrupt")


def _attempt(task: Task, world: World, number: int, tell: Tell) -> RunResult | Failure:
    label = task.scenario.labels()[number]
    asked, parts = task.scenario.requests, None
    if asked is not None and task.rows is not None:
        parts = Parts(task.rows, number, label, world)
    keeping = Keeping(asked.share, parts.take) if asked and parts else None
    try:
        choice = task.scenario.policies[number]
        result = run(
            world,
            make_policy(choice, task.folders),
            provisioning=choice.provisioning,
            engine=task.engine,
            keeping=keeping,
            label=label,
            progress=tell,
            folders=task.folders,
        )
        if parts is not None:
            parts.close()
        return result
    except (Exception, SystemExit) as error:
        if parts is not None:
            parts.discard()
        return Failure(label, _reason(error, task.folders))


def _reason(error: BaseException, folders: Sequence[Path]) -> str:
    """What went wrong, with the line in the user's own file where there is one."""
    reason = f"{type(error).__name__}: {error}"
    ours = Path(__file__).resolve().parents[2]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename).resolve()
        if (
            file.is_file()
            and any(folder in file.parents for folder in folders)
            and ours / "simulator" not in file.parents
            and ours / "policies" not in file.parents
        ):
            return f"{reason} ({file}:{frame.lineno}, in {frame.name})"
    return reason
