"""A user's own rule, as a pointer to compiled code: kernels that take it need not be compiled for each rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

#: origin, time_s, u, waiting [sites], free [sites], data [rows, columns], memory -> site
SIGNATURE = "int64(int64, float64, float64, int64[::1], int64[::1], float64[:, ::1], float64[::1])"


def pointer(rule: Callable[..., int]) -> Any:
    """The pointer of a function that was compiled with ``numba.njit``; None for plain Python."""
    settings: Any = numba.config
    if settings.DISABLE_JIT:
        return rule
    return numba.cfunc(SIGNATURE)(rule.py_func) if hasattr(rule, "py_func") else None


def _nobody(origin, time_s, u, waiting, free, data, memory):  # type: ignore[no-untyped-def]
    return -1


nobody = pointer(numba.njit(_nobody))
