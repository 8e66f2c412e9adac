"""The small print: what was checked, what went wrong, and what made the figures."""

from __future__ import annotations

from typing import Any

from .saved import Saved
from .section import Part, Remark, Section, Small


def small_print(saved: Saved) -> Section:
    """Laws, notes, failures, versions, seed and hashes, from the manifest."""
    manifest = saved.manifest
    parts: list[Part] = [Remark(f"Failed: {what}: {why}") for what, why in _pairs(manifest.get("failed"))]
    entries: list[tuple[str, str]] = [("Note", str(note)) for note in manifest.get("notes") or []]
    for laws, policies in _by_laws(manifest.get("laws")).items():
        whom = "" if len(policies) == len(manifest["laws"]) else f" of {', '.join(policies)}"
        entries.append((f"Laws that were checked and hold{whom}", "; ".join(laws)))
    if checks := saved.study.get("checks"):
        entries.append(("Checked", "; ".join(map(str, checks))))
    entries += [(key.capitalize(), str(manifest[key])) for key in ("engine", "seed") if key in manifest]
    if versions := _pairs(manifest.get("versions")):
        entries.append(("Versions", ", ".join(f"{name} {version}" for name, version in versions)))
    entries += [(f"SHA-256 of {name}", digest) for name, digest in _pairs(manifest.get("inputs"))]
    entries += [(f"SHA-256 of {name}", digest) for name, digest in _pairs(manifest.get("files"))]
    return Section("Small print", "", [*parts, Small(entries)])


def _pairs(found: Any) -> list[tuple[str, str]]:
    return [(str(key), str(value)) for key, value in found.items()] if isinstance(found, dict) else []


def _by_laws(laws: Any) -> dict[tuple[str, ...], list[str]]:
    """Policies by the laws that were checked of them, which are mostly the same."""
    found: dict[tuple[str, ...], list[str]] = {}
    for policy, checked in laws.items() if isinstance(laws, dict) else ():
        found.setdefault(tuple(map(str, checked)), []).append(str(policy))
    return found
