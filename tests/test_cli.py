"""The command line: what it prints, what it leaves on disk, and with which status it ends (0 done, 1 failed, 2 bad
input, 130 interrupted). Most commands run in this process; those that are killed or lose their reader in one of
their own, each with a time limit.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import yaml
from rich.console import Console

import simulator
from simulator import InputError, load, run
from simulator.cli import main
from simulator.folder import Folder, read_folder
from simulator.report.table import print_comparison
from simulator.scenario import read_source, shipped_scenarios
from simulator.world import build_world

ROOT = Path(simulator.__file__).resolve().parents[1]
LIMIT_S = 60

TINY = """\
name: a tiny fleet
start: 2022-09-22T00:00:00Z
slots: 3
seed: 5
sites:
  - {name: west, latitude_deg: 0, longitude_deg: 0}
  - {name: east, latitude_deg: 0, longitude_deg: 30, pue: 1.2}
servers: {count: 4, concurrency: 2, peak_w: 1000, idle_w: 100}
origins: at_sites
signals:
  synthetic:
    price_usd_per_mwh: {per_site: {west: 100, east: {steps: {values: [50, 150]}}}}
    carbon_kg_per_kwh: {per_site: {west: 0.2, east: 0.4}}
    water_l_per_kwh: 3
workload:
  demand: {poisson: {rate_per_s: 0.05}}
  request: {seconds: {exponential: {mean: 20}}, slo: {end_to_end_s: 60}}
network: {rtt: {coordinates: {}}}
policies: [glb-cost, glb-carbon, eglb: {step: 1.0e-4}]
"""
NAMES = ["glb-cost", "glb-carbon", "eglb"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Iterator[Path]:
    """An empty folder to work in, with the scenario ``tiny.yaml``; modules imported from it are forgotten after it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if tmp_path in Path(getattr(module, "__file__", None) or "/").parents:
            del sys.modules[name]


@pytest.fixture
def equifleet(capsys):
    """Run a command in this process: (status, stdout, stderr)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        if arguments[0] == "run" and "--jobs" not in arguments:
            arguments = (*arguments, "--jobs", "1")
        if arguments[0] == "run" and "--report" not in arguments:
            arguments = (*arguments, "--no-report")
        with pytest.raises(SystemExit) as ended:
            main.main([str(argument) for argument in arguments], prog_name="equifleet")
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def start(*arguments: str, cwd: Path, **options) -> subprocess.Popen:
    """``python -m simulator`` in a process (and a process group) of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    if arguments[0] == "run":
        arguments = (*arguments, "--no-report")
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=cwd,
        env=environment,
        text=True,
        start_new_session=True,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),
    )


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    """Status, stdout and stderr of a process that ends in time; the whole group is ended if it does not."""
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, out, err


def summary(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "summary.csv").read_text())))


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# --- run ------------------------------------------------------------------------------------------------------------


def test_a_run_prints_a_row_for_each_policy_and_says_where_its_results_are(here, equifleet):
    code, out, err = equifleet("run", "tiny.yaml")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["policy", *NAMES]
    assert "results: results/tiny" in lines
    assert [row["policy"] for row in summary(here / "results/tiny")] == NAMES


def test_a_table_that_is_piped_is_plain(here, equifleet):
    """No colours, no frames, and columns that line up: every cell ends under the end of its header."""
    _, out, _ = equifleet("run", "tiny.yaml")
    assert out.isascii()
    assert "\x1b" not in out
    header, *rows = out.splitlines()[:4]
    ends = [k + len(word) for word in ("US$/site", "PAR water") for k in [header.index(word)]]
    assert all(row[end - 1] != " " and row[end : end + 1] in (" ", "") for row in rows for end in ends)


def test_json_is_json_without_nan(here, equifleet):
    """A run of three hours has no 99.9th percentile under the fluid engine: null, not NaN, which is no JSON."""

    def refuse(constant: str):
        raise AssertionError(f"{constant} is not JSON")

    for engine in ("simpy", "fluid"):
        code, out, err = equifleet("run", "tiny.yaml", "--json", "--engine", engine)
        assert (code, err) == (0, "")
        found = json.loads(out, parse_constant=refuse)
        assert [row["policy"] for row in found["rows"]] == NAMES
        assert {row["engine"] for row in found["rows"]} == {engine}
        assert (here / found["folder"] / "manifest.json").is_file()
    assert found["rows"][0]["slo_attainment"] is None
    # And empty hours, where means are means of nothing.
    code, out, _ = equifleet("run", "tiny.yaml", "--json", "--set", "workload.demand.poisson.rate_per_s=0")
    assert code == 0
    assert json.loads(out, parse_constant=refuse)["rows"][0]["e2e_mean_s"] is None


def test_json_and_the_summary_on_disk_hold_the_same_figures(here, equifleet):
    _, out, _ = equifleet("run", "tiny.yaml", "--json")
    for row, written in zip(json.loads(out)["rows"], summary(here / "results/tiny"), strict=True):
        assert list(row) == list(written)
        for key, value in row.items():
            if isinstance(value, float):
                assert float(written[key]) == value
            elif value is not None:
                assert written[key] == str(value)


def test_the_folder_of_a_run_is_whole(here, equifleet):
    """Everything that the manifest names is there with its hash, and nothing that was only on the way."""
    import hashlib

    equifleet("run", "tiny.yaml", "--out", "done")
    assert listing(here) == sorted(
        ["done", "tiny.yaml"]
        + [
            f"done/{name}"
            for name in ("scenario.yaml", "summary.csv", "sites.csv", "servers.csv", "origins.csv", "flows.csv")
        ]
        + [f"done/{name}" for name in ("slots.parquet", "regret.parquet", "latency.parquet", "batches.parquet")]
        + ["done/manifest.json"]
    )
    manifest = json.loads((here / "done/manifest.json").read_text())
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((here / "done" / name).read_bytes()).hexdigest() == digest
    assert manifest["shortfalls"] == {}
    assert (manifest["seed"], manifest["engine"], manifest["policies"]) == (5, "compiled", NAMES)
    assert all(len(laws) >= 7 for laws in manifest["laws"].values())
    tables = read_folder(here / "done")
    assert len(tables["slots"]) == 3 * 3 * 2
    cost = tables["slots"].groupby("policy")["cost_usd"].sum()
    for row in summary(here / "done"):
        assert cost[row["policy"]] == pytest.approx(float(row["cost_usd"]), rel=1e-12)


def test_what_show_prints_runs_again_with_the_same_bytes(here, equifleet, tmp_path):
    code, shown, _ = equifleet("show", "tiny.yaml")
    assert code == 0
    elsewhere = here / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "shown.yaml").write_text(shown)
    equifleet("run", "tiny.yaml", "--out", "one")
    equifleet("run", "elsewhere/shown.yaml", "--out", "two")
    for name in ("summary.csv", "sites.csv", "origins.csv", "flows.csv", "scenario.yaml"):
        assert (here / "one" / name).read_bytes() == (here / "two" / name).read_bytes()
    # Shown again it is the same text; and it is what a run keeps.
    assert equifleet("show", "elsewhere/shown.yaml")[1] == shown == (here / "one/scenario.yaml").read_text()


@pytest.mark.parametrize("name", sorted(shipped_scenarios()))
def test_show_of_a_shipped_scenario_is_that_scenario(name, equifleet, here, monkeypatch):
    from simulator import load

    monkeypatch.setenv("EQUIFLEET_DATA", os.environ.get("EQUIFLEET_DATA", str(ROOT.parent / "shared" / "data")))
    code, out, err = equifleet("show", name)
    if code == 2 and "EQUIFLEET_DATA" in err:
        pytest.skip("the authors' data are not there")
    assert (code, err) == (0, "")
    (here / "again.yaml").write_text(out)
    assert load("again.yaml") == load(name)


def test_set_changes_the_scenario_and_counts_paths_from_the_current_folder(here, equifleet):
    equifleet("run", "tiny.yaml", "--set", "slots=2", "--set", "sites[1].pue=2", "--out", "set")
    resolved = yaml.safe_load((here / "set/scenario.yaml").read_text())
    assert (resolved["slots"], resolved["sites"]["given"][1]["pue"], resolved["sites"]["given"][0]["pue"]) == (2, 2, 1)
    (here / "sub").mkdir()
    (here / "sub/deep.yaml").write_text(TINY)
    (here / "rtt.csv").write_text("origin,west,east\nwest,1,70\neast,70,1\n")
    matrix = "network.rtt={matrix: rtt.csv}"
    assert equifleet("run", "sub/deep.yaml", "--set", matrix, "--out", "moved")[0] == 0
    assert {row["network_mean_ms"] for row in summary(here / "set")} != {
        row["network_mean_ms"] for row in summary(here / "moved")
    }


def test_a_mistake_in_set_is_told_in_its_own_words(here, equifleet):
    code, _, err = equifleet("run", "tiny.yaml", "--set", "slotz=2", "--set", "seed=x")
    assert code == 2
    assert "--set slotz=2" in err
    assert "did you mean 'slots'" in err
    assert "--set seed=x" in err
    assert listing(here) == ["tiny.yaml"]


def test_policy_runs_that_policy_alone_with_its_settings(here, equifleet):
    """The same figures as in the comparison: adding policies moves nothing."""
    equifleet("run", "tiny.yaml", "--out", "all")
    equifleet("run", "tiny.yaml", "--policy", "eglb", "--policy", "glb-cost", "--out", "some")
    every, some = ({row["policy"]: row for row in summary(here / name)} for name in ("all", "some"))
    assert list(some) == ["eglb", "glb-cost"]
    assert some["eglb"] == every["eglb"]
    assert some["glb-cost"] == every["glb-cost"]
    policies = yaml.safe_load((here / "some/scenario.yaml").read_text())["policies"]
    assert policies == [{"eglb": {"step": 1e-4}}, "glb-cost"]


def test_policy_takes_every_entry_of_that_name(here, equifleet):
    both = "policies=[glb-cost, eglb: {step: 1.0e-4}, eglb: {step: 2.0e-4}]"
    equifleet("run", "tiny.yaml", "--set", both, "--policy", "eglb", "--out", "steps")
    assert [row["policy"] for row in summary(here / "steps")] == ["eglb(step=0.0001)", "eglb(step=0.0002)"]


def test_a_policy_that_the_scenario_does_not_list_runs_too_and_an_unknown_one_does_not(here, equifleet):
    assert equifleet("run", "tiny.yaml", "--policy", "hedge", "--out", "other")[0] == 0
    assert [row["policy"] for row in summary(here / "other")] == ["hedge"]
    code, _, err = equifleet("run", "tiny.yaml", "--policy", "glb-csot")
    assert code == 2
    assert "did you mean 'glb-cost'" in err


def test_a_seed_changes_the_figures_and_the_same_seed_does_not(here, equifleet):
    for name, arguments in {
        "own": (),
        "five": ("--seed", "5"),
        "six": ("--seed", "6"),
        "set": ("--set", "seed=6"),
    }.items():
        assert equifleet("run", "tiny.yaml", "--out", name, *arguments)[0] == 0
    own, five, six, given = ((here / name / "summary.csv").read_bytes() for name in ("own", "five", "six", "set"))
    assert own == five
    assert six == given
    assert own != six
    assert {row["seed"] for row in summary(here / "six")} == {"6"}


def test_the_number_of_processes_changes_nothing(here, equifleet):
    equifleet("run", "tiny.yaml", "--out", "one", "--jobs", "1")
    assert equifleet("run", "tiny.yaml", "--out", "three", "--jobs", "3")[0] == 0
    for name in ("summary.csv", "sites.csv", "origins.csv", "flows.csv", "slots.parquet", "latency.parquet"):
        assert (here / "one" / name).read_bytes() == (here / "three" / name).read_bytes()


# --- where results go -----------------------------------------------------------------------------------------------


def test_results_have_the_scenario_s_name_and_a_number_from_the_second_on(here, equifleet):
    for _ in range(3):
        assert equifleet("run", "tiny.yaml", "--policy", "glb-cost", "--engine", "fluid")[0] == 0
    assert sorted(path.name for path in (here / "results").iterdir()) == ["tiny", "tiny-2", "tiny-3"]
    assert equifleet("run", "mmc", "--set", "slots=1", "--set", "warmup_s=0", "--engine", "fluid")[0] == 0
    assert (here / "results/mmc/manifest.json").is_file()


def test_a_finished_run_is_replaced_only_when_asked_to(here, equifleet):
    equifleet("run", "tiny.yaml", "--out", "out")
    before = (here / "out/summary.csv").read_bytes()
    code, _, err = equifleet("run", "tiny.yaml", "--out", "out", "--seed", "9")
    assert code == 2
    assert "--overwrite" in err
    assert (here / "out/summary.csv").read_bytes() == before
    assert equifleet("run", "tiny.yaml", "--out", "out", "--seed", "9", "--overwrite")[0] == 0
    assert (here / "out/summary.csv").read_bytes() != before
    assert sorted(path.name for path in here.iterdir()) == ["out", "tiny.yaml"]


def test_what_is_not_a_folder_of_results_is_never_overwritten(here, equifleet):
    (here / "mine").mkdir()
    (here / "mine/letter.txt").write_text("dear")
    for out in ("mine", "tiny.yaml"):
        code, _, err = equifleet("run", "tiny.yaml", "--out", out, "--overwrite")
        assert code == 2
        assert "exists already, and is not a folder" in err
    assert (here / "tiny.yaml").read_text() == TINY
    assert listing(here / "mine") == ["letter.txt"]


def test_a_folder_with_a_manifest_of_its_own_is_not_overwritten(here, equifleet):
    """Web applications have a manifest.json too."""
    (here / "app" / "src").mkdir(parents=True)
    (here / "app" / "manifest.json").write_text('{"name": "app"}')
    code, _, err = equifleet("run", "tiny.yaml", "--out", "app", "--overwrite")
    assert (code, "is not a folder of results" in err) == (2, True)
    assert listing(here / "app") == ["manifest.json", "src"]


def test_results_beside_which_somebody_put_something_are_not_overwritten(here, equifleet):
    assert equifleet("run", "tiny.yaml", "--out", "out")[0] == 0
    (here / "out" / "notes.txt").write_text("mine")
    code, _, err = equifleet("run", "tiny.yaml", "--out", "out", "--overwrite")
    assert (code, "holds 'notes.txt', which is no part of a run" in err) == (2, True)
    assert (here / "out" / "notes.txt").read_text() == "mine"


def test_the_next_run_takes_the_place_of_one_that_was_killed(here, equifleet):
    for name in ("tiny", "tiny.abcd.partial"):
        (here / "results" / name).mkdir(parents=True)
        (here / "results" / name / ".running").touch()  # nobody holds the lock
    assert equifleet("run", "tiny.yaml", "--policy", "glb-cost", "--engine", "fluid")[0] == 0
    assert [path.name for path in (here / "results").iterdir()] == ["tiny"]
    assert (here / "results/tiny/manifest.json").is_file()


def test_slots_show_what_cost_carbon_and_water_are_made_of(here, equifleet):
    assert equifleet("run", "tiny.yaml", "--out", "out")[0] == 0
    slots = read_folder("out")["slots"]
    assert slots["cost_usd"].to_numpy() == pytest.approx((slots["price_usd_per_kwh"] * slots["meter_kwh"]).to_numpy())
    assert slots["carbon_kg"].to_numpy() == pytest.approx((slots["carbon_kg_per_kwh"] * slots["meter_kwh"]).to_numpy())
    assert slots["water_l"].to_numpy() == pytest.approx((slots["onsite_water_l_per_kwh"] * slots["it_kwh"]).to_numpy())
    assert set(slots[slots["site"] == "east"]["price_usd_per_kwh"]) == {0.05, 0.15}


def test_requests_that_a_run_leaves_unfinished_are_shown(here, equifleet):
    """Scores take everything in: what is above capacity waits, and that is not hidden beside nothing rejected."""
    crowd = ["--set", "workload.demand.poisson.rate_per_s=5", "--set", "policies=[glb-cost: {rule: score}]"]
    header, row = (line.split() for line in equifleet("run", "tiny.yaml", *crowd)[1].splitlines()[:2])
    counts = header[-len(row) :]  # names of two words stand before
    (summary,) = read_folder("results/tiny")["summary"].to_dict("records")
    assert row[counts.index("unfinished") - counts.index("rejected") + row.index("0")] == f"{summary['unfinished']:,}"
    assert summary["unfinished"] > 0.5 * summary["requests"]


def test_names_are_printed_as_they_are(here, equifleet):
    out = equifleet("run", "tiny.yaml", "--out", ":smile:", "--policy", "glb-cost")[1]
    assert "results: :smile:" in out


def test_an_empty_folder_may_be_filled(here, equifleet):
    (here / "empty").mkdir()
    assert equifleet("run", "tiny.yaml", "--out", "empty")[0] == 0
    assert (here / "empty/manifest.json").is_file()


def test_a_link_to_a_folder_may_be_filled(here, equifleet):
    (here / "elsewhere" / "disk").mkdir(parents=True)
    (here / "out").symlink_to(here / "elsewhere" / "disk")
    for more in ([], ["--overwrite"]):
        assert equifleet("run", "tiny.yaml", "--out", "out", *more)[0] == 0
        assert (here / "elsewhere/disk/manifest.json").is_file()
        assert (here / "out").is_symlink()
        assert [path.name for path in (here / "elsewhere").iterdir()] == ["disk"]


# --- the other commands ---------------------------------------------------------------------------------------------


def test_validate_says_fine_or_every_mistake_and_runs_nothing(here, equifleet):
    assert equifleet("validate", "tiny.yaml", "mmc") == (
        0,
        "tiny.yaml: fine (3 policies, 3 slots)\nmmc: fine (1 policies, 30 slots)\n",
        "",
    )
    (here / "bad.yaml").write_text(TINY.replace("slots: 3", "slots: 0").replace("glb-carbon", "glb-carbn"))
    code, out, err = equifleet("validate", "bad.yaml", "tiny.yaml")
    assert code == 2
    assert out == "tiny.yaml: fine (3 policies, 3 slots)\n"
    assert "bad.yaml:3:8: slots: must be at least 1 (given 0)" in err
    assert "did you mean 'glb-carbon'" in err
    assert "Traceback" not in err
    assert listing(here) == ["bad.yaml", "tiny.yaml"]


def test_the_committed_schema_is_the_one_that_is_printed(equifleet):
    code, out, _ = equifleet("schema")
    assert code == 0
    assert (ROOT / "simulator/scenario.schema.json").read_text(encoding="utf-8") == out
    assert json.loads(out)["$schema"].startswith("https://json-schema.org/")


_KINDS = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list | tuple),
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
}
_NOTES = {"$schema", "$defs", "title", "description", "default", "format"}


def accepts(whole: dict, part: dict | bool, value) -> bool:
    """A plain validator of the keywords of JSON Schema that ours has; KeyError for any other keyword."""
    if isinstance(part, bool):
        return part
    number = isinstance(value, int | float) and not isinstance(value, bool)
    size = len(value) if isinstance(value, dict | list | tuple | str) else 0
    keys, items = (value if isinstance(value, kind) else () for kind in (dict, (list, tuple)))
    named = part.get("properties", {})
    rules = {
        "$ref": lambda to: accepts(whole, whole["$defs"][to.removeprefix("#/$defs/")], value),
        "anyOf": lambda ways: any(accepts(whole, way, value) for way in ways),
        "type": lambda kinds: any(_KINDS[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)),
        "enum": lambda words: value in words,
        "const": lambda word: value == word,
        "required": lambda needed: all(key in keys for key in needed),
        "properties": lambda known: all(accepts(whole, known[key], value[key]) for key in keys if key in known),
        "additionalProperties": lambda rest: all(accepts(whole, rest, value[key]) for key in keys if key not in named),
        "items": lambda each: all(accepts(whole, each, item) for item in items),
        "minItems": lambda least: size >= least,
        "maxItems": lambda most: size <= most,
        "minProperties": lambda least: size >= least,
        "maxProperties": lambda most: size <= most,
        "minLength": lambda least: size >= least,
        "maxLength": lambda most: size <= most,
        "pattern": lambda pattern: re.search(pattern, value) is not None,
        "minimum": lambda least: not number or value >= least,
        "maximum": lambda most: not number or value <= most,
        "exclusiveMinimum": lambda least: not number or value > least,
        "exclusiveMaximum": lambda most: not number or value < most,
    }
    # A type that does not fit is the answer: a pattern is only asked of text.
    found = sorted(set(part) - _NOTES, key=lambda key: key != "type")
    return all(rules[key](part[key]) for key in found)


@pytest.mark.parametrize("name", sorted(shipped_scenarios()))
def test_the_schema_accepts_the_shipped_scenarios(name):
    """What an editor would mark as a mistake must be one."""
    from simulator.scenario.writing import schema

    data = read_source(name).data
    assert accepts(schema(), schema(), data)
    if importlib.util.find_spec("jsonschema") is not None:
        import jsonschema

        jsonschema.Draft202012Validator(schema()).validate(json.loads(json.dumps(data)))


@pytest.mark.parametrize(
    ("setting", "fine"),
    [
        ("policies=[glb-cost, eglb: {step: 1}, hedge: , {name: mpc, settings: {}}]", True),
        ("workload.request={energy_wh: {lognormal: {mu: 1, sigma: 1}}}", True),
        ("signals.synthetic.water_l_per_kwh={per_site: {west: 1, east: {steps: {values: [1]}}}}", True),
        ("allowed=full", True),
        ("allowed={regions: {eu: [eu]}}", True),
        ("allowed=some", False),
        ("network.rtt={matrix: rtt.csv}", True),
        ("sites={catalogue: {only: [texas]}}", True),
        ("sites={generate: {count: 0}}", False),
        ("sites=[]", False),
        ("sites=[{name: a/b}]", False),
        ("sites={catalogue: paper, generate: {count: 1}}", False),
        ("slots=0", False),
        ("slots=1.5", False),
        ("slotz=1", False),
        ("fleet_scale=-1", False),
        ("fleet_scale=0", False),
        ("policies=[]", False),
        ("policies=[eglb: {step: 1}, {a: {}, b: {}}]", False),
        ("workload.request={energy_wh: -1}", False),
    ],
)
def test_the_schema_says_what_a_scenario_may_hold(here, setting, fine):
    from simulator.scenario.writing import schema

    source = read_source("tiny.yaml")
    assert accepts(schema(), schema(), source.data)
    source.override([setting])
    assert accepts(schema(), schema(), source.data) is fine


def test_policies_lists_each_policy_with_its_settings(equifleet):
    from policies import POLICIES, PROVISIONING, STORAGE

    code, out, _ = equifleet("policies")
    assert code == 0
    parts = [part.splitlines() for part in out.split("\n\n")]
    names = [[line.split()[0] for line in part if not line.startswith(" ")] for part in parts]
    assert names == [list(POLICIES), ["provisioning:", *PROVISIONING], ["battery:", *STORAGE]]
    code, out, _ = equifleet("policies", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    kinds = [(name, row["kind"]) for name, row in rows.items()]
    words = {"routing policy": POLICIES, "provisioning policy": PROVISIONING, "battery control": STORAGE}
    assert kinds == [(name, kind) for kind, known in words.items() for name in known]
    assert "step" in rows["eglb"]["settings"]
    assert all(row["what"] for row in rows.values())


def test_a_new_scenario_is_one_that_runs(here, equifleet):
    assert equifleet("new", "scenario", "my-study") == (0, "wrote my-study.yaml\n", "")
    assert equifleet("validate", "my-study.yaml")[0] == 0
    code, _, err = equifleet("run", "my-study.yaml", "--engine", "fluid", "--set", "slots=2")
    assert (code, err) == (0, "")
    assert (here / "results/my-study/manifest.json").is_file()


def test_a_new_policy_keeps_the_contract_and_runs(here, equifleet):
    assert equifleet("new", "policy", "my_cli_policy") == (0, "wrote my_cli_policy.py\n", "")
    code, _, err = equifleet("run", "tiny.yaml", "--policy", "my_cli_policy:MyCliPolicy", "--out", "mine")
    assert (code, err) == (0, "")
    assert [row["policy"] for row in summary(here / "mine")] == ["my_cli_policy:MyCliPolicy"]
    checked = subprocess.run(
        [sys.executable, "my_cli_policy.py"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (checked.returncode, checked.stdout) == (0, "MyCliPolicy keeps the contract\n")


def test_new_replaces_nothing_and_wants_a_plain_name(here, equifleet):
    for kind, name in (("scenario", "tiny"), ("policy", "../up"), ("policy", "7"), ("scenario", "")):
        code, _, err = equifleet("new", kind, name)
        assert code == 2
        assert "exists already" in err or "not a plain name" in err
    assert listing(here) == ["tiny.yaml"]
    assert (here / "tiny.yaml").read_text() == TINY


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "nowhere.yaml"),
        ("run", "mmm"),
        ("run", "tiny.yaml", "--engine", "simply"),
        ("run", "tiny.yaml", "--seed", "-1"),
        ("run", "tiny.yaml", "--jobs", "0"),
        ("run", "tiny.yaml", "--set", "slots"),
        ("run", "tiny.yaml", "--policy", ""),
        ("show", "nowhere.yaml"),
        ("validate",),
        ("validate", "."),
        ("new", "thing", "x"),
        ("fly",),
    ],
)
def test_bad_input_ends_with_status_2_and_a_sentence(here, equifleet, arguments):
    code, out, err = equifleet(*arguments) if arguments != ("run",) else equifleet("run", "--help-me")
    assert code == 2
    assert out == ""
    assert err.strip()
    assert "Traceback" not in err
    assert listing(here) == ["tiny.yaml"]


BROKEN = """\
from simulator import RoutingPolicy, Split
import numpy as np

class Broken(RoutingPolicy):
    def plan(self, observation):
        if observation.slot == 1:
            raise ZeroDivisionError("the third law")
        return Split(np.eye(2))
"""


def test_the_manifest_tells_machines_what_plans_left_out(here, equifleet):
    """A hundred times the demand: the same figures as the sentence, by the name of each policy."""
    code, out, _ = equifleet("run", "tiny.yaml", "--set", "workload.growth=100", "--out", "out", "--policy", "glb-cost")
    assert code == 0
    manifest, (row,) = json.loads((here / "out/manifest.json").read_text()), summary(here / "out")
    (short,) = manifest["shortfalls"].values()
    assert list(manifest["shortfalls"]) == ["glb-cost"]
    keys = ["slots", "requests", "origins", "sites", "demand_rps", "capacity_rps", "short_kw"]
    assert list(short) == keys
    assert str(short["slots"]) == row["short_slots"]
    assert short["requests"] == float(row["unserved_requests"]) > 0
    assert short["demand_rps"] > short["capacity_rps"] > 0
    assert f"({short['short_kw']:,.4g} kW short)" in out
    # Nothing but what these sites cannot carry is left out: as power, at what a request draws there.
    world = build_world(load(here / "out/scenario.yaml"))
    energy_kwh = world.fleet.energy_kwh[np.isin(world.fleet.sites, short["sites"])]
    assert np.ptp(energy_kwh) == 0
    kw = (short["demand_rps"] - short["capacity_rps"]) * energy_kwh[0] * 3600
    assert short["short_kw"] == pytest.approx(kw, rel=1e-5)


def test_a_policy_that_fails_is_named_with_its_line_and_the_others_are_kept(here, equifleet):
    (here / "broken_cli.py").write_text(BROKEN)
    policies = "policies=[glb-cost, broken_cli:Broken, glb-carbon]"
    code, out, err = equifleet("run", "tiny.yaml", "--set", policies, "--out", "out")
    assert code == 1
    assert "failed: broken_cli:Broken: ZeroDivisionError: the third law" in err
    assert "broken_cli.py:7" in err
    assert "Traceback" not in err
    assert "glb-carbon" in out
    assert [row["policy"] for row in summary(here / "out")] == ["glb-cost", "glb-carbon"]
    failed = json.loads((here / "out/manifest.json").read_text())["failed"]
    assert list(failed) == ["broken_cli:Broken"]


def test_an_error_of_the_user_s_own_kind_is_told_as_it_is(here, equifleet):
    """SimPy makes a copy of an error from its type and arguments, which not every error can be made from."""
    own = "class Own(Exception):\n    def __init__(self, one, two):\n        super().__init__(f'{one} and {two}')\n\n"
    raises = BROKEN.replace('ZeroDivisionError("the third law")', "Own(1, two='2')")
    (here / "own_cli.py").write_text(own + raises)
    code, _, err = equifleet("run", "tiny.yaml", "--policy", "own_cli:Broken", "--policy", "glb-cost")
    assert code == 1
    assert err.startswith("failed: own_cli:Broken: Own: 1 and 2 (")
    assert "own_cli.py:11, in plan" in err


def test_where_every_policy_fails_nothing_is_written(here, equifleet):
    (here / "broken_cli.py").write_text(BROKEN)
    code, _, err = equifleet("run", "tiny.yaml", "--policy", "broken_cli:Broken", "--out", "out")
    assert code == 1
    assert "the third law" in err
    assert not (here / "out").exists()
    assert not [name for name in listing(here) if "partial" in name]


# --- processes ------------------------------------------------------------------------------------------------------

#: Says that it has started, and then takes its time: some seconds for each of many slots.
SLOW = """\
from pathlib import Path
import numpy as np
from simulator import RoutingPolicy, Split

class Slow(RoutingPolicy):
    def plan(self, observation):
        if observation.slot == 2:
            Path("started").touch()
        return Split(np.eye(2))
"""
LONG = ("--set", "slots=2000", "--set", "workload.demand.poisson.rate_per_s=0.3")
#: SimPy works about ten seconds and more on these two million requests; the test ends it long before.


def a_long_run(here: Path, *arguments: str) -> subprocess.Popen:
    """A run of two processes that has settled its first slots."""
    (here / "slow.py").write_text(SLOW)
    policies = "policies=[slow:Slow, glb-cost]"
    process = start("run", "tiny.yaml", "--set", policies, *LONG, "--jobs", "2", "--out", "out", *arguments, cwd=here)
    until = time.monotonic() + LIMIT_S
    while not (here / "started").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    assert (here / "started").exists(), ended(process)
    assert process.poll() is None
    return process


def test_a_run_that_is_killed_leaves_nothing_that_looks_finished(here, equifleet):
    process = a_long_run(here)
    os.killpg(process.pid, signal.SIGKILL)
    assert ended(process)[0] == -signal.SIGKILL
    assert not list(here.rglob("manifest.json"))
    # The name is free: the same command can be given again, and tidies up.
    assert equifleet("run", "tiny.yaml", "--out", "out")[0] == 0
    assert [path.name for path in here.glob("out*")] == ["out"]


def test_an_overwriting_run_that_is_killed_leaves_the_older_run_as_it_was(here, equifleet):
    equifleet("run", "tiny.yaml", "--out", "out")
    before = {path.name: path.read_bytes() for path in (here / "out").iterdir()}
    process = a_long_run(here, "--overwrite")
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)
    assert {path.name: path.read_bytes() for path in (here / "out").iterdir()} == before


def test_a_run_that_is_interrupted_says_so_and_leaves_nothing(here):
    """Ctrl-C goes to the whole group."""
    process = a_long_run(here)
    os.killpg(process.pid, signal.SIGINT)
    code, _, err = ended(process)
    assert code == 130
    assert "interrupted; nothing was written" in err
    assert "Traceback" not in err
    assert [name for name in listing(here) if name.startswith("out")] == []


DIES = """\
import os, signal
import numpy as np
from simulator import RoutingPolicy, Split

class Dies(RoutingPolicy):
    def plan(self, observation):
        if observation.slot == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return Split(np.eye(2))
"""


def test_a_process_that_is_killed_alone_takes_only_its_policy_with_it(here):
    """As the kernel does when memory runs out."""
    (here / "dies.py").write_text(DIES)
    policies = "policies=[glb-cost, dies:Dies, glb-carbon]"
    process = start("run", "tiny.yaml", "--set", policies, "--jobs", "2", "--out", "out", cwd=here)
    code, out, err = ended(process)
    assert code == 1
    assert err == "failed: dies:Dies: its process was killed by SIGKILL\n"
    assert "results: out" in out
    assert [row["policy"] for row in summary(here / "out")] == ["glb-cost", "glb-carbon"]
    manifest = json.loads((here / "out/manifest.json").read_text())
    assert manifest["policies"] == ["glb-cost", "glb-carbon"]
    assert manifest["failed"] == {"dies:Dies": "its process was killed by SIGKILL"}


@pytest.mark.parametrize("arguments", [("run", "tiny.yaml"), ("policies",)])
def test_a_policies_package_of_the_user_in_front_of_ours_is_named(here, arguments):
    (here / "policies").mkdir()
    (here / "policies/__init__.py").write_text("")
    code, out, err = ended(start(*arguments, cwd=here))
    assert code == 2
    assert out == ""
    assert "another package named 'policies'" in err
    assert str(here / "policies") in err
    assert "Traceback" not in err
    assert not (here / "results").exists()


def test_a_folder_of_policies_that_is_no_package_does_no_harm(here):
    (here / "policies").mkdir()
    (here / "policies/notes.txt").write_text("")
    code, out, err = ended(start("run", "tiny.yaml", "--engine", "fluid", cwd=here))
    assert (code, err) == (0, "")
    assert "results: results/tiny" in out


def test_a_mistake_in_the_file_keeps_its_place_whatever_policies_are_asked_for(here, equifleet):
    (here / "bad.yaml").write_text(TINY.replace("step: 1.0e-4", "stp: 1.0e-4"))
    line = next(k for k, text in enumerate(TINY.splitlines(), 1) if "step:" in text)
    column = TINY.splitlines()[line - 1].index("step:") + 1
    code, _, err = equifleet("run", "bad.yaml", "--policy", "glb-carbon", "--policy", "eglb")
    assert (code, err.splitlines()[0]) == (
        2,
        f"bad.yaml:{line}:{column}: policies[2].eglb.stp: unknown key 'stp'; did you mean 'step'?",
    )


def test_a_setting_keeps_its_place_whatever_policies_are_asked_for(here, equifleet):
    for given, asked in (("policies[2].eglb.step=x", "eglb"), ("policies=[{hedge: {step: x}}]", "hedge")):
        code, _, err = equifleet("run", "tiny.yaml", "--set", given, "--policy", asked)
        assert (code, err.startswith(f"--set {given}: policies[")) == (2, True), err
        assert f".{asked}.step: a number or adaptive is needed (given 'x')" in err


def test_scenarios_of_two_folders_have_policies_of_their_own(here, equifleet):
    for name, setting in (("a", "cap"), ("b", "limit")):
        (here / name).mkdir()
        text = (
            f"from simulator import RoutingPolicy\n\nclass Mine(RoutingPolicy):\n    def __init__(self, {setting}=1):\n"
        )
        (here / name / "twice_named.py").write_text(
            text + "        pass\n    def plan(self, observation):\n        pass\n"
        )
        (here / name / "s.yaml").write_text(TINY.replace("glb-cost, ", f"'twice_named:Mine': {{{setting}: 2}}, "))
    assert equifleet("validate", "a/s.yaml", "b/s.yaml", "a/s.yaml")[0] == 0


@pytest.mark.parametrize(("file", "name"), [("policies/mine.py", "policies.mine"), ("email/__init__.py", "email")])
def test_a_package_that_another_one_hides_is_named(here, equifleet, file, name):
    (here / file).parent.mkdir()
    (here / file).write_text("")
    code, _, err = equifleet("run", "tiny.yaml", "--policy", f"{name}:Mine")
    assert (code, f"{file} is hidden by another module" in err) == (2, True), err


def test_a_module_that_another_one_hides_is_not_taken_for_it(here, equifleet):
    (here / "json.py").write_text("")
    code, _, err = equifleet("run", "tiny.yaml", "--policy", "json:Mine")
    assert (code, "is hidden by another module named 'json'" in err) == (2, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
@pytest.mark.parametrize("arguments", [("schema",), ("--help",), ("show", "tiny.yaml"), ("run", "tiny.yaml")])
def test_output_that_is_full_is_said_in_a_sentence(here, arguments):
    with open("/dev/full", "w") as full:
        process = start(*arguments, cwd=here, stdout=full)
        code, _, err = ended(process)
    assert code == 1
    assert "No space left on device" in err
    assert "Traceback" not in err
    if "run" in arguments:
        assert "the results are in results/tiny" in err
        assert (here / "results/tiny/manifest.json").is_file()


@pytest.mark.parametrize("arguments", [("run", "tiny.yaml"), ("show", "tiny.yaml"), ("schema",), ("policies",)])
def test_a_reader_that_goes_away_is_no_traceback(here, arguments):
    """As under ``| head -0``: the pipe is closed before anything is written to it."""
    reader, writer = os.pipe()
    process = start(*arguments, cwd=here, stdout=writer)
    os.close(writer)
    os.close(reader)
    code, _, err = ended(process)
    assert (code, err) == (0 if "run" in arguments else 1, "")  # a run has done what it was asked for


def test_a_table_of_nan_is_not_printed(here, equifleet):
    """What has no figure is a dash."""
    _, out, _ = equifleet("run", "tiny.yaml", "--set", "workload.demand.poisson.rate_per_s=0", "--engine", "simpy")
    assert "nan" not in out.lower()
    assert math.isnan(float(summary(here / "results/tiny")[0]["wait_mean_s"] or "nan"))


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="this system has no limit on the size of a file")
def test_a_full_disk_loses_no_figure_and_leaves_nothing_that_looks_finished(here):
    """Files may grow to 2,000 bytes here: the tables are larger, the printed table is not a file."""
    import resource

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    with start("run", "tiny.yaml", "--out", "out", "--jobs", "1", cwd=here, preexec_fn=little_room) as process:
        out, err = process.communicate(timeout=LIMIT_S)
    out, err = (text if isinstance(text, str) else text.decode() for text in (out, err))
    assert process.returncode == 1
    assert all(name in out for name in NAMES)
    assert "failed: out: cannot be written" in err
    assert "Traceback" not in err
    assert not (here / "out").exists()
    assert list(here.iterdir()) == [here / "tiny.yaml"]


def test_two_runs_never_get_the_same_folder(here):
    """The second one is told so before it runs, and the first one's results are what stands there in the end."""
    first = Folder(here / "out")
    with pytest.raises(InputError, match="belongs to a run that has not ended"):
        Folder(here / "out")
    second = Folder.at_free_name(here, "out")
    assert second.path == here / "out-2"
    second.discard()
    scenario = load("tiny.yaml")
    first.write(scenario, [run(scenario, "glb-cost")], [], {})
    first.discard()
    assert read_folder("out")["summary"]["policy"].tolist() == ["glb-cost"]
    assert sorted(path.name for path in here.iterdir()) == ["out", "tiny.yaml"]


def test_of_many_runs_at_once_each_gets_a_name_of_its_own(here):
    """Threads stand for processes: locks are of open files. An abandoned folder has one new owner, not two."""
    (here / "out").mkdir()
    (here / "out" / ".running").touch()
    with ThreadPoolExecutor(16) as pool:
        folders = list(pool.map(lambda _: Folder.at_free_name(here, "out"), range(16)))
    assert len({folder.path for folder in folders}) == 16
    for folder in folders:
        folder.discard()
    assert [path.name for path in here.rglob("*") if path.is_file()] == ["tiny.yaml"]


def test_results_are_written_though_their_place_was_removed(here):
    folder = Folder(here / "results" / "out")
    shutil.rmtree(here / "results")
    scenario = load("tiny.yaml")
    folder.write(scenario, [run(scenario, "glb-cost")], [], {})
    folder.discard()
    assert listing(here / "results")[:2] == ["out", "out/batches.parquet"]


def test_an_older_run_is_put_back_when_the_new_one_cannot_take_its_name(here, monkeypatch):
    scenario = load("tiny.yaml")
    for seed in (1, 2):
        folder = Folder(here / "out", overwrite=True)
        if seed == 2:
            rename = Path.rename

            def fails(self, target, rename=rename):
                if self.name.endswith(".partial"):
                    raise OSError(5, "Input/output error")
                return rename(self, target)

            monkeypatch.setattr(Path, "rename", fails)
            with pytest.raises(OSError, match="the results are in"):
                folder.write(scenario, [run(scenario, "glb-cost", seed=seed)], [], {})
        else:
            folder.write(scenario, [run(scenario, "glb-cost", seed=seed)], [], {})
        folder.discard()
    assert read_folder("out")["manifest"]["seed"] == 1
    (kept,) = here.glob("out.*")
    assert read_folder(kept)["manifest"]["seed"] == 2


def test_results_that_cannot_take_their_name_are_not_thrown_away(here):
    folder = Folder(here / "out")
    (here / "out" / "mine.txt").touch()  # somebody puts a file into the folder while the run goes on
    scenario = load("tiny.yaml")
    with pytest.raises(OSError, match="the results are in"):
        folder.write(scenario, [run(scenario, "glb-cost")], [], {})
    folder.discard()
    (kept,) = [path for path in here.iterdir() if path.name.endswith(".partial")]
    assert read_folder(kept)["summary"]["policy"].tolist() == ["glb-cost"]


PRINTS = """\
import numpy as np
from simulator import RoutingPolicy, Split

class Loud(RoutingPolicy):
    def plan(self, observation):
        print("hello")
        return Split(np.eye(2))
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_a_policy_prints_is_not_in_the_answer(here, jobs):
    (here / "loud.py").write_text(PRINTS)
    words = ["--set", "policies=[loud:Loud, glb-cost]", "--json", "--jobs", jobs]
    with start("run", "tiny.yaml", *words, cwd=here) as process:
        out, err = process.communicate(timeout=LIMIT_S)
    assert [row["policy"] for row in json.loads(out)["rows"]] == ["loud:Loud", "glb-cost"]
    assert "hello" in (err if isinstance(err, str) else err.decode())


def test_a_narrow_terminal_is_told_what_it_does_not_show():
    """Rejected requests stay whatever the width; the columns left out are named."""
    scenario = load("table1", ["slots=2", "workload.demand.poisson.rate_per_s=2000"])
    result = run(scenario, "glb-cost", engine="fluid")
    for width, lost in ((60, True), (200, False)):
        console = Console(file=io.StringIO(), force_terminal=True, width=width)
        print_comparison(console, "title", [result], scenario.published, False)
        printed = console.file.getvalue()
        assert "rejected" in printed
        assert ("not shown for want of room" in printed) is lost


def test_the_table_tells_of_boots_and_lost_requests_where_there_are_any(here, equifleet):
    """Also of idle energy, which switching is to save; and of nothing that did not happen."""
    names = ("boots", "boot MWh", "idle MWh", "failed", "re-routed")
    assert not any(name in equifleet("run", "tiny.yaml")[1].splitlines()[0] for name in names)
    status, out, _ = equifleet("run", "tiny.yaml", "--set", "policies=[glb-cost, glb-cost: {provisioning: follow}]")
    head, first, second = out.splitlines()[:3]
    assert (status, [name in head for name in names]) == (0, [True, True, True, False, False])
    assert (first.split()[0], second.split()[0]) == ("glb-cost", "glb-cost(provisioning=follow)")
    dark = "outages={scheduled: [{site: east, start_s: 600, length_s: 600}], retries: 0, detection_s: 300}"
    status, out, _ = equifleet("run", "tiny.yaml", "--set", dark)
    assert (status, [name in out.splitlines()[0] for name in names]) == (0, [True] * 5)


@pytest.mark.parametrize(("jobs", "ending"), [("1", signal.SIGTERM), ("2", signal.SIGTERM), ("2", signal.SIGHUP)])
def test_a_run_that_is_asked_to_end_leaves_nothing(here, jobs, ending):
    """SIGTERM, as a batch system sends it, or a closed terminal; also while a policy runs in the process itself."""
    process = a_long_run(here, "--jobs", jobs)
    process.send_signal(ending)
    code, _, err = ended(process)
    assert (code, "terminated; nothing was written" in err) == (143, True)
    assert [name for name in listing(here) if name.startswith("out")] == []


def test_a_folder_with_rows_of_requests_is_overwritten_unless_something_strange_is_in_it(here, equifleet):
    rows = ["--set", "requests={write: all}", "--out", "rows", "--overwrite"]
    assert equifleet("run", "tiny.yaml", *rows)[0] == 0
    assert equifleet("run", "tiny.yaml", *rows)[0] == 0
    (here / "rows/requests/mine.txt").write_text("mine")
    status, _, err = equifleet("run", "tiny.yaml", *rows)
    assert (status, "holds 'requests/mine.txt', which is no part of a run" in err) == (2, True)


def test_prices_that_move_and_shares_contradict_each_other(here, equifleet):
    status, _, err = equifleet("validate", "tiny.yaml", "--set", "policies=[hedge: {update_every: 2, rule: split}]")
    assert (status, "leave rule out, or say score" in err) == (2, True)
