"""Minutes: what control notes down as it goes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.fleet import Fleet, FloatArray
from simulator.plan import Plan, Split, Witness
from simulator.world import World


@dataclass
class Minutes:
    """Slots whose demand could not be planned for, and why."""

    short_slots: int = 0
    unserved_requests: FloatArray | None = None
    witness: Witness | None = None
    _worst: float = field(default=0.0, repr=False)

    def note(self, world: World, slot: int, plan: Plan, known: Fleet) -> None:
        """Note the demand that a plan leaves out, in requests of the fleet that is simulated, by origin.

        Scores leave out the origins that may use no site, and nobody else.
        """
        carried = plan.shares.sum(axis=1) if isinstance(plan, Split) else known.allowed.any(axis=1)
        left = np.clip(1.0 - carried, 0.0, 1.0) * world.demand.rate_rps[slot]
        left = np.where(left > 1e-9 * world.demand.rate_rps[slot], left, 0.0)
        if left.sum() == 0:
            return
        self.short_slots += 1
        before = 0.0 if self.unserved_requests is None else self.unserved_requests
        self.unserved_requests = before + left * (world.fleet.slot_s * world.scenario.fleet_scale)
        if left.sum() > self._worst:
            self._worst, self.witness = float(left.sum()), plan.witness if isinstance(plan, Split) else None
