"""Provisioning: how many servers of a site are on. One policy looks after one site, and sees that site alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from simulator.fleet import FloatArray, freeze

#: Why a policy is asked: a slot begins with a new routing plan, or routers learn of an outage; it asked to be asked
#: again; there is work and no place open or booting; the site has gone idle; servers went down, or may be switched on.
Reason = Literal["slot", "again", "work", "idle", "outage"]


@dataclass(frozen=True, eq=False)
class SiteFacts:
    """What does not change at a site; servers in units of the full fleet."""

    site: str
    slot_s: float
    servers: float
    """All there are."""
    places_per_server: float
    """Requests that a server runs at once; of several types their mean."""
    service_s: float
    """Mean service of a request."""
    lead_s: float
    """Mean time from switching a server on to its first request: boot and load; of several types the longest."""


@dataclass(frozen=True, eq=False)
class SiteView:
    """What a provisioning policy sees of its site now; servers and requests in units of the full fleet."""

    reason: Reason
    time_s: float
    slot: int
    servers: float
    """That are in no outage."""
    on: float
    booting: float
    in_use: float
    """Requests in service."""
    waiting: float
    load: FloatArray
    """Planned load of this slot and the next ones: busy places, [slots]. What the routing plan and the demand
    that is foreseen come to."""

    def __post_init__(self) -> None:
        freeze(self)


class Order(NamedTuple):
    """What a provisioning policy says."""

    servers: float
    """That should be on; rounded up to whole ones."""
    again_s: float | None = None
    """Ask again at this time."""


class ProvisioningPolicy:
    """What every provisioning policy is: settings in ``__init__``, one method that decides; one instance for each site.

    ``hears_idle`` says that it wants to be asked when its site has gone idle as well.
    """

    hears_idle: ClassVar[bool] = False

    def start(self, facts: SiteFacts) -> None:
        """Called once, before the first slot."""
        self.facts = facts

    def always_on(self, servers: float) -> float:
        """Of so many servers of a site, those that are on whatever happens: planners count what they draw as spent."""
        return 0.0

    def order(self, view: SiteView) -> Order:
        """How many servers should be on from now on."""
        raise NotImplementedError(f"{type(self).__name__} has no order()")
