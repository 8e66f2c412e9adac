"""Servers: types of them, how many a site has, what one runs at once, what it draws, and how long it takes to boot."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    WrapSerializer,
    model_validator,
)
from pydantic_core import CoreSchema

from .amount import Amount
from .block import Block, Count, NotNegative, Positive, shown, wrong

#: Boot of a server: Gandhi, Harchol-Balter, Raghunathan, Kozuch, "AutoScale", ACM TOCS 30(4), 2012.
BOOT_S = 200.0


class Servers(Block):
    """The servers of one type at a site."""

    name: str = "servers"
    """Of the type; tells several types of a site apart."""
    count: Count
    concurrency: Annotated[Count, Field(le=100_000)] = 1
    """Requests that one server runs at once: its places."""
    peak_w: Positive
    idle_w: NotNegative = 0.0
    off_w: NotNegative = 0.0
    """Draw of a server that is switched off."""
    boot_w: NotNegative | None = None
    """Draw while booting; `peak_w` unless given (`proportional`: nothing)."""
    boot_s: Amount = Amount(constant=BOOT_S)
    """Time to boot, a number or a distribution."""
    load_s: NotNegative | None = None
    """Time to load the model after the boot; that of the catalogue for requests sized by tokens, else 0."""
    power: Literal["proportional", "linear"] = "linear"
    """`linear`: idle_w + (peak_w - idle_w) x share of busy places. `proportional`: the paper's, no idle draw, PUE 1."""
    speed: Positive = 1.0
    """A service takes 1/speed times as long as on a server of speed 1."""
    model: str | None = None
    """The row of the model catalogue that this type serves tokens by; that of the request unless given."""
    queue_limit: Annotated[int, Field(ge=0, le=10**9)] | None = None
    """Requests that may wait at the site; a further one is rejected. Not scaled with the fleet."""

    @model_validator(mode="after")
    def _power_makes_sense(self) -> Servers:
        if self.idle_w >= self.peak_w:
            raise wrong(f"idle_w must be below peak_w (given {self.idle_w} and {self.peak_w})")
        if self.power == "proportional" and (self.idle_w > 0 or self.off_w > 0 or (self.boot_w or 0) > 0):
            raise wrong("power: proportional draws for requests only; leave idle_w, off_w, boot_w out or say linear")
        return self

    @property
    def booting_w(self) -> float:
        """Draw while booting."""
        if self.power == "proportional":
            return 0.0
        return self.peak_w if self.boot_w is None else self.boot_w


def _listed(data: Any) -> Any:
    if not isinstance(data, list | tuple | dict | Servers):
        raise wrong(f"a mapping is needed, or a list of them (given {shown(data)})")
    return (data,) if isinstance(data, dict | Servers) else data


def _alone(types: tuple[Servers, ...], handler: SerializerFunctionWrapHandler) -> Any:
    written = handler(types)
    return written[0] if len(written) == 1 else written


class _OneOrMore:
    """In the JSON Schema: one block, or a list of them."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        several = handler(core_schema)
        return {"anyOf": [several["items"], several]}


def _distinct(types: tuple[Servers, ...]) -> tuple[Servers, ...]:
    names = [kind.name for kind in types]
    for k, kind in enumerate(types):
        if kind.name in names[:k]:
            raise wrong(f"two types of servers are named '{kind.name}'; give each a name of its own")
        if k > 0 and kind.queue_limit is not None:
            raise wrong("a site has one queue: give queue_limit at the first type of servers only")
        if kind.power != types[0].power:
            raise wrong("servers of one site are all proportional or all linear")
    return types


#: The types of servers of a site in their order of preference; one type may stand alone.
ServerTypes = Annotated[
    tuple[Servers, ...],
    _OneOrMore,
    Field(min_length=1),
    BeforeValidator(_listed),
    AfterValidator(_distinct),
    WrapSerializer(_alone),
]
