"""Nearest: the smallest round-trip times in sum, the paper's GLB-Dist; overflow goes to the next nearest."""

from __future__ import annotations

from policies.assignment import split_of
from policies.current import Current
from policies.grouping import one_by_one
from policies.rule import Rule, checked_rule, ruled
from policies.slot_program import SlotProgram
from simulator.fleet import Fleet
from simulator.plan import Plan
from simulator.policy import Observation, RoutingPolicy


class Nearest(RoutingPolicy):
    """min sum of RTT x requests within the planned capacities. As scores, one second of RTT costs US$ 1."""

    def __init__(self, rule: Rule = "split"):
        self.rule = checked_rule(rule)

    def start(self, fleet: Fleet) -> None:
        """Set up the program of a slot: prices depend on the pair, so no origins are merged."""
        self._program = Current(lambda known: SlotProgram(known, one_by_one(known)))

    def plan(self, observation: Observation) -> Plan:
        """As near as capacities allow."""
        fleet, demand = observation.fleet, observation.demand_rps
        program = self._program.of(fleet)
        return ruled(
            self.rule,
            lambda: fleet.rtt_s,
            observation,
            lambda: split_of(program.flow(fleet.rtt_s, demand), demand, fleet),
        )
