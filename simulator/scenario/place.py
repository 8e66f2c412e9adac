"""Places: the sites that serve requests and the origins where requests arise."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from simulator.problem import KeyPath

from .block import Block, Count, NotNegative, Number, Positive, Variant, wrong
from .choice import ProvisioningChoice
from .onsite import Solar, Storage
from .server import ServerTypes

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\s/\\:,\x00-\x1f][^/\\:,\x00-\x1f]*$")]
Latitude = Annotated[Number, Field(ge=-90, le=90)]
Longitude = Annotated[Number, Field(ge=-180, le=180)]
Offset = Annotated[Number, Field(ge=-14, le=14)]
#: AWARE factors lie between 0.1 and 100 by their definition; other methods may go below.
_Factor = Annotated[NotNegative, Field(le=1000)]
Scarcity = Annotated[
    tuple[_Factor, ...],
    Field(min_length=12, max_length=12),
    BeforeValidator(
        lambda given: (given,) * 12 if isinstance(given, int | float) and not isinstance(given, bool) else given
    ),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 12, "maxItems": 12},
            ]
        }
    ),
]


class Place(Block):
    """Somewhere on the map."""

    name: Name
    region: str = ""
    """Used by `allowed: {regions: ...}`."""
    latitude_deg: Latitude | None = None
    longitude_deg: Longitude | None = None
    utc_offset_h: Offset = 0.0
    like: str | None = None
    """The catalogued place whose round-trip times and calibrated signals this one has; its own name unless given."""

    @property
    def kin(self) -> str:
        """The name to look up in the catalogue."""
        return self.like or self.name


class Site(Place):
    """A data centre: its place, its power usage effectiveness, and its servers where they differ."""

    location: str = ""
    pue: Annotated[Number, Field(ge=1, le=5)] = 1.0
    servers: ServerTypes | None = None
    provisioning: ProvisioningChoice | None = None
    """How many of them are on; that of the scenario unless given."""
    solar: Solar | None = None
    battery: Storage | None = None
    price_factor: Positive = 1.0
    """Factors multiply the calibrated signals of the site."""
    carbon_factor: Positive = 1.0
    water_factor: Positive = 1.0
    altitude_m: Annotated[Number, Field(ge=-500, le=9000)] = 0.0
    """Thin air evaporates more: used for the wet bulb."""
    aware: Scarcity | None = None
    """Water scarcity, m3 world-eq per m3, for the year or for each month; AWARE 2.0 for catalogued places."""
    health_usd_per_mwh: NotNegative | None = None
    """Cost of the harm that power plants' air pollution does; that of the catalogue unless given."""


class Change(Site):
    """Keys of a site that take the place of what a catalogue or a generator says of it."""

    #: Stands above the change already.
    name: Name = "site"

    @model_validator(mode="before")
    @classmethod
    def _keeps_its_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and "name" in data:
            raise wrong("a site keeps its name; leave `name` out")
        return data

    @model_serializer(mode="wrap")
    def _given_keys_only(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if key in self.model_fields_set}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        block = super().__get_pydantic_json_schema__(core_schema, handler)
        block["properties"].pop("name", None)
        return block

    def applied_to(self, site: Site) -> Site:
        """The site with these keys in place of its own."""
        return site.model_copy(update={key: getattr(self, key) for key in self.model_fields_set})


class Origin(Place):
    """A gateway where requests arise. Shares are relative to each other."""

    share: Positive = 1.0


class Catalogued(Block):
    """The ten places of the paper, or some of them."""

    bare: ClassVar[str] = "name"

    name: Literal["paper"] = "paper"
    only: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        return {"name": data} if isinstance(data, str) else data


class Generated(Block):
    """Places spread around the catalogued ones, with variations: fleets of any size for tests and benchmarks."""

    count: Annotated[Count, Field(le=100_000)]
    seed: Annotated[int, Field(ge=0)] = 1
    spread_deg: Annotated[Number, Field(ge=0, le=20)] = 2.0
    """Standard deviation of the distance from the catalogued place, in degrees."""


Changes = dict[str, Change]


class CataloguedSites(Catalogued):
    """The ten sites of the paper, or some of them, with changes."""

    changes: Changes | None = None
    """Keys of single sites that take the place of the catalogue's, by name."""


class GeneratedSites(Generated):
    """Sites spread around the catalogued ones, with variations: fleets of any size for tests and benchmarks."""

    changes: Changes | None = None
    """Keys of single sites that take the place of the generated ones, by name."""


class Sites(Variant):
    """A list of sites, `{catalogue: paper}` or `{generate: {count: 100}}`."""

    bare: ClassVar[str] = "given"

    catalogue: CataloguedSites | None = None
    generate: GeneratedSites | None = None
    given: Annotated[tuple[Site, ...], Field(min_length=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _list(cls, data: Any) -> Any:
        return {"given": tuple(data)} if isinstance(data, list | tuple) else data

    @property
    def changes(self) -> Changes:
        """Changes of single sites, by name."""
        return {} if self.given is not None else self.choice.changes or {}

    @property
    def own(self) -> list[tuple[KeyPath, Site]]:
        """What a scenario says of single sites: the sites that are listed, or changes; and where."""
        if self.given is not None:
            return [(self.path_to(k, site.name), site) for k, site in enumerate(self.given)]
        return [(self.path_to(0, name), change) for name, change in self.changes.items()]

    def path_to(self, number: int, name: str) -> KeyPath:
        """Where keys of a site's own stand in a scenario; ``number`` counts the sites that are not lost."""
        if self.given is None:
            return ("sites", self.chosen, "changes", name)
        while self.given[number].name != name:  # lost ones stand before it
            number += 1
        return ("sites", number)


class AtSites(Block):
    """One origin at each site, with equal shares."""


class Origins(Variant):
    """A list of origins, `{catalogue: paper}`, `{generate: ...}`, or `at_sites`: one at each site."""

    bare: ClassVar[str] = "given"

    catalogue: Catalogued | None = None
    generate: Generated | None = None
    at_sites: AtSites | None = None
    given: Annotated[tuple[Origin, ...], Field(min_length=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _list(cls, data: Any) -> Any:
        return {"given": tuple(data)} if isinstance(data, list | tuple) else data
