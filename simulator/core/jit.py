"""The one way functions are compiled: cached on disk, IEEE arithmetic in the order in which it is written, one thread.

No fastmath and no parallel loops: the plain twins of these kernels must give the same bits. Kernels own no memory, so
nothing is counted as they pass arrays on (``_nrt``): that alone is a factor of ten.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])
#: Steps are called by kernels alone: what Python needs to call them would take as long to compile as they do.
_FROM_KERNELS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: Function) -> Function:
    """A function that Python calls."""
    return _jit(function)


def inlined(function: Function) -> Function:
    """A step of a hot loop: called with dozens of arrays it would spend its time on passing them."""
    return _jit(function, forceinline=True, **_FROM_KERNELS)


def apart(function: Function) -> Function:
    """A step that is seldom taken: inlined it would only make the loop larger."""
    return _jit(function, **_FROM_KERNELS)


def pointer(function: Callable[..., Any], signature: Any) -> Any:
    """A pointer to compiled code of this signature, which kernels can take whatever it points to."""
    options: Any = numba.config
    if options.DISABLE_JIT:
        return function
    return whatever_was_compiled(lambda: _cached(numba.cfunc(signature, cache=bool(_CACHE)), function))


def whatever_was_compiled(use: Callable[[], Any]) -> Any:
    """Use compiled code for the first time; if what is there from before is damaged, compile anew."""
    try:
        return use()
    except (EOFError, UnpicklingError):
        for file in Path(_CACHE).rglob("*.nb*"):
            file.unlink(missing_ok=True)
        return use()


def _jit(function: Function, **options: Any) -> Function:
    njit: Any = numba.njit
    return cast(Function, _cached(njit(cache=bool(_CACHE), error_model="numpy", _nrt=False, **options), function))


def _cached(compile_: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """Compile with our folder for what is compiled; a user's own functions keep theirs."""
    settings: Any = numba.config
    before, settings.CACHE_DIR = settings.CACHE_DIR, _CACHE
    try:
        return compile_(function)
    finally:
        settings.CACHE_DIR = before


def _cache() -> str:
    """A folder for what is compiled from these very files: numba would not see that an inlined function has changed."""
    here = Path(__file__).parent
    text = b"".join(file.read_bytes() for file in sorted(here.glob("*.py")))
    name = hashlib.sha256(text).hexdigest()[:16]
    homes = [here / "__pycache__", Path.home() / ".cache" / "equifleet"]
    settings: Any = numba.config
    if settings.CACHE_DIR:
        homes.insert(0, Path(settings.CACHE_DIR))
    for home in homes:
        try:
            (home / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(home / name, os.W_OK):
            return str(home / name)
    return ""


_CACHE = _cache()
