"""The output folder: a finished run on disk. A folder with a manifest is finished, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simulator.latency import EDGES
from simulator.problem import InputError, Problem
from simulator.result import RunResult
from simulator.scenario import Scenario
from simulator.scenario.writing import to_yaml

MANIFEST = "manifest.json"
_PACKAGES = ("equifleet", "numpy", "numba", "pandas", "simpy", "pydantic", "highspy", "pyarrow")


class Folder:
    """A place for one run's results, claimed before the run and filled after it.

    Files are written into a sibling folder that ends in ``.partial``; it takes the final name when all
    are whole. So a run that is killed leaves nothing that looks finished, and an older finished run stays
    what it was until the new one replaces it.
    """

    def __init__(self, path: Path, overwrite: bool = False):
        self.path = path
        self._made: list[Path] = []
        try:
            self._claim(path, overwrite)
        except OSError as error:
            self.discard()
            raise _refused(path, f"cannot be made: {error.strerror} ({error.filename})") from None

    def _claim(self, path: Path, overwrite: bool) -> None:
        whole = Path(os.path.abspath(path))  # `.` and `..` have no name to stand beside
        self._partial = whole.parent / f"{whole.name}.{os.getpid()}.partial"
        if os.path.lexists(path) and not (path.is_dir() and not any(path.iterdir())):
            if not overwrite:
                raise _refused(path, "exists already; name another folder with --out, or say --overwrite")
            if not (path / MANIFEST).is_file():
                raise _refused(path, "is not a folder of results; it is not overwritten")
        for folder in [*reversed(self._partial.parents), self._partial]:
            if not folder.is_dir():
                folder.mkdir()
                self._made.append(folder)

    def discard(self) -> None:
        """Give the place back; nothing is left."""
        if self._partial in self._made:
            shutil.rmtree(self._partial, ignore_errors=True)
        for folder in reversed(self._made):
            try:
                folder.rmdir()
            except OSError:  # it is gone already, or holds the results
                continue

    def write(self, scenario: Scenario, results: Sequence[RunResult], extra: dict[str, Any]) -> None:
        """Write everything, the manifest last, then take the final name."""
        tables: dict[str, Callable[[Path], None]] = {
            "scenario.yaml": lambda file: _write_text(file, to_yaml(scenario)),
            "summary.csv": _csv([result.summary() for result in results]),
            "sites.csv": _csv([row for result in results for row in result.site_rows()]),
            "origins.csv": _csv([row for result in results for row in result.origin_rows()]),
            "flows.csv": _csv([row for result in results for row in result.flow_rows()]),
            "slots.parquet": _parquet(pd.concat([slot_table(result) for result in results])),
            "latency.parquet": _parquet(pd.concat([latency_table(result) for result in results])),
        }
        for name, write in tables.items():
            write(self._partial / name)
        manifest = {
            "name": scenario.name,
            "engine": results[0].engine,
            "seed": results[0].seed,
            "policies": [result.policy for result in results],
            "laws": {result.policy: list(result.laws) for result in results},
            "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
            "files": {name: _sha256(self._partial / name) for name in tables},
            **extra,
        }
        _write_text(self._partial / MANIFEST, json.dumps(manifest, indent=2, allow_nan=False) + "\n")
        self._take_name()

    def _take_name(self) -> None:
        old = self.path.with_name(f"{self.path.name}.{os.getpid()}.old")
        if self.path.exists() and any(self.path.iterdir()):
            self.path.rename(old)
        self._partial.rename(self.path)
        shutil.rmtree(old, ignore_errors=True)


def free_name(folder: Path, stem: str) -> Path:
    """``folder/stem``, or the first of ``stem-2``, ``stem-3``... that is not taken."""
    path, number = folder / stem, 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}"
    return path


def read_folder(path: str | Path) -> dict[str, Any]:
    """The tables of a finished run: ``manifest`` (dict) and a DataFrame for each table, by file stem.

    Raises
    ------
    InputError
        where the folder holds no finished run.
    """
    path = Path(path)
    if not (path / MANIFEST).is_file():
        raise _refused(path, "holds no finished run (there is no manifest.json)")
    found: dict[str, Any] = {"manifest": json.loads((path / MANIFEST).read_text(encoding="utf-8"))}
    for file in sorted(path.iterdir()):
        if file.suffix == ".csv":
            found[file.stem] = pd.read_csv(file)
        elif file.suffix == ".parquet":
            found[file.stem] = pd.read_parquet(file)
    return found


def slot_table(result: RunResult) -> pd.DataFrame:
    """Policy x slot x site: footprint in full-fleet units, and utilisation of the places."""
    slots, sites = result.footprint.cost_usd.shape
    times = [result.start + timedelta(seconds=slot * result.slot_s) for slot in range(slots)]
    burden = result.footprint
    return pd.DataFrame(
        {
            "policy": result.policy,
            "slot": np.repeat(np.arange(slots), sites),
            "start_utc": np.repeat(
                np.array([time.replace(tzinfo=None) for time in times], dtype="datetime64[us]"), sites
            ),
            "site": np.tile(np.array(result.sites, dtype=object), slots),
            "utilisation": (result.record.busy_place_s / (result.places * result.slot_s)).ravel(),
            "it_kwh": burden.it_kwh.ravel(),
            "meter_kwh": burden.meter_kwh.ravel(),
            "cost_usd": burden.cost_usd.ravel(),
            "carbon_kg": burden.carbon_kg.ravel(),
            "water_l": burden.water_l.ravel(),
        }
    )


def latency_table(result: RunResult) -> pd.DataFrame:
    """Histograms: measure, group (origin or site), lower and upper end of the bin [s], count; empty bins left out."""
    parts = [(measure, result.origins, histogram) for measure, histogram in result.record.latency.items()]
    parts.append(("site_wait", result.sites, result.record.site_wait))
    edges = np.concatenate([[0.0], EDGES, [np.inf]])
    tables = []
    for measure, names, histogram in parts:
        group, bin_ = np.nonzero(histogram.counts)
        tables.append(
            pd.DataFrame(
                {
                    "policy": result.policy,
                    "measure": measure,
                    "group": np.array(names, dtype=object)[group],
                    "from_s": edges[bin_],
                    "to_s": edges[bin_ + 1],
                    "requests": histogram.counts[group, bin_],
                }
            )
        )
    return pd.concat(tables)


def _csv(rows: list[dict[str, Any]]) -> Callable[[Path], None]:
    return lambda file: _write_text(file, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))


def _parquet(table: pd.DataFrame) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        table.reset_index(drop=True).to_parquet(file, compression="zstd", index=False)
        with open(file, "rb") as handle:
            os.fsync(handle.fileno())

    return write


def _write_text(file: Path, text: str) -> None:
    with open(file, "w", encoding="utf-8", newline="") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def _refused(path: Path, what: str) -> InputError:
    return InputError([Problem((), what, str(path))])
