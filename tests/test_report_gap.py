"""The sections of the gap and of failure signatures: what is drawn is what was saved."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from reported import ran

from simulator import read_folder
from simulator.report.contents import sections_of
from simulator.report.figures import figures_of, specification
from simulator.report.saved import Saved, read_saved
from simulator.report.section import Remark, Section, Sentences, Table

POLICIES = ("glb-cost", "hedge", "eglb-off")


@pytest.fixture(scope="module")
def saved_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = [word for name in POLICIES for word in ("--policy", name)]
    folder = tmp_path_factory.mktemp("gap") / "run"
    return ran(folder, "table1", "--engine", "fluid", "--set", "slots=300", *words)


def section(saved: Saved, heading: str) -> Section:
    (found,) = [one for one in sections_of(saved) if one.heading == heading]
    return found


def test_the_curve_ends_at_the_regret_of_the_whole_run_and_has_few_points(saved_run: Path) -> None:
    """J less J of the optimal plan, from the summary alone."""
    saved, rows = read_saved(saved_run), read_folder(saved_run)["summary"].set_index("policy")
    (figure,) = [one for one in figures_of(sections_of(saved)) if one.name == "regret"]
    figure.chart.to_dict(validate=True)
    (table,) = specification(figure)[1].values()
    curves = pd.DataFrame(table)
    for policy in POLICIES:
        curve = curves[curves["policy"] == policy].sort_values("end_ms")
        regret = rows.loc[policy, "objective_usd"] - rows.loc[policy, "objective_offline_usd"]
        assert curve["regret_usd"].iloc[-1] == pytest.approx(regret, rel=1e-4, abs=0.01)
        assert curve["regret_usd"].iloc[0] == 0
        assert len(curve) <= 122
        # 300 hours from the first to the last point.
        assert curve["end_ms"].iloc[-1] - curve["end_ms"].iloc[0] == 300 * 3_600_000


def test_the_table_names_each_gap_and_what_it_is_against(saved_run: Path) -> None:
    saved, rows = read_saved(saved_run), read_folder(saved_run)["summary"].set_index("policy")
    (table,) = [part for part in section(saved, "The gap to the optimum").parts if isinstance(part, Table)]
    cells = {row[0].text: [cell.text for cell in row] for row in table.rows}
    for policy in POLICIES:
        assert cells[policy][3] == f"{rows.loc[policy, 'gap']:z.2%}"
        assert cells[policy][4:6] == ["J", "the optimum"]
    assert cells["eglb-off"][3] == "0.00%"


def test_signatures_of_the_manifest_stand_on_the_page(saved_run: Path) -> None:
    saved = read_saved(saved_run)
    signs = json.loads((saved_run / "manifest.json").read_text())["signatures"]
    assert signs["eglb-off"] == []
    assert "inequity spike" in [sign["name"] for sign in signs["glb-cost"]]
    texts, times = section(saved, "Failure signatures").parts
    assert isinstance(texts, Sentences) and isinstance(times, Table)
    assert any(text.startswith("glb-cost, inequity spike: PAR of") for text in texts.texts)
    assert [row[0].text for row in times.rows] == list(POLICIES)
    assert float(times.rows[0][1].text) > 0


def test_a_run_without_a_gap_says_why(tmp_path: Path) -> None:
    words = ["table1", "--engine", "fluid", "--set", "slots=3", "--policy", "glb-cost"]
    saved = read_saved(ran(tmp_path / "short", *words, "--set", "workload.growth=9"))
    (part,) = section(saved, "The gap to the optimum").parts
    assert isinstance(part, Sentences) and "rejected" in part.texts[0]
    (none, _) = section(saved, "Failure signatures").parts
    assert none == Remark("No policy shows any of them.")


def test_results_that_were_saved_before_there_was_a_gap_have_a_page(saved_run: Path) -> None:
    saved = read_saved(saved_run)
    new = ("gap", "gap_of", "gap_against", "offline_within", "objective_offline_usd")
    tables = {name: table for name, table in saved.tables.items() if name != "regret"}
    tables["summary"] = tables["summary"].drop(columns=list(new))
    manifest = {k: v for k, v in saved.manifest.items() if k not in ("signatures", "decisions", "without_gap")}
    old = saved._replace(tables=tables, manifest=manifest)
    for heading in ("The gap to the optimum", "Failure signatures"):
        (part,) = section(old, heading).parts
        assert isinstance(part, Remark) and "saved without" in part.text
