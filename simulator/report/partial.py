"""The partial-GLB study: how far each stress can go, what breaks first, and what it costs on the way."""

from __future__ import annotations

from .breaking import first_to_break
from .ladder import Ladder, Measure, ladder
from .losses import lost_sites
from .saved import Saved
from .section import Figure, Remark, Section
from .stressed import Stress, Stressed
from .witnesses import witnesses

_MONEY = (Measure("objective_usd", "J, US$"), Measure("cost_usd_per_site", "cost, US$ per site"))
_RATIOS = (Measure("par_water", "PAR of water"), Measure("par_carbon", "PAR of carbon"))
_LATENCY = (
    Measure("ttft_p99_ms", "TTFT p99, ms"),
    Measure("ttft_p50_ms", "TTFT p50, ms"),
    Measure("e2e_p99_s", "end-to-end p99, s"),
    Measure("network_mean_ms", "network, mean, ms"),
    Measure("wait_mean_s", "wait, mean, s"),
)
_LEFT = (
    Measure("unserved_requests", "unserved requests (flows)"),
    Measure("rejected", "rejected requests"),
    Measure("slo_attainment", "share within targets"),
)
_HOLLOW = "Hollow points stand for steps that leave demand out: their figures are those of what is still served."
_LEFT_OUT = (
    "Requests that plans of flows leave out of the whole demand; and of simulated requests, how many were rejected "
    "and, where there are targets, which share met them."
)
_ONE_SEED = "There is one seed only, so the points have no interval."


def partial(saved: Saved) -> list[Section]:
    """The sections of the study, which stand first on its page."""
    found = Stressed(saved)
    steps = (
        "Steps from the mildest on, not to scale. Of random masks each has a thin line; the thick one is their median."
    )
    bars = "Bars are Student-t intervals of 95 % over the seeds." if found.has_intervals else _ONE_SEED
    return [
        first_to_break(found),
        _along(found, "Money along the steps", f"{steps} {_HOLLOW} {bars}", _MONEY, "money"),
        _along(
            found,
            "Fairness along the steps",
            f"PAR is the largest site over the mean; 1 is even. {_HOLLOW}",
            _RATIOS,
            "par",
        ),
        _along(
            found,
            "Latency along the steps",
            f"By simulated requests, of those that were served. {bars}",
            _LATENCY,
            "time",
        ),
        _along(found, "What is left out", _LEFT_OUT, _LEFT, "left"),
        *lost_sites(found),
        witnesses(found),
    ]


def _along(found: Stressed, heading: str, what: str, measures: tuple[Measure, ...], choose: str) -> Section:
    """A chart for each stress."""
    known = tuple(one for one in measures if found.rows[one.key].notna().any())
    if not known:
        return Section(heading, "", [Remark("Nothing of this is known.")])
    figures = [_chart(found, stress, known, choose) for stress in found.ladders]
    if len(figures) % 2:  # the last one has no neighbour
        figures[-1] = figures[-1]._replace(is_wide=True)
    return Section(heading, what, figures)


def _chart(found: Stressed, stress: Stress, measures: tuple[Measure, ...], choose: str) -> Figure:
    rows = found.of(stress)
    made = Ladder(
        rows,
        "step",
        list(dict.fromkeys(rows["step"])),
        stress.axis,
        "policy",
        found.policies,
        is_joined=stress.is_ordered,
        thin="mask" if stress.is_mask else "",
        broken="broken",
        from_zero=choose == "left",
    )
    chart = ladder(made, measures, choose, stress.words)
    return Figure(
        f"{stress.key}-{choose}", chart, f"{stress.words}: {measures[0].words}, by policy.", 260, is_wide=False
    )
