"""Kept rows: requests whose rows were asked for, handed on in the order of the tape once their fate is known."""

from __future__ import annotations

import numpy as np

from simulator.core.rows import OPEN
from simulator.core.state import ROW, Records, State
from simulator.record import UNFINISHED, Keeping, Requests
from simulator.tape import Block

from .arrays import records


class KeptRows:
    """A window of rows over the tape. It is as wide as the requests under way ask for."""

    def __init__(self, keeping: Keeping):
        self._keeping = keeping

    def with_room_for(self, block: Block, state: State) -> State:
        """Hand on what is whole, and make room for the rows of a block."""
        clock, rows = state.clocks[0], state.rows
        needed = int(block.kept.sum())
        size = int(clock.kept - clock.first_kept)
        if size + needed <= len(rows):
            return state
        open_rows = np.flatnonzero(rows.fate[:size] == OPEN)
        whole = int(open_rows[0]) if len(open_rows) else size
        self._hand_on(rows[:whole])
        left = rows[whole:size].copy()
        if len(left) + needed > len(rows):
            rows = records(ROW, 2 * (len(left) + needed))
        rows[: len(left)] = left
        clock.first_kept += whole
        return state._replace(rows=rows)

    def close(self, state: State) -> None:
        """Hand on the rest: who has no fate yet is unfinished."""
        clock = state.clocks[0]
        rows: Records = state.rows[: int(clock.kept - clock.first_kept)]
        rows.fate[rows.fate == OPEN] = UNFINISHED
        self._hand_on(rows)

    def _hand_on(self, rows: Records) -> None:
        self._keeping.take(Requests(*(rows[name].copy() for name in Requests._fields)))
