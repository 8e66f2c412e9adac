"""A scenario: everything that is asked for in one study, as frozen data."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from simulator.problem import KeyPath
from simulator.units import S_PER_H

from .block import Block, Count, Fraction, NotNegative, Number, Positive, UtcTime, Variant, wrong
from .choice import PolicyChoice, ProvisioningChoice
from .constraints import Allowed, FullGlb
from .cooling import Cooling
from .forecast import FootprintError, Forecasting, SeasonalForecast
from .grid import Grid
from .network import Network
from .objective import Objective
from .onsite import Solar, Storage
from .outage import Outages
from .place import Origins, Sites
from .server import ServerTypes
from .shift import Shift
from .signals import CalibratedSignals, Signals
from .study import Study
from .sweep import Sweep
from .weather import Weather
from .workload import Workload

Engine = Literal["compiled", "simpy", "fluid"]


class Planning(Block):
    """What planners may assume of a site."""

    site_capacity_kw: Positive | None = None
    """Planned IT power of each site; utilisation_cap x its places unless given."""
    utilisation_cap: Fraction = 0.9
    capacity: Literal["all", "open"] = "all"
    """Servers that count: all that are in no outage, on or off, or only those that are on or booting."""
    marginal: Literal["dynamic", "average"] = "dynamic"
    """Energy of a request: what it adds to servers that are on, or with its share of their idle draw as well."""


class PublishedRow(Block):
    """What was published for one policy."""

    cost_usd_per_site: Number | None = None
    par_water: Number | None = None
    par_carbon: Number | None = None


class Published(Block):
    """Published figures, to print beside ours."""

    source: str
    rows: dict[str, PublishedRow]


class RequestRows(Variant):
    """Rows of single requests, written to `requests/part-*.parquet`."""

    write: Literal["all"] | None = None
    sample: Fraction | None = None
    """Of this share of the requests, drawn at random."""

    @property
    def share(self) -> float:
        """The share of the requests whose rows are written."""
        return self.sample or 1.0


class Scenario(Block):
    """One study: a fleet, its world, its workload and the policies to compare."""

    name: str
    purpose: str = ""
    start: UtcTime
    slots: Annotated[Count, Field(le=10_000_000)]
    slot_s: Annotated[Positive, Field(ge=1e-3, le=1e8)] = S_PER_H
    """The interval on which signals are constant and planners decide."""
    warmup_s: NotNegative = 0.0
    """Requests that arrive earlier do not count in latency figures."""
    seed: Annotated[int, Field(ge=0, lt=2**64)] = 1
    engine: Engine = "compiled"
    sites: Sites
    lost_sites: tuple[str, ...] = ()
    """Sites that are out of service for the whole run: they are not in the fleet, their origins stay."""
    servers: ServerTypes | None = None
    """Servers of every site that names none of its own."""
    solar: Solar | None = None
    """Solar panels of every site that names none of its own."""
    battery: Storage | None = None
    """The battery of every site that names none of its own."""
    origins: Origins
    signals: Signals = Signals(calibrated=CalibratedSignals())
    weather: Weather | None = None
    """Read by `cooling`."""
    cooling: Cooling = Cooling()
    grid: Grid | None = None
    workload: Workload
    shift: Shift | None = None
    """A change for good of demand and signals, from a moment on."""
    network: Network
    allowed: Allowed = Allowed(full=FullGlb())
    provisioning: ProvisioningChoice = ProvisioningChoice(name="static")
    """How many servers are on, at sites that say nothing else and for policies that say nothing else."""
    outages: Outages = Outages()
    planning: Planning = Planning()
    forecast: Forecasting = Forecasting(seasonal=SeasonalForecast())
    """What policies may know of the slots ahead; some know the future whatever stands here (`eglb-off`)."""
    footprint_error: FootprintError = FootprintError()
    objective: Objective = Objective()
    fleet_scale: Annotated[Positive, Field(le=1000)] = 1.0
    """Simulate this share of the fleet and of its demand; extensive results are divided by it."""
    accept_scaled: bool = False
    """Switch servers, or let outages happen, in a fleet of another scale: whole servers of a smaller fleet."""
    requests: RequestRows | None = None
    """Rows of single requests to write; none unless given."""
    policies: Annotated[tuple[PolicyChoice, ...], Field(min_length=1)]
    published: Published | None = None
    sweep: Sweep | None = None
    """What `run` and `sweep` vary; each variation is a run of its own."""
    study: Study | None = None
    """The study that `run` performs, in place of a comparison of the policies."""

    @model_validator(mode="after")
    def _ends_within_the_calendar(self) -> Scenario:
        try:
            _ = self.start + timedelta(seconds=self.horizon_s)
        except OverflowError:
            raise wrong(
                f"the run of {self.horizon_s:g} s from {self.start:%Y-%m-%d} ends after the year 9999"
            ) from None
        return self

    @field_validator("warmup_s", mode="after")
    @classmethod
    def _warmup_ends_in_time(cls, value: float, info: ValidationInfo) -> float:
        known = info.data
        if {"slots", "slot_s"} <= set(known) and value >= known["slots"] * known["slot_s"] > 0:
            raise wrong(
                f"the warm-up must be shorter than the run of {known['slots'] * known['slot_s']:g} s (given {value:g})"
            )
        return value

    @model_validator(mode="after")
    def _one_question(self) -> Scenario:
        if self.sweep is not None and self.study is not None:
            raise wrong("give a sweep or a study, not both")
        return self

    @property
    def horizon_s(self) -> float:
        """Length of the run."""
        return self.slots * self.slot_s

    @property
    def provisionings(self) -> list[tuple[KeyPath, ProvisioningChoice]]:
        """Every choice of a provisioning policy, and where it stands."""
        found: list[tuple[KeyPath, ProvisioningChoice | None]] = [((), self.provisioning)]
        found += [(path, site.provisioning) for path, site in self.sites.own]
        found += [(("policies", k, policy.name), policy.provisioning) for k, policy in enumerate(self.policies)]
        return [((*path, "provisioning"), choice) for path, choice in found if choice is not None]

    def labels(self) -> tuple[str, ...]:
        """A name for each policy, and the provisioning that it brings; settings tell two of the same name apart."""
        names = [policy.name for policy in self.policies]
        plain = [policy.model_copy(update={"settings": {}}) for policy in self.policies]
        several = [names.count(name) > 1 for name in names]
        labels = [str(pair[several[i]]) for i, pair in enumerate(zip(plain, self.policies, strict=True))]
        return tuple(
            label if labels[:i].count(label) == 0 else f"{label}#{labels[:i].count(label) + 1}"
            for i, label in enumerate(labels)
        )
