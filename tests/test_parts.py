"""Rows of requests on disk: every request or a sample, the same from both engines, in whole parts only."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import simulator.parts
from simulator.cli import main

SHORT = ["--set", "slots=4", "--set", "fleet_scale=0.002", "--set", "published=null", "--jobs", "1"]
BUSY = ["--set", "servers.count=450", "--set", "servers.queue_limit=3", "--policy", "glb-cost", "--policy", "eglb"]


def rows(folder: Path, asked: str, *options: str, ends: int = 0) -> pd.DataFrame:
    words = ["run", "table1", *SHORT, *BUSY, "--set", f"requests={asked}", "--out", str(folder), *options]
    answer = CliRunner().invoke(main, words)
    assert answer.exit_code == ends, answer.output
    return pd.read_parquet(folder / "requests") if (folder / "requests").is_dir() else pd.DataFrame()


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with all rows."""
    folder = tmp_path_factory.mktemp("rows") / "all"
    rows(folder, "{write: all}")
    return folder


def test_every_request_of_the_summary_has_its_row(everything: Path) -> None:
    table = pd.read_parquet(everything / "requests")
    for _, row in pd.read_csv(everything / "summary.csv").iterrows():
        own = table[table.policy == row.policy]
        assert own.request.tolist() == list(range(int(row.requests)))
        assert own.fate.value_counts().to_dict() == {
            fate: row[fate] for fate in ("finished", "rejected", "failed", "unfinished")
        }
        assert row.rejected > 0 < row.unfinished
        done = own[own.fate == "finished"]
        assert row.wait_mean_s == pytest.approx((done.start_s - done.reach_s).mean())
        assert row.e2e_mean_s == pytest.approx((done.finish_s + done.back_s - done.arrival_s).mean())
    assert table.finish_s.isna().sum() == (table.fate != "finished").sum()


def test_both_engines_write_the_same_rows(everything: Path, tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(
        rows(tmp_path / "simpy", "{write: all}", "--engine", "simpy"), pd.read_parquet(everything / "requests")
    )


@pytest.mark.parametrize("engine", ["compiled", "simpy"])
def test_a_sample_is_some_of_the_rows_and_moves_no_figure(everything: Path, tmp_path: Path, engine: str) -> None:
    some = rows(tmp_path / "some", "{sample: 0.1}", "--engine", engine)
    every = pd.read_parquet(everything / "requests")
    assert abs(len(some) / len(every) - 0.1) < 0.02
    pd.testing.assert_frame_equal(some, every.merge(some[["policy", "request"]])[some.columns], check_categorical=False)
    one, other = (
        pd.read_csv(folder / "summary.csv").drop(columns="engine") for folder in (everything, tmp_path / "some")
    )
    pd.testing.assert_frame_equal(one, other, rtol=1e-9)


def test_rows_come_in_whole_parts(everything: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 1,000 rows but for the last of each policy; the manifest names each with its hash."""
    monkeypatch.setattr(simulator.parts, "PART_ROWS", 1000)
    cut = rows(tmp_path / "cut", "{write: all}")
    pd.testing.assert_frame_equal(cut, pd.read_parquet(everything / "requests"))
    files = sorted(file.name for file in (tmp_path / "cut/requests").iterdir())
    sizes = [len(pd.read_parquet(tmp_path / "cut/requests" / name)) for name in files]
    assert files[:2] == ["part-00-00000.parquet", "part-00-00001.parquet"]
    assert sum(size != 1000 for size in sizes) == 2
    manifest = json.loads((tmp_path / "cut/manifest.json").read_text())
    assert {f"requests/{name}" for name in files} <= set(manifest["files"])


def test_a_policy_that_fails_leaves_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(simulator.parts, "PART_ROWS", 1000)
    (tmp_path / "own_tired.py").write_text(
        "from simulator import RoutingPolicy\nfrom policies import POLICIES\n"
        "class Tired(POLICIES['glb-cost']):\n"
        "    def plan(self, observation):\n"
        "        assert observation.slot < 3\n"
        "        return super().plan(observation)\n"
    )
    names = ["--set", "policies=[glb-cost, eglb, 'own_tired:Tired']", "--policy", "own_tired:Tired"]
    left = rows(tmp_path / "left", "{write: all}", *names, ends=1)
    assert set(left.policy) == {"glb-cost", "eglb"}


def test_without_any_request_there_is_an_empty_part(tmp_path: Path) -> None:
    none = ["--set", "workload.demand={poisson: {rate_per_s: 0}}"]
    assert len(rows(tmp_path / "none", "{write: all}", *none)) == 0
    assert len(list((tmp_path / "none/requests").iterdir())) == 2


def test_the_fluid_engine_has_no_rows_to_write(tmp_path: Path) -> None:
    rows(tmp_path / "none", "{write: all}", "--engine", "fluid", ends=2)
    assert not (tmp_path / "none").exists()
