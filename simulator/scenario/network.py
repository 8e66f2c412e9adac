"""The network: round-trip times between origins and sites."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .amount import Amount
from .block import Block, NotNegative, Number, Variant
from .matrix import MatrixFile


class CataloguedRtt(Block):
    """Median round-trip times between the ten catalogued places."""


class CoordinateRtt(Block):
    """From coordinates: 2 x great circle / 200,000 km/s x stretch + a fixed part.

    Light in fibre travels at about two thirds of c; real routes are longer than the great circle. The
    defaults are held against the catalogue of measured round-trip times by a test.
    """

    stretch: Annotated[Number, Field(ge=1, le=10)] = 1.6
    fixed_ms: NotNegative = 1.0


class Rtt(Variant):
    """Where round-trip times come from."""

    catalogue: CataloguedRtt | None = None
    matrix: MatrixFile | None = None
    """Milliseconds."""
    coordinates: CoordinateRtt | None = None


class Network(Block):
    """Round-trip times, and jitter added to each of the two legs of a request's way."""

    rtt: Rtt
    jitter_ms: Amount = Amount(constant=0.0)
