"""The workers of a Dask scheduler, for sweeps that are too large for one machine. Needs the extra `cluster`."""

from __future__ import annotations

import os
import queue
from collections.abc import Sequence
from typing import Any, Self

from simulator.problem import InputError, Problem
from simulator.study.agenda import code_digest
from simulator.study.crew import Lost, Work

#: How long to wait for a scheduler and a first worker.
PATIENCE_S = 10


class Cluster:
    """Pieces of work as tasks of a scheduler. Workers must see the same folders and the same version of this program.

    What a worker that is lost was doing, the scheduler gives to another one; after several it is :class:`Lost`.

    Raises
    ------
    InputError
        where Dask is not installed, or no scheduler answers.
    """

    def __init__(self, address: str, work: Work):
        self._client = _client(address)
        self._work = work
        self._running: dict[int, Any] = {}
        self._ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.cancel(list(self._running.values()))
        self._client.close()

    @property
    def running(self) -> int:
        """Pieces that are with the scheduler."""
        return len(self._running)

    @property
    def room(self) -> int:
        """How many more pieces may be handed over now: enough that no worker waits for us."""
        return max(2 * sum(self._client.nthreads().values()), 1) - len(self._running)

    def start(self, number: int, piece: Any) -> None:
        """Hand over a piece of work."""
        self._started += 1
        key = f"equifleet-{os.getpid()}-{self._started}"  # the same piece may be asked for again
        future = self._client.submit(_quiet, self._work, piece, code_digest(), key=key, pure=False)
        self._running[number] = future
        future.add_done_callback(lambda _: self._ended.put(number))

    def heard(self, timeout_s: float | None = None) -> Sequence[tuple[int, Any]]:
        """Outcomes of pieces that have ended, waiting for one."""
        try:
            number = self._ended.get(timeout=timeout_s)
        except queue.Empty:
            return []
        future = self._running.pop(number)
        if future.status == "finished":
            return [(number, future.result())]
        return [(number, Lost(_cause(future)))]


def _quiet(work: Work, piece: Any, code: str) -> Any:
    """A piece of work on a worker, where nobody looks on."""
    if code_digest() != code:
        return Lost("did not begin: the worker has another version of this program, or of a library")
    return work(piece, lambda share: None)


def _cause(future: Any) -> str:
    try:
        error = future.exception()
    except Exception as cancelled:
        error = cancelled
    return f"was lost: {type(error).__name__}: {error}".splitlines()[0]


def _client(address: str) -> Any:
    place = f"--scheduler {address}"
    try:
        from distributed import Client
    except ImportError:
        what = "Dask is not installed; install the extra: pip install 'equifleet[cluster]'"
        raise InputError([Problem((), what, place)]) from None
    try:
        connect: Any = Client
        client = connect(address, timeout=PATIENCE_S, set_as_default=False)
        try:
            client.wait_for_workers(1, timeout=PATIENCE_S)
        except BaseException:
            client.close()
            raise
        return client
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError([Problem((), f"no Dask scheduler with workers answers there: {error}", place)]) from None
