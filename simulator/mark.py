"""A mark: a file that says whose a place is, for as long as its process lives."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows: there, what a killed run leaves behind has to be removed by hand
    fcntl = None  # type: ignore[assignment]

#: The mark of a place is a file beside it that has this after the name of the place; it is locked while a run goes on.
#: An empty file of this name within a folder says that a run made it, and that it is nobody's when the lock has ended.
MARK = ".running"
#: How often to look again at a mark whose owner takes it away just then.
_LOOKS = 100


class Mark:
    """A locked file beside a place. The lock ends with its process, however that ends, so it tells the living apart.

    Where a file system knows no locks the file itself is the lock. The host and the process in it tell whether its
    owner is gone; those of other hosts, and all of them on Windows, have to be removed by hand.

    Raises
    ------
    BlockingIOError
        where somebody else holds it.
    OSError
        where it cannot be made.
    """

    def __init__(self, place: Path):
        self._file = mark_of(place)
        for _ in range(_LOOKS):
            self._descriptor, made = _open(self._file)
            self._is_open = True
            try:
                if self._hold(made):
                    return
            except OSError:
                self._close()
                raise
            self._close()
        raise BlockingIOError

    def _hold(self, made: bool) -> bool:
        """Lock the file; whether it is ours. Where it is not, its owner took it away while we waited for it."""
        is_locked = _lock(self._descriptor)
        self._found = os.fstat(self._descriptor)
        if is_locked and not self._stands():
            return False
        if not is_locked and not made:
            _remove_abandoned(self._file)
            return False
        with suppress(OSError):  # a full disk: who we are is lost, the lock is not
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{_host()} {os.getpid()}\n".encode())
        if not is_locked:
            self._close()
        return True

    def _stands(self) -> bool:
        """Whether the file is still the one that was opened."""
        try:
            return os.path.samestat(self._found, os.stat(self._file))
        except FileNotFoundError:
            return False

    def _close(self) -> None:
        if self._is_open:
            os.close(self._descriptor)
        self._is_open = False

    def release(self) -> None:
        """Take the mark away; not another one's that stands there because somebody removed this one."""
        with suppress(OSError):
            if self._stands():
                self._file.unlink()
        self._close()


def mark_of(place: Path) -> Path:
    """The file that is locked while a run fills a place."""
    place = Path(os.path.realpath(place))
    return place.with_name(f"{place.name}{MARK}")


def is_held(place: Path) -> bool:
    """Whether somebody holds the mark of a place, or may hold it; a look that makes nothing."""
    file = mark_of(place)
    try:
        descriptor = os.open(file, os.O_RDWR)
    except PermissionError:  # of another user
        return True
    except OSError:
        return False
    try:
        return not _lock(descriptor) and not _is_abandoned(file)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def owner(place: Path) -> str:
    """Who marked a place, as process and host."""
    try:
        host, process = mark_of(place).read_text(encoding="utf-8").split()
        return f"process {int(process)} on {host.partition('/')[0]}"
    except (OSError, ValueError):
        return "somebody"


def remove(folder: Path) -> None:
    """Remove a folder, the mark in it last: who is killed on the way leaves what the next one removes."""
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != MARK:
                entry.unlink()
        (folder / MARK).unlink(missing_ok=True)
        folder.rmdir()


def _open(file: Path) -> tuple[int, bool]:
    """Open a file for a lock; whether it was made by this."""
    for _ in range(_LOOKS):
        try:
            return os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), True
        except FileExistsError:
            try:
                return os.open(file, os.O_RDWR), False
            except FileNotFoundError:  # taken away in between
                continue
            except PermissionError:  # of another user
                break
    raise BlockingIOError


def _remove_abandoned(file: Path) -> None:
    """Remove a mark that no lock tells of and whose process is gone; BlockingIOError where that is not known."""
    if not _is_abandoned(file):
        raise BlockingIOError
    aside = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}")
    with suppress(FileNotFoundError):  # removed by another one
        file.rename(aside)  # of several that try only one gets it...
        if not _is_abandoned(aside):  # ...and it may be that of a faster one
            aside.rename(file)
            raise BlockingIOError
        aside.unlink()


def _is_abandoned(file: Path) -> bool:
    """Whether the process that a mark names was on this host and is gone; only for marks without a lock."""
    try:
        host, process = file.read_text(encoding="utf-8").split()
        if fcntl is not None and host == _host():
            os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return False


def _host() -> str:
    """Name of this host, and where there are containers, the one within which process numbers mean anything."""
    try:
        return f"{socket.gethostname()}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return socket.gethostname()


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
