"""Every example in the README and in docs/ works as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from policies import POLICIES
from simulator.cli import main
from simulator.problem import InputError
from simulator.scenario import Source, parse
from simulator.world import build_world

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples(kind: str, note: str = "") -> list[Any]:
    return [
        pytest.param(text, id=f"{page.name}-{number}")
        for page in PAGES
        for number, (found, words, text) in enumerate(FENCE.findall(page.read_text(encoding="utf-8")))
        if found == kind and words.strip() == note
    ]


def base() -> dict[str, object]:
    (text,) = (param.values[0] for param in examples("yaml", "scenario"))
    return dict(Source(str(text), "docs", ROOT).data)


@pytest.mark.parametrize("text", examples("yaml", "scenario"))
def test_a_whole_scenario_of_the_docs_builds(text: str) -> None:
    build_world(parse(Source(text, "docs", ROOT).data))


@pytest.mark.parametrize("text", examples("yaml"))
def test_a_fragment_of_the_docs_fits_the_scenario_of_the_docs(text: str) -> None:
    data = base() | Source(text, "docs", ROOT).data
    build_world(parse(data))


@pytest.mark.parametrize("text", examples("yaml", "no-files"))
def test_a_fragment_that_names_files_is_well_formed(text: str) -> None:
    parse(base() | Source(text, "docs", ROOT).data)
    with pytest.raises(InputError, match=r"there is no file .*prices\.csv"):
        build_world(parse(base() | Source(text, "docs", ROOT).data))


def program(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these words in a folder outside the project."""
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, env=environment
    )


def the_policy_of_the_readme() -> str:
    return next(text for kind, _, text in FENCE.findall((ROOT / "README.md").read_text("utf-8")) if kind == "python")


def test_the_policy_of_the_readme_runs_from_a_scenario_outside_the_project(tmp_path: Path) -> None:
    """Exactly what the README says: a file of at most 25 lines beside a scenario that names it with a setting."""
    source = the_policy_of_the_readme()
    assert len([line for line in source.splitlines() if line.strip()]) <= 25
    (tmp_path / "my_policy.py").write_text(source, encoding="utf-8")
    table1 = (ROOT / "scenarios" / "table1.yaml").read_text(encoding="utf-8")
    policies = "policies:\n  - glb-cost\n  - my_policy:WaterCap: {cap: 1.1}\n"
    (tmp_path / "mine.yaml").write_text(re.sub(r"policies: \[.*\]\n", policies, table1), encoding="utf-8")
    words = ["-m", "simulator", "run", "mine.yaml", "--set", "slots=48", "--out", "out"]
    done = program(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    rows = [line.split(",") for line in (tmp_path / "out" / "summary.csv").read_text().splitlines()]
    header = rows[0]
    par = {row[0]: float(row[header.index("par_water")]) for row in rows[1:]}
    assert par["my_policy:WaterCap"] < par["glb-cost"]


def test_the_policy_of_the_readme_keeps_the_contract(tmp_path: Path) -> None:
    checked = the_policy_of_the_readme() + "\nfrom simulator import check_policy\ncheck_policy(WaterCap)\n"
    (tmp_path / "checked.py").write_text(checked, encoding="utf-8")
    done = program(tmp_path, "checked.py")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", [p for p in examples("python") if "README" not in str(p.id)])
def test_a_program_of_the_docs_runs(text: str, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(text, encoding="utf-8")
    done = program(tmp_path, "example.py")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_the_docs_exist(page: Path) -> None:
    for command in set(re.findall(r"equifleet ([a-z]+)\b", page.read_text(encoding="utf-8"))):
        assert command in main.commands, f"{page.name}: equifleet {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_policy_is_in_the_docs_and_the_templates_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in POLICIES)
    monkeypatch.chdir(tmp_path)
    for words in (["new", "scenario", "study"], ["new", "policy", "my_policy"]):
        assert CliRunner().invoke(main, words).exit_code == 0
    more = ["--set", "slots=2", "--set", "policies=[my_policy:MyPolicy: {sharpness: 2}, glb-cost]", "--engine", "fluid"]
    answer = CliRunner().invoke(main, ["run", "study.yaml", *more])
    assert answer.exit_code == 0, answer.output
    done = program(tmp_path, "my_policy.py")
    assert "keeps the contract" in done.stdout, done.stderr
