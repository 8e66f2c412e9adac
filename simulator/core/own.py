"""A user's own rule, taken by kernels as a pointer to compiled code: they need not be compiled for each rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numba
from numba import types
from numba.core.errors import NumbaError

from .jit import pointer

_COUNTS = types.Array(types.int64, 1, "C", readonly=True)
_TABLE = types.Array(types.float64, 2, "C", readonly=True)
#: origin, time_s, u, waiting [sites], free [sites], data [rows, columns], memory -> site
_ARGUMENTS = (types.int64, types.float64, types.float64, _COUNTS, _COUNTS, _TABLE, types.float64[::1])
_SIGNATURE = types.int64(*_ARGUMENTS)


def compiled_rule(rule: Callable[..., int]) -> Any:
    """A user's function as kernels take it, with its bounds checked; what it raises ends the run.

    Raises
    ------
    TypeError
        saying why the function is no rule that can be compiled.
    """
    options: Any = numba.config
    if options.DISABLE_JIT:
        return rule
    if not hasattr(rule, "py_func"):
        raise TypeError(f"rule {getattr(rule, '__name__', repr(rule))} is plain Python: write @numba.njit above it")
    return _compiled(rule)


@lru_cache(maxsize=64)  # a plan names its rule in every slot
def _compiled(rule: Any) -> Any:
    name = rule.py_func.__name__
    try:
        returned = numba.njit(_ARGUMENTS, boundscheck=True)(rule.py_func).nopython_signatures[0].return_type
        whole = numba.njit(_SIGNATURE, boundscheck=True)(rule.py_func) if isinstance(returned, types.Integer) else None
    except (NumbaError, TypeError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = next((line for line in lines if not line.startswith(("Failed in", "During"))), str(error))
        raise TypeError(f"rule {name} cannot be compiled: {reason}") from None
    if whole is None:
        raise TypeError(f"rule {name} returns {returned}: the index of a site is needed, or -1")
    return whole


def taking_rules(kernel: Callable[..., int]) -> Callable[..., int]:
    """The one compiled version of a kernel, which takes whatever :func:`compiled_rule` gives."""
    options: Any = numba.config
    version: Any = kernel
    return kernel if options.DISABLE_JIT else next(iter(version.overloads.values())).entry_point


def _nobody(origin: int, time_s: float, u: float, waiting: Any, free: Any, data: Any, memory: Any) -> int:
    return -1


#: Stands where no rule of a user's own is asked.
NOBODY = pointer(_nobody, _SIGNATURE)
