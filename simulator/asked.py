"""What is asked for in a run, as it arose: requests of mean size by slot and origin, whoever serves them.

A request counts by its service, which is what the ledger charges, in the slots in which it would be served if it began
the moment it arose: a plan that knows all of it can then be held against what the ledger says. Where sites take to a
request's size differently, it counts by its mean over the sites.
"""

from __future__ import annotations

import numpy as np

from simulator.core.asked import Sizes, Worth, lay_out
from simulator.fleet import Fleet, FloatArray
from simulator.tape import Block
from simulator.world.hardware import share_of_places


class Asked:
    """The books of what the tape hands out, in figures of the fleet that is simulated."""

    def __init__(self, fleet: Fleet):
        self._worth, self._slot_s = _worth(fleet), fleet.slot_s
        self.requests: FloatArray = np.zeros((fleet.slots, len(fleet.origins)))

    def take(self, block: Block) -> None:
        """Take down a block."""
        if len(block.arrival_s):
            sizes = Sizes(block.arrival_s, block.origin, block.input, block.output)
            # One too early at most, where division rounds up at a boundary.
            slot = max(0, int(block.arrival_s[0] / self._slot_s) - 1)
            lay_out(self.requests, sizes, self._worth, slot, self._slot_s)


def _worth(fleet: Fleet) -> Worth:
    """What a size takes, as the mean over the sites."""
    share, by_site = share_of_places(fleet.hardware), fleet.hardware.by_site
    curve = np.array([by_site(share * part) for part in fleet.curve])
    return Worth(curve.mean(axis=1), (curve / fleet.service_s).mean(axis=1))
