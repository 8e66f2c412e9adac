"""Placement: who goes where under a plan over a horizon, within what closeness asks for."""

from __future__ import annotations

from dataclasses import replace

from policies.assignment import Assignment
from policies.closeness import Closeness
from policies.dispatch import stretched
from policies.horizon_program import HorizonPlan, HorizonProgram
from simulator.fleet import Fleet, FloatArray
from simulator.plan import Split


class Placement:
    """The splits of a horizon's plan: the nearest ones, once it is known how much each site serves.

    Slots that near pairs can carry use no other ones, to the last request.
    """

    def __init__(self, fleet: Fleet, program: HorizonProgram, closeness: Closeness):
        near = closeness.near(fleet)
        far = fleet.allowed & ~near
        self._bounded = replace(fleet, allowed=near) if far.any() else fleet
        self._near = Assignment(self._bounded, program.near)
        self._wide = Assignment(fleet, program.grouping, far) if far.any() else self._near

    def split(self, plan: HorizonPlan, slot: int, demand_rps: FloatArray) -> Split:
        """The split of one slot of the plan for the demand of the origins, [origins]."""
        if not plan.wide[slot]:
            return self._near.split(plan.flow[slot], demand_rps)
        return stretched(self._wide.split(plan.flow[slot], demand_rps), demand_rps, self._bounded)
