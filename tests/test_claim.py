"""Claims: whoever looks or is killed at whatever line, a place has one run, whole, and nothing stays behind."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from simulator import claim as claiming
from simulator import load
from simulator import mark as marking
from simulator.claim import MANIFEST, Claim, Running, Taken
from simulator.mark import Mark, is_held, mark_of

ROOT = Path(__file__).parents[1]


def fill(claim: Claim, text: str) -> None:
    """Write a finished run of one table, and take the place."""
    (claim.partial / "summary.csv").write_text(text)
    manifest = {"engine": "fluid", "policies": [], "laws": {}, "files": {"summary.csv": ""}}
    (claim.partial / MANIFEST).write_text(json.dumps(manifest))
    claim.take()
    claim.discard()


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


WHOLE = ["out", f"out/{MANIFEST}", "out/summary.csv"]


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks."""

    def refuses(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(marking.fcntl, "flock", refuses)


@pytest.fixture(params=["locks", "no_locks"])
def either(request: pytest.FixtureRequest) -> None:
    """With locks and without."""
    if request.param == "no_locks":
        request.getfixturevalue("no_locks")


def at_each_line(function: Callable[[], None], act: Callable[[], None]) -> None:
    """Call a function, and something else before each line of claims and marks that it comes to."""
    files = {claiming.__file__, marking.__file__}

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            sys.settrace(None)  # `act` is not traced; frames on the stack keep their own
            act()
            sys.settrace(trace)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)


# --- two at once ----------------------------------------------------------------------------------------------------


def test_a_run_that_ends_just_before_another_one_has_its_mark_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = claiming.Mark

    def ends_before(place: Path) -> claiming.Mark:
        monkeypatch.setattr(claiming, "Mark", make)
        fill(Claim(tmp_path / "out"), "first")
        return make(place)

    monkeypatch.setattr(claiming, "Mark", ends_before)
    with pytest.raises(Taken, match="exists already"):
        Claim(tmp_path / "out")
    assert names(tmp_path) == WHOLE
    assert (tmp_path / "out/summary.csv").read_text() == "first"


def test_nobody_looks_at_a_place_whose_mark_is_not_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds it moves things about: what others saw then would be neither the old nor the new."""
    mine = Claim(tmp_path / "out")
    monkeypatch.setattr(claiming, "_obstacle", lambda *asked: pytest.fail("looked"))
    with pytest.raises(Running):
        Claim(tmp_path / "out")
    mine.discard()


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("overwrite", [False, True])
def test_nobody_gets_a_place_at_any_line_of_a_run_that_takes_it(tmp_path: Path, overwrite: bool) -> None:
    """Those who ask find a run that has not ended, until they find one that has."""
    if overwrite:
        fill(Claim(tmp_path / "out"), "older")
    first, asked = Claim(tmp_path / "out", overwrite), list[type]()

    def ask() -> None:
        with pytest.raises(Taken) as refused:
            Claim(tmp_path / "out")
        asked.append(refused.type)

    at_each_line(lambda: fill(first, "first"), ask)
    assert len(asked) > 30 and asked[-1] is Taken
    assert (Running in asked) is True
    assert names(tmp_path) == WHOLE
    assert (tmp_path / "out/summary.csv").read_text() == "first"


@pytest.mark.usefixtures("either")
def test_nobody_else_gets_a_place_at_any_line_of_a_claim(tmp_path: Path) -> None:
    """Whoever asks within a claim has the place at once or not at all, and the claim then has what is left."""
    for line in range(200):
        here = tmp_path / f"{line}"
        here.mkdir()
        got: list[Claim] = []
        lines = iter(range(200))

        def ask(line: int = line, lines: Iterator[int] = lines, here: Path = here, got: list[Claim] = got) -> None:
            if next(lines) == line:
                try:
                    got.append(Claim(here / "out"))
                except Taken:
                    got.clear()

        def claim(here: Path = here, got: list[Claim] = got) -> None:
            try:
                got.append(Claim(here / "out"))
            except Running:
                assert len(got) == 1

        at_each_line(claim, ask)
        (owner,) = got
        fill(owner, "one")
        assert names(here) == WHOLE
        if next(lines) <= line:
            return
    raise AssertionError("a claim has fewer lines")


@pytest.mark.usefixtures("either")
def test_many_who_ask_again_and_again_fill_each_place_once(tmp_path: Path) -> None:
    """Threads stand for processes: locks are of open files."""
    filled: list[int] = []

    def work(who: int) -> None:
        for place in range(20):
            path = tmp_path / str(place) / "out"
            while not (path / MANIFEST).exists():
                try:
                    mine = Claim(path)
                except Running:
                    is_held(path)
                except Taken:
                    assert (path / MANIFEST).exists()
                else:
                    filled.append(place)
                    fill(mine, str(who))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert sorted(filled) == list(range(20))
    assert all(names(tmp_path / str(place)) == WHOLE for place in range(20))


# --- killed ---------------------------------------------------------------------------------------------------------

#: Is killed (ends at once, so that only the kernel clears up) before the n-th line, for every n, in one process each.
KILLED = """\
import errno, itertools, os, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from simulator import claim, mark
from test_claim import MANIFEST, WHOLE, Claim, Taken, Running, at_each_line, fill, names

home, overwrite, locks = Path(sys.argv[3]), sys.argv[4] == "overwrite", sys.argv[5] == "locks"
if not locks:
    def refuses(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")
    mark.fcntl.flock = refuses

def die_at(line):
    lines = itertools.count()
    def act():
        at = sys._getframe(2).f_code.co_name
        # without locks a file that does not say yet whose it is has to be removed by hand
        if (locks or at not in ("__init__", "_open", "_hold", "_lock", "_host")) and next(lines) == line:
            os._exit(9)
    at_each_line(lambda: fill(Claim(here / "out", overwrite), "newer"), act)
    os._exit(0)

for line in range(1000):
    here = home / str(line)
    here.mkdir()
    if overwrite:
        fill(Claim(here / "out"), "older")
    child = os.fork()
    if not child:
        die_at(line)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9), status
    is_finished = (here / "out" / MANIFEST).exists()
    try:
        next_one = Claim(here / "out")
    except Taken as error:
        assert not isinstance(error, Running), (line, names(here))
        assert is_finished or overwrite, line
        assert (here / "out/summary.csv").read_text() in (("older", "newer") if overwrite else ("newer",)), line
        fill(Claim(here / "out", overwrite=True), "next")
    else:
        assert not is_finished and not overwrite, line
        fill(next_one, "next")
    assert names(here) == WHOLE, (line, names(here))
    assert (here / "out/summary.csv").read_text() == "next"
    if status == 0:
        break
print(line)
"""


@pytest.mark.parametrize("overwrite", ["overwrite", "plain"])
@pytest.mark.parametrize("locks", ["locks", "no locks"])
def test_whoever_is_killed_at_whatever_line_loses_nothing_finished_and_leaves_nothing(
    tmp_path: Path, overwrite: str, locks: str
) -> None:
    words = [sys.executable, "-c", KILLED, str(ROOT), str(ROOT / "tests"), str(tmp_path), overwrite, locks]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 80


# --- without locks --------------------------------------------------------------------------------------------------


def a_process_that_is_gone() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def signed(place: Path, host: str, process: int) -> None:
    mark_of(place).write_text(f"{host} {process}\n")


@pytest.mark.usefixtures("no_locks")
def test_without_locks_a_mark_is_abandoned_where_its_process_was_here_and_is_gone(tmp_path: Path) -> None:
    place, here = tmp_path / "out", marking._host()
    for host, process in ((here, os.getpid()), ("elsewhere/1", a_process_that_is_gone()), ("", 1)):
        signed(place, host, process)
        assert is_held(place)
        with pytest.raises(Running, match=r"if it was killed, remove .*out\.running"):
            Claim(place)
        assert mark_of(place).exists()
    signed(place, here, a_process_that_is_gone())
    assert not is_held(place)
    fill(Claim(place), "next")
    assert names(tmp_path) == WHOLE


def test_with_locks_a_mark_is_what_its_lock_is_whatever_it_says(tmp_path: Path) -> None:
    place = tmp_path / "out"
    signed(place, marking._host(), os.getpid())
    assert not is_held(place)
    first = Claim(place)
    signed(place, marking._host(), a_process_that_is_gone())
    assert is_held(place)
    with pytest.raises(Running):
        Claim(place)
    fill(first, "first")
    assert names(tmp_path) == WHOLE


def test_a_mark_that_was_removed_by_hand_does_not_take_the_next_one_with_it(tmp_path: Path) -> None:
    first = Mark(tmp_path / "out")
    mark_of(tmp_path / "out").unlink()
    second = Mark(tmp_path / "out")
    first.release()
    assert is_held(tmp_path / "out")
    second.release()
    assert names(tmp_path) == []


# --- what is not ours -----------------------------------------------------------------------------------------------


def test_what_somebody_put_beside_an_older_run_while_the_new_one_went_on_is_not_removed(tmp_path: Path) -> None:
    fill(Claim(tmp_path / "out"), "older")
    newer = Claim(tmp_path / "out", overwrite=True)
    (tmp_path / "out/notes.txt").write_text("mine")
    with pytest.raises(OSError, match="the results are in"):
        fill(newer, "newer")
    assert (tmp_path / "out/notes.txt").read_text() == "mine"
    assert (tmp_path / "out/summary.csv").read_text() == "older"


def test_only_what_claims_of_this_very_place_have_marked_is_cleared_up(tmp_path: Path) -> None:
    other = Claim(tmp_path / "out.v2")
    (tmp_path / "out.mine.old").mkdir()
    (tmp_path / "out.mine.old/letter.txt").touch()
    before = names(tmp_path)
    Claim(tmp_path / "out").discard()
    assert names(tmp_path) == before
    other.discard()


# --- sweeps ---------------------------------------------------------------------------------------------------------


class Workers:
    """Ends each point as soon as it is started, as this."""

    running, room = 0, 1

    def __init__(self, ended: Any) -> None:
        self.started: list[int] = []
        self.ended = ended

    def start(self, number: int, piece: Any) -> None:
        self.started.append(number)
        self.running, self.room = 1, 0

    def heard(self, timeout_s: float | None = None) -> list[tuple[int, Any]]:
        self.running, self.room = 0, 1
        return [(self.started[-1], self.ended)]


def _asked(points: list[SimpleNamespace]) -> SimpleNamespace:
    """As much of an agenda as a folder and a supervisor want."""
    said = {"digest": "this one"}
    scenario = load("mmc")
    return SimpleNamespace(points=points, modules=(), digest="this one", as_data=lambda: said, scenario=scenario)


def test_a_point_that_is_taken_costs_no_process_and_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from simulator.report.watch import SweepWatch  # here, because what forks for each line is to be small
    from simulator.study import supervisor
    from simulator.study.point import Ended
    from simulator.study.sweep_folder import SweepFolder

    monkeypatch.setattr(supervisor, "PATIENCE_S", 0.01)
    monkeypatch.setattr(supervisor, "SILENCE_S", 0.05)
    points = [SimpleNamespace(name=name, seed=1) for name in ("0001", "0002", "0003")]
    folder = SweepFolder(tmp_path / "s", _asked(points))  # type: ignore[arg-type]
    held = [Claim(tmp_path / "s/points" / name) for name in ("0001", "0003")]
    workers, said = Workers(Ended()), list[dict[int, str]]()

    class Watch(SweepWatch):
        def waits(self, claimants: Any) -> None:
            assert workers.started == [1]
            said.append(claimants)
            super().waits(claimants)
            end_s = time.monotonic() + 0.2

            def until_then(point: Any) -> bool:
                if time.monotonic() > end_s and held and point.name == "0001":
                    fill(held.pop(), "theirs")  # one ends, the other is killed
                    held.pop().discard()
                return SweepFolder.is_claimed(folder, point)

            monkeypatch.setattr(folder, "is_claimed", until_then)

    with Watch([point.name for point in points], 3) as watch:
        assert supervisor.conduct(folder, range(3), workers, watch) == {}  # type: ignore[arg-type]
    assert workers.started == [1, 0]
    (claimants,) = said
    assert list(claimants) == [0, 2]
    told = capfd.readouterr().err
    for name in ("0001", "0003"):
        assert f"{name}: process {os.getpid()} on " in told
        assert str(mark_of(tmp_path / "s/points" / name)) in told
