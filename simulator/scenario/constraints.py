"""Constraints: which sites may serve which origin (full and partial GLB)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from .block import Block, InputFile, NotNegative, Variant


class FullGlb(Block):
    """Every site may serve every origin."""


class PaperPartial(Block):
    """The partial GLB of the paper, between its ten places."""


class MatrixMask(Block):
    """A CSV file: a row for each origin, a column for each site, 1 = allowed."""

    bare: ClassVar[str] = "file"

    file: InputFile

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        return {"file": data} if isinstance(data, str) else data


class Allowed(Variant):
    """`full`, `paper-partial`, `{max_rtt_ms: 120}`, `{regions: {eu: [eu]}}` or `{matrix: FILE}`."""

    full: FullGlb | None = None
    paper_partial: Annotated[PaperPartial | None, Field(alias="paper-partial")] = None
    max_rtt_ms: NotNegative | None = None
    regions: dict[str, tuple[str, ...]] | None = None
    """Residency: an origin (by name or region) and the regions its requests stay in; others are free."""
    matrix: MatrixMask | None = None
