"""Battery controls: for one's own use of the sun, by price, by carbon."""

from __future__ import annotations

from policies.spread import Spread
from simulator.storage import StorageControl, StorageView


class SelfConsumption(StorageControl):
    """Store the sun's surplus, and give it as soon as the sun does not serve the load. Nothing from the grid."""

    def power_kw(self, view: StorageView) -> float:
        """All that is left over, or all that is lacking."""
        return view.surplus_kw - view.left_kw


class Price(StorageControl):
    """Charge in the cheapest share of the last hours, from the grid too; discharge in the dearest, never at a loss."""

    def __init__(self, window_h: float = 24.0, cheap_share: float = 0.25, dear_share: float = 0.25):
        self._spread = Spread(window_h, cheap_share, dear_share)

    def start(self) -> None:
        """Forget what was paid."""
        self._spread.forget()

    def power_kw(self, view: StorageView) -> float:
        """By the price at the meter."""
        return self._spread.power_kw(view, view.prices_usd_per_kwh)


class Carbon(StorageControl):
    """Charge in the cleanest share of the last hours, from the grid too; discharge in the dirtiest, never in vain."""

    def __init__(self, window_h: float = 24.0, clean_share: float = 0.25, dirty_share: float = 0.25):
        self._spread = Spread(window_h, clean_share, dirty_share, names=("clean_share", "dirty_share"))

    def start(self) -> None:
        """Forget what was emitted."""
        self._spread.forget()

    def power_kw(self, view: StorageView) -> float:
        """By the carbon intensity at the meter."""
        return self._spread.power_kw(view, view.carbons_kg_per_kwh)
