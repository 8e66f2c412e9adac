"""The two commands of the README on machines that lack something: they say plainly what."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("sh", "dirname", "cksum", "cat", "head")

#: A Python that makes a .venv slowly and notes it; the .venv's own Python notes what is asked of it.
MAKER = """
case "$*" in
*fcntl*) exec {python} "$@" ;;
*"-m venv"*)
    echo venv >>{log}
    {sleep} 1
    {mkdir} -p {venv}/bin
    {cp} {binary} {venv}/bin/python ;;
esac
"""
MADE = """#!/bin/sh
case "$*" in *pip*install*) echo pip >>{log} ;; *"-m simulator"*) echo run >>{log} ;; esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone without .venv, and a folder ``bin`` with a shell's bare tools and no Python."""
    shutil.copytree(ROOT / "scripts", tmp_path / "clone" / "scripts")
    shutil.copy(ROOT / "setup.cfg", tmp_path / "clone" / "setup.cfg")
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path / "clone"


def call(clone: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = {"PATH": str(clone.parent / "bin")} | environment
    command = ["sh", str(clone / "scripts" / script), "scenarios/table1.yaml"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=path)


def whole_environment(clone: Path, stamp: str) -> None:
    """A .venv with ``stamp``, whose Python answers every question with yes and says how else it was called."""
    binary = clone / ".venv" / "bin"
    binary.mkdir(parents=True)
    (binary / "python").write_text('#!/bin/sh\n[ "$1" = -c ] || echo "called $*"\n', encoding="utf-8")
    os.chmod(binary / "python", 0o755)
    done = subprocess.run(["cksum"], input=(clone / "setup.cfg").read_bytes(), capture_output=True, check=True)
    (clone / ".venv" / ".equifleet-dev").write_text(f"{done.stdout.decode().strip()} {stamp}\n", encoding="utf-8")


def fake_python(clone: Path, name: str, body: str) -> None:
    file = clone.parent / "bin" / name
    file.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    os.chmod(file, 0o755)


@pytest.mark.parametrize("script", ["run", "test"])
def test_no_python_at_all(clone: Path, script: str) -> None:
    done = call(clone, script)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer, and none was found" in done.stderr
    assert not (clone / ".venv").exists()


def test_only_an_old_python(clone: Path) -> None:
    """A python3 that answers every question with no, as 3.10 does when asked whether it is 3.11."""
    fake_python(clone, "python3", "exit 1")
    done = call(clone, "run")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer, and none was found" in done.stderr


def test_an_old_python_that_was_asked_for_is_named(clone: Path) -> None:
    fake_python(clone, "python3.9", 'case $1 in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac')
    done = call(clone, "run", PYTHON="python3.9")
    assert done.returncode == 1
    assert "python3.9 is Python 3.9.2" in done.stderr


def test_a_python_that_is_not_there_is_named(clone: Path) -> None:
    done = call(clone, "run", PYTHON="/no/such/python")
    assert done.returncode == 1
    assert "/no/such/python" in done.stderr


def test_a_python_without_venv(clone: Path) -> None:
    """A new Python that fails only when venv is imported, as Debian's does without python3-venv."""
    fake_python(clone, "python3.11", 'case "$2" in *"import venv"*) exit 1 ;; *) exit 0 ;; esac')
    done = call(clone, "run")
    assert done.returncode == 1
    assert "has no venv module" in done.stderr
    assert "python3-venv" in done.stderr
    assert not (clone / ".venv").exists()


def test_a_whole_environment_is_used_at_once(clone: Path) -> None:
    """With a stamp that fits setup.cfg nothing is installed; the command gets every option."""
    whole_environment(clone, str(clone))
    done = call(clone, "run")
    assert done.stdout == "called -P -m simulator run scenarios/table1.yaml\n"
    assert done.stderr == ""


def test_a_python_that_is_not_there_is_named_beside_a_whole_environment_too(clone: Path) -> None:
    whole_environment(clone, str(clone))
    done = call(clone, "run", PYTHON="/no/such/python")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "there is no /no/such/python (from PYTHON).\n"


def test_another_python_that_is_asked_for_makes_the_environment_again(clone: Path) -> None:
    whole_environment(clone, str(clone))
    answers = '*"print(sys.version)"*) echo 3.12 ;; *venv*clear*) echo "new $*" ;;'
    fake_python(clone, "python3.12", f'case "$*" in {answers} esac')
    assert call(clone, "run", PYTHON="python3.12").stdout.startswith(f"new -m venv --clear {clone}/.venv\n")


def test_two_first_runs_at_once_make_one_environment(clone: Path) -> None:
    """The second waits for the first, and finds everything there."""
    log, binary = clone.parent / "log", clone.parent / "made"
    binary.write_text(MADE.format(log=log), encoding="utf-8")
    os.chmod(binary, 0o755)
    tools = {tool: shutil.which(tool) for tool in ("sleep", "mkdir", "cp")}
    fake_python(
        clone,
        "python3.11",
        MAKER.format(python=sys.executable, log=log, binary=binary, venv=clone / ".venv", **tools),
    )
    command = ["sh", str(clone / "scripts" / "run"), "scenarios/table1.yaml"]
    path = {"PATH": str(clone.parent / "bin")}
    runs = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=path) for _ in range(2)]
    told = [run.communicate(timeout=30)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert log.read_text(encoding="utf-8").split() == ["venv", "pip", "run", "run"]
    assert sorted(told)[1] == "waiting for another setup of .venv to end...\n"


def test_the_machines_own_python_is_no_environment(clone: Path) -> None:
    """A .venv that lost what makes it one (its pyvenv.cfg): nothing may be installed with its Python."""
    whole_environment(clone, str(clone))
    (clone / ".venv" / "bin" / "python").unlink()
    (clone / ".venv" / "bin" / "python").symlink_to(getattr(sys, "_base_executable"))  # noqa: B009
    fake_python(clone, "python3.11", '[ "$2" != venv ] || { echo "new $*"; exit 1; }')
    assert call(clone, "run").stdout == f"new -m venv --clear {clone}/.venv\n"


def test_a_broken_environment_is_made_again(clone: Path) -> None:
    """A .venv whose Python does not run: venv is asked for a new one (here a fake that only says so)."""
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    os.chmod(clone / ".venv" / "bin" / "python", 0o755)
    fake_python(clone, "python3.11", '[ "$2" != venv ] || { echo "new $*"; exit 1; }')
    done = call(clone, "run")
    assert done.stdout == f"new -m venv --clear {clone}/.venv\n"


def test_a_copied_folder_does_not_run_the_code_of_the_first_one(clone: Path) -> None:
    """The stamp names the folder it was made for; in a copy everything is installed anew."""
    whole_environment(clone, "/elsewhere")
    fake_python(clone, "python3.11", "exit 0")
    assert "-m pip install" in call(clone, "run").stderr
