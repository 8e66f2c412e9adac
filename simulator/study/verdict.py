"""The verdict of the robustness study: what forecasts are worth, and what becomes of who trusts them, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from simulator.study.readings import Key
from simulator.study.robustness import ATTACK, DEMAND, ERROR, NONE, PRICE, REFRESH, SHIFT

#: How far advice may be from the optimum when it is right, and above `hedge` when it is wrong; as a share of J.
CONSISTENCY, ROBUSTNESS = 0.002, 0.02
_ADVICE = "advice"
_WORDS = {
    "permuted": "sites that change places",
    "flipped": "series that are mirrored",
    "season": "those of another season",
}

Row = dict[str, Any]


class Contest(NamedTuple):
    """What a policy may be better in than another one: a column of differences."""

    column: str
    figure: str
    against: str
    words: str


CONTESTS = (
    Contest("over_glb_cost_par_water", "par_water", "glb-cost", "the PAR of water"),
    Contest("over_glb_cost_par_carbon", "par_carbon", "glb-cost", "the PAR of carbon"),
    Contest("over_eglb", "objective_usd", "eglb", "J"),
    Contest("over_hedge", "objective_usd", "hedge", "J"),
)


def verdict(rows: Sequence[Row], limits: Sequence[Row], extra: Mapping[str, Any]) -> Iterator[str]:
    """What ``robustness.csv`` and ``limits.csv`` say, in sentences; ``extra`` is what the agenda knew before."""
    found = {Key((row["challenge"], row["level"]), row["policy"]): row for row in rows}
    hedge, names = extra["references"]["hedge"], dict(zip(extra["policies"], extra["names"], strict=True))
    levels = [level for challenge, level in dict.fromkeys(key.values for key in found) if challenge == ERROR]
    if levels and extra["forecasting"]:
        said = "; for ".join(_worth(rows, limits, policy) for policy in extra["forecasting"])
        yield f"Up to which error forecasts are worth following (J beside that of hedge): for {said}."
    for policy in extra["forecasting"]:
        if levels:
            yield _when_wrong(found, policy, hedge, levels)
            yield _limits(limits, policy)
        yield from _when_misled(rows, policy, names[policy] == _ADVICE)
        if levels and names[policy] == _ADVICE:
            right = found[Key((ERROR, levels[0]), policy)]
            kept = _kept([right], "gap_most", CONSISTENCY)
            yield f"With perfect forecasts {policy} is {kept} above the offline optimum."
    yield from _without_forecasts(limits, extra)
    yield from _when_it_changes(found, extra)
    yield from _decentralised(rows)


def _worth(rows: Sequence[Row], limits: Sequence[Row], policy: str) -> str:
    """In short: up to which error a forecast is worth following, and what one can do that misleads."""
    limit = next((row for row in limits if _is(row, policy, CONTESTS[-1])), {"better_up_to": "", "not_at": ""})
    if not limit["better_up_to"]:
        text = f"{policy} never surely"
    else:
        beyond = f", not at {_percent(limit['not_at'])}" if limit["not_at"] else ", the largest that was tried"
        text = f"{policy} up to {_percent(limit['better_up_to'])}{beyond}"
    known = [row for row in rows if row["challenge"] == ATTACK and row["policy"] == policy and row["over_hedge"]]
    if not known:
        return text
    worst = max(known, key=lambda row: float(row["over_hedge"]))
    return f"{text}, and those that mislead cost it {_share(worst, 'over_hedge', '+')} at worst"


def _when_wrong(found: Mapping[Key, Row], policy: str, hedge: str, levels: Sequence[str]) -> str:
    first, last = levels[0], levels[-1]
    some = min(levels, key=lambda level: abs(float(level) - 0.2))
    parts = [
        f"with errors of {_percent(level)} at a day's lead {_share(found[Key((ERROR, level), policy)], 'gap')}"
        for level in dict.fromkeys((some, last))
        if level != first
    ]
    return (
        f"{policy} is {_share(found[Key((ERROR, first), policy)], 'gap')} above the offline optimum with perfect"
        f" forecasts{''.join(f', {part}' for part in parts)}; {hedge}, which needs none,"
        f" {_share(found[Key((ERROR, first), hedge)], 'gap')}."
    )


def _limits(limits: Sequence[Row], policy: str) -> str:
    """Up to which error a policy wins each contest."""
    parts = []
    for contest in CONTESTS:
        row = next((one for one in limits if _is(one, policy, contest)), None)
        if row is None:
            continue
        what = f"{contest.against} on {contest.words}"
        if not row["better_up_to"]:
            parts.append(f"never surely {what}")
        elif row["not_at"]:
            parts.append(f"{what} up to errors of {_percent(row['better_up_to'])}, not at {_percent(row['not_at'])}")
        else:
            parts.append(f"{what} at all errors that were tried, up to {_percent(row['better_up_to'])}")
    return f"{policy} beats {'; '.join(parts)}."


def _is(row: Mapping[str, Any], policy: str, contest: Contest) -> bool:
    return (row["policy"], row["figure"], row["against"]) == (policy, contest.figure, contest.against)


def _when_misled(rows: Sequence[Row], policy: str, has_bound: bool) -> Iterator[str]:
    known = [row for row in rows if row["challenge"] == ATTACK and row["policy"] == policy and row["over_hedge"]]
    if not known:
        return
    worst = max(known, key=lambda row: float(row["over_hedge"]))
    text = (
        f"Of forecasts that mislead, {_WORDS[worst['level']]} are the worst for {policy}: its J is"
        f" {_share(worst, 'over_hedge', '+')} beside that of hedge"
    )
    if has_bound:
        text += f", and {_kept(known, 'over_hedge_most', ROBUSTNESS)} above it"
    yield f"{text}."


def _kept(rows: Sequence[Row], column: str, bound: float) -> str:
    """The largest of all seeds, and whether it is within a bound."""
    known = [float(row[column]) for row in rows if row[column]]
    if len(known) < len(rows):
        return "an unknown amount"
    verdict = "is kept" if max(known) <= bound else "is not kept"
    return f"on no seed more than {100 * max(known):.2f} % (the bound of {100 * bound:g} % {verdict})"


def _without_forecasts(limits: Sequence[Row], extra: Mapping[str, Any]) -> Iterator[str]:
    """Policies that need no forecast, held against others in the same way."""
    for policy in extra["policies"]:
        if policy not in extra["forecasting"] and policy not in extra["references"].values():
            won = [
                f"{contest.against} on {contest.words}"
                for contest in CONTESTS
                if any(_is(row, policy, contest) and row["better_up_to"] for row in limits)
            ]
            if won:
                yield f"{policy} does not look at these forecasts; it beats {', '.join(won)}."


def _when_it_changes(found: Mapping[Key, Row], extra: Mapping[str, Any]) -> Iterator[str]:
    words = {
        DEMAND: f"a demand that is {extra['shifts'][DEMAND]:g} times as large",
        PRICE: f"prices that are {extra['shifts'][PRICE]:g} times as high where they were low",
    }
    for level, what in words.items():
        here = {key.policy: row for key, row in found.items() if key.values == (SHIFT, level)}
        short = [policy for policy, row in here.items() if float(row["unserved_requests"] or 0) > 0]
        if short:
            yield f"With {what} from halfway on not all of it can be carried."
        parts = [
            f"{policy} {_share(row, 'gap')} (without it: {_share(found[Key((SHIFT, NONE), policy)], 'gap')})"
            for policy, row in here.items()
            if row["gap"] and not _is_extreme(policy, extra)
        ]
        if parts:
            yield f"With {what} from halfway on, unforeseen, the gap to the optimum is: {'; '.join(parts)}."


def _is_extreme(policy: str, extra: Mapping[str, Any]) -> bool:
    """Policies that do not minimise J, or know the future."""
    name = dict(zip(extra["policies"], extra["names"], strict=True))[policy]
    return name.startswith("glb-") or name == "eglb-off"


def _decentralised(rows: Sequence[Row]) -> Iterator[str]:
    aged = [row for row in rows if row["challenge"] == REFRESH]
    if aged:
        central, oldest = aged[0], aged[-1]
        yield (
            f"Decentralised eglb, each origin on prices that are up to {float(oldest['level']):,g} s old, costs"
            f" {_share(oldest, 'over_plainest', '+')} in J beside the central one (gap {_share(central, 'gap')}); its"
            f" PAR is {_number(oldest, 'par_water')} of water and {_number(oldest, 'par_carbon')} of carbon instead of"
            f" {_number(central, 'par_water')} and {_number(central, 'par_carbon')}."
        )


def _percent(level: str) -> str:
    return f"{100 * float(level):g} %"


def _number(row: Mapping[str, Any], name: str) -> str:
    return f"{float(row[name]):.3f}" if row[name] else "?"


def _share(row: Mapping[str, Any], name: str, sign: str = "") -> str:
    """A share in percent with its interval, or the word that there is none."""
    if not row[name]:
        return "an unknown amount"
    mean, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if not low:
        return f"{100 * float(mean):{sign}.2f} % (one seed)"
    return f"{100 * float(mean):{sign}.2f} % [{100 * float(low):{sign}.2f}, {100 * float(high):{sign}.2f}]"
