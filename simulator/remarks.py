"""Remarks: what a reader of results must know that no figure of their table says."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.result import RunResult


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
    return sentences


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
