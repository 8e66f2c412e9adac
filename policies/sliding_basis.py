"""A sliding basis: a window's program starts from where the one of the window before ended, moved on by its slots."""

from __future__ import annotations

from typing import Any, NamedTuple

import highspy


class Shape(NamedTuple):
    """Columns and rows of a window's program: those of each slot, in this order, then those of the whole window."""

    slots: int
    pairs: int
    """Columns of a slot."""
    groups: int
    """Rows of demand of a slot."""
    shared: int
    """Rows of capacity of a slot."""


class _Kept(NamedTuple):
    slot: int
    shape: Shape
    columns: list[Any]
    rows: list[Any]


class SlidingBasis:
    """The basis in which the last window was optimal.

    Two windows have all slots but the last in common, and most of what is best for them: from this basis the simplex
    method has a third or less of the steps to go. Of several optima that are equally good it may find another one than
    from scratch, so a plan then depends on the plans before; it is the same whenever the run is the same.
    """

    def __init__(self) -> None:
        self.slot = 0
        """The first slot of the window that is solved next."""
        self._kept: _Kept | None = None

    def place(self, solver: highspy.Highs, shape: Shape) -> None:
        """Let a solver start from the last basis, if there is one for a program of this kind."""
        if self._kept is None or self._kept.shape[1:] != shape[1:]:
            return
        old, passed = self._kept.shape, self.slot - self._kept.slot
        # The slots that both windows have, and for new ones the last slot of the old one.
        source = [min(k + passed, old.slots - 1) for k in range(shape.slots)]
        basis = highspy.HighsBasis()
        basis.col_status = _moved(self._kept.columns, [(old.slots, old.pairs)], source)
        basis.row_status = _moved(self._kept.rows, [(old.slots, old.groups), (old.slots, old.shared)], source)
        solver_size = solver.getNumCol(), solver.getNumRow()
        if solver_size == (len(basis.col_status), len(basis.row_status)):
            # Pieces of a basis are none in general: alien ones are completed by the solver.
            basis.valid = basis.alien = True
            solver.setBasis(basis)

    def keep(self, solver: highspy.Highs, shape: Shape) -> None:
        """Remember the basis that a solver ended in."""
        basis = solver.getBasis()
        self._kept = _Kept(self.slot, shape, list(basis.col_status), list(basis.row_status))


def _moved(status: list[Any], parts: list[tuple[int, int]], source: list[int]) -> list[Any]:
    """The states of slots taken from those of the old window; what belongs to the whole window stays."""
    made: list[Any] = []
    for slots, width in parts:
        part, status = status[: slots * width], status[slots * width :]
        for slot in source:
            made += part[slot * width : (slot + 1) * width]
    return made + status
