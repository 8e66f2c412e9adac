"""Growth: a factor on demand, whatever the demand is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import needs, world

from simulator.tape import Tape
from simulator.world import World

DEMANDS: dict[str, Any] = {
    "calibrated": {"calibrated": {"peak_kw": 5}},
    "poisson": {"poisson": {"rate_per_s": 0.2}},
    "profile": {"poisson": {"rate_per_s": 0.2, "daily_profile": [*range(1, 25)]}},
    "hourly": {"hourly": {"file": "hours.csv", "scale": 3}},
    "fitted hours": {"hourly": {"file": "nowhere.csv", "when_absent": "fitted"}},
    "fitted trace": {"trace": {"file": "nowhere.csv", "when_absent": "fitted"}},
    "fitted trace at a rate": {"trace": {"file": "nowhere.csv", "when_absent": "fitted", "rate_per_s": 2}},
}


def grown(demand: dict[str, Any], growth: float | None, **more: Any) -> World:
    request = {"tokens": {"model": "llama2-70b"}} if "trace" in demand else {"seconds": 1}
    workload = {"demand": demand, "request": request} | ({} if growth is None else {"growth": growth})
    return world(workload=workload, slots=6, slot_s=3600, **more)


@pytest.mark.parametrize("kind", DEMANDS)
@pytest.mark.parametrize("growth", [0.25, 1.7])
def test_rates_are_multiplied(kind: str, growth: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"2022-09-22 {h:02d}:00,{7 + h % 5}\n" for h in range(8))
    (tmp_path / "hours.csv").write_text("hour_utc,requests\n" + rows)
    plain, same, more = (grown(DEMANDS[kind], factor).demand.rate_rps for factor in (None, 1, growth))
    np.testing.assert_array_equal(same, plain)
    np.testing.assert_allclose(more, growth * plain, rtol=1e-12)
    assert plain.sum() > 0


@needs("paper")
def test_the_demand_of_the_paper_grows() -> None:
    plain, more = (grown({"paper": {}}, factor).demand.rate_rps for factor in (1, 1.2))
    np.testing.assert_allclose(more, 1.2 * plain, rtol=1e-12)


@pytest.mark.parametrize("rate", [None, 0.5])
def test_a_trace_plays_faster_with_the_same_requests(rate: float | None, tmp_path: Path) -> None:
    """At growth 2 every time of the first turn is halved, tokens stay, and so there are twice as many in a slot."""
    at = [0, 10, 30, 60, 61, 100]
    rows = "".join(f"2023-11-16 18:{t // 60:02d}:{t % 60:02d}.0,{5 + t},{t}\n" for t in at)
    (tmp_path / "t.csv").write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + rows)
    asked = {"trace": {"file": str(tmp_path / "t.csv")} | ({} if rate is None else {"rate_per_s": rate})}
    slow, fast = (grown(asked, factor) for factor in (1, 2))
    assert slow.demand.trace is not None and fast.demand.trace is not None
    np.testing.assert_allclose(2 * fast.demand.trace.time_s, slow.demand.trace.time_s, rtol=1e-12)
    np.testing.assert_array_equal(fast.demand.trace.output, slow.demand.trace.output)
    assert 2 * fast.demand.trace.period_s == pytest.approx(slow.demand.trace.period_s)
    assert fast.demand.rate_rps.mean() == pytest.approx(2 * slow.demand.rate_rps.mean(), rel=0.01)
    counts = [sum(len(block.arrival_s) for block in Tape(made).blocks()) for made in (slow, fast)]
    assert counts[1] == pytest.approx(2 * counts[0], rel=0.01)


def test_a_fitted_trace_that_ends_ends_sooner_with_as_many_requests() -> None:
    asked = {"trace": {"file": "nowhere.csv", "when_absent": "fitted", "repeat": False}}
    totals = [grown(asked, factor).demand.rate_rps.sum() for factor in (1, 4)]
    assert totals[0] == pytest.approx(totals[1])
