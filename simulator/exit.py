"""The exit: how a command ends, in a sentence on stderr and a status; never a traceback."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from simulator.problem import InputError, LawError

FAILED, BAD_INPUT, INTERRUPTED, TERMINATED = 1, 2, 130, 143


class Terminated(KeyboardInterrupt):
    """A batch system or a closed terminal asks us to end: as an interruption, so that what was begun is tidied up."""


def heed_signals() -> None:
    """Let SIGTERM and SIGHUP raise :class:`Terminated`, unless they are to be ignored, as nohup asks."""
    for ending in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, _terminate)


def _terminate(*_: object) -> None:
    raise Terminated


def open_streams() -> None:
    """Give us somewhere to write where who called us has closed stdout or stderr."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def forget_stdout() -> None:
    """Nobody reads our output (`| head`), or it is full; the interpreter must not complain when it flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def sentences() -> Iterator[None]:
    """Turn what a user can mend into sentences on stderr and an exit status."""
    try:
        yield
    except InputError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        count = len(error.problems)
        click.echo(f"{count} mistake{'s' if count > 1 else ''}; nothing was run, nothing was written", err=True)
        sys.exit(BAD_INPUT)
    except BrokenPipeError:
        forget_stdout()
        sys.exit(FAILED)
    except KeyboardInterrupt as ended:
        terminated = isinstance(ended, Terminated)
        click.echo("; ".join(["terminated" if terminated else "interrupted", *map(str, ended.args)]), err=True)
        sys.exit(TERMINATED if terminated else INTERRUPTED)
    except LawError as error:
        click.echo(f"failed: {error}", err=True)
        sys.exit(FAILED)
    except MemoryError:
        click.echo("failed: there is not enough memory for a run of this size", err=True)
        sys.exit(FAILED)
    except OSError as error:
        click.echo(f"failed: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", err=True)
        if error.errno == errno.ENOSPC:
            forget_stdout()
        sys.exit(FAILED)
