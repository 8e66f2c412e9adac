"""A routing policy: once per slot it sees an observation and says a plan, by which every request is then routed."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.fleet import Fleet, FloatArray, freeze
from simulator.footprint import Footprint
from simulator.forecast import Forecast
from simulator.plan import Plan
from simulator.scenario.forecast import Forecasting
from simulator.units import KG_PER_T, L_PER_M3


@dataclass(frozen=True, eq=False)
class Observation:
    """What a real controller could know at the start of a slot. Read-only; extensive figures are of the full fleet."""

    slot: int
    fleet: Fleet
    """As far as it is known to be up: pairs that an outage is known to cut are not allowed, servers that are known to
    be down carry nothing. The very fleet that `start` was called with while there is no outage."""
    demand_rps: FloatArray
    """Demand of this slot [requests/s], [origins]; exact unless a forecaster says otherwise, as are the signals."""
    price_usd_per_kwh: FloatArray
    """Signals of this slot, [sites]; price and carbon per kWh at the meter, water per kWh of IT energy."""
    carbon_kg_per_kwh: FloatArray
    water_l_per_kwh: FloatArray
    pue: FloatArray
    """Energy at the meter that a kWh of IT energy adds, [sites]."""
    last: Footprint | None
    """Footprint of the slot before, [sites]; None in the first slot."""
    total: Footprint
    """Footprint of all finished slots, [sites]."""
    waiting: FloatArray
    """Requests in the queues, [sites]."""
    places_open: FloatArray
    """Places of servers that are on, [sites]."""
    places_booting: FloatArray
    """Places of servers that are booting, [sites]."""
    forecast: Forecast | None
    """Only for policies that name a forecaster."""

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def meter_kwh(self) -> FloatArray:
        """Expected energy of one request at the meter of each site [kWh], [sites]."""
        return self.fleet.energy_kwh * self.pue

    @property
    def cost_usd(self) -> FloatArray:
        """Expected cost of one request at each site [US$], [sites]."""
        return self.price_usd_per_kwh * self.meter_kwh

    @property
    def carbon_t(self) -> FloatArray:
        """Expected carbon of one request at each site [t], [sites]."""
        return self.carbon_kg_per_kwh * self.meter_kwh / KG_PER_T

    @property
    def water_m3(self) -> FloatArray:
        """Expected water of one request at each site [m3], [sites]."""
        return self.water_l_per_kwh * self.fleet.energy_kwh / L_PER_M3


class RoutingPolicy:
    """What every routing policy is: settings in ``__init__``, one method that decides.

    ``forecaster`` is for policies that look ahead: ``"scenario"`` for the forecast of the scenario, the name of
    another one of ``simulator.forecast``, or one with its settings.
    """

    forecaster: str | Forecasting | None = None

    def check(self, fleet: Fleet) -> None:
        """Raise ValueError if a setting does not fit this fleet: called before anything is run."""

    def start(self, fleet: Fleet) -> None:
        """Called once, before the first slot."""

    def plan(self, observation: Observation) -> Plan:
        """The plan for the coming slot."""
        raise NotImplementedError(f"{type(self).__name__} has no plan()")
