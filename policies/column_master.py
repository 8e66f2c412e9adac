"""The master program of a decomposition: the best mixture of plans, and the prices that it stands for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from policies.program import Entries, Infinity, Optimum, Program, loaded, optimum
from simulator.fleet import FloatArray
from simulator.norm import size_of, slope_of
from simulator.objective import Objective

#: HiGHS's numbers of methods. Primal: with a column more, the last point is feasible.
_DUAL, _PRIMAL = 1, 4


class Prices(NamedTuple):
    """What a m3 and a t weigh at each site [US$], [sites]."""

    water: FloatArray
    carbon: FloatArray


class Column(NamedTuple):
    """A plan: the prices that made it, and what it costs, drinks and emits, with what was spent before."""

    prices: Prices
    cost_usd: float
    footprints: tuple[FloatArray, FloatArray]
    """Water and carbon as they weigh, [sites]."""

    def at(self, prices: Prices) -> float:
        """Cost and footprints at some prices [US$]."""
        return self.cost_usd + sum(float(p @ f) for p, f in zip(prices, self.footprints, strict=True))


class ColumnMaster:
    """min cost + weight x norm of footprints over all convex combinations of columns.

    A norm is the largest of the planes that its slopes span. The planes of single sites are there from the beginning,
    and are all that the maximum has; of other norms those are added that were missing where the last mixture lay.

    Rows: the sum of shares, the planes of single sites for water and for carbon, more planes. Columns: the sizes of
    both, then shares. It grows, and each solution begins at the one before.
    """

    def __init__(self, objective: Objective, first: Column):
        self._weights, self._norm, self._sites = objective[:2], objective.norm, len(first.prices[0])
        self._units = [float(footprints.mean()) or 1.0 for footprints in first.footprints]
        weights = [weight * unit for weight, unit in zip(self._weights, self._units, strict=True)]
        # In the hundreds, so that the solver's absolute tolerances are small beside them.
        self._money = (abs(first.cost_usd) + sum(weights) or 1.0) / 1e3
        self._more: list[tuple[int, FloatArray]] = []
        self._columns: list[Column] = []
        rows = 2 * self._sites
        self._solver = loaded(
            Program(
                cost=np.array(weights) / self._money,
                upper=np.full(2, Infinity),
                row_lower=np.concatenate([[1.0], np.full(rows, -Infinity)]),
                row_upper=np.concatenate([[1.0], np.zeros(rows)]),
                entries=Entries(1 + np.arange(rows), np.repeat([0, 1], self._sites), -np.ones(rows)),
            )
        )
        self._solver.setOptionValue("simplex_strategy", _PRIMAL)
        self.add(first)

    def add(self, column: Column) -> None:
        """One plan more."""
        self._columns.append(column)
        single = [footprints / unit for footprints, unit in zip(column.footprints, self._units, strict=True)]
        more = [float(plane @ single[kind]) for kind, plane in self._more]
        filled = np.concatenate([[1.0], *single, more])
        rows = np.flatnonzero(filled).astype(np.int32)
        self._solver.addCol(column.cost_usd / self._money, 0.0, Infinity, len(rows), rows, filled[rows])

    def solve(self) -> tuple[FloatArray, Prices, float]:
        """Shares of the columns, prices, and J of the mixture."""
        best = self._optimum()
        assert best is not None, "any one column is feasible"
        shares = np.maximum(best.x[2:], 0.0)
        shares /= shares.sum()
        slopes = np.maximum(-best.row_price[1:], 0.0) * self._money
        value = float(shares @ [column.cost_usd for column in self._columns])
        prices, planes = [], list(zip(self._more, slopes[2 * self._sites :].tolist(), strict=True))
        for kind, (weight, unit) in enumerate(zip(self._weights, self._units, strict=True)):
            here = np.asarray(shares @ np.array([column.footprints[kind] for column in self._columns]))
            size = size_of(here, self._norm)
            value += weight * size
            price = slopes[kind * self._sites :][: self._sites] / unit
            known, total = float(here.max()), float(price.sum())
            for (whose, plane), slope in planes:
                if whose == kind:
                    price, total = price + plane * (slope / unit), total + slope / unit
                    known = max(known, float(plane @ here))
            # Within the ball whatever the solver's tolerance.
            prices.append(price * (weight / total if total > weight else 1.0))
            if size > known * (1.0 + 1e-12):
                self._add_plane(kind, slope_of(here, self._norm))
        return shares, Prices(*prices), value

    def _optimum(self) -> Optimum | None:
        try:
            return optimum(self._solver)
        except ArithmeticError:
            # Columns that are nearly the same can stall the primal method; from scratch the dual one does not mind.
            self._solver.clearSolver()
            self._solver.setOptionValue("simplex_strategy", _DUAL)
            best = optimum(self._solver)
            self._solver.setOptionValue("simplex_strategy", _PRIMAL)
            return best

    def _add_plane(self, kind: int, plane: FloatArray) -> None:
        self._more.append((kind, plane))
        heights = [float(plane @ column.footprints[kind]) / self._units[kind] for column in self._columns]
        filled = np.array([-1.0 if kind == 0 else 0.0, -1.0 if kind == 1 else 0.0, *heights])
        columns = np.flatnonzero(filled).astype(np.int32)
        self._solver.addRow(-Infinity, 0.0, len(columns), columns, filled[columns])
