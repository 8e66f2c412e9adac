"""Parts of the compiled core, each against numpy or against sorting. Whole runs: test_engines_agree.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.core import bins, due, guide, jit, way
from simulator.core.edges import EDGES_S
from simulator.core.guide import guide_of
from simulator.core.state import CLOCK, POOL, TRAVELLER, Finishes
from simulator.planes.arrays import records


def from_python(step):
    """A step that kernels take, as Python can call it."""
    return numba.njit(getattr(step, "py_func", step))


bin_of, interval_of, add_finish, take_finish, send, take = (
    from_python(step) for step in (bins.bin_of, guide.interval_of, due.add_finish, due.take_finish, way.send, way.take)
)

SHARES = st.lists(st.sampled_from([0.0, 0.0, 0.125, 0.1, 0.3, 1e-9]), min_size=1, max_size=40)


@given(st.lists(SHARES, min_size=1, max_size=3), st.lists(st.floats(0, 1, exclude_max=True), max_size=20))
@settings(max_examples=200, deadline=None)
def test_a_guide_finds_the_interval_that_a_search_finds(rows, numbers) -> None:
    """Many empty intervals, rows that end below one and rows that end at infinity; numbers on the ends themselves."""
    width = max(len(row) for row in rows)
    shares = np.array([row + [0.0] * (width - len(row)) for row in rows])
    ends = np.minimum(np.cumsum(shares, axis=1), 1.0)
    ends[0, -1] = np.inf
    guide = guide_of(ends)
    for row in range(len(ends)):
        on_ends = [end for end in ends[row] if end < 1.0]
        for x in [*numbers, *on_ends, 0.0, np.nextafter(1.0, 0.0)]:
            assert interval_of(guide, row, x) == np.searchsorted(ends[row], x, side="right")


def test_bins_are_those_of_a_search_at_every_edge_and_beside_it() -> None:
    beside = [np.nextafter(EDGES_S, way) for way in (0.0, np.inf)]
    durations = np.concatenate([EDGES_S, *beside, [0.0, 1e-300, 1e-6, 1e8, 1e300], np.geomspace(1e-7, 1e9, 5000)])
    expected = np.searchsorted(EDGES_S, durations, side="right")
    assert [bin_of(seconds) for seconds in durations] == expected.tolist()


@given(st.lists(st.one_of(st.integers(0, 9).map(float), st.none()), max_size=60))
@settings(max_examples=200, deadline=None)
def test_finishes_come_in_order_whatever_the_order_they_were_added_in(actions) -> None:
    """A number is added, None takes one; two pools of 20 places share the arrays."""
    finishes = Finishes(np.full(40, np.nan), np.full(40, np.nan), *np.zeros((2, 40), dtype=np.int64))
    pool = records(POOL, 2, places=20, first=[0, 20], next_s=np.inf)[1]
    held: list[float] = []
    for action in actions:
        if action is not None and len(held) < 20:
            add_finish(finishes, pool, action, int(action))
            held.append(action)
        elif action is None and held:
            assert pool.next_s == min(held)
            assert take_finish(finishes, pool) == min(held)
            held.remove(min(held))
        assert pool.next_s == min(held, default=np.inf)
    assert np.isnan(finishes.run_s[:20]).all()
    assert np.isnan(finishes.heap_s[:20]).all()


def test_services_of_one_length_never_touch_the_heap() -> None:
    finishes = Finishes(np.zeros(5), np.full(5, np.nan), *np.zeros((2, 5), dtype=np.int64))
    pool = records(POOL, 1, places=5, next_s=np.inf)[0]
    for k in range(100):
        if k >= 5:
            assert take_finish(finishes, pool) == k - 5
        add_finish(finishes, pool, float(k), k)
    assert np.isnan(finishes.heap_s).all()


@given(st.lists(st.one_of(st.integers(0, 5).map(float), st.none()), max_size=80))
@settings(max_examples=200, deadline=None)
def test_travellers_land_in_order_of_time_and_of_equal_times_who_left_first(actions) -> None:
    there, clock = records(TRAVELLER, 100), records(CLOCK, 1)[0]
    held: list[tuple[float, int]] = []
    for number, action in enumerate(actions):
        if action is not None:
            send(there, clock, action, number)
            held.append((action, number))
        elif held:
            assert (there[0].reach_s, take(there, clock)) == min(held)
            held.remove(min(held))
    assert clock.travelling == len(held)


def test_what_is_compiled_is_named_after_the_text_of_all_kernels() -> None:
    """A change in one file must not leave another file's kernels as they were."""
    assert Path(jit._CACHE).is_dir()
    assert said("from simulator.core import jit; print(jit._CACHE)") == jit._CACHE


def said(program: str, here: Path = Path(__file__).parents[1]) -> str:
    done = subprocess.run([sys.executable, "-c", program], cwd=here, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_another_text_has_another_cache(tmp_path: Path) -> None:
    core = tmp_path / "simulator" / "core"
    core.mkdir(parents=True)
    for file in Path(jit.__file__).parent.glob("*.py"):
        (core / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "simulator" / "__init__.py").write_text("")
    program = "from simulator.core import jit; print(jit._CACHE)"
    before = said(program, tmp_path)
    assert Path(before).is_relative_to(core)
    with open(core / "due.py", "a", encoding="utf-8") as handle:
        handle.write("# changed\n")
    assert said(program, tmp_path) != before


def test_where_nothing_can_be_cached_kernels_still_run() -> None:
    """No folder to write to: neither beside the code nor at home."""
    program = (
        "import pathlib\n"
        "def no(*_, **__): raise OSError\n"
        "pathlib.Path.mkdir = no\n"
        "from simulator.core import jit\n"
        "assert jit._CACHE == ''\n"
        "from simulator import load, run\n"
        "print(run(load('mmc', ['slots=1', 'slot_s=700']), 'glb-nearest').record.arrived.sum() > 4000)"
    )
    assert said(program) == "True"


def test_a_damaged_file_of_compiled_code_is_compiled_anew(tmp_path: Path) -> None:
    """Every file of the folder is cut short, as by a disk that failed."""
    program = (
        "from simulator import load, run; from pathlib import Path; from simulator.core import jit\n"
        "for file in Path(jit._CACHE).rglob('*.nbc'): file.write_bytes(file.read_bytes()[:100])\n"
        "print(run(load('mmc', ['slots=1', 'slot_s=700']), 'glb-nearest').record.arrived.sum() > 4000)"
    )
    shutil.copytree(jit._CACHE, tmp_path / Path(jit._CACHE).name)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"
