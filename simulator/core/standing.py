"""How servers stand, as control says it: places open and close, and outages take requests away."""

from __future__ import annotations

from typing import NamedTuple

from .books import drain, integrate, wait_for_boots
from .jit import compiled
from .state import Floats, Ints, State
from .stations import lose, serve


class Standing(NamedTuple):
    """How the servers of the fleet that is simulated stand."""

    open: Ints
    """Places of servers that are on, [pools]."""
    spare: Ints
    failing: Ints
    """Servers that are neither on nor booting nor in an outage, [pools]."""
    booting: Ints
    """Places of servers that are booting, [sites]."""
    unit_s: Floats
    """What each request ahead adds to the expected wait, [sites]."""
    ready_s: Floats
    """0 where places are open, else when the first one opens; below 0: how long a boot would take, [sites]."""
    dark: Ints
    """1 where all servers are in an outage, [sites]."""


@compiled
def stand(state: State, standing: Standing, killed: Ints, lost: Ints, time_s: float) -> None:
    """From now on servers stand so.

    ``killed`` are the requests that each pool no longer serves, [pools]; ``lost`` those and the ones that waited at
    sites that are dark, in the order in which they leave, rows (request, site).
    """
    for p in range(len(state.pools)):
        pool = state.pools[p]
        drain(state.books, state.clocks[0].slot, pool, p, time_s)
        integrate(state.books.occupied_s, state.clocks[0], pool, p, time_s)
        pool.open, pool.spare, pool.failing = standing.open[p], standing.spare[p], standing.failing[p]
        pool.in_use -= killed[p]
        pool.free = max(0, pool.open - pool.in_use)
    for i in range(len(state.sites)):
        site = state.sites[i]
        wait_for_boots(site, time_s)
        site.booting, site.dark = standing.booting[i], standing.dark[i]
        site.unit_s, site.ready_s = standing.unit_s[i], standing.ready_s[i]
        site.open = site.free = site.in_use = 0
        for p in range(site.pool, site.pool + site.pools):
            site.open += state.pools[p].open
            site.free += state.pools[p].free
            site.in_use += state.pools[p].in_use
        if site.dark:
            site.waiting = 0
    for row in range(len(lost)):
        lose(state, lost[row, 0], lost[row, 1], time_s)
    for i in range(len(state.sites)):
        serve(state, i, time_s)


@compiled
def drain_all(state: State, slot: int, time_s: float) -> None:
    """Take the integrals of the servers that drain or are off up to this time, at which the slot ends."""
    for p in range(len(state.pools)):
        drain(state.books, slot, state.pools[p], p, time_s)
