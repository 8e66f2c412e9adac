"""The workload: how many requests arise where and when, and how large one is."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from .amount import Amount
from .block import SMALLEST, Block, Fraction, InputPath, NotNegative, Positive, Variant, wrong


class CalibratedDemand(Block):
    """The paper's demand as a fitted model: daily and half-daily harmonics and an AR(1) process."""

    peak_kw: Positive = 1000.0
    """IT power of an average origin at the largest demand."""
    seed: Annotated[int, Field(ge=0)] | None = None


class PaperDemand(Block):
    """`AI_workload.csv` of the authors' folder, the same at every origin."""

    path: InputPath | None = None
    """The folder; `EQUIFLEET_DATA`/paper unless given."""
    peak_kw: Positive = 1000.0


class PoissonDemand(Block):
    """A rate of all origins together, constant or with a daily profile in each origin's local time."""

    rate_per_s: NotNegative
    daily_profile: Annotated[tuple[NotNegative, ...], Field(min_length=24, max_length=24)] | None = None
    """24 relative rates, one for each local hour of day; `rate_per_s` is then the mean of the day."""

    @model_validator(mode="after")
    def _profile_is_not_zero(self) -> PoissonDemand:
        if self.daily_profile is not None and sum(self.daily_profile) == 0:
            raise wrong("daily_profile has no hour with demand")
        return self


class HourlyDemand(Block):
    """Requests counted in each hour, from a file `hour_utc,requests`."""

    bare: ClassVar[str] = "file"

    file: InputPath
    """A bare name is also looked up in `EQUIFLEET_DATA`/bloom."""
    time: str = "hour_utc"
    column: str = "requests"
    scale: Positive = 1.0
    arrivals: Literal["poisson", "counted"] = "poisson"
    """`counted`: exactly the counts of the file, at uniform times within the hour (fleet_scale 1, scale 1)."""
    when_absent: Literal["refuse", "fitted"] = "refuse"
    """`fitted`: where the file is absent, made counts of the size and scatter of the BLOOM log."""

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        return {"file": data} if isinstance(data, str) else data


class TraceDemand(Block):
    """Requests with their own times and tokens, as the Azure LLM inference traces have them."""

    file: InputPath
    """CSV with TIMESTAMP,ContextTokens,GeneratedTokens; a bare name is also looked up in `EQUIFLEET_DATA`/traces."""
    repeat: bool = True
    """Play the trace again after its period, until the run ends."""
    thin: Fraction | None = None
    """Keep each request with this probability."""
    rate_per_s: Positive | None = None
    """Stretch or compress time so that the mean rate of the trace is this."""
    when_absent: Literal["refuse", "fitted"] = "refuse"
    """`fitted`: where the file is absent, Poisson arrivals and lognormal tokens fitted to the Azure 2023 trace."""


class Demand(Variant):
    """Where requests come from."""

    calibrated: CalibratedDemand | None = None
    paper: PaperDemand | None = None
    poisson: PoissonDemand | None = None
    hourly: HourlyDemand | None = None
    trace: TraceDemand | None = None


class Slo(Block):
    """Targets of a request class; a request that does not finish misses them."""

    ttft_s: Positive | None = None
    end_to_end_s: Positive | None = None


class Tokens(Block):
    """Input and output tokens, served by a model of the catalogue. With a trace, its own tokens."""

    model: str
    input: Amount | None = None
    output: Amount | None = None


class Request(Block):
    """A class of requests: its size, by energy, by seconds or by tokens (exactly one), and its targets."""

    name: str = "default"
    energy_wh: Amount | None = None
    """Dynamic IT energy of a request; service = energy x concurrency / (peak_w - idle_w)."""
    seconds: Amount | None = None
    tokens: Tokens | None = None
    slo: Slo = Slo()

    @model_validator(mode="after")
    def _one_size(self) -> Request:
        given = [name for name in ("energy_wh", "seconds", "tokens") if getattr(self, name) is not None]
        if len(given) != 1:
            raise wrong(f"exactly one of energy_wh, seconds, tokens is needed (given {', '.join(given) or 'none'})")
        for name in ("energy_wh", "seconds"):
            amount = getattr(self, name)
            if amount is not None and amount.mean < SMALLEST:
                raise wrong(f"{name} must be above zero on average")
        return self


class Workload(Block):
    """Demand and the class of its requests."""

    demand: Demand
    request: Request
    growth: Annotated[Positive, Field(le=1e6)] = 1.0
    """A factor on the demand of every origin. A trace plays faster; counted arrivals cannot grow."""

    @model_validator(mode="after")
    def _tokens_come_from_somewhere(self) -> Workload:
        tokens, trace = self.request.tokens, self.demand.trace
        if tokens and not trace and (tokens.input is None or tokens.output is None):
            raise wrong("request.tokens needs input and output unless the demand is a trace")
        return self
