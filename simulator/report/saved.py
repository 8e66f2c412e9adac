"""What was saved: the folder of a run, a sweep or a study, read back for a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from simulator.claim import MANIFEST
from simulator.folder import read_folder
from simulator.problem import InputError, Problem
from simulator.scenario.source import Source

#: Columns of a sweep's tables that hold names, beside those of a run.
_NAMES = ("point", "state", "reason", "policy", "against", "figure", "engine")
#: Columns that hold names in studies, beside these. Levels are texts of numbers and names alike.
_STUDY_NAMES = ("allowed", "origin", "origins", "sites", "stress", "level", "start_utc")
#: Tables without which there is nothing to report.
_NEEDED = {"run": ("summary", "sites", "origins", "flows", "slots", "latency"), "sweep": ("points", "intervals")}


class Saved(NamedTuple):
    """The results in a folder."""

    kind: str
    """``run``, ``sweep``, or the name of a study."""
    manifest: dict[str, Any]
    scenario: dict[str, Any]
    """The scenario as it was run, every default filled in."""
    tables: dict[str, pd.DataFrame]
    """By file stem."""
    sweep: dict[str, Any]
    """``sweep.json``; empty for a run."""
    study: dict[str, Any]
    """``study.json``; empty where there is none."""

    @property
    def name(self) -> str:
        """What the results are called."""
        return str(self.study.get("title") or self.sweep.get("name") or self.scenario.get("name") or "Results")

    @property
    def purpose(self) -> str:
        """The question that is asked."""
        return str(self.sweep.get("purpose") or self.scenario.get("purpose") or "")

    @property
    def policies(self) -> list[str]:
        """Policies in the order of the scenario."""
        table = self.tables["intervals" if self.sweep else "summary"]
        return [str(name) for name in table["policy"].drop_duplicates()]

    @property
    def axes(self) -> list[str]:
        """What a sweep varies, as dotted keys of the scenario."""
        return [str(axis) for axis in self.sweep.get("axes", [])]


def read_saved(folder: Path) -> Saved:
    """The results in a folder; raises InputError where it holds no finished ones."""
    if not folder.is_dir():
        raise _refused(folder, "there is no such folder")
    if not (folder / MANIFEST).is_file():
        raise _refused(folder, "holds no finished run, sweep or study (there is no manifest.json)")
    sweep, study = _json(folder / "sweep.json"), _json(folder / "study.json")
    manifest = _json(folder / MANIFEST)
    kind = str(sweep.get("kind", "sweep")) if sweep else "run"
    tables = _tables(folder, kind)
    missing = [name for name in _NEEDED["sweep" if sweep else "run"] if name not in tables]
    if missing:
        raise _refused(folder, f"holds no finished run, sweep or study (the table '{missing[0]}' is not there)")
    for name, table in tables.items():
        if name in ("summary", "intervals") and "policy" not in table:
            raise _refused(folder / f"{name}.csv", "has no column 'policy'")
    return Saved(kind, manifest, _scenario(folder / "scenario.yaml"), tables, sweep, study)


def _tables(folder: Path, kind: str) -> dict[str, pd.DataFrame]:
    try:
        if kind == "run":
            return {name: table for name, table in read_folder(folder).items() if name != "manifest"}
        names = dict.fromkeys(_NAMES if kind == "sweep" else (*_NAMES, *_STUDY_NAMES), str)
        return {
            file.stem: pd.read_csv(file, dtype=names, keep_default_na=False, na_values=[""])
            for file in sorted(folder.glob("*.csv"))
        }
    except ValueError as error:  # of pandas and of pyarrow alike
        raise _refused(folder, f"holds a table that cannot be read: {str(error).splitlines()[0]}") from None


def _json(file: Path) -> dict[str, Any]:
    """The object in a file; empty where there is no such file."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise _refused(file, "is not JSON") from None
    if not isinstance(found, dict):
        raise _refused(file, "is no JSON object")
    return found


def _scenario(file: Path) -> dict[str, Any]:
    """The data of the scenario; empty where it is not there."""
    try:
        data = Source.from_file(file).data
    except InputError:
        return {}
    return data if isinstance(data, dict) else {}


def _refused(path: Path, what: str) -> InputError:
    return InputError([Problem((), what, str(path))])
