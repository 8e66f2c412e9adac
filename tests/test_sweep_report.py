"""The report and the table of a sweep that was run: every figure that they name is one that a sweep has."""

from __future__ import annotations

import ast
import io
import os
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console
from sweeps import fake_sweep
from test_sweep import SCENARIO, command

from simulator.report.contents import report, sections_of
from simulator.report.figures import figures_of, specification
from simulator.report.grid import MAIN
from simulator.report.intervals import print_intervals
from simulator.report.saved import read_saved
from simulator.report.section import Remark
from simulator.study.collection import FIGURES

ROOT = Path(__file__).parents[1]
#: Of a page of a sweep, of the Pareto charts, and of the printed table.
DRAWS = ("grid", "along", "differences", "sweep", "pareto", "intervals")
POLICIES, SLOTS, SEEDS = ("glb-cost", "glb-nearest"), (2, 4), 2


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two policies, two values of one axis, two seeds, by the command and with every warning on."""
    home = tmp_path_factory.mktemp("swept")
    (home / "scenario.yaml").write_text(SCENARIO)
    words = ("sweep", "scenario.yaml", "--vary", "slots=2,4", "--seeds", SEEDS, "--jobs", 1, "--out", "done")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        command(*words), check=False, cwd=home, capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return home / "done"


def test_every_figure_that_is_drawn_is_one_that_a_sweep_has(swept: Path) -> None:
    """Whatever names a column of summary.csv, but for what says which row it is."""
    heads = {"point", "slots", "policy", "engine", "seed", "fleet_scale"}
    columns = set(pd.read_csv(swept / "summary.csv", nrows=0).columns) - heads
    assert set(FIGURES) <= columns
    named = {
        part.value
        for name in DRAWS
        for part in ast.walk(ast.parse((ROOT / f"simulator/report/{name}.py").read_text(encoding="utf-8")))
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }
    assert {main.key for main in MAIN} <= named & columns <= set(FIGURES)


def test_tables_of_a_sweep_hold_every_figure(swept: Path) -> None:
    for name in ("intervals", "differences"):
        assert list(pd.read_csv(swept / f"{name}.csv")["figure"].drop_duplicates()) == list(FIGURES)


def test_a_page_of_a_sweep_leaves_nothing_out(swept: Path) -> None:
    """Warnings are errors here. A row for each value and policy, and for each of these the mean cost of the runs."""
    saved = read_saved(swept)
    figures = {figure.name: figure for figure in figures_of(sections_of(saved))}
    runs = pd.read_csv(swept / "summary.csv").groupby(["slots", "policy"])
    for name in ("water", "carbon"):
        _, tables = specification(figures[f"cost-par-{name}"])
        (rows,) = tables.values()
        drawn = pd.DataFrame(rows).set_index(["axis0", "policy"])
        assert len(drawn) == len(POLICIES) * len(SLOTS)
        for key, part in runs:
            assert drawn["mean_cost"][key] == pytest.approx(part["cost_usd"].mean(), rel=1e-6)
            assert drawn["mean_par"][key] == pytest.approx(part[f"par_{name}"].mean(), rel=1e-6)
            assert drawn["low_cost"][key] < drawn["mean_cost"][key] < drawn["high_cost"][key]
    assert {f"along-0-{main.key.replace('_', '-')}" for main in MAIN} <= set(figures)
    assert not [part for section in sections_of(saved) for part in section.parts if isinstance(part, Remark)]
    assert report(swept) == (swept / "report.html").read_text(encoding="utf-8")


def test_made_up_sweeps_have_the_columns_of_those_that_are_run(swept: Path, tmp_path: Path) -> None:
    made = fake_sweep(tmp_path / "made", {"slots": SLOTS}, POLICIES, SEEDS)
    for name in ("intervals", "differences", "points"):
        mine, theirs = (pd.read_csv(folder / f"{name}.csv") for folder in (made, swept))
        assert list(mine.columns) == list(theirs.columns)
        keys = [key for key in ("slots", "policy", "against", "figure", "point", "seed") if key in mine]
        assert mine[keys].equals(theirs[keys])


@pytest.mark.parametrize(
    ("mean", "half", "printed"),
    [
        (1.0, 2e-15, "1.000 +/- 0.000  1 +/- 0\n"),
        (1234.5, 2e-12, "1234.500 +/- 0.000  1.23e+03 +/- 0\n"),
        (1.0, 1e-6, "1.000 +/- 0.000  1 +/- 1e-06\n"),
        (0.0, 0.0, "0.000 +/- 0.000  0 +/- 0\n"),
    ],
)
def test_a_half_width_that_is_rounding_is_printed_as_0(tmp_path: Path, mean: float, half: float, printed: str) -> None:
    rows = [f"p,{figure},3,{mean!r},{mean - half!r},{mean + half!r}" for figure in ("par_water", "wait_mean_s")]
    (tmp_path / "intervals.csv").write_text("\n".join(["policy,figure,n,mean,low,high", *rows]) + "\n")
    text = io.StringIO()
    print_intervals(Console(file=text), "a sweep", tmp_path)
    assert printed in text.getvalue()
