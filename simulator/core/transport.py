"""Transportation: the cheapest flow from groups to sites, for many pairs, by the simplex method on a network.

A basis is a spanning tree: groups, sites, and a root that takes unserved demand from groups and fills what is left of
sites. So every group supplies its demand, every site takes its capacity, and no arc has a bound. Row by row the pair
whose price is furthest below what the tree says enters; of the arcs that empty, the last one on the way around leaves,
which keeps the tree strongly feasible and the method finite (Cunningham, 1976; Ahuja, Magnanti and Orlin, "Network
Flows", 1993, chapter 11).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .jit import compiled, inlined
from .state import Floats, Ints, Records, record_of

#: A pair enters when it is cheaper than the tree by more than this; prices are at most 1.
TOLERANCE = 1e-11

#: A node of the tree, and the arc between it and its parent.
NODE = record_of(
    parent=int,
    is_up=int,  # 1 where the arc goes to the parent
    pair=int,  # of the arc; -1: unserved demand, or what is left of a site
    cost=float,
    flow=float,
    height=float,  # price of a unit at this node: along an arc of the tree it rises by the arc's cost
    depth=int,
    child=int,  # the first of its children; each child knows its neighbours
    after=int,
    before=int,
)


class Pairs(NamedTuple):
    """Pairs that may be used, one group after the other."""

    first: Ints
    """Where each group's begin, [groups + 1]."""
    site: Ints
    price: Floats
    """At most 1."""


def transport(pairs: Pairs, demand: Floats, capacity: Floats, penalty: float) -> Floats:
    """The cheapest flow of each pair, where unserved demand costs ``penalty``.

    Raises
    ------
    ArithmeticError
        when there is no end to it: rounding has undone what makes it finite.
    """
    nodes = np.zeros(len(demand) + len(capacity) + 1, dtype=NODE).view(np.recarray)
    flow = np.zeros(len(pairs.site))
    most = 1000 * len(nodes)
    if _solve(nodes, pairs, demand, capacity, penalty, flow, most) >= most:
        raise ArithmeticError("the transportation problem of a slot came to no end")
    return flow


@compiled
def _solve(
    nodes: Records, pairs: Pairs, demand: Floats, capacity: Floats, penalty: float, flow: Floats, most: int
) -> int:
    """Fill ``flow`` [pairs]; returns how often an arc entered, ``most`` at most."""
    groups, root = len(demand), len(nodes) - 1
    _plant(nodes, demand, capacity, penalty)
    entered, idle, row = 0, 0, 0
    # A row for each group, and one for what is left of the sites.
    while idle <= groups and entered < most:
        if row < groups:
            found = _enter_of_group(nodes, pairs, capacity, row, penalty)
        else:
            found = _enter_of_root(nodes, capacity, groups)
        if found != -2:
            if row == groups:
                _pivot(nodes, root, found, -1, 0.0)
            elif found == -1:
                _pivot(nodes, row, root, -1, penalty)
            else:
                _pivot(nodes, row, groups + pairs.site[found], found, pairs.price[found])
            entered, idle = entered + 1, 0
        else:
            idle += 1
        row = row + 1 if row < groups else 0
    for k in range(root):
        if nodes[k].pair >= 0:
            flow[nodes[k].pair] = nodes[k].flow
    return entered


@inlined
def _plant(nodes: Records, demand: Floats, capacity: Floats, penalty: float) -> None:
    """The first tree: nothing is served, everything hangs on the root."""
    root, groups = len(nodes) - 1, len(demand)
    for k in range(len(nodes)):
        node = nodes[k]
        node.parent, node.pair, node.depth = root, -1, 1
        node.child, node.before, node.after = -1, k - 1, k + 1
        node.is_up, node.cost, node.height = 1, penalty, -penalty
        if k < groups:
            node.flow = demand[k]
        elif k < root:
            node.is_up, node.cost, node.height, node.flow = 0, 0.0, 0.0, capacity[k - groups]
    nodes[root - 1].after = -1
    nodes[root].parent, nodes[root].depth, nodes[root].child, nodes[root].height = -1, 0, 0, 0.0


@inlined
def _enter_of_group(nodes: Records, pairs: Pairs, capacity: Floats, group: int, penalty: float) -> int:
    """The pair of a group that is furthest below the tree's price; -1: its unserved demand is, -2: none is below."""
    groups, here = len(pairs.first) - 1, nodes[group].height
    found, least = -2, -TOLERANCE
    for k in range(pairs.first[group], pairs.first[group + 1]):
        below = pairs.price[k] + here - nodes[groups + pairs.site[k]].height
        # A site of no capacity is out: its arc could only be an empty one that leads away from the root.
        if below < least and capacity[pairs.site[k]] > 0.0:
            found, least = k, below
    if penalty + here < least:
        found = -1
    return found


@inlined
def _enter_of_root(nodes: Records, capacity: Floats, groups: int) -> int:
    """The site, as a node, that most wants to be left emptier; -2: none does."""
    found, least = -2, -TOLERANCE
    for i in range(len(capacity)):
        below = -nodes[groups + i].height
        if below < least and capacity[i] > 0.0:
            found, least = groups + i, below
    return found


@inlined
def _pivot(nodes: Records, tail: int, head: int, pair: int, cost: float) -> None:
    """Let the arc from ``tail`` to ``head`` enter the tree, with as much as the circle that it closes can take."""
    # The way around: from where both meet down to the tail, along the arc, and from the head up again.
    u, v = tail, head
    amount, leaving, is_of_tail = np.inf, -1, True
    while u != v:
        if nodes[u].depth > nodes[v].depth:
            if nodes[u].is_up == 1 and nodes[u].flow < amount:
                amount, leaving, is_of_tail = nodes[u].flow, u, True
            u = nodes[u].parent
        else:
            v = nodes[v].parent
    meet, v = u, head
    while v != meet:
        if nodes[v].is_up == 0 and nodes[v].flow <= amount:
            amount, leaving, is_of_tail = nodes[v].flow, v, False
        v = nodes[v].parent
    u, v = tail, head
    while u != meet:
        nodes[u].flow += -amount if nodes[u].is_up == 1 else amount
        u = nodes[u].parent
    while v != meet:
        nodes[v].flow += amount if nodes[v].is_up == 1 else -amount
        v = nodes[v].parent
    if is_of_tail:
        _hang(nodes, tail, head, leaving, 1, pair, cost, amount)
    else:
        _hang(nodes, head, tail, leaving, 0, pair, cost, amount)


@inlined
def _hang(nodes: Records, start: int, onto: int, leaving: int, is_up: int, pair: int, cost: float, flow: float) -> None:
    """Cut the tree above ``leaving`` and hang what came off by ``start`` onto another node."""
    k, parent = start, onto
    while True:
        node = nodes[k]
        above, up_then, pair_then, cost_then, flow_then = node.parent, node.is_up, node.pair, node.cost, node.flow
        if node.before >= 0:
            nodes[node.before].after = node.after
        else:
            nodes[above].child = node.after
        if node.after >= 0:
            nodes[node.after].before = node.before
        node.parent, node.is_up, node.pair, node.cost, node.flow = parent, is_up, pair, cost, flow
        node.before, node.after = -1, nodes[parent].child
        if node.after >= 0:
            nodes[node.after].before = k
        nodes[parent].child = k
        if k == leaving:
            break
        k, parent = above, k
        is_up, pair, cost, flow = 1 - up_then, pair_then, cost_then, flow_then
    _raise(nodes, start)


@inlined
def _raise(nodes: Records, start: int) -> None:
    """Heights and depths of a node and of all below it, from those of its parent."""
    k = start
    while True:
        node = nodes[k]
        above = nodes[node.parent]
        node.depth = above.depth + 1
        node.height = above.height - node.cost if node.is_up == 1 else above.height + node.cost
        if node.child >= 0:
            k = node.child
            continue
        while k != start and nodes[k].after < 0:
            k = nodes[k].parent
        if k == start:
            return
        k = nodes[k].after
