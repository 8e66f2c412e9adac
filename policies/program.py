"""A linear program in columns, and its solution by HiGHS (Huangfu and Hall, 2018)."""

from __future__ import annotations

from typing import NamedTuple

import highspy
import numpy as np

from simulator.fleet import FloatArray, IntArray

Infinity = highspy.kHighsInf


class Entries(NamedTuple):
    """Entries of a sparse matrix, each [n]."""

    row: IntArray
    column: IntArray
    value: FloatArray


class Program(NamedTuple):
    """Minimise cost.x for row_lower <= A x <= row_upper, 0 <= x <= upper."""

    cost: FloatArray
    upper: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    entries: Entries


def loaded(program: Program) -> highspy.Highs:
    """A HiGHS instance that holds the program: one thread, silent, so that the same input gives the same bytes."""
    order = np.lexsort((program.entries.row, program.entries.column))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.cost), len(program.row_lower)
    model.col_cost_, model.col_upper_ = program.cost, program.upper
    model.col_lower_ = np.zeros(len(program.cost))
    model.row_lower_, model.row_upper_ = program.row_lower, program.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.searchsorted(program.entries.column[order], np.arange(len(program.cost) + 1)).astype(
        np.int32
    )
    model.a_matrix_.index_ = program.entries.row[order].astype(np.int32)
    model.a_matrix_.value_ = program.entries.value[order]
    solver: highspy.Highs = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off"), ("solver", "simplex")):
        solver.setOptionValue(option, value)
    solver.passModel(model)
    return solver


class Optimum(NamedTuple):
    """An optimal point and the price of each row: what one more unit of its bound would change the cost by."""

    x: FloatArray
    row_price: FloatArray


def optimum(solver: highspy.Highs) -> Optimum | None:
    """Solve; None when the program has no feasible point, ArithmeticError when the solver gives up."""
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kOptimal:
        solution = solver.getSolution()
        return Optimum(np.array(solution.col_value), np.array(solution.row_dual))
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    raise ArithmeticError(f"the linear program ended as {solver.modelStatusToString(status)}")
