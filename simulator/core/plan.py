"""A plan as arrays: the rule by which requests pick their site, and its figures."""

from __future__ import annotations

from typing import NamedTuple

from .guide import Guide
from .state import Floats, Ints, Records, record_of

#: Codes of the rules.
SPLIT, SCORE, OWN = range(3)
#: Codes of how equity prices move.
FIXED, EUCLIDEAN, ENTROPIC, ADAPTIVE_EUCLIDEAN, ADAPTIVE_ENTROPIC = range(5)

#: What equity prices move by: of one footprint at one site.
BURDEN = record_of(
    burden_usd=float,  # weighted footprint of a request
    charge_usd=float,  # of a simulated request, in units of the full fleet
    most_usd=float,  # the largest burden that a slot can give
    order=int,  # the site with the largest such burden, the second, ...
)


class Steps(NamedTuple):
    """How equity prices move with the requests; footprints are carbon and water."""

    kind: int
    step: float
    """Per US$; of adaptive steps a factor."""
    round: int
    """The round of adaptive steps that the plan belongs to."""
    every: int
    """Requests between two steps."""
    share: float
    """Those requests as a share of all that are expected in the slot."""
    burdens: Records
    """[footprints, sites]."""


class Plan(NamedTuple):
    """What routers follow."""

    rule: int
    ends: Guide
    """Of `split`."""
    price_usd: Floats
    """Of `score`, [origins, sites]."""
    wait_price_usd_per_s: float
    reads_queues: bool
    allowed: Ints
    """Sites that origins may use, one origin after the other, and where each origin's begin, [origins + 1]."""
    allowed_from: Ints
    usable: Ints
    """Pairs whose site and link are up as far as is known, [origins, sites]."""
    instead: Ints
    """The nearest site of each origin that is, [origins]; -1: none."""
    watched: Ints
    """Sites whose queues a rule looks at, likewise."""
    watched_from: Ints
    steps: Steps
    data: Floats
    """Of a user's own rule, [rows, columns]."""
    memory: Floats
    """What a user's own rule may write to."""
