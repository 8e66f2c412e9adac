"""Same seed, same bytes; any number of processes; adding a policy moves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import world

from policies import POLICIES
from simulator import run
from simulator.cli import main
from simulator.streams import STREAMS, stream

TABLES = (
    *("summary.csv", "sites.csv", "servers.csv", "origins.csv", "flows.csv"),
    *("slots.parquet", "regret.parquet", "latency.parquet", "batches.parquet"),
)
SHORT = ["--set", "slots=4", "--set", "published=null", "--set", "fleet_scale=0.0005"]


def results(folder: Path, *options: str) -> dict[str, bytes]:
    answer = CliRunner().invoke(main, ["run", "table1", *SHORT, "--out", str(folder), *options])
    assert answer.exit_code == 0, answer.output
    return {name: (folder / name).read_bytes() for name in TABLES}


@pytest.mark.parametrize("engine", ["simpy", "fluid"])
def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(tmp_path: Path, engine: str) -> None:
    first = results(tmp_path / "first", "--jobs", "1", "--engine", engine)
    again = results(tmp_path / "again", "--jobs", "3", "--engine", engine)
    assert first == again


def test_another_seed_gives_other_figures(tmp_path: Path) -> None:
    assert results(tmp_path / "one", "--seed", "1") != results(tmp_path / "two", "--seed", "2")


def test_adding_a_policy_moves_no_other_row(tmp_path: Path) -> None:
    few = results(tmp_path / "few", "--policy", "glb-cost")["summary.csv"].splitlines()
    many = results(tmp_path / "many", "--policy", "hedge", "--policy", "glb-cost")["summary.csv"].splitlines()
    assert few[1] == many[2]


def test_all_policies_meet_the_same_requests() -> None:
    made = world()
    arrivals = []
    for name in ("glb-cost", "glb-nearest", "hedge"):
        requests = run(made, POLICIES[name](), engine="simpy", keep_requests=True).record.requests
        assert requests is not None
        arrivals.append(requests)
    assert np.array_equal(arrivals[0].arrival_s, arrivals[1].arrival_s)
    assert np.array_equal(arrivals[0].origin, arrivals[2].origin)


def test_streams_are_independent_and_named_once() -> None:
    assert len(set(STREAMS.values())) == len(STREAMS)
    drawn = [stream(7, name).random(4).tolist() for name in STREAMS]
    assert len({tuple(numbers) for numbers in drawn}) == len(STREAMS)
    assert stream(7, "u", 3).random() == stream(7, "u", 3).random()
    assert stream(7, "u", 3).random() != stream(7, "u", 4).random()


def test_the_manifest_names_what_made_the_figures(tmp_path: Path) -> None:
    results(tmp_path / "run", "--policy", "glb-cost")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["seed"] == 1
    assert set(manifest["files"]) == {*TABLES, "scenario.yaml"}
    assert "numpy" in manifest["versions"]
    assert len(manifest["laws"]["glb-cost"]) == 9
