"""An amount: a number, or a distribution that a number is drawn from."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from .block import LARGEST, Block, NotNegative, Number, Positive, Variant, wrong

LARGEST_EXPONENT = math.log(LARGEST)


class Exponential(Block):
    """Exponential with the given mean."""

    mean: Positive


class Lognormal(Block):
    """exp of a normal with mean ``mu`` and standard deviation ``sigma`` (both of the logarithm)."""

    mu: Number
    sigma: NotNegative

    @model_validator(mode="after")
    def _mean_is_a_number(self) -> Lognormal:
        if abs(self.mu + self.sigma**2 / 2) > LARGEST_EXPONENT:
            raise wrong(f"mu and sigma give a mean of exp({self.mu + self.sigma**2 / 2:g}): both are of the logarithm")
        return self


class Gamma(Block):
    """Gamma with a mean and a coefficient of variation (standard deviation / mean)."""

    mean: Positive
    cv: Annotated[Number, Field(ge=1e-6, le=1e6)]


class Amount(Variant):
    """A number (``4.0``), or ``{exponential: {mean: 4}}``, ``{lognormal: {mu: 1, sigma: 0.5}}``, ``{gamma: ...}``."""

    bare: ClassVar[str] = "constant"

    constant: NotNegative | None = Field(default=None)
    exponential: Exponential | None = None
    lognormal: Lognormal | None = None
    gamma: Gamma | None = None

    @model_validator(mode="before")
    @classmethod
    def _number(cls, data: Any) -> Any:
        return {"constant": data} if isinstance(data, int | float) and not isinstance(data, bool) else data

    @property
    def mean(self) -> float:
        """The expected value."""
        if self.constant is not None:
            return self.constant
        if self.lognormal is not None:
            return math.exp(self.lognormal.mu + self.lognormal.sigma**2 / 2)
        return float(self.choice.mean)

    def draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        """``count`` independent values; constants take no memory and no randomness."""
        if self.constant is not None:
            return np.broadcast_to(np.float64(self.constant), (count,))
        if self.exponential is not None:
            return generator.standard_exponential(count) * self.exponential.mean
        if self.lognormal is not None:
            return generator.lognormal(self.lognormal.mu, self.lognormal.sigma, count)
        assert self.gamma is not None
        shape = self.gamma.cv**-2
        return generator.standard_gamma(shape, count) * (self.gamma.mean / shape)
