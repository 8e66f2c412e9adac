"""Minutes: what control notes down as it goes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.fleet import Fleet, FloatArray
from simulator.plan import Plan, Split, Witness
from simulator.world import World


@dataclass
class Minutes:
    """Slots whose demand could not be planned for, or not within a policy's own wish, and why."""

    short_slots: int = 0
    unserved_requests: FloatArray | None = None
    witness: Witness | None = None
    worst_rps: float = 0.0
    """Demand that the worst slot leaves out [requests/s], of the full fleet."""
    stretched_slots: int = 0
    stretched: Witness | None = None
    """Why the wish gave way, in the slot whose excess was the largest."""
    decision_s: list[float] = field(default_factory=list)
    """Wall time of each of the policy's decisions."""

    def note(self, world: World, slot: int, plan: Plan, known: Fleet) -> None:
        """Note the demand that a plan leaves out, in requests of the fleet that is simulated, by origin.

        Scores leave out the origins that may use no site, and nobody else.
        """
        if isinstance(plan, Split) and plan.stretched is not None:
            self.stretched_slots += 1
            self.stretched = max(filter(None, (self.stretched, plan.stretched)), key=lambda why: why.short_rps)
        carried = plan.shares.sum(axis=1) if isinstance(plan, Split) else known.allowed.any(axis=1)
        left = np.clip(1.0 - carried, 0.0, 1.0) * world.demand.rate_rps[slot]
        left = np.where(left > 1e-9 * world.demand.rate_rps[slot], left, 0.0)
        if left.sum() == 0:
            return
        self.short_slots += 1
        before = 0.0 if self.unserved_requests is None else self.unserved_requests
        self.unserved_requests = before + left * (world.fleet.slot_s * world.scenario.fleet_scale)
        if left.sum() > self.worst_rps:
            self.worst_rps, self.witness = float(left.sum()), plan.witness if isinstance(plan, Split) else None
