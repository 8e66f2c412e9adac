"""Routing: the slot clock. Once per slot a policy observes and plans, and the plane takes the plan up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from simulator.clock import Clock
from simulator.fleet import BoolArray, Fleet, FloatArray
from simulator.forecast import Forecaster, asked_by
from simulator.plan import Plan, PolicyError, Split, checked
from simulator.planes import Plane
from simulator.policy import Observation, RoutingPolicy
from simulator.scenario.forecast import Forecasting
from simulator.world import World

from .accounts import Accounts
from .damage import Damage
from .minutes import Minutes


class Routing:
    """The routing policy of a run, and the plan that is in force."""

    def __init__(self, world: World, policy: RoutingPolicy, plane: Plane, clock: Clock, accounts: Accounts):
        self._world, self._policy, self._plane, self._clock = world, policy, plane, clock
        self._servers = accounts.servers
        self.accounts = accounts
        self.damage = Damage(world, clock, plane, accounts.servers)
        self.damage.tell = self._renew
        self.minutes = Minutes()
        self.renewed: Callable[[], None] = lambda: None
        """Called when requests go elsewhere within a slot."""
        self._plan: Plan | None = None
        #: Requests sent to each site until this slot, and in the slot before, [sites].
        self._sent = self._routed = np.zeros(len(world.sites))
        #: Origins that no site was up for when the plan was made.
        self._stranded: BoolArray = np.zeros(len(world.origins), dtype=bool)
        #: The slot whose signals each site was last heard of, [sites].
        self._heard = np.zeros(len(world.sites), dtype=np.int64)
        self._forecaster = Forecaster(world, _asked(world, policy))

    def plan(self, slot: int) -> None:
        """A slot begins: observe, plan, apply."""
        known = self._known_fleet()
        self._stranded = np.asarray(~known.allowed.any(axis=1))
        before, self._sent = self._sent, self._plane.view().routed
        self._routed = self._sent - before
        try:
            # A plan may name what is down: planes leave that out, as they do when news comes within a slot.
            self._plan = checked(self._decided(self._observe(slot, known)), self._world.fleet)
            self._plane.apply(self._plan, known)
        except PolicyError as error:
            raise PolicyError(f"slot {slot}: {error}") from None
        self.minutes.note(self._world, slot, self._plan, known)

    def _decided(self, observation: Observation) -> Plan:
        """What the policy says, and how long it took."""
        began_s = time.perf_counter()
        plan = self._policy.plan(observation)
        self.minutes.decision_s.append(time.perf_counter() - began_s)
        return plan

    def load(self, slots: slice) -> FloatArray:
        """Busy places that the demand of some slots comes to under the plan in force, [slots, sites], full fleet.

        A plan made of prices does not say where requests go: then as in the slot before, or by planned capacity.
        """
        demand, fleet, slot = self._world.demand.rate_rps, self._world.fleet, slots.start
        if isinstance(self._plan, Split):
            return demand[slots] @ self._plan.within(self.damage.known_fleet()).shares * fleet.service_s
        total = demand[slots].sum(axis=1)
        if slot == 0 or demand[slot - 1].sum() == 0:
            capacity = self._known_fleet().capacity_rps
            share = capacity / capacity.sum() if capacity.any() else capacity
            return total[:, None] * share * fleet.service_s
        routed_rps = self._routed / (self._world.scenario.fleet_scale * fleet.slot_s)
        return total[:, None] / demand[slot - 1].sum() * routed_rps * fleet.service_s

    def _renew(self) -> None:
        """Routers know of a change: the plan in force leaves out what is down from now on."""
        if self._plan is None:
            return
        known = self._known_fleet()
        if isinstance(self._plan, Split):
            self._plan = self._plan.to_nearest(self._stranded, known)
            self._stranded = np.asarray(self._stranded & ~known.allowed.any(axis=1))
        self._plane.apply(self._plan, known)
        self.renewed()

    def _known_fleet(self) -> Fleet:
        known = self.damage.known_fleet()
        if self._world.scenario.planning.capacity == "all":
            return known
        servers, hardware = self._servers, known.hardware
        open_, all_ = (
            hardware.by_site(part * hardware.concurrency) for part in (servers.on + servers.booting, servers.all)
        )
        most = self._world.fleet.capacity_rps * (open_ / all_)
        return replace(known, capacity_rps=np.minimum(known.capacity_rps, most))

    def _observe(self, slot: int, known: Fleet) -> Observation:
        """What the policy sees at the start of a slot; of sites that are silent, the signals that came last."""
        world, forecaster = self._world, self._forecaster
        self._heard = np.where(self.damage.silent, self._heard, slot)
        forecaster.hear(slot, self._heard)
        now = forecaster.now(slot)
        stands_for = self._servers.stands_for * known.hardware.concurrency
        view = self._plane.view()
        return Observation(
            slot=slot,
            fleet=known,
            demand_rps=now.demand_rps,
            price_usd_per_kwh=now.price_usd_per_kwh,
            carbon_kg_per_kwh=now.carbon_kg_per_kwh,
            water_l_per_kwh=now.water_l_per_kwh,
            pue=now.pue,
            last=self.accounts.last,
            total=self.accounts.total,
            waiting=view.waiting / world.scenario.fleet_scale,
            places_open=known.hardware.by_site(self._servers.on * stands_for),
            places_booting=known.hardware.by_site(self._servers.booting * stands_for),
            forecast=None if self._policy.forecaster is None else forecaster.at(slot),
        )


def _asked(world: World, policy: RoutingPolicy) -> Forecasting:
    """The forecaster that a policy sees the world by; raises PolicyError for a name that is none."""
    try:
        return asked_by(policy.forecaster, world.scenario.forecast)
    except ValueError as error:
        raise PolicyError(str(error)) from None
