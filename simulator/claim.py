"""A claim: a place on disk that one run alone may fill, and that nothing half-written ever takes."""

from __future__ import annotations

import errno
import glob
import json
import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from simulator.mark import MARK, Mark, mark_of, remove
from simulator.problem import InputError, Problem

MANIFEST = "manifest.json"
#: What a report writes into a folder, made from what is there: the page, and the folder and the forms of its charts.
REPORT, FIGURES, FORMS = "report.html", "figures", ("pdf", "svg", "png")
_OTHER = "name another folder with --out"
_RUNNING = f"belongs to a run that has not ended; {_OTHER}"


class Taken(InputError):
    """The place belongs to somebody else."""


class Running(Taken):
    """The place belongs to a run that has not ended."""


class Claim:
    """A place for one run's results, claimed before the run and taken after it.

    A lock on a file beside the place is held from before anything is looked at until the results stand there, so
    that only one run ever changes what is at a place. Files are written into ``partial``, a folder beside it that
    takes the final name when all of them are whole. So a run that is killed leaves nothing that looks finished, and
    an older finished run stays what it was until the new one replaces it; the next claim clears up.

    Raises
    ------
    InputError
        where the place cannot be had; :class:`Taken` where another name might be.
    """

    def __init__(self, path: Path, overwrite: bool = False):
        self.path = path
        self.is_taken = False
        self._place = Path(os.path.realpath(path))  # `.` and links have no name to stand beside
        self._overwrite = overwrite
        self._made: list[Path] = []
        self._mark: Mark | None = None
        try:
            self._claim()
        except OSError as error:
            self.discard()
            what = f"cannot be made: {error.strerror} ({error.filename or path})"
            raise InputError([Problem((), what, str(path))]) from None
        except BaseException:  # also where a signal ends us
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

    def _claim(self) -> None:
        place = self._place
        self._refuse(_misfit(place))  # before anything is made
        self._make(*reversed(place.parents))
        try:
            self._mark = Mark(place)
        except (BlockingIOError, FileNotFoundError):
            self._refuse(f"{_RUNNING} (if it was killed, remove {mark_of(place)})")
        except OSError:
            self._refuse(_obstacle(place, self._overwrite))  # says more than that no mark can be made there
            raise
        self._clear_up()
        self._refuse(_obstacle(place, self._overwrite))  # not earlier: whoever holds the mark moves things about
        self._make(place)
        if not _entries(place):
            (place / MARK).touch()
        self.partial = self._folder_beside(".partial")
        self.partial.chmod(0o777 & ~_umask())

    def _make(self, *folders: Path) -> None:
        for folder in folders:
            if not folder.is_dir():
                with suppress(FileExistsError):  # made by another run a moment ago, or a file: the next one fails
                    folder.mkdir()
                    self._made.append(folder)

    def _refuse(self, what: str) -> None:
        if what:
            kind = Running if what.startswith(_RUNNING) else Taken
            raise kind([Problem((), what, str(self.path))])

    def _folder_beside(self, kind: str) -> Path:
        folder = Path(tempfile.mkdtemp(prefix=f"{self._place.name}.", suffix=kind, dir=self._place.parent))
        (folder / MARK).touch()
        return folder

    def _clear_up(self) -> None:
        """Put back or remove what killed runs left; whatever they marked is nobody's, for the lock is ours."""
        name = self._place.name
        for left in list(self._place.parent.glob(f"{glob.escape(name)}.*")):
            kind = left.name.removeprefix(name).split(".")[2:]  # after a name without a dot: not of `name.else`
            if kind == ["old"] and (left / MARK).exists():
                self._settle(left)
            elif kind == ["partial"] and (left / MARK).exists():
                remove(left)
            elif kind in (["old"], ["partial"]):
                with suppress(OSError):  # kept for somebody to look at, unless it is empty
                    left.rmdir()

    def _settle(self, old: Path) -> None:
        """Remove an older run that has been replaced; put it back where no other took its place."""
        results = old / "results"
        if (results / MANIFEST).exists():
            if not _entries(self._place):
                self._vacate()
                results.rename(self._place)
            elif not _files_of(self._place):
                return
            else:
                (results / MANIFEST).unlink()  # first, so that what is half removed is never put back
        remove(old)

    def _vacate(self) -> None:
        """Remove the empty folder that stands for the results; on some systems it would be in the way."""
        (self._place / MARK).unlink(missing_ok=True)
        if self._place.is_dir():
            self._place.rmdir()

    def discard(self) -> None:
        """Give the place back; nothing is left of a run that was not written whole."""
        if hasattr(self, "partial") and not self.is_taken:
            remove(self.partial)
        if self._mark is not None:
            with suppress(OSError):
                (self._place / MARK).unlink()
            if self._place in self._made:
                with suppress(OSError):  # it is gone already, or holds the results
                    self._place.rmdir()
            self._mark.release()
        for folder in reversed(self._made):
            if folder != self._place:  # which may be another's by now
                with suppress(OSError):
                    folder.rmdir()
        self._made, self._mark = [], None

    def take(self) -> None:
        """Put ``partial`` where it belongs, whatever signal comes; if that fails the OSError says where it is."""
        with _no_signals():
            self.is_taken = True
            try:
                self._put()
            except OSError as error:
                (self.partial / MARK).unlink(missing_ok=True)  # nobody clears it up
                raise OSError(error.errno, f"{error.strerror}; the results are in {self.partial}") from None
            finally:
                self.discard()

    def _put(self) -> None:
        if obstacle := _obstacle(self._place, self._overwrite):
            raise OSError(errno.EEXIST, f"{self.path} {obstacle}")
        self._place.parent.mkdir(parents=True, exist_ok=True)
        old = self._folder_beside(".old") if _entries(self._place) else None
        try:
            if old is not None:
                self._place.rename(old / "results")
            self._vacate()
            self.partial.rename(self._place)
        finally:
            if old is not None:
                with suppress(OSError):
                    self._settle(old)


def _misfit(place: Path) -> str:
    """Why no run may be written to ``place``, whatever is in it; nothing where one may. One look, at one moment."""
    try:
        is_folder = stat.S_ISDIR(os.lstat(place).st_mode)
    except OSError:
        return ""
    if not is_folder:
        return f"exists already, and is not a folder; {_OTHER}"
    if Path.cwd().is_relative_to(place):
        return f"is the current folder or holds it, and cannot be replaced by a folder of results; {_OTHER}"
    if os.path.ismount(place):
        return "is a mount point, and cannot be replaced by a folder of results; name a folder inside it with --out"
    return ""


def _obstacle(place: Path, overwrite: bool) -> str:
    """Why a run may not be written to ``place``; nothing where it may."""
    if misfit := _misfit(place):
        return misfit
    entries, ours = _entries(place), _files_of(place)
    if not entries:
        return ""
    if not ours:
        return f"exists already, and is not a folder of results; it is not overwritten; {_OTHER}"
    if strangers := [name for name in sorted(entries - ours) if not _is_derived(name)]:
        strange = strangers[0]
        return f"exists already, and holds '{strange}', which is no part of a run; it is not overwritten; {_OTHER}"
    return "" if overwrite else f"exists already; {_OTHER}, or say --overwrite"


def _entries(place: Path) -> set[str]:
    """What is in a folder; of rows of requests and of figures, the folder itself is nothing but its files.

    A mark is nothing: a run that was killed as soon as its results had their name leaves one beside them.
    """
    entries = {entry.name for entry in place.iterdir()} - {MARK} if place.is_dir() else set()
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
