"""Cuts: a norm of burdens in a linear program, from below by planes that touch it (Kelley's cutting planes, 1960).

A norm is the largest of all planes g.v with ||g|| = 1 in the dual norm. The maximum needs one for each site; any other
norm gets the ones that the optimum asks for. The multipliers of the burdens, a mean of some g, stay in the dual ball.
Kelley, "The cutting-plane method for solving convex programs", J. SIAM 8 (1960).
"""

from __future__ import annotations

import highspy
import numpy as np

from policies.horizon_layout import Layout
from policies.program import Infinity, Optimum, optimum
from simulator.fleet import FloatArray
from simulator.norm import size_of, slope_of

#: What the norms may be above their planes, as a share of all that the program adds up.
GAP = 1e-7
#: Rounds of cuts. Some tens are enough, but where the solver's own tolerance hides what is left of the gap.
MOST_ROUNDS = 200


def norm_optimum(solver: highspy.Highs, layout: Layout, order: float) -> Optimum | None:
    """Solve a program with norms of this order; None when it has no feasible point."""
    if layout.is_largest:
        return optimum(solver)
    sites, weights = len(layout.shared), np.array(solver.getLp().col_cost_)[layout.norms :][:2]
    for footprint in (0, 1):
        _cut(solver, layout, footprint, slope_of(np.zeros(sites), order))
    for _ in range(MOST_ROUNDS):
        best = optimum(solver)
        if best is None:
            return None
        burdens = [best.x[layout.held_by(footprint)] for footprint in (0, 1)]
        sizes = np.array([size_of(burden, order) for burden in burdens])
        above = weights * (sizes - best.x[layout.norms :][:2])
        if above.sum() <= GAP * max(abs(solver.getObjectiveValue()), float((weights * sizes).sum())):
            break
        for footprint in (0, 1):
            if above[footprint] > 0:
                _cut(solver, layout, footprint, slope_of(burdens[footprint], order))
    return best


def _cut(solver: highspy.Highs, layout: Layout, footprint: int, slope: FloatArray) -> None:
    """Keep the norm of a footprint above a plane."""
    columns = np.append(layout.held_by(footprint), layout.norms + footprint)
    solver.addRow(-Infinity, 0.0, len(columns), columns.astype(np.int32), np.append(slope, -1.0))
