"""Provisioning: asks each site's policy how many servers should be on, and lets it be so."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from simulator.clock import PROVISION, Clock, Heard
from simulator.core.stations import IDLE, WORK
from simulator.fleet import FloatArray, IntArray
from simulator.plan import PolicyError
from simulator.planes import Plane
from simulator.provisioning import Order, ProvisioningPolicy, Reason, SiteFacts, SiteView
from simulator.world import World

from .routing import Routing
from .servers import Servers


class Provisioning:
    """The provisioning policies of a run, one for each site."""

    def __init__(
        self,
        world: World,
        policies: Sequence[ProvisioningPolicy],
        clock: Clock,
        plane: Plane,
        servers: Servers,
        routing: Routing,
    ):
        self._world, self._policies, self._clock = world, policies, clock
        self._plane, self._servers, self._routing = plane, servers, routing
        self._lead_s = world.fleet.hardware.boot_s + world.fleet.hardware.load_s
        self._load: FloatArray = np.zeros((1, len(world.sites)))
        self._slot = 0
        self._again = [0] * len(policies)
        for site, policy in enumerate(policies):
            policy.start(self._facts(site))
        routing.damage.ask = self._ask_after_outage
        routing.renewed = self._ask_all
        clock.hear = self._hear
        plane.watch(np.array([WORK + IDLE * policy.hears_idle for policy in policies], dtype=np.int64))

    def begin_slot(self, slot: int) -> None:
        """A slot begins, or goes on with other sites: its routing plan is in force; ask all policies."""
        ahead = 2 + math.ceil(float(self._lead_s.max()) / self._world.fleet.slot_s)
        self._slot, self._load = slot, self._routing.load(slice(slot, slot + ahead))
        before = self._servers.on + self._servers.booting
        for site in range(len(self._policies)):
            self._order(site, "slot")
        if not np.array_equal(before, self._servers.on + self._servers.booting):
            self._servers.stand()

    def _ask_all(self) -> None:
        """Requests go elsewhere within a slot: load is another one at many sites."""
        self._clock.do(self._clock.now, PROVISION, lambda: self.begin_slot(self._slot))

    def _ask_after_outage(self, site: int) -> None:
        """Servers went down or came back: ask at this time, after the plan of a slot that begins at this time."""
        self._clock.do(self._clock.now, PROVISION, lambda: self._ask(site, "outage"))

    def _hear(self, heard: Heard) -> None:
        self._ask(heard.site, "idle" if heard.is_idle else "work")

    def _ask(self, site: int, reason: Reason) -> None:
        before = (self._servers.on.copy(), self._servers.booting.copy())
        self._order(site, reason)
        after = (self._servers.on, self._servers.booting)
        if not all(np.array_equal(one, other) for one, other in zip(before, after, strict=True)):
            self._servers.stand()

    def _order(self, site: int, reason: Reason) -> None:
        """Ask one policy and carry its order out."""
        order = _checked(self._policies[site].order(self._view(site, reason)), self._world.fleet.sites[site])
        self._servers.aim(site, order.servers)
        self._again[site] += 1
        if order.again_s is not None and self._clock.now < order.again_s < self._world.scenario.horizon_s:
            number = self._again[site]
            self._clock.do(order.again_s, PROVISION, lambda: self._ask_again(site, number))

    def _ask_again(self, site: int, number: int) -> None:
        """A policy asked to be asked again; an order that came in between has made that void."""
        if number == self._again[site]:
            self._ask(site, "again")

    def _facts(self, site: int) -> SiteFacts:
        hardware = self._world.fleet.hardware
        here = hardware.site == site
        servers = hardware.servers[here]
        return SiteFacts(
            site=self._world.fleet.sites[site],
            slot_s=self._world.fleet.slot_s,
            servers=float(servers.sum()),
            places_per_server=float((servers * hardware.concurrency[here]).sum() / servers.sum()),
            service_s=float(self._world.fleet.service_s[site]),
            lead_s=float(self._lead_s[here].max()),
        )

    def _view(self, site: int, reason: Reason) -> SiteView:
        servers, view, scale = self._servers, self._plane.view(), self._world.scenario.fleet_scale
        here = self._world.fleet.hardware.site == site

        def of_full_fleet(count: IntArray) -> float:
            return float((count * servers.stands_for)[here].sum())

        return SiteView(
            reason=reason,
            time_s=self._clock.now,
            slot=self._slot,
            servers=of_full_fleet(servers.up),
            on=of_full_fleet(servers.on),
            booting=of_full_fleet(servers.booting),
            in_use=float(view.in_use[here].sum()) / scale,
            waiting=float(view.waiting[site]) / scale,
            load=self._load[:, site],
        )


def _checked(order: Order, site: str) -> Order:
    if not isinstance(order, Order):
        raise PolicyError(f"order() must return an Order, not {type(order).__name__} (site {site})")
    for name, value in order._asdict().items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float | np.number)):
            raise PolicyError(f"order(): {name} must be a number, not {value!r} (site {site})")
    if not 0 <= order.servers < math.inf:
        raise PolicyError(f"order(): servers must be finite and at least 0, not {order.servers} (site {site})")
    return order
