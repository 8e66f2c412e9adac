"""Which bin a duration falls into, by a guide table over the leading bits of a number (see guide.py)."""

from __future__ import annotations

import numpy as np

from .edges import EDGES_S
from .jit import inlined

#: Bits that the guide leaves out: sign, exponent and 7 bits of the mantissa stay, 128 cells for each doubling.
_SHIFT = 45
_FIRST, _LAST = (int(cell) for cell in EDGES_S[[0, -1]].view(np.int64) >> _SHIFT)
#: For each cell the first bin that a number in it may be in.
_GUIDE = np.searchsorted(EDGES_S, (np.arange(_FIRST, _LAST + 1) << _SHIFT).view(np.float64), side="right")


@inlined
def bin_of(seconds: float) -> int:
    """The bin of a duration: how many edges are not above it."""
    if not seconds >= EDGES_S[0]:
        return 0
    if seconds >= EDGES_S[-1]:
        return len(EDGES_S)
    found = _GUIDE[(np.float64(seconds).view(np.int64) >> _SHIFT) - _FIRST]
    while EDGES_S[found] <= seconds:
        found += 1
    return found
