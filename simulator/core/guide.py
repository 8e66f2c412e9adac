"""Guide tables: which interval a number in [0, 1) falls into, in constant time (Chen and Asau, 1974).

A table says for each of its cells where a search may begin; from there on a few comparisons are left. The answer is
exactly that of a search through all ends.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .jit import inlined


class Guide(NamedTuple):
    """Upper ends of intervals, [rows, intervals], and for each cell the first interval that ends beyond its start."""

    ends: NDArray[np.float64]
    first: NDArray[np.int32]


def guide_of(ends: NDArray[np.float64]) -> Guide:
    """The guide of rows of rising ends. The number of cells is a power of two, so that finding a cell is exact."""
    rows, intervals = ends.shape
    cells = 1 << (2 * intervals - 1).bit_length()
    # The first cell that starts at or after each end: as many intervals lie behind a cell as ends start before it.
    cell = np.ceil(np.clip(ends, 0.0, 2.0) * cells).astype(np.int64).clip(max=cells)
    counts = np.bincount((np.arange(rows)[:, None] * (cells + 1) + cell).ravel(), minlength=rows * (cells + 1))
    behind = counts.reshape(rows, cells + 1)[:, :cells].cumsum(axis=1)
    return Guide(np.ascontiguousarray(ends, dtype=np.float64), behind.astype(np.int32))


@inlined
def interval_of(guide: Guide, row: int, x: float) -> int:
    """The first interval whose end exceeds ``x``; the number of intervals when none does."""
    intervals = guide.ends.shape[1]
    found = guide.first[row, int(x * guide.first.shape[1])]
    while found < intervals and guide.ends[row, found] <= x:
        found += 1
    return found
