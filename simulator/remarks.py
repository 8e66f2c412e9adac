"""Remarks: what a reader of results must know that no figure of their table says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulator.gap import BOUND, DYNAMIC
from simulator.result import RunResult
from simulator.signatures import INEQUITY, OVERRUN, SLOW, signatures


def remarks(results: Sequence[RunResult]) -> list[str]:
    """A sentence for each policy whose plans fell short or went far, that overfills its sites, or warms up longer."""
    sentences = []
    for result in results:
        if result.short_slots:
            left = result.summary()["unserved_requests"]
            why = f" because it could not be carried; in the worst slot {result.witness}" if result.witness else ""
            why += f" ({result.shortfall()['short_kw']:,.4g} kW short)" if result.witness else ""
            sentences.append(
                f"{result.policy}: plans left out demand in {result.short_slots} slot(s), {left:,.0f} requests{why}"
            )
        if result.stretched_slots:
            where = f"{result.stretched_slots} slot(s)"
            why, wish = "", "wish"
            if result.stretched:
                why, wish = f", most in the one where {result.stretched}", result.stretched.wish
            sentences.append(f"{result.policy}: its {wish} gave way in {where} to serve all it could{why}")
        busiest = result.utilisation.max(axis=0)
        if busiest.max() > 1 + 1e-9:
            site = result.sites[int(busiest.argmax())]
            sentences.append(f"{result.policy}: {site} carries {busiest.max():.0%} of what its places can serve")
        sentences += _short_warm_up(result)
    return [*sentences, *_gaps(results), *_signs(results)]


def _gaps(results: Sequence[RunResult]) -> Iterator[str]:
    """What the gaps to the offline optimum are of, how sure they are, and why there are none; each thing once."""
    said: dict[str, list[str]] = {}
    for result in results:
        gap = result.gap
        if not gap.against or gap.optimum is None:
            said.setdefault(f"no gap to the offline optimum: {gap.reason}", []).append(result.policy)
            continue
        if gap.of == DYNAMIC:
            why = "gap of the dynamic part of J alone, for servers, sun or batteries decide about the rest as well"
            said.setdefault(why, []).append(result.policy)
        if gap.against == BOUND:
            how = f"gap against a certified lower bound; the optimum is at most {gap.optimum.within:.2g} of it higher"
            said.setdefault(how, []).append(result.policy)
    yield from (f"{_names(policies, results)}: {what}" for what, policies in said.items())


def _signs(results: Sequence[RunResult]) -> Iterator[str]:
    """Failure signatures by name; their sentences stand in the report."""
    shown = [(result.policy, {signature.name for signature in signatures(result)}) for result in results]
    for name in (INEQUITY, OVERRUN, SLOW):
        policies = [policy for policy, names in shown if name in names]
        if policies:
            yield f"{name}: {', '.join(policies)} (failure signatures; see the report)"


def _names(policies: Sequence[str], results: Sequence[RunResult]) -> str:
    return "all policies" if len(policies) == len(results) > 1 else ", ".join(policies)


def _short_warm_up(result: RunResult) -> list[str]:
    """A warm-up longer than ``warmup_s``, if that matters to the mean.

    MSER-5 cuts something off many runs by chance. So it is told only where the mean after ``warmup_s`` lies outside of
    the interval that holds after the longer warm-up, and only where a run may have a steady state at all.
    """
    batches = result.record.settled
    if batches is None or not result.is_steady or not batches.warmup_s > result.warmup_s:
        return []
    mean, after = (batches.interval("end_to_end_s", since_s) for since_s in (result.warmup_s, batches.warmup_s))
    if not (mean.mean < after.low or mean.mean > after.high):
        return []
    what = f"{mean.mean:.3g} s of mean end-to-end time become {after.mean:.3g} s"
    return [
        f"{result.policy}: the warm-up takes until {batches.warmup_s:,.0f} s (MSER-5), longer than warmup_s: {what}"
    ]
