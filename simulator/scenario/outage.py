"""Outages: what goes dark, when, and what becomes of the requests that were there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .block import Block, Fraction, NotNegative, Positive, wrong

#: What an outage does to requests that are being served: they finish, or are killed and routed anew.
Running = Literal["finish", "kill"]


class ScheduledOutage(Block):
    """One outage at a known time: of `site`, of the link from `origin` to `site`, or of the `signals` of a site."""

    site: str | None = None
    origin: str | None = None
    """With `site`: the link between them."""
    signals: str | None = None
    """A site whose grid signals do not arrive: policies see the last ones."""
    start_s: NotNegative
    """From the start of the run."""
    length_s: Positive
    share: Fraction = 1.0
    """Of the servers of the site."""
    running: Running = "kill"

    @model_validator(mode="after")
    def _one_thing(self) -> ScheduledOutage:
        if (self.site is None) == (self.signals is None):
            raise wrong("an outage is of a site, of a link (origin and site), or of the signals of a site")
        if self.signals is not None and self.origin is not None:
            raise wrong("signals belong to a site; leave origin out")
        # Not whether they are given: `show` writes every default.
        if (self.origin is not None or self.signals is not None) and (self.share, self.running) != (1.0, "kill"):
            raise wrong("share and running belong to an outage of a site")
        return self


class RandomOutages(Block):
    """Outages at random: times up and down are exponential, of each thing apart, from a stream of their own."""

    mean_up_h: Positive
    mean_down_h: Positive


class RandomSiteOutages(RandomOutages):
    """Outages of sites at random."""

    share: Fraction = 1.0
    running: Running = "kill"
    only: tuple[str, ...] = ()
    """The sites that this happens to; all unless given."""


class RandomOutage(Block):
    """What goes dark at random."""

    sites: RandomSiteOutages | None = None
    links: RandomOutages | None = None
    signals: RandomOutages | None = None


class Outages(Block):
    """Outages of sites, of shares of their servers, of links and of grid signals."""

    scheduled: tuple[ScheduledOutage, ...] = ()
    random: RandomOutage = RandomOutage()
    retries: Annotated[int, Field(ge=0, le=1000)] = 1
    """How often a request that was killed, or waited at a site that went dark, is routed anew."""
    detection_s: NotNegative = 30.0
    """After which routers know that something is down, or is up again."""

    @property
    def lose_requests(self) -> bool:
        """Whether any are of sites or links."""
        return bool(any(outage.signals is None for outage in self.scheduled) or self.random.sites or self.random.links)

    @property
    def happen(self) -> bool:
        """Whether there are any."""
        return bool(self.scheduled or self.random.sites or self.random.links or self.random.signals)
