"""The fluid plane: requests flow as real numbers. The paper's own model, and the limit of the other engines.

There are no queues: only the network time of the flows is known, and nothing is unfinished.
"""

from __future__ import annotations

import numpy as np

from simulator.clock import Clock, Heard
from simulator.core.standing import Standing
from simulator.fleet import BoolArray, Fleet, FloatArray, IntArray
from simulator.latency import MEASURES, Histogram
from simulator.plan import Plan, PolicyError, Split
from simulator.record import FATES, FINISHED, REJECTED, Record, View
from simulator.units import S_PER_MS
from simulator.world import World


class FluidPlane:
    """Flows of the slot's rates x the plan's shares."""

    def __init__(self, world: World):
        self._world = world
        self._scale = world.scenario.fleet_scale
        fleet = world.fleet
        self._shares = np.zeros(fleet.allowed.shape)
        self._ledger = np.zeros((fleet.slots, len(world.pools)))
        self._routed = np.zeros(world.fleet.allowed.shape)
        self._flow = np.zeros((world.fleet.slots, len(world.fleet.sites)))
        self._left = np.zeros(len(world.fleet.origins))
        self._now = 0.0

    def attach(self, clock: Clock) -> None:
        """Nothing to start."""

    def apply(self, plan: Plan, known: Fleet) -> None:
        """From now on flows follow these shares."""
        if not isinstance(plan, Split):
            raise PolicyError(
                "the fluid engine serves plans made of shares (split); others need --engine compiled or simpy"
            )
        self._shares = plan.shares

    def advance(self, until: float) -> Heard | None:
        """Let requests flow up to ``until`` [s]; control stops at every slot boundary."""
        fleet = self._world.fleet
        until = min(until, self._world.scenario.horizon_s)
        if until <= self._now:
            return None
        # The middle of the interval: its ends may round to a neighbour.
        slot = min(int((self._now + until) / 2 / fleet.slot_s), fleet.slots - 1)
        arrived = self._world.demand.rate_rps[slot] * (self._scale * (until - self._now))
        routed = arrived[:, None] * self._shares
        self._left += arrived - routed.sum(axis=1)
        self._routed += routed
        self._flow[slot] += routed.sum(axis=0)
        self._ledger[slot] += routed.sum(axis=0)[fleet.hardware.site] * fleet.place_s
        self._now = until
        return None

    def stand(self, standing: Standing, killed: IntArray) -> None:
        """Flows ask for no place."""

    def cut(self, cut: BoolArray) -> None:
        """No link is ever down: the intake refuses outages."""

    def watch(self, watch: IntArray) -> None:
        """There is nothing to hear of."""

    def view(self) -> View:
        """No queue, and no place that a request would take."""
        sites, pools = len(self._world.fleet.sites), len(self._world.pools)
        return View(np.zeros(sites, dtype=np.int64), np.zeros(pools, dtype=np.int64), self._routed.sum(axis=0))

    def busy_place_s(self, slot: int) -> FloatArray:
        """The ledger of a slot."""
        return self._ledger[slot].copy()

    def closed_server_s(self, slot: int) -> tuple[FloatArray, FloatArray]:
        """None: flows end with their plan, and all servers are on."""
        return np.zeros(len(self._world.pools)), np.zeros(len(self._world.pools))

    def boot_wait_s(self) -> FloatArray:
        """None: flows do not wait."""
        return np.zeros(len(self._world.fleet.sites))

    def record(self) -> Record:
        """Expected counts; of latency only the network."""
        fleet = self._world.fleet
        origins, sites = len(fleet.origins), len(fleet.sites)
        fates = np.zeros((len(FATES), origins, sites + 1))
        fates[FINISHED, :, :sites] = self._routed
        # What the world asks for, not what was counted on the way.
        arrived = self._world.demand.rate_rps.sum(axis=0) * (fleet.slot_s * self._scale)
        # Rows of shares miss one by rounding; that is not demand left out.
        fates[REJECTED, :, sites] = np.where(self._left > 1e-9 * arrived, self._left, 0.0)
        latency = {measure: Histogram(origins) for measure in MEASURES}
        pairs = np.repeat(np.arange(origins), sites)
        network = fleet.rtt_s.ravel() + 2 * self._world.scenario.network.jitter_ms.mean * S_PER_MS
        latency["network"].add(pairs, network, self._routed.ravel())
        return Record(
            busy_place_s=self._ledger,
            served_s=self._flow[:, fleet.hardware.site] * fleet.place_s,
            arrived=arrived,
            routed=self._routed,
            rerouted=np.zeros((origins, sites)),
            lost=np.zeros(sites),
            received=self._routed.sum(axis=0),
            fates=fates,
            under_way=np.zeros(sites),
            most_in_use=None,
            latency=latency,
            site_wait=Histogram(sites),
            slo_met=np.full(origins, np.nan),
            slo_counted=np.full(origins, np.nan),
            asked=self._world.demand.rate_rps * (fleet.slot_s * self._scale),
        )
