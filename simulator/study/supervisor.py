"""The supervisor: hands out points until all have ended, tries a failed one once more, and waits for others' points."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol, Self

from simulator.study.crew import Lost
from simulator.study.point import Ended
from simulator.study.sweep_folder import SweepFolder

#: How often a point is tried.
ATTEMPTS = 2
#: How long to wait before asking again for points that somebody else is busy with.
PATIENCE_S = 0.5
#: How long to wait for nothing but such points before it is told.
SILENCE_S = 60.0


class Workers(Protocol):
    """Whoever runs points: processes here, or a cluster's workers."""

    @property
    def running(self) -> int:
        """Points that are being run."""

    @property
    def room(self) -> int:
        """How many more may be started now."""

    def start(self, number: int, piece: Any) -> None:
        """Start a point."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End whatever is still being run."""

    def heard(self, timeout_s: float | None = None) -> Sequence[tuple[int, Any]]:
        """What is said of points: shares done, :class:`Ended`, or :class:`Lost`."""


class Watch(Protocol):
    """Whoever looks on."""

    def found(self, count: int) -> None:
        """So many points were done before."""

    def share(self, number: int, share: float) -> None:
        """How much of a point is done."""

    def done(self, number: int) -> None:
        """A point is done."""

    def failed(self, number: int, reason: str, again: bool) -> None:
        """A point failed, and will be tried again or not."""

    def waits(self, claimants: Mapping[int, str]) -> None:
        """Nothing is left but these points, which others are busy with."""


class Verdict(Enum):
    """What is to be done about a point after what was said of it."""

    NOTHING = 0
    AGAIN = 1
    LATER = 2


def conduct(folder: SweepFolder, numbers: Sequence[int], workers: Workers, watch: Watch) -> dict[str, str]:
    """Run these points of the folder's agenda, those that are not done; why points failed, by name."""
    points, book = folder.agenda.points, _Book(folder, watch)
    left, later, asked_s = deque[int](), list[int](), 0.0
    left.extend(number for number in numbers if not folder.is_done(points[number]))
    watch.found(len(numbers) - len(left))
    while left or later or workers.running:
        while left and workers.room > 0:
            number = left.popleft()
            if folder.is_done(points[number]):
                book.take(number, Ended())
            elif folder.is_claimed(points[number]):  # a look; that of a process would cost a process
                later.append(number)
            else:
                workers.start(number, folder.piece(points[number]))
        book.wait(() if workers.running else later)
        if workers.running:
            said = workers.heard(PATIENCE_S if later else None)
        else:
            time.sleep(PATIENCE_S if later else 0.0)
            said = ()
        for number, what in said:
            verdict = book.take(number, what)
            if verdict is not Verdict.NOTHING:
                (left if verdict is Verdict.AGAIN else later).append(number)
        if later and time.monotonic() - asked_s > PATIENCE_S:
            left.extend(later)
            later.clear()
            asked_s = time.monotonic()
    return book.failed


class _Book:
    """What became of points."""

    def __init__(self, folder: SweepFolder, watch: Watch):
        self.failed: dict[str, str] = {}
        self._folder = folder
        self._watch = watch
        self._tries = Counter[int]()
        self._waits_since_s = time.monotonic()
        self._told = False

    def wait(self, numbers: Sequence[int]) -> None:
        """Nothing is left but these points that others are busy with, if any; told once, after a while."""
        now_s = time.monotonic()
        if not numbers:
            self._waits_since_s = now_s
        elif now_s - self._waits_since_s >= SILENCE_S and not self._told:
            self._told = True
            points = self._folder.agenda.points
            self._watch.waits({number: self._folder.claimant(points[number]) for number in sorted(numbers)})

    def take(self, number: int, said: Any) -> Verdict:
        """Take down what is said of a point."""
        point = self._folder.agenda.points[number]
        if isinstance(said, float):
            self._watch.share(number, said)
            return Verdict.NOTHING
        if isinstance(said, Ended) and said.elsewhere:
            return Verdict.LATER
        if isinstance(said, Ended) and not said.reason:
            self._folder.forget_failure(point)
            self._watch.done(number)
            return Verdict.NOTHING
        reason = f"its process {said.reason}" if isinstance(said, Lost) else said.reason
        self._tries[number] += 1
        again = self._tries[number] < ATTEMPTS
        self._watch.failed(number, reason, again)
        if again:
            return Verdict.AGAIN
        self.failed[point.name] = reason
        self._folder.note_failure(point, reason, self._tries[number])
        return Verdict.NOTHING
