"""Detours of origins and what is left of a request's time, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from worlds import Ask, fleet, play, split, world_of

from simulator.result import RunResult
from simulator.rows import origin_rows

RTT_S = [[0.010, 0.050, 0.2], [0.080, 0.030, 0.2], [0.001, 0.5, 0.2]]


@pytest.fixture(scope="module")
def result() -> RunResult:
    """Origin 0 sends three of four to its nearest site and one 40 ms further; origin 1 both 50 ms further.

    Origin 2 has no requests; its nearest site is forbidden. Services of 2 s, no waits.
    """
    allowed = [[True, True, True], [True, True, True], [False, True, True]]
    world = world_of(fleet((4, 4, 4), (1, 1, 1)), rtt_s=RTT_S, allowed=allowed)
    asks = [Ask(0.0, 2.0, 0, u) for u in (0.1, 0.2, 0.3, 0.9)] + [Ask(10.0, 2.0, 1), Ask(20.0, 2.0, 1)]
    return play(world, split([0.75, 0.25, 0], [1, 0, 0], [0, 0, 1]), asks)


def test_detours_and_services_of_origins_by_hand(result):
    near, far, nobody = origin_rows(result)
    assert (near["nearest_share"], far["nearest_share"]) == (0.75, 0.0)
    assert near["extra_rtt_ms"] == pytest.approx(40 / 4)
    assert far["extra_rtt_ms"] == pytest.approx(50)
    assert near["network_mean_ms"] == pytest.approx((3 * 10 + 50) / 4)
    assert near["service_mean_s"] == pytest.approx(2.0)
    # Without tokens the first answer comes when the service begins.
    assert near["ttft_mean_ms"] == pytest.approx(20)
    assert far["ttft_mean_ms"] == pytest.approx(80)
    for figure in ("nearest_share", "extra_rtt_ms", "service_mean_s", "ttft_mean_ms"):
        assert math.isnan(nobody[figure])


def test_the_summary_weighs_requests_and_its_equity_weighs_origins(result):
    """20 and 80 ms: mean 50, PAR 1.6, Gini (-20 + 80) / (2 x 100) = 0.3. The origin without requests does not count."""
    row = result.summary()
    assert row["nearest_share"] == pytest.approx(3 / 6)
    assert row["extra_rtt_ms"] == pytest.approx((40 + 2 * 50) / 6)
    assert row["ttft_mean_ms"] == pytest.approx((4 * 20 + 2 * 80) / 6)
    assert row["service_mean_s"] == pytest.approx(2.0)
    assert row["par_ttft"] == pytest.approx(1.6)
    assert row["gini_ttft"] == pytest.approx(0.3)
    # 50 and 80 ms, to the middle of their bins.
    assert row["par_ttft_p99"] == pytest.approx(80 / 65, rel=0.01)


def test_waits_are_no_service():
    """One place, services of 4 s: the second request waits 3 s."""
    result = play(world_of(fleet((1,))), split([1]), [Ask(0.0, 4.0), Ask(1.0, 4.0)])
    row = result.summary()
    assert (row["wait_mean_s"], row["service_mean_s"], row["e2e_mean_s"]) == (1.5, 4.0, 5.5)


def test_a_closer_site_that_is_forbidden_is_no_detour():
    allowed = [[False, True]]
    result = play(world_of(fleet((1, 1)), rtt_s=[[0.001, 0.3]], allowed=allowed), split([0, 1]), [Ask(0.0)])
    assert np.isfinite(result.summary()["extra_rtt_ms"])
    assert (result.summary()["extra_rtt_ms"], result.summary()["nearest_share"]) == (0.0, 1.0)
