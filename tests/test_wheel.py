"""The wheel holds everything: a package or a data file that is not listed drops out without a word."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    copy.mkdir()
    for name in ("simulator", "policies", "scenarios", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    build = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=copy, check=True, capture_output=True, timeout=120)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_every_file_of_the_project_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    wanted = {
        file.relative_to(ROOT).as_posix()
        for folder in ("simulator", "policies", "scenarios")
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert wanted <= set(wheel.namelist())
    assert {"simulator/cli/run.py", "scenarios/table1.yaml", "simulator/scenario/catalogue/sites.csv"} <= wanted


def test_the_installed_wheel_runs_a_shipped_scenario_by_its_bare_name(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "site")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import simulator; "
        f"assert simulator.__file__.startswith({str(tmp_path)!r}); from simulator.cli import main; main()"
    )
    arguments = ["run", "table1", "--engine", "fluid", "--set", "slots=2", "--policy", "glb-cost"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results" / "table1" / "manifest.json").is_file()


def test_the_command_is_called_equifleet(wheel: zipfile.ZipFile) -> None:
    entry = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "equifleet = simulator.cli:main" in wheel.read(entry).decode()
