"""What was saved: the folder of a run, a sweep or a study, read back for a report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from simulator.claim import MANIFEST
from simulator.folder import read_csv
from simulator.problem import InputError, Problem, Problems
from simulator.scenario.source import Source

from .bins import grouped, latency_bins, regret_bins, slot_bins

#: Columns of a sweep's tables that hold names, beside those of a run.
_NAMES = ("point", "state", "reason", "policy", "against", "figure", "engine")
#: Columns that hold names in studies, beside these. Levels are texts of numbers and names alike.
_STUDY_NAMES = ("allowed", "origin", "origins", "sites", "stress", "level", "start_utc", "challenge")


class Saved(NamedTuple):
    """The results in a folder."""

    kind: str
    """``run``, ``sweep``, or the name of a study."""
    manifest: dict[str, Any]
    scenario: dict[str, Any]
    """The scenario as it was run, every default filled in."""
    tables: dict[str, pd.DataFrame]
    """By file stem. Of a run, ``slots`` is summed over bins of time, ``latency`` over origins that share a name."""
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
    _check_whole(folder, manifest)
    kind = str(sweep.get("kind", "sweep")) if sweep else "run"
    names = _NAMES if kind == "sweep" else (*_NAMES, *_STUDY_NAMES)
    tables = _read(folder, partial(_sweep_tables, names) if sweep else _run_tables)
    return Saved(kind, manifest, _scenario(folder / "scenario.yaml"), tables, sweep, study)


def _check_whole(folder: Path, manifest: dict[str, Any]) -> None:
    """Whether tables are those that were written, by the manifest's hashes; raises InputError with all that are not."""
    problems = Problems()
    named = manifest.get("files")
    for name, digest in (named if isinstance(named, dict) else {}).items():
        file = folder / str(name)
        if file.parent != folder:
            continue  # rows of requests may be larger than memory, and are no part of the page
        if not file.is_file():
            problems.found.append(Problem((), f"is not there, though {MANIFEST} names it", str(file)))
        elif hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            problems.found.append(Problem((), f"is not what {MANIFEST} says: it has been changed or cut", str(file)))
    problems.settle()


def origin_names(origins: pd.DataFrame) -> dict[str, str]:
    """Under which name a chart shows an origin: its own, or that of the others."""
    return grouped(origins.groupby("origin", sort=False)["requests"].sum(), "origins")


def _read(folder: Path, reader: Callable[[Path], dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    try:
        return reader(folder)
    except FileNotFoundError as error:
        missing = Path(str(error.filename)).name
        raise _refused(folder, f"holds no finished run, sweep or study ({missing} is not there)") from None
    except KeyError as error:
        raise _refused(folder, f"holds a table without the column {error}") from None
    except ValueError as error:  # of pandas and of pyarrow alike
        raise _refused(folder, f"holds a table that cannot be read: {str(error).splitlines()[0]}") from None


def _run_tables(folder: Path) -> dict[str, pd.DataFrame]:
    tables = {name: read_csv(folder / f"{name}.csv") for name in ("summary", "sites", "origins", "flows")}
    policies = [str(name) for name in tables["summary"]["policy"].drop_duplicates()]
    for name in ("slots", "latency"):
        if not (folder / f"{name}.parquet").is_file():
            raise FileNotFoundError(2, "not there", str(folder / f"{name}.parquet"))
    tables["slots"] = slot_bins(folder / "slots.parquet", policies, tables["sites"]["site"].nunique())
    if (folder / "regret.parquet").is_file():  # results that were saved before there was one are shown without
        tables["regret"] = regret_bins(folder / "regret.parquet", policies)
    tables["latency"] = latency_bins(folder / "latency.parquet", policies, origin_names(tables["origins"]))
    return tables


def _sweep_tables(names: tuple[str, ...], folder: Path) -> dict[str, pd.DataFrame]:
    tables = {file.stem: read_csv(file, names) for file in sorted(folder.glob("*.csv"))}
    for name in ("points", "intervals"):
        if name not in tables:
            raise FileNotFoundError(2, "not there", str(folder / f"{name}.csv"))
    _ = tables["intervals"]["policy"]
    return tables


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
