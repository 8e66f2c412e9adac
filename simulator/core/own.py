"""A user's own rule, as a pointer to compiled code: kernels that take it need not be compiled for each rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .jit import pointer

#: origin, time_s, u, waiting [sites], free [sites], data [rows, columns], memory -> site
SIGNATURE = "int64(int64, float64, float64, int64[::1], int64[::1], float64[:, ::1], float64[::1])"


def rule_pointer(rule: Callable[..., int]) -> Any:
    """The pointer of a function that was compiled with ``numba.njit``; None for plain Python."""
    return pointer(rule.py_func, SIGNATURE) if hasattr(rule, "py_func") else None


def _nobody(origin: int, time_s: float, u: float, waiting: Any, free: Any, data: Any, memory: Any) -> int:
    return -1


#: Stands where no rule of a user's own is asked.
NOBODY = pointer(_nobody, SIGNATURE)
