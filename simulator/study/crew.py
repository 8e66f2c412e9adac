"""A crew: processes, one for each piece of work, forked from one in which everything is loaded and compiled."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, Self

#: Imported once by the process that all are forked from.
_LOADED = ("simulator.study.comparison", "simulator.study.point", "policies")

Tell = Callable[[float], None]
"""Tells the share of a piece of work that is done."""


class Work(Protocol):
    """What a process does. It is pickled, as are the piece of work and the outcome."""

    def __call__(self, piece: Any, tell: Tell, /) -> Any:
        """Do one piece and return its outcome, which is not a float."""


@dataclass(frozen=True)
class Lost:
    """A process that ended without an outcome, and how."""

    reason: str


class Crew:
    """At most ``size`` processes at once. A process that dies loses its own piece of work and nothing else.

    Its processes end with it, however it ends: each holds a line to us, and ends when nobody is at the other end.
    """

    def __init__(self, work: Work, size: int, compiled: bool = True):
        methods = multiprocessing.get_all_start_methods()
        self._context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        self._context.set_forkserver_preload([*_LOADED, "simulator.study.ready"] if compiled else [*_LOADED])
        self._work = work
        self._size = size
        self._running: dict[Connection, tuple[int, BaseProcess]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for line, (_number, process) in self._running.items():
            process.terminate()
            process.join()
            line.close()
        self._running.clear()

    @property
    def running(self) -> int:
        """Pieces that are being worked on."""
        return len(self._running)

    @property
    def room(self) -> int:
        """How many more pieces may be started now."""
        return self._size - len(self._running)

    def start(self, number: int, piece: Any) -> None:
        """Start a process for this piece of work; ``number`` is what it is called by."""
        try:
            self._start(number, piece)
        except (EOFError, OSError):  # whoever forks was killed, and is started anew by the next attempt
            self._start(number, piece)

    def _start(self, number: int, piece: Any) -> None:
        ours, theirs = self._context.Pipe(duplex=True)
        process = self._context.Process(target=_live, args=(theirs, self._work, piece), daemon=True)
        try:
            process.start()
        except (EOFError, OSError):
            ours.close()
            raise
        finally:
            theirs.close()
        self._running[ours] = (number, process)

    def heard(self, timeout_s: float | None = None) -> Sequence[tuple[int, Any]]:
        """What processes say, waiting for it: shares done (floats), outcomes, or :class:`Lost`."""
        said = []
        for line in wait_for(list(self._running), timeout_s):
            assert isinstance(line, Connection)
            number, process = self._running[line]
            outcome = _receive(line, process)
            said.append((number, outcome))
            if not isinstance(outcome, float):
                del self._running[line]
                line.close()
                process.join()
        return said


def free_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _receive(line: Connection, process: BaseProcess) -> Any:
    """The next message of a process; how it ended where it has died."""
    try:
        return line.recv()
    except (EOFError, OSError, pickle.UnpicklingError):  # it died, perhaps in the middle of a message
        process.join()
        code = process.exitcode or 0
        return Lost(f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}")


def _live(line: Connection, work: Work, piece: Any) -> None:
    """The life of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent decides.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stdout = sys.stderr  # What a policy prints is not our answer.
    threading.Thread(target=_end_with, args=(line,), daemon=True).start()
    with suppress(BrokenPipeError):  # the parent is gone: nobody wants the outcome
        line.send(work(piece, line.send))


def _end_with(line: Connection) -> None:
    """Wait until nobody is at the other end, and end."""
    try:
        line.recv()
    except (EOFError, OSError):
        os._exit(1)
