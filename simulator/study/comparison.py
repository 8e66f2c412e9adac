"""A comparison: the policies of one scenario on the same requests, in separate processes when cores are free."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from simulator.parts import Parts
from simulator.record import Keeping
from simulator.result import RunResult
from simulator.roster import make_policy
from simulator.scenario import Scenario
from simulator.simulation import run
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


def compare(task: Task, jobs: int, progress: Progress) -> list[RunResult | Failure]:
    """Results of all policies in the order of the scenario; a failure harms no other policy.

    With ``fluid``, one policy or one job all runs in this process.
    """
    count = len(task.scenario.policies)
    if jobs == 1 or count == 1 or task.engine == "fluid":
        world = build_world(task.scenario, task.seed)
        return [_attempt(task, world, number, partial(progress, number)) for number in range(count)]
    found = dict(_in_processes(task, list(range(count)), min(jobs, count), progress))
    return [found[number] for number in range(count)]


def free_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _attempt(task: Task, world: World, number: int, progress: Callable[[float], None]) -> RunResult | Failure:
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
            progress=progress,
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


def _in_processes(
    task: Task, numbers: Sequence[int], jobs: int, progress: Progress
) -> Iterator[tuple[int, RunResult | Failure]]:
    """One process for each policy, ``jobs`` at a time; a process that dies is a failure of its policy alone."""
    context = multiprocessing.get_context(
        "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    )
    preload = ["simulator.study.comparison", "policies"]
    context.set_forkserver_preload([*preload, "simulator.study.ready"] if task.engine == "compiled" else preload)
    left, running = list(numbers), dict[Connection, tuple[int, BaseProcess]]()
    try:
        while left or running:
            while left and len(running) < jobs:
                receiver, process = _start(context, task, left[0])
                running[receiver] = (left.pop(0), process)
            ready = wait_for(list(running))
            for receiver in [receiver for receiver in running if receiver in ready]:
                number, process = running[receiver]
                outcome = _heard(receiver, process, task.scenario.labels()[number])
                if isinstance(outcome, float):
                    progress(number, outcome)
                    continue
                del running[receiver]
                receiver.close()
                process.join()
                progress(number, 1.0)
                yield number, outcome
    finally:
        for _, process in running.values():
            process.terminate()
            process.join()


def _start(context: Any, task: Task, number: int) -> tuple[Connection, BaseProcess]:
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, task, number), daemon=True)
    process.start()
    sender.close()
    return receiver, process


def _heard(receiver: Connection, process: BaseProcess, label: str) -> float | RunResult | Failure:
    """The next message of a process; a failure when it has died."""
    try:
        message: float | RunResult | Failure = receiver.recv()
        return message
    except (EOFError, OSError, pickle.UnpicklingError):  # it died, perhaps in the middle of a message
        process.join()
        code = process.exitcode or 0
        cause = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        return Failure(label, f"its process {cause}")


def _work(sender: Connection, task: Task, number: int) -> None:
    """The life of a process: one policy, its progress and its result through the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent decides.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stdout = sys.stderr  # What a policy prints is not our answer.
    try:
        world = build_world(task.scenario, task.seed)
        sender.send(_attempt(task, world, number, sender.send))
    except KeyboardInterrupt:  # not from the keyboard: a policy raised it
        sender.send(Failure(task.scenario.labels()[number], "KeyboardInterrupt"))
    except BrokenPipeError:
        pass  # The parent is gone: nobody wants the result.
