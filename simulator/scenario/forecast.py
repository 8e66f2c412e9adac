"""The forecast: what policies may know of now and of the slots ahead, and how wrong their estimates are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from simulator.units import KG_PER_KWH, L_PER_KWH, USD_PER_KWH

from .block import Block, Count, NotNegative, Number, Positive, Variant, _input_path, shown, wrong

#: What is forecast, each with a forecaster of its own if wanted.
QUANTITIES = ("demand", "price", "carbon", "water")
#: Units of demand: requests/s, or IT power in kW at the mean energy of a request.
DEMAND_UNITS = ("requests/s", "kW")

#: How a forecast may mislead.
Attack = Literal["permuted", "flipped", "season"]
ATTACKS: tuple[Attack, ...] = ("permuted", "flipped", "season")
Correlation = Annotated[Number, Field(ge=0, le=1)]


class PerfectForecast(Block):
    """The truth."""


class PersistenceForecast(Block):
    """The present slot's value goes on."""


class SeasonalForecast(Block):
    """The mean of the same time of day on the last days."""

    days: Annotated[Count, Field(le=3660)] = 7


class NoisyForecast(Block):
    """The truth times (1 + bias) and an error of mean one: lognormal, growing with the lead time, autocorrelated."""

    relative_error_1h: NotNegative | None = None
    """Standard deviation of forecast / truth - 1 at a lead time of an hour; that of 24 h / sqrt(24) unless given."""
    relative_error_24h: NotNegative = 0.1
    """At 24 hours. Between and beyond it grows with the square root of the lead time."""
    relative_error_now: NotNegative = 0.0
    """Of the present slot, which is known exactly unless this is given."""
    autocorrelation_lead: Correlation = 0.9
    """Between the errors of two targets that are an hour apart, in forecasts made at the same time."""
    autocorrelation_issue: Correlation = 0.9
    """Between the errors of the same lead time in forecasts made an hour apart."""
    common: Correlation = 0.0
    """Between the errors of two sites, or of two origins."""
    bias: Annotated[Number, Field(gt=-1)] = 0.0
    """By which share forecasts are too high on average."""

    @model_validator(mode="after")
    def _grows(self) -> NoisyForecast:
        for nearer, later in (("now", "1h"), ("1h", "24h")):
            one, other = self.error_of(nearer), self.error_of(later)
            if one > other:
                what = f"relative_error_{nearer} ({one:g}) is above relative_error_{later} ({other:g})"
                raise wrong(f"errors grow with the lead time: {what}")
        return self

    def error_of(self, lead: str) -> float:
        """The relative error ``now``, at ``1h`` or at ``24h``."""
        if lead == "1h" and self.relative_error_1h is None:
            return float(self.relative_error_24h / 24**0.5)
        return float(getattr(self, f"relative_error_{lead}"))


class StaleForecast(Block):
    """The measurement of some slots ago, for now and for the future."""

    slots: Annotated[Count, Field(le=10_000_000)] = 1


class AdversarialForecast(Block):
    """The truth made misleading on purpose, for stress tests. The present slot is known exactly."""

    bare: ClassVar[str] = "kind"

    kind: Attack = "permuted"
    """`permuted`: sites (of demand, origins) change places by their mean over the run, so that the cheapest looks
    dearest; `flipped`: each series is mirrored about its mean, within its own range; `season`: each series is what it
    is half a run away, by an odd number of half days, so that day looks like night."""

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        return {"kind": data} if isinstance(data, str) else data


class ReplayForecast(Block):
    """Forecasts from a CSV file: a row for each time of issue and target, one column for each site or origin.

    In long form (`name` and `value`) a row for each site or origin as well; or a file for each (`{name}` in its name).
    """

    file: str
    issued: str = "issued"
    """The header of the time at which a forecast was made (ISO 8601)."""
    target: str = "target"
    """The header of the start of the interval that it is for."""
    column: dict[str, str] | None = None
    """From site or origin to header, in long form to the word under `name`; its own name unless given."""
    name: str | None = None
    """Long form: the header of the column that names the site or origin."""
    value: str | None = None
    """Long form, or a file for each: the header of the values."""
    unit: str
    timezone: str = "UTC"
    """Of times that carry no offset."""
    scale: Positive = 1.0
    """A further factor, such as an exchange rate."""

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Remember the folder of the file."""
        if isinstance(data, Mapping) and isinstance(data.get("file"), str):
            return {**data, "file": str(_input_path(data["file"]))}
        return data

    @model_validator(mode="after")
    def _one_form(self) -> ReplayForecast:
        if (self.name is not None or self.file_each) and self.value is None:
            raise wrong("the key 'value' is missing: the header of the values")
        if self.value is not None and self.name is None and not self.file_each:
            raise wrong("the key 'name' is missing: the header of the column that names the site or origin")
        if self.file_each and (self.name is not None or self.column is not None):
            raise wrong("a file for each site or origin holds that one alone: leave name and column out")
        return self

    @property
    def file_each(self) -> bool:
        """Whether each site or origin has a file of its own."""
        return "{name}" in self.file

    def file_of(self, name: str) -> str:
        """The file that holds a site or origin."""
        return self.file.replace("{name}", name)

    @property
    def factor(self) -> float:
        """From the file's figures to those of the package."""
        known = {**USD_PER_KWH, **KG_PER_KWH, **L_PER_KWH}
        return float(known.get(self.unit, 1.0) * self.scale)


class DemandReplay(ReplayForecast):
    """Forecasts of demand, by origin."""

    unit: Literal[DEMAND_UNITS] = "requests/s"  # type: ignore[valid-type]


class PriceReplay(ReplayForecast):
    """Forecasts of the price of electricity at the meter."""

    unit: Literal[tuple(USD_PER_KWH)] = "USD/MWh"  # type: ignore[valid-type]


class CarbonReplay(ReplayForecast):
    """Forecasts of the carbon intensity of electricity at the meter."""

    unit: Literal[tuple(KG_PER_KWH)] = "kg/kWh"  # type: ignore[valid-type]


class WaterReplay(ReplayForecast):
    """Forecasts of water, on site and off site together, per kWh of IT energy."""

    unit: Literal[tuple(L_PER_KWH)] = "L/kWh"  # type: ignore[valid-type]


class Forecaster(Variant):
    """How the slots ahead are foreseen."""

    perfect: PerfectForecast | None = None
    persistence: PersistenceForecast | None = None
    seasonal: SeasonalForecast | None = None
    noisy: NoisyForecast | None = None
    stale: StaleForecast | None = None
    adversarial: AdversarialForecast | None = None


class DemandForecaster(Forecaster):
    """How demand is foreseen."""

    replay: DemandReplay | None = None


class PriceForecaster(Forecaster):
    """How prices are foreseen."""

    replay: PriceReplay | None = None


class CarbonForecaster(Forecaster):
    """How carbon intensities are foreseen."""

    replay: CarbonReplay | None = None


class WaterForecaster(Forecaster):
    """How water intensities are foreseen."""

    replay: WaterReplay | None = None


class Forecasting(Forecaster):
    """A forecaster of demand and all signals, or one for each; those that are not named follow the one of all."""

    #: The forecaster of all where none is named.
    usual: ClassVar[str] = "seasonal"

    demand: DemandForecaster | None = None
    price: PriceForecaster | None = None
    carbon: CarbonForecaster | None = None
    water: WaterForecaster | None = None

    @classmethod
    def choices(cls) -> dict[str, FieldInfo]:
        """The forecasters; quantities may stand beside one of them."""
        return {name: field for name, field in super().choices().items() if name not in QUANTITIES}

    @classmethod
    def _by_key(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or not set(data) & set(QUANTITIES):
            if isinstance(data, Mapping) and "replay" in data:
                raise wrong("a replay is of one quantity: {demand: {replay: ...}}, or of price, carbon, water")
            return super()._by_key(data)
        for name in QUANTITIES:
            if name in data and data[name] is None:
                raise wrong(f"{name} needs a forecaster: {', '.join(cls.choices())} or replay (given {shown(None)})")
        rest = {key: value for key, value in data.items() if key not in QUANTITIES}
        return {**data, **(super()._by_key(rest) if rest else {})}

    @property
    def chosen(self) -> str:
        """The forecaster of what has none of its own."""
        return next((name for name in self.choices() if getattr(self, name) is not None), self.usual)

    @property
    def choice(self) -> Any:
        """Its settings."""
        return getattr(self, self.chosen) or SeasonalForecast()

    def of(self, quantity: str) -> Forecaster:
        """The forecaster of a quantity."""
        own: Forecaster | None = getattr(self, quantity)
        return self if own is None else own

    @property
    def replays(self) -> dict[str, ReplayForecast]:
        """The files that are read, by quantity."""
        found = {quantity: self.of(quantity) for quantity in QUANTITIES}
        return {quantity: asked.choice for quantity, asked in found.items() if asked.chosen == "replay"}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made = super().__get_pydantic_json_schema__(core_schema, handler)
        made["anyOf"][-1]["maxProperties"] = 1 + len(QUANTITIES)
        return made


class FootprintError(Block):
    """How wrong the estimates of energy per request are that policies see; the ledger keeps the truth."""

    scale: Positive = 1.0
    """A factor for all sites."""
    noise: NotNegative = 0.0
    """Relative standard deviation of a factor that each site has for the whole run: lognormal, of mean one."""
