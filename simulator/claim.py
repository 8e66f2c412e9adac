"""A claim: a place on disk that one run alone may fill, and that nothing half-written ever takes."""

from __future__ import annotations

import glob
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from simulator.problem import InputError, Problem

try:
    import fcntl
except ImportError:  # not on Windows: there, what a killed run leaves behind has to be removed by hand
    fcntl = None  # type: ignore[assignment]

MANIFEST = "manifest.json"
#: What a report writes into a folder, made from what is there: the page, and the folder and the forms of its charts.
REPORT, FIGURES, FORMS = "report.html", "figures", ("pdf", "svg", "png")
#: In a folder whose run has not ended.
MARK = ".running"
_OTHER = "name another folder with --out"
_RUNNING = f"belongs to a run that has not ended; {_OTHER}"


class Taken(InputError):
    """The place belongs to somebody else."""


class Running(Taken):
    """The place belongs to a run that has not ended."""


class Mark:
    """A locked file in a folder. The lock ends with its process, however that ends, so it tells the living apart.

    Raises OSError where somebody else holds it.
    """

    def __init__(self, folder: Path):
        self._file = folder / MARK
        self._handle = open(self._file, "x" if fcntl is None else "a", encoding="utf-8")  # noqa: SIM115
        try:
            _lock(self._handle.fileno())
            if not os.path.samestat(os.fstat(self._handle.fileno()), os.stat(self._file)):
                raise BlockingIOError  # its owner took it away while we waited for it
        except OSError:
            self._handle.close()
            raise

    def release(self) -> None:
        """Take the mark away."""
        with suppress(OSError):
            self._file.unlink()
        self._handle.close()


class Claim:
    """A place for one run's results, claimed before the run and taken after it.

    The final folder is made at once and holds a mark, so that no two runs get the same one. Files are written
    into ``partial``, a folder beside it that takes the final name when all of them are whole. So a run that is
    killed leaves nothing that looks finished, and an older finished run stays what it was until the new one
    replaces it.

    Raises
    ------
    InputError
        where the place cannot be had; :class:`Taken` where another name might be.
    """

    def __init__(self, path: Path, overwrite: bool = False):
        self.path = path
        self.is_taken = False
        self._place = Path(os.path.realpath(path))  # `.` and links have no name to stand beside
        self._made: list[Path] = []
        self._marks: list[Mark] = []
        self._replaces = False
        try:
            self._claim(overwrite)
        except OSError as error:
            self.discard()
            what = f"cannot be made: {error.strerror} ({error.filename or path})"
            raise InputError([Problem((), what, str(path))]) from None
        except InputError:
            self.discard()
            raise

    @classmethod
    def at_free_name(cls, folder: Path, stem: str) -> Self:
        """``folder/stem``, or the first of ``stem-2``, ``stem-3``... that can be had."""
        number = 1
        while True:
            try:
                return cls(folder / (stem if number == 1 else f"{stem}-{number}"))
            except Taken:
                number += 1

    def _claim(self, overwrite: bool) -> None:
        self._refuse(_obstacle(self._place, overwrite))
        for folder in [*reversed(self._place.parents), self._place]:
            if not folder.is_dir():
                with suppress(FileExistsError):  # made by another run a moment ago, or a file: the next one fails
                    folder.mkdir()
                    self._made.append(folder)
        self._replaces = bool(_files_of(self._place))
        if not self._replaces:
            try:
                self._marks.append(Mark(self._place))
            except (BlockingIOError, FileExistsError, FileNotFoundError):
                self._refuse(_RUNNING)
            if _entries(self._place) != {MARK}:
                self._refuse(f"exists already; {_OTHER}")
            self._sweep()
        beside = self._place.parent
        self.partial = Path(tempfile.mkdtemp(prefix=f"{self._place.name}.", suffix=".partial", dir=beside))
        self.partial.chmod(0o777 & ~_umask())
        self._marks.append(Mark(self.partial))

    def _refuse(self, what: str) -> None:
        if what:
            kind = Running if what.startswith(_RUNNING) else Taken
            raise kind([Problem((), what, str(self.path))])

    def _sweep(self) -> None:
        """Remove what killed runs wrote beside this place."""
        for left in self._place.parent.glob(f"{glob.escape(self._place.name)}.*.partial"):
            if not (left / MANIFEST).exists() and _is_abandoned(left):
                shutil.rmtree(left, ignore_errors=True)

    def discard(self) -> None:
        """Give the place back; nothing is left of a run that was not written whole."""
        for mark in self._marks:
            mark.release()
        if hasattr(self, "partial") and not self.is_taken:
            shutil.rmtree(self.partial, ignore_errors=True)
        for folder in reversed(self._made):
            with suppress(OSError):  # it is gone already, or holds the results
                folder.rmdir()

    def take(self) -> None:
        """Put ``partial`` where it belongs, whatever signal comes; if that fails the OSError says where it is."""
        with _no_signals():
            self.is_taken, old = True, None
            for mark in self._marks:
                mark.release()
            try:
                if self._replaces and _entries(self._place):
                    beside = self._place.parent
                    old = Path(tempfile.mkdtemp(prefix=f"{self.partial.name}.", suffix=".old", dir=beside))
                    self._place.rename(old / "results")
                if self._place.is_dir():
                    self._place.rmdir()  # an empty folder of this name would stand in the way on some systems
                self._place.parent.mkdir(parents=True, exist_ok=True)
                self.partial.rename(self._place)
            except OSError as error:
                if old is not None:
                    with suppress(OSError):
                        (old / "results").rename(self._place)
                        old.rmdir()
                raise OSError(error.errno, f"{error.strerror}; the results are in {self.partial}") from None
            if old is not None:
                shutil.rmtree(old, ignore_errors=True)


def _obstacle(place: Path, overwrite: bool) -> str:
    """Why a run may not be written to ``place``; nothing where it may."""
    if not os.path.lexists(place):
        return ""
    if not place.is_dir():
        return f"exists already, and is not a folder; {_OTHER}"
    if Path.cwd().is_relative_to(place):
        return f"is the current folder or holds it, and cannot be replaced by a folder of results; {_OTHER}"
    if os.path.ismount(place):
        return "is a mount point, and cannot be replaced by a folder of results; name a folder inside it with --out"
    entries, ours = _entries(place), _files_of(place)
    if not entries:
        return ""
    if entries == {MARK}:
        return "" if _is_abandoned(place) else f"{_RUNNING} (if it was killed, remove this one)"
    if not ours:
        return f"exists already, and is not a folder of results; it is not overwritten; {_OTHER}"
    if strangers := [name for name in sorted(entries - ours) if not _is_derived(name)]:
        strange = strangers[0]
        return f"exists already, and holds '{strange}', which is no part of a run; it is not overwritten; {_OTHER}"
    return "" if overwrite else f"exists already; {_OTHER}, or say --overwrite"


def _entries(place: Path) -> set[str]:
    """What is in a folder; of rows of requests and of figures, the folder itself is nothing but its files."""
    entries = {entry.name for entry in place.iterdir()} if place.is_dir() else set()
    for folder in (place / "requests", place / FIGURES):
        inside = {f"{folder.name}/{entry.name}" for entry in folder.iterdir()} if folder.is_dir() else set()
        entries = (entries - {folder.name}) | inside if inside else entries
    return entries


def _is_derived(name: str) -> bool:
    """Whether this was made from the results and can be made again: the report, its figures."""
    return name == REPORT or (name.startswith(f"{FIGURES}/") and Path(name).suffix[1:] in FORMS)


def _files_of(place: Path) -> set[str]:
    """The files of the finished run in a folder; none where there is no finished run."""
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        return {MANIFEST, *manifest["files"]} if {"engine", "policies", "laws"} <= set(manifest) else set()
    except (OSError, ValueError, TypeError, KeyError):
        return set()


def _is_abandoned(place: Path) -> bool:
    """Whether a folder holds a mark that no living process holds."""
    try:
        with open(place / MARK, "r+", encoding="utf-8") as handle:
            return fcntl is not None and _lock(handle.fileno())
    except OSError:
        return False


def _lock(descriptor: int) -> bool:
    """Lock a file; whether that can be done on its file system. BlockingIOError where somebody else has the lock."""
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return fcntl is not None
    except BlockingIOError:
        raise
    except OSError:
        return False


@contextmanager
def _no_signals() -> Iterator[None]:
    """Signals that would end us wait until this is done."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
