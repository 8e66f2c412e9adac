"""The output folder: a finished run on disk. A folder with a manifest is finished, and nothing else is."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from simulator.claim import MANIFEST, Claim
from simulator.problem import InputError, Problem
from simulator.result import Row, RunResult
from simulator.rows import FLOW_COLUMNS, flow_rows, origin_rows, server_rows, site_rows
from simulator.scenario import Scenario
from simulator.scenario.writing import to_yaml
from simulator.tables import batch_table, latency_table, regret_table, slot_table

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the tables that hold names.
NAMES = ("policy", "engine", "site", "origin", "type")
_PACKAGES = (
    "equifleet",
    "numpy",
    "numba",
    "pandas",
    "simpy",
    "pydantic",
    "highspy",
    "pyarrow",
    "altair",
    "vl-convert-python",
)


class Folder(Claim):
    """The folder of one run's results: claimed before the run, filled after it."""

    def write(
        self,
        scenario: Scenario,
        results: Sequence[RunResult],
        inputs: Sequence[Path],
        extra: dict[str, Any],
        beside: Callable[[Path], None] | None = None,
    ) -> None:
        """Write everything, the manifest with hashes of the ``inputs`` last, then take the final name.

        ``beside`` may add to the finished folder what is made from it. Whatever happens there, the results are kept.
        """
        tables: dict[str, Callable[[Path], None]] = {
            "scenario.yaml": lambda file: _write_text(file, to_yaml(scenario)),
            "summary.csv": _csv([result.summary() for result in results]),
            "sites.csv": _csv([row for result in results for row in site_rows(result)]),
            "servers.csv": _csv([row for result in results for row in server_rows(result)]),
            "origins.csv": _csv([row for result in results for row in origin_rows(result)]),
            "flows.csv": _csv([row for result in results for row in flow_rows(result)], FLOW_COLUMNS),
            "slots.parquet": _parquet(pa.concat_tables([slot_table(result) for result in results])),
            "regret.parquet": _parquet(pa.concat_tables([regret_table(result) for result in results])),
            "latency.parquet": _parquet(pa.concat_tables([latency_table(result) for result in results])),
            "batches.parquet": _parquet(pa.concat_tables([batch_table(result) for result in results])),
        }
        self.partial.mkdir(parents=True, exist_ok=True)  # in case somebody removed it
        parts = sorted(file.relative_to(self.partial).as_posix() for file in self.partial.glob("requests/*.parquet"))
        for name, write in tables.items():
            write(self.partial / name)
        manifest = {
            "name": scenario.name,
            "engine": results[0].engine,
            "seed": results[0].seed,
            "policies": [result.policy for result in results],
            "laws": {result.policy: list(result.laws) for result in results},
            "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
            "inputs": {str(file): _sha256(file) for file in inputs},
            "files": {name: _sha256(self.partial / name) for name in [*tables, *parts]},
            **extra,
        }
        _write_text(self.partial / MANIFEST, json.dumps(manifest, indent=2, allow_nan=False) + "\n")
        try:
            if beside is not None:
                beside(self.partial)
        finally:
            self.take()


def read_folder(path: str | Path) -> dict[str, Any]:
    """The tables of a finished run: ``manifest`` (dict) and a DataFrame for each table, by file stem.

    Rows of requests may be larger than memory; ``pandas.read_parquet(path / "requests")`` reads them.

    Raises
    ------
    InputError
        where the folder holds no finished run.
    """
    import pandas as pd  # a third of a second that writing can do without

    path = Path(path)
    if not (path / MANIFEST).is_file():
        raise InputError([Problem((), "holds no finished run (there is no manifest.json)", str(path))])
    found: dict[str, Any] = {"manifest": json.loads((path / MANIFEST).read_text(encoding="utf-8"))}
    for file in sorted(path.iterdir()):
        if file.suffix == ".csv":
            found[file.stem] = read_csv(file)
        elif file.suffix == ".parquet":
            found[file.stem] = pd.read_parquet(file)
    return found


def read_csv(file: Path, names: Sequence[str] = NAMES) -> pd.DataFrame:
    """A table that was written as text; ``names`` are columns that hold names.

    A site may be called NA, or 007: names stay what they are, and only an empty cell is no figure.
    """
    import pandas as pd

    return pd.read_csv(file, dtype=dict.fromkeys(names, str), keep_default_na=False, na_values=[""])


def _csv(rows: list[Row], columns: Sequence[str] = ()) -> Callable[[Path], None]:
    """Rows as text; NaN is an empty cell, as pandas and R read it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0] if rows else columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return lambda file: _write_text(file, text.getvalue())


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and math.isnan(value) else value


def _parquet(table: pa.Table) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        with open(file, "wb") as handle:
            pq.write_table(table, handle, compression="zstd")
            handle.flush()
            os.fsync(handle.fileno())

    return write


def _write_text(file: Path, text: str) -> None:
    with open(file, "w", encoding="utf-8", newline="") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


def _sha256(file: Path) -> str:
    with open(file, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
