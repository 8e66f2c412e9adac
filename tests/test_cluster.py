"""A sweep on the workers of a real Dask scheduler on this machine, one of which is killed while it works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_sweep import ROOT, command, home, order, run, starts, tables, watched

from simulator.claim import MANIFEST

__all__ = ["home"]

pytest.importorskip("distributed", reason="Dask is not installed (extra: cluster)")
POINTS = 8
#: A scheduler on a free port of this machine and two workers of one thread, each with somebody who starts it anew.
CLUSTER = """\
import sys, time
from distributed import LocalCluster

if __name__ == "__main__":
    here = {"host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **here) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def scheduler(home: Path) -> Iterator[str]:
    (home / "cluster.py").write_text(CLUSTER)
    with subprocess.Popen(
        [sys.executable, "cluster.py"],
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()
        process.wait(30)


def test_a_sweep_on_a_cluster_ends_with_all_points_though_a_worker_is_killed(home: Path, scheduler: str) -> None:
    order(home, {"all": {"sleep_s": 0.3, "note": True}, "3": {"die": True}})
    run(home, *watched(home, POINTS), "--scheduler", scheduler, "--out", "cluster")
    assert sorted(starts(home, "ends"), key=int) == [str(k) for k in range(1, POINTS + 1)]
    assert starts(home).count("3") == 2
    order(home, {})
    run(home, *watched(home, POINTS), "--out", "here")
    assert tables(home / "cluster") == tables(home / "here")


def test_a_sweep_on_a_cluster_goes_on_when_its_supervisor_was_killed(home: Path, scheduler: str) -> None:
    order(home, {"all": {"sleep_s": 0.3}})
    words = (*watched(home, POINTS), "--scheduler", scheduler, "--out", "cluster")
    process = subprocess.Popen(command(*words), cwd=home, env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 60
    while len(list((home / "cluster/points").glob(f"*/{MANIFEST}"))) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run(home, *words)
    ends = starts(home, "ends")
    assert sorted(set(ends), key=int) == [str(k) for k in range(1, POINTS + 1)] and len(ends) == POINTS
    order(home, {})
    run(home, *watched(home, POINTS), "--out", "here", "--jobs", 1)
    assert tables(home / "cluster") == tables(home / "here")


def test_a_point_that_fails_on_a_cluster_harms_no_other(home: Path, scheduler: str) -> None:
    order(home, {"2": {"raise": True}})
    said = run(home, *watched(home, 3), "--scheduler", scheduler, "--out", "s", status=1)
    assert "point 0002" in said and "as told" in said
    assert not (home / "s" / MANIFEST).exists()


def test_a_scheduler_that_is_not_there_is_a_sentence(home: Path) -> None:
    said = run(home, *watched(home, 2), "--scheduler", "tcp://127.0.0.1:9", "--out", "s", status=2)
    assert "--scheduler tcp://127.0.0.1:9: no Dask scheduler with workers answers there" in said
    assert not (home / "s").exists()
