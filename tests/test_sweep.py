"""Sweeps: what is varied, resumed, divided, and what becomes of points that fail."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.claim import MANIFEST

ROOT = Path(__file__).parents[1]
TABLES = ("points.csv", "summary.csv", "intervals.csv", "differences.csv")
SCENARIO = """\
name: a sweep
start: 2022-09-22T00:00:00Z
slots: 4
slot_s: 900
sites: {generate: {count: 3}}
servers: {count: 3, concurrency: 2, peak_w: 1000, idle_w: 300}
origins: at_sites
workload: {demand: {poisson: {rate_per_s: 0.1}}, request: {seconds: 60}}
network: {rtt: coordinates}
policies: [glb-cost, glb-nearest]
"""
#: Writes down each start, and does what the file `orders` says of the seed of its run: sleep, die, raise.
OWN = """\
import json, os, pathlib, signal, time
from policies.merit_order import GlbCost

HERE = pathlib.Path(__file__).parent

class Watched(GlbCost):
    def __init__(self, tag: int = 0):
        super().__init__()
        self.tag = tag

    def start(self, fleet):
        super().start(fleet)
        orders = json.loads((HERE / "orders.json").read_text())
        order = orders.get(str(self.tag), orders.get("all", {}))
        with open(HERE / "starts", "a") as log:
            log.write(f"{self.tag}\\n")
        time.sleep(order.get("sleep_s", 0.0))
        if order.get("die") and not (HERE / "died").exists():
            (HERE / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if order.get("raise"):
            raise RuntimeError("as told")
        with open(HERE / "ends", "a") as log:
            log.write(f"{self.tag}\\n")
"""


def command(*words: object) -> list[str]:
    return [sys.executable, "-P", "-m", "simulator", *map(str, words)]


def run(folder: Path, *words: object, status: int = 0) -> str:
    """What a command prints on stdout, or on stderr where it is to fail; without its report, tested elsewhere."""
    if words[0] in ("run", "sweep", "study"):
        words = (*words, "--no-report")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command(*words), check=False, cwd=folder, capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if status == 0 else done.stderr


def rows(file: Path) -> list[dict[str, str]]:
    with open(file, encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def tables(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in TABLES}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    (tmp_path / "own.py").write_text(OWN)
    order(tmp_path, {})
    return tmp_path


def order(home: Path, orders: dict[str, Any]) -> None:
    (home / "orders.json").write_text(json.dumps(orders))


def starts(home: Path, name: str = "starts") -> list[str]:
    return (home / name).read_text().split() if (home / name).exists() else []


def watched(home: Path, count: int) -> tuple[object, ...]:
    """The arguments of a sweep of one watched policy, whose setting `tag` numbers the points."""
    tags = ",".join(str(tag) for tag in range(1, count + 1))
    return "sweep", "scenario.yaml", "--policy", "own:Watched", "--vary", f"policies.own:Watched.tag={tags}"


def test_a_grid_has_every_combination_and_a_list_has_what_it_lists(home: Path) -> None:
    run(
        home,
        "sweep",
        "scenario.yaml",
        "--vary",
        "slots=2,4",
        "--vary",
        "allowed=full,{max_rtt_ms: 5}",
        "--seeds",
        2,
        "--out",
        "g",
    )
    points = [(r["slots"], r["allowed"], r["seed"]) for r in rows(home / "g/points.csv")]
    assert points == [
        (slots, allowed, seed) for slots in "24" for allowed in ("full", '{"max_rtt_ms": 5}') for seed in "12"
    ]
    listed = "sweep: {points: [{slots: 2}, {slot_s: 600, slots: 3}], seeds: [7]}\n"
    (home / "listed.yaml").write_text(SCENARIO + listed)
    run(home, "run", "listed.yaml", "--out", "l")
    points = [(r["point"], r["slots"], r["slot_s"], r["seed"]) for r in rows(home / "l/points.csv")]
    assert points == [("0001", "2", "900.0", "7"), ("0002", "3", "600", "7")]
    assert len(rows(home / "l/points/0002/origins.csv")) == 6


def test_a_point_is_the_run_of_its_scenario(home: Path) -> None:
    run(home, "sweep", "scenario.yaml", "--vary", "slots=2,4", "--seeds", "5,3", "--out", "sweep")
    run(home, "run", "scenario.yaml", "--set", "slots=4", "--seed", 3, "--out", "alone")
    for name in ("summary.csv", "sites.csv", "slots.parquet", "latency.parquet", "scenario.yaml"):
        assert (home / "sweep/points/0004" / name).read_bytes() == (home / "alone" / name).read_bytes()
    (mine,) = [r for r in rows(home / "sweep/summary.csv") if r["point"] == "0004" and r["policy"] == "glb-cost"]
    (theirs,) = [r for r in rows(home / "alone/summary.csv") if r["policy"] == "glb-cost"]
    assert mine == {"point": "0004", "slots": "4", **theirs}


def test_intervals_are_students_and_differences_are_paired_by_seed(home: Path) -> None:
    """By hand: t(0.975, 2) = 4.302653; both policies met the same requests, so their difference is less uncertain."""
    run(home, "sweep", "scenario.yaml", "--seeds", 3, "--out", "s")
    found: dict[str, list[float]] = {}
    for row in rows(home / "s/summary.csv"):
        found.setdefault(row["policy"], []).append(float(row["cost_usd_per_site"]))
    cost, near = (np.array(found[name]) for name in ("glb-cost", "glb-nearest"))
    told = {(r["policy"], r["figure"]): r for r in rows(home / "s/intervals.csv")}[("glb-nearest", "cost_usd_per_site")]
    half = 4.302653 * near.std(ddof=1) / np.sqrt(3)
    assert [float(told[k]) for k in ("n", "mean", "low", "high")] == pytest.approx(
        [3, near.mean(), near.mean() - half, near.mean() + half], rel=1e-6
    )
    (told,) = [r for r in rows(home / "s/differences.csv") if r["figure"] == "cost_usd_per_site"]
    assert (told["policy"], told["against"]) == ("glb-nearest", "glb-cost")
    half = 4.302653 * (near - cost).std(ddof=1) / np.sqrt(3)
    assert [float(told[k]) for k in ("mean", "low", "high")] == pytest.approx(
        [(near - cost).mean(), (near - cost).mean() - half, (near - cost).mean() + half], rel=1e-6
    )


def test_tables_are_the_same_on_one_and_two_workers_and_in_any_order(home: Path) -> None:
    words = ("sweep", "scenario.yaml", "--vary", "slots=1,2,3", "--seeds", 2)
    run(home, *words, "--out", "one", "--jobs", 1)
    run(home, *words, "--out", "two", "--jobs", 2)
    for part in (3, 1, 2):
        assert not (home / "parts" / MANIFEST).exists()
        run(home, *words, "--out", "parts", "--shard", f"{part}/3")
    assert tables(home / "one") == tables(home / "two") == tables(home / "parts")
    assert (home / "one" / MANIFEST).read_bytes() == (home / "parts" / MANIFEST).read_bytes()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sweep_whose_supervisor_was_killed_goes_on_and_runs_nothing_twice(home: Path, jobs: int) -> None:
    order(home, {"all": {"sleep_s": 0.3}})
    words = (*watched(home, 6), "--jobs", jobs)
    process = subprocess.Popen(
        command(*words, "--out", "killed"),
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len(list((home / "killed/points").glob(f"*/{MANIFEST}"))) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {file.parent.name for file in (home / "killed/points").glob(f"*/{MANIFEST}")}
    assert 2 <= len(done) < 6 and not (home / "killed/summary.csv").exists()
    run(home, *words, "--out", "killed")
    finished = starts(home, "ends")
    assert all(finished.count(str(int(name))) == 1 for name in done)
    order(home, {})
    run(home, *watched(home, 6), "--out", "undisturbed")
    assert tables(home / "killed") == tables(home / "undisturbed")
    assert not list((home / "killed/points").glob("*.partial"))


def test_a_point_whose_process_is_killed_is_tried_again(home: Path) -> None:
    order(home, {"2": {"die": True}})
    run(home, *watched(home, 3), "--out", "killed")
    assert starts(home).count("2") == 2 and sorted(starts(home, "ends")) == ["1", "2", "3"]
    order(home, {})
    run(home, *watched(home, 3), "--out", "undisturbed")
    assert tables(home / "killed") == tables(home / "undisturbed")


def test_a_point_that_fails_harms_no_other_and_can_be_mended(home: Path) -> None:
    order(home, {"2": {"raise": True}})
    said = run(home, *watched(home, 3), "--out", "s", status=1)
    assert "failed: point 0002: own:Watched: RuntimeError: as told" in said
    assert [r["state"] for r in rows(home / "s/points.csv")] == ["done", "failed", "done"]
    told = json.loads((home / "s/failed/0002.json").read_text())
    assert told["attempts"] == 2 and "as told" in told["reason"]
    assert not (home / "s" / MANIFEST).exists() and len(rows(home / "s/summary.csv")) == 2
    order(home, {})
    run(home, *watched(home, 3), "--out", "s")
    assert [r["state"] for r in rows(home / "s/points.csv")] == ["done"] * 3
    assert (home / "s" / MANIFEST).exists() and not list((home / "s/failed").iterdir())
    assert starts(home).count("1") == starts(home).count("3") == 1


def test_the_signal_that_ends_a_point_each_time_is_told(home: Path) -> None:
    (home / "own.py").write_text(OWN.replace('and not (HERE / "died").exists()', ""))
    order(home, {"1": {"die": True}})
    said = run(home, *watched(home, 2), "--out", "s", status=1)
    assert "point 0001: its process was killed by SIGKILL" in said
    assert [r["state"] for r in rows(home / "s/points.csv")] == ["failed", "done"]


def test_two_supervisors_of_one_sweep_share_its_points(home: Path) -> None:
    order(home, {"all": {"sleep_s": 0.3}})
    words = command(*watched(home, 6), "--out", "s", "--jobs", 1)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen(words, cwd=home, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert sorted(starts(home)) == ["1", "2", "3", "4", "5", "6"]
    assert (home / "s" / MANIFEST).exists()


def test_what_is_done_is_not_run_again(home: Path) -> None:
    run(home, *watched(home, 2))
    before = tables(home / "results/scenario-sweep")
    run(home, *watched(home, 2))
    assert sorted(starts(home)) == ["1", "2"] and tables(home / "results/scenario-sweep") == before
    run(home, *watched(home, 3))
    assert len(rows(home / "results/scenario-sweep-2/points.csv")) == 3


MISTAKES = [
    (["--vary", "slots=0,4"], "--vary slots=0,4: slots: must be at least 1 (given 0)"),
    (["--vary", "slot=1,4"], "--vary slot=1,4: slot: unknown key 'slot'; did you mean 'slots'?"),
    (["--vary", "slots"], "--vary slots: write it as KEY=VALUE,VALUE,... with a dotted key"),
    (["--vary", "slots=[1"], "--vary slots=[1: sweep.vary.slots: not valid YAML"),
    (["--vary", "seed=1,2"], "seeds are given by `seeds`"),
    (["--vary", "policies.glb-cots.rule=score"], "no entry of the list is called 'glb-cots'; did you mean 'glb-cost'?"),
    (["--vary", "policies.glb-cost.rule=score,scores"], "rule must be split or score (given scores)"),
    (
        ["--vary", "sites.generate.count=1,2", "--vary", "allowed={max_rtt_ms: -1},full"],
        "must be at least 0 (given -1)",
    ),
    (["--seeds", "x"], "--seeds x: write a number of seeds (10), or the seeds themselves (1,2,3)"),
    (
        ["--seeds", "0"],
        "--seeds 0: sweep.seeds: a number of seeds from 1 to 100,000",
    ),
    (["--vary", "slots=2,2"], "variations 1 and 2 are the same"),
    (
        ["--vary", "slots=2", "--vary", "slots=3"],
        "--vary slots=3: this key is given twice",
    ),
    (
        ["--vary", "servers.count=6", "--vary", "servers={count: 7, peak_w: 100}"],
        "--vary servers={count: 7, peak_w: 100}: servers: servers.count lies within it, or is the same",
    ),
    (
        ["--vary", "policies.0.glb-cost.rule=split", "--vary", "policies.glb-cost.rule=score"],
        "policies.glb-cost.rule lies within it, or is the same",
    ),
    (["--vary", "name=a,b"], "`name` cannot be varied"),
    (["--seeds", "1,1"], "the same seed is listed twice"),
    (["--shard", "4/3"], "--shard 4/3: write it as i/n, i from 1 to n (such as 3/10)"),
    (
        ["--vary", "slots=" + ",".join("1" * 400), "--seeds", "1000"],
        "400 variations x 1,000 seeds are more than 100,000",
    ),
]


@pytest.mark.parametrize(("words", "message"), MISTAKES)
def test_mistakes_are_told_with_their_place_and_nothing_is_written(home: Path, words: list[str], message: str) -> None:
    before = sorted(home.iterdir())
    said = run(home, "sweep", "scenario.yaml", *words, status=2)
    assert message in said
    assert sorted(home.iterdir()) == before


def test_all_mistakes_of_a_file_come_at_once_each_at_its_value(home: Path) -> None:
    text = (
        SCENARIO
        + "sweep:\n  vary:\n    slots: [0, 4]\n    objective.water_weight_usd_per_m3: [1, -2]\n  against: glb-cots\n"
    )
    (home / "bad.yaml").write_text(text)
    for verb in ("run", "sweep", "validate"):
        said = run(home, verb, "bad.yaml", status=2)
        assert "bad.yaml:13:13: slots: must be at least 1 (given 0)" in said
        assert "bad.yaml:14:44: objective.water_weight_usd_per_m3: must be at least 0 (given -2)" in said
        assert "bad.yaml:15:12: sweep.against: no policy of the scenario is called 'glb-cots'" in said
        assert "3 mistakes" in said


def test_a_folder_of_another_sweep_is_left_alone(home: Path) -> None:
    run(home, *watched(home, 2), "--out", "s")
    before = tables(home / "s")
    assert "holds another sweep" in run(home, *watched(home, 3), "--out", "s", status=2)
    assert tables(home / "s") == before
    (home / "full").mkdir()
    (home / "full/mine").touch()
    assert "is not a folder of this sweep" in run(home, *watched(home, 2), "--out", "full", status=2)


def test_two_different_sweeps_at_once_get_folders_of_their_own(home: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    asked = [("--vary", "slots=1,2"), ("--vary", "slots=3,4")]
    quiet: dict[str, Any] = {"cwd": home, "env": environment, "stdout": subprocess.DEVNULL}
    both = [subprocess.Popen(command("sweep", "scenario.yaml", *words), **quiet) for words in asked]
    assert [process.wait(120) for process in both] == [0, 0]
    found = {tuple(r["slots"] for r in rows(folder / "points.csv")) for folder in (home / "results").iterdir()}
    assert found == {("1", "2"), ("3", "4")}


def test_a_folder_that_is_made_meanwhile_is_looked_at_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else asks for something else between our look at the folder and our claim of it."""
    from simulator.problem import InputError
    from simulator.study.sweep_folder import SweepFolder

    asked: list[Any] = []
    for words in ("slots=1,2", "slots=3,4"):
        asked.append(agenda(home, words))
    look = SweepFolder._check

    def late(folder: Any) -> None:
        monkeypatch.setattr(SweepFolder, "_check", look)
        look(folder)
        SweepFolder(home / "s", asked[1])

    monkeypatch.setattr(SweepFolder, "_check", late)
    with pytest.raises(InputError, match="holds another sweep"):
        SweepFolder(home / "s", asked[0])


def agenda(home: Path, words: str) -> Any:
    from simulator.cli.given import given
    from simulator.cli.points import add_axes

    asked = given(str(home / "scenario.yaml"), ())
    add_axes(asked.source, [words], None)
    return asked.agenda(asked.scenario())


def test_what_is_asked_is_what_a_folder_is_known_by(home: Path) -> None:
    """Values, their names, code, own modules and all that they import, and whom policies are held against."""
    first = agenda(home, "slots=1,2").digest
    assert agenda(home, "slots=1,2").digest == first
    assert agenda(home, "slots=1,3").digest != first
    assert agenda(home, "slot_s=900,600").digest != agenda(home, "slot_s=900.0,600").digest
    (home / "scenario.yaml").write_text(SCENARIO + "sweep: {against: glb-nearest}\n")
    assert agenda(home, "slots=1,2").digest != first


def test_tables_are_written_when_the_last_shard_has_ended_though_another_failed(home: Path) -> None:
    order(home, {"1": {"raise": True}})
    run(home, *watched(home, 4), "--out", "s", "--shard", "1/2", status=1)
    assert not (home / "s/points.csv").exists()
    run(home, *watched(home, 4), "--out", "s", "--shard", "2/2")
    assert [r["state"] for r in rows(home / "s/points.csv")] == ["failed", "done", "done", "done"]
    assert len(rows(home / "s/summary.csv")) == 3 and not (home / "s" / MANIFEST).exists()


def test_a_sweep_goes_on_when_what_forks_its_processes_is_killed(home: Path) -> None:
    order(home, {"all": {"sleep_s": 0.4}})
    words = command(*watched(home, 5), "--out", "s", "--jobs", "1", "--no-report")
    process = subprocess.Popen(words, cwd=home, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not starts(home):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.is_file():
        pytest.skip("this system does not tell the children of a process")
    for child in children.read_text().split():
        if b"forkserver" in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(int(child), signal.SIGKILL)
    assert process.wait(120) == 0
    assert [r["state"] for r in rows(home / "s/points.csv")] == ["done"] * 5


def test_reasons_are_one_line_that_no_terminal_obeys(home: Path) -> None:
    (home / "own.py").write_text(OWN.replace('"as told"', '"told\\n\\x1b[31m:B:"'))
    order(home, {"1": {"raise": True}})
    said = run(home, *watched(home, 1), "--out", "s", status=1)
    assert "\\n\\x1b[31m:B:" in said and "\x1b" not in said
    assert "\x1b" not in (home / "s/points.csv").read_text()
