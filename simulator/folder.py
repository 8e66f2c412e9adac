"""The output folder: a finished run on disk. A folder with a manifest is finished, and nothing else is."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.problem import InputError, Problem
from simulator.result import RunResult
from simulator.scenario import Scenario
from simulator.scenario.writing import to_yaml
from simulator.tables import latency_table, slot_table

MANIFEST = "manifest.json"
#: In a folder whose run has not ended.
MARK = ".running"
_RUNNING = "belongs to a run that has not ended; name another folder with --out, or say --overwrite"
_OWNER = f"{platform.node()} {os.getpid()}"
_PACKAGES = ("equifleet", "numpy", "numba", "pandas", "simpy", "pydantic", "highspy", "pyarrow")


class Folder:
    """A place for one run's results, claimed before the run and filled after it.

    The final folder is made at once and holds a mark, so that no two runs get the same one. Files are written
    into a folder beside it that takes the final name when all of them are whole. So a run that is killed leaves
    nothing that looks finished, and an older finished run stays what it was until the new one replaces it.
    """

    def __init__(self, path: Path, overwrite: bool = False):
        self.path = path
        self._place = Path(os.path.realpath(path))  # `.` and links have no name to stand beside
        self._made: list[Path] = []
        self._marked = self._whole = False
        try:
            self._claim(overwrite)
        except OSError as error:
            self.discard()
            raise _refused(path, f"cannot be made: {error.strerror} ({error.filename})") from None

    def _claim(self, overwrite: bool) -> None:
        obstacle = _obstacle(self._place, overwrite)
        if obstacle:
            raise _refused(self.path, obstacle)
        for folder in [*reversed(self._place.parents), self._place]:
            if not folder.is_dir():
                try:
                    folder.mkdir()
                    self._made.append(folder)
                except FileExistsError:
                    if not folder.is_dir():
                        raise
        if not (self._place / MANIFEST).is_file():
            if _is_abandoned(self._place):
                (self._place / MARK).unlink()
            if not (overwrite and (self._place / MARK).is_file()):
                self._mark()
        for left in self._place.parent.glob(f"{glob.escape(self._place.name)}.*.partial"):
            if not (left / MANIFEST).exists() and _is_abandoned(left):
                shutil.rmtree(left, ignore_errors=True)
        self._partial = Path(tempfile.mkdtemp(prefix=f"{self._place.name}.", suffix=".partial", dir=self._place.parent))
        self._partial.chmod(0o777 & ~_umask())
        _write_text(self._partial / MARK, _OWNER)

    def _mark(self) -> None:
        try:
            with open(self._place / MARK, "x", encoding="utf-8") as mark:
                mark.write(_OWNER)
        except FileExistsError:  # another run was quicker by a moment
            raise _refused(self.path, _RUNNING) from None
        self._marked = True

    def discard(self) -> None:
        """Give the place back; nothing is left of a run that was not written whole."""
        if self._marked:
            (self._place / MARK).unlink(missing_ok=True)
        if hasattr(self, "_partial") and not self._whole:
            shutil.rmtree(self._partial, ignore_errors=True)
        for folder in reversed(self._made):
            try:
                folder.rmdir()
            except OSError:  # it is gone already, or holds the results
                continue

    def write(
        self, scenario: Scenario, results: Sequence[RunResult], inputs: Sequence[Path], extra: dict[str, Any]
    ) -> None:
        """Write everything, the manifest with hashes of the ``inputs`` last, then take the final name."""
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
            "inputs": {str(file): _sha256(file) for file in inputs},
            "files": {name: _sha256(self._partial / name) for name in tables},
            **extra,
        }
        _write_text(self._partial / MANIFEST, json.dumps(manifest, indent=2, allow_nan=False) + "\n")
        self._take_name()

    def _take_name(self) -> None:
        """Put the whole folder where it belongs; if that fails it stays, and the error says where."""
        self._whole = True
        old = None
        try:
            (self._partial / MARK).unlink()
            if self._marked:
                (self._place / MARK).unlink()
                self._marked = False
            elif not _is_empty(self._place):
                old = Path(tempfile.mkdtemp(prefix=f"{self._partial.name}.", suffix=".old", dir=self._partial.parent))
                self._place.rename(old / "results")
            if self._place.is_dir():
                self._place.rmdir()  # an empty folder of this name would stand in the way on some systems
            self._partial.rename(self._place)
        except OSError as error:
            raise OSError(error.errno, f"{error.strerror}; the results are in {self._partial}") from None
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _obstacle(place: Path, overwrite: bool) -> str:
    """Why a run may not be written to ``place``; nothing where it may."""
    other = "name another folder with --out"
    if not os.path.lexists(place):
        return ""
    if not place.is_dir():
        return f"exists already, and is not a folder; {other}"
    if Path.cwd().is_relative_to(place):
        return f"is the current folder or holds it, and cannot be replaced by a folder of results; {other}"
    if os.path.ismount(place):
        return "is a mount point, and cannot be replaced by a folder of results; name a folder inside it with --out"
    if _is_empty(place) or ({entry.name for entry in place.iterdir()} == {MARK} and _is_abandoned(place)):
        return ""
    entries, ours = {entry.name for entry in place.iterdir()}, _files_of(place)
    if entries == {MARK}:
        return "" if overwrite else _RUNNING
    if not ours:
        return f"exists already, and is not a folder of results; it is not overwritten; {other}"
    if entries - ours:
        strange = sorted(entries - ours)[0]
        return f"exists already, and holds '{strange}', which is no part of a run; it is not overwritten; {other}"
    return "" if overwrite else f"exists already; {other}, or say --overwrite"


def _files_of(place: Path) -> set[str]:
    """The files of the finished run in a folder; none where there is no finished run."""
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        return {MANIFEST, *manifest["files"]} if {"engine", "policies", "laws"} <= set(manifest) else set()
    except (OSError, ValueError, TypeError, KeyError):
        return set()


def _is_abandoned(place: Path) -> bool:
    """Whether a folder holds the mark of a run that was killed on this machine."""
    try:
        node, _, number = (place / MARK).read_text(encoding="utf-8").rpartition(" ")
        if node != platform.node() or not number.isdecimal():
            return False
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def free_name(folder: Path, stem: str) -> Path:
    """``folder/stem``, or the first of ``stem-2``, ``stem-3``... that is free, or was left by a run that was killed."""
    path, number = folder / stem, 1
    while _obstacle(path, overwrite=False):
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
