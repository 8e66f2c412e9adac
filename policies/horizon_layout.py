"""The layout of the program over many slots: where things stand in its matrix, and in which units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from policies.grouping import Grouping
from policies.program import Entries
from policies.sliding_basis import Shape
from simulator.fleet import BoolArray, IntArray
from simulator.forecast import Outlook


class Layout(NamedTuple):
    """Where things stand in the matrix.

    Columns: flows [slot, pair], the norms of water and carbon, unserved demand [short slot, group]; where the norm is
    not the maximum also the burdens [footprint, site].
    Rows: demand [slot, group], capacity [slot, shared site], water [site], carbon [site], unserved [short slot]. Those
    of water and carbon hold each site's footprint to its burden, or to the maximum.
    """

    slots: int
    grouping: Grouping
    wide: BoolArray
    """Slots that may use the pairs beyond the bound on round trips, [slots]."""
    group: IntArray
    site: IntArray
    shared: BoolArray
    """A site that one group alone may use is held to its capacity by the bound of its column, the others by rows."""
    short: IntArray
    """Slots that may leave demand out."""
    is_largest: bool
    """Whether the norm is the maximum."""

    @property
    def shape(self) -> Shape:
        """What a basis of this program looks like."""
        return Shape(self.slots, len(self.site), len(self.grouping.allowed), int(self.shared.sum()))

    @property
    def norms(self) -> int:
        return self.slots * len(self.site)

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return self.burdens + (0 if self.is_largest else 2 * len(self.shared))

    @property
    def burdens(self) -> int:
        return self.norms + 2 + len(self.short) * len(self.grouping.allowed)

    def held_by(self, footprint: int) -> IntArray:
        """The columns that the sites' water (0) or carbon (1) is held to, [sites]."""
        sites = len(self.shared)
        if self.is_largest:
            return np.full(sites, self.norms + footprint)
        return self.burdens + footprint * sites + np.arange(sites)

    @property
    def capacity_row(self) -> int:
        return self.slots * len(self.grouping.allowed)

    @property
    def water_row(self) -> int:
        return self.capacity_row + self.slots * int(self.shared.sum())

    @property
    def carbon_row(self) -> int:
        return self.water_row + len(self.shared)

    @property
    def short_row(self) -> int:
        return self.carbon_row + len(self.shared)


class Units(NamedTuple):
    """Typical sizes that everything is divided by, so that the solver's absolute tolerances fit every fleet."""

    flow_rps: float
    requests: float
    """Requests that a unit of flow brings in a slot."""
    money_usd: float
    water_m3: float
    carbon_t: float


def entries_of(outlook: Outlook, units: Units, layout: Layout) -> Entries:
    """The matrix: where each column takes part, and with how much."""
    groups, sites, pairs = *layout.grouping.allowed.shape, len(layout.site)
    slot, site, group = (
        np.repeat(np.arange(layout.slots), pairs),
        np.tile(layout.site, layout.slots),
        np.tile(layout.group, layout.slots),
    )
    flow, one = np.arange(layout.norms), np.ones(layout.norms)
    capped = layout.shared[site]
    capacity_row = layout.capacity_row + slot * int(layout.shared.sum()) + (np.cumsum(layout.shared) - 1)[site]
    every = np.arange(sites)
    left = layout.norms + 2 + np.arange(len(layout.short) * groups)
    left_row = np.repeat(layout.short * groups, groups) + np.tile(np.arange(groups), len(layout.short))
    short_row = layout.short_row + np.repeat(np.arange(len(layout.short)), groups)
    water = outlook.water_m3[slot, site] * (units.requests / units.water_m3)
    carbon = outlook.carbon_t[slot, site] * (units.requests / units.carbon_t)
    parts = [
        (slot * groups + group, flow, one),
        (capacity_row[capped], flow[capped], one[capped]),
        (layout.water_row + site, flow, water),
        (layout.carbon_row + site, flow, carbon),
        (layout.water_row + every, layout.held_by(0), -np.ones(sites)),
        (layout.carbon_row + every, layout.held_by(1), -np.ones(sites)),
        (left_row, left, np.ones(len(left))),
        (short_row, left, np.ones(len(left))),
    ]
    return Entries(*(np.concatenate(column) for column in zip(*parts, strict=True)))
