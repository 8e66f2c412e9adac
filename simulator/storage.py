"""Storage: how the battery of a site is controlled. A control sees a slot as it ends and says what it wishes."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.fleet import FloatArray


@dataclass(frozen=True, eq=False)
class StorageView:
    """What the control of one site knows when a slot's load is known. Of the full fleet; nothing of the future."""

    slot: int
    slot_s: float
    load_kw: float
    """Mean power of the site: IT and overhead."""
    solar_kw: float
    """Mean power of its panels."""
    prices_usd_per_kwh: FloatArray
    """Of the slots so far, [slot + 1]; the last one is this slot's."""
    carbons_kg_per_kwh: FloatArray
    """Likewise."""
    content_kwh: float
    capacity_kwh: float
    charge_limit_kw: float
    """What the battery can take all through the slot."""
    discharge_limit_kw: float
    """What it can give all through the slot."""
    stored_per_charged: float
    """Energy that the content gains per energy charged, below 1."""
    drawn_per_given: float
    """Energy that the content loses per energy given, above 1."""

    @property
    def round_trip(self) -> float:
        """Energy given per energy charged."""
        return self.stored_per_charged / self.drawn_per_given

    @property
    def price_usd_per_kwh(self) -> float:
        """Of this slot, at the meter."""
        return float(self.prices_usd_per_kwh[-1])

    @property
    def carbon_kg_per_kwh(self) -> float:
        """Of this slot, at the meter."""
        return float(self.carbons_kg_per_kwh[-1])

    @property
    def surplus_kw(self) -> float:
        """Sun that the load does not take."""
        return max(self.solar_kw - self.load_kw, 0.0)

    @property
    def left_kw(self) -> float:
        """Load that the sun does not serve."""
        return max(self.load_kw - self.solar_kw, 0.0)


class StorageControl:
    """What every battery control is: settings in ``__init__``, one method that decides. Each site has its own."""

    def start(self) -> None:
        """Called once, before the first slot: the place to forget the run before."""

    def power_kw(self, view: StorageView) -> float:
        """The wish for the slot [kW]: above 0 charges, below 0 discharges. It is cut to what can be done.

        A charge takes the sun's surplus first and the rest from the grid; a discharge ends where the load does.
        """
        raise NotImplementedError(f"{type(self).__name__} has no power_kw()")
