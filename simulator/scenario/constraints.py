"""Constraints: which sites may serve which origin (full and partial GLB)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .block import Block, NotNegative, Variant
from .matrix import MatrixFile


class FullGlb(Block):
    """Every site may serve every origin."""


class PaperPartial(Block):
    """The partial GLB of the paper, between its ten places."""


class Allowed(Variant):
    """`full`, `paper-partial`, `{max_rtt_ms: 120}`, `{regions: {eu: [eu]}}`, `{pairs: {japan: [japan]}}`, or a file."""

    full: FullGlb | None = None
    paper_partial: Annotated[PaperPartial | None, Field(alias="paper-partial")] = None
    max_rtt_ms: NotNegative | None = None
    regions: dict[str, tuple[str, ...]] | None = None
    """Residency: an origin (by name or region) and the regions its requests stay in; others are free."""
    pairs: dict[str, tuple[str, ...]] | None = None
    """An origin and the sites that may serve it; origins that are not listed are free."""
    matrix: MatrixFile | None = None
    """1 = allowed, 0 = not."""
