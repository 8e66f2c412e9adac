"""Rows of requests that are kept, in the order in which they arise."""

from __future__ import annotations

from typing import Any

import numpy as np

from .books import REJECTED
from .jit import inlined
from .state import Records

#: A fate that is not known yet.
OPEN = -1


@inlined
def keep_row(rows: Records, clock: Records, block: Any, k: int, site: int) -> int:
    """Begin the row of request ``k`` of the block; its number among the rows, or -1 when it is not kept."""
    if not block.kept[k]:
        return -1
    number = clock.kept
    clock.kept += 1
    row = rows[number - clock.first_kept]
    row.number, row.arrival_s, row.origin = clock.number + k, block.arrival_s[k], block.origin[k]
    begin_anew(row, 0)
    row.lost_s, row.site = 0.0, site
    row.fate = OPEN if site >= 0 else REJECTED
    return number


@inlined
def begin_anew(row: Records, tries: int) -> None:
    """Nothing is known of the request: it arises, or has lost its site for the ``tries``-th time."""
    row.reach_s = row.start_s = row.finish_s = row.out_s = row.back_s = row.prefill_s = np.nan
    row.site = row.pool = -1
    row.retries = tries
