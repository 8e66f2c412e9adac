"""Requests by hand: every expected time below follows from the model by pencil (docs/design.md).

``play`` runs the reference and the compiled plane and holds them against each other.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import Ask, InTurn, fleet, play, split, world_of

from simulator.plan import Score
from simulator.policy import RoutingPolicy
from simulator.record import FAILED, FINISHED, REJECTED, UNFINISHED

NAN = math.nan


def rows_of(result):
    return result.record.requests


def starts(result) -> list[float]:
    return rows_of(result).start_s.tolist()


def sites(result) -> list[int]:
    return rows_of(result).site.tolist()


def fates(result) -> list[int]:
    return rows_of(result).fate.tolist()


# First come, first served


def test_one_place_serves_in_order_of_arrival():
    """Services of 5, 2 and 1 s arriving at 0, 1 and 2 follow each other; a fourth finds the place free."""
    result = play(world_of(fleet((1,))), split([1]), [Ask(0, 5), Ask(1, 2), Ask(2, 1), Ask(20, 1)])
    assert starts(result) == [0, 5, 7, 20]
    assert rows_of(result).finish_s.tolist() == [5, 7, 8, 21]
    assert fates(result) == [FINISHED] * 4
    assert result.record.site_wait.sums.tolist() == [0 + 4 + 5 + 0]


def test_two_places_serve_two_at_once():
    """Arrivals at 0, 1, 2, 3 with 4, 4, 1, 1 s: the third starts when the first leaves (4), the fourth at 5."""
    result = play(world_of(fleet((2,))), split([1]), [Ask(0, 4), Ask(1, 4), Ask(2, 1), Ask(3, 1)])
    assert starts(result) == [0, 1, 4, 5]
    assert result.record.most_in_use.tolist() == [2]


def test_a_server_has_as_many_places_as_its_concurrency():
    """One server of concurrency 3: three start at once, the fourth when the shortest leaves."""
    data = fleet((1,))
    data["sites"][0]["servers"]["concurrency"] = 3
    result = play(world_of(data), split([1]), [Ask(0, 4), Ask(0, 2), Ask(0, 3), Ask(0, 1)])
    assert starts(result) == [0, 0, 0, 2]


def test_sites_do_not_share_queues_or_places():
    """u sends the first two requests to site 0 and the others to site 1."""
    asks = [Ask(0, 5, u=0.1), Ask(1, 5, u=0.4), Ask(2, 5, u=0.5), Ask(3, 5, u=0.9)]
    result = play(world_of(fleet((1, 1))), split([0.5, 0.5]), asks)
    assert sites(result) == [0, 0, 1, 1]
    assert starts(result) == [0, 5, 2, 7]


# Queue limit


def test_a_full_queue_rejects():
    """One place, one may wait: the third and fourth at 2 and 3 are rejected; at 11 the queue is empty again."""
    result = play(world_of(fleet((1,), queue_limit=1)), split([1]), [Ask(0, 10), Ask(1), Ask(2), Ask(3), Ask(10.5)])
    assert fates(result) == [FINISHED, FINISHED, REJECTED, REJECTED, FINISHED]
    np.testing.assert_array_equal(starts(result), [0, 10, NAN, NAN, 11])
    assert rows_of(result).reach_s.tolist() == [0, 1, 2, 3, 10.5]
    assert result.record.received.tolist() == [5]
    assert result.record.fates[REJECTED].tolist() == [[2, 0]]


def test_without_a_queue_only_free_places_serve():
    """Limit 0: at the very time at which the place is freed a request is served (the finish was created first)."""
    result = play(world_of(fleet((1,), queue_limit=0)), split([1]), [Ask(0, 5), Ask(4), Ask(5, 2)])
    assert fates(result) == [FINISHED, REJECTED, FINISHED]
    np.testing.assert_array_equal(starts(result), [0, NAN, 5])


# The network


def test_legs_are_half_the_round_trip_each():
    """RTT 4 s to site 0 and 1 s to site 1: reach at t + rtt/2, end-to-end = rtt + wait + service."""
    world = world_of(fleet((1, 1)), rtt_s=[[4, 1]])
    result = play(world, split([0.5, 0.5]), [Ask(0, 5, u=0.0), Ask(1, 5, u=0.0), Ask(2, 5, u=0.7)])
    assert rows_of(result).reach_s.tolist() == [2, 3, 2.5]
    assert starts(result) == [2, 7, 2.5]
    latency = result.record.latency
    assert latency["network"].sums.tolist() == [4 + 4 + 1]
    assert latency["wait"].sums.tolist() == [0 + 4 + 0]
    assert latency["end_to_end"].sums.tolist() == [(4 + 0 + 5) + (4 + 4 + 5) + (1 + 0 + 5)]


def test_jitter_is_added_to_its_own_leg():
    """RTT 2 s, jitter 3 s out and 5 s back: reach at 1 + 3, network 2 + 3 + 5, home 1 + 5 after the finish."""
    world = world_of(fleet((1,)), rtt_s=[[2]])
    result = play(world, split([1]), [Ask(0, 10, out=3, back=5), Ask(1, 10)])
    assert rows_of(result).reach_s.tolist() == [4, 2]
    assert starts(result) == [12, 2]
    latency = result.record.latency
    assert latency["network"].sums.tolist() == [10 + 2]
    assert latency["wait"].sums.tolist() == [8 + 0]
    assert latency["end_to_end"].sums.tolist() == [(12 + 10 + 1 + 5) + (2 + 10 + 1 - 1)]


def test_requests_that_overtake_on_the_way_are_served_in_order_of_reaching_the_site():
    """Origin 0 is 10 s away, origin 1 at the site: who left later is served first."""
    world = world_of(fleet((1,), (1, 1)), rtt_s=[[20], [0]])
    result = play(world, split([1], [1]), [Ask(0, 5), Ask(8, 5, origin=1)])
    assert rows_of(result).reach_s.tolist() == [10, 8]
    assert starts(result) == [13, 8]


# The service


def test_a_service_by_tokens_is_prefill_and_decode():
    """llama2-70b with concurrency 2 on 1,000 and 100 tokens, by its row of models.csv.

    Prefill (10.4 + 0.091 x 1000) = 101.4 ms, decode 100 x (30.1 + 0.30 x 2) = 3070 ms. TTFT = network + wait + prefill.
    """
    data = fleet((1,), request={"tokens": {"model": "llama2-70b", "input": 1.0, "output": 1.0}})
    data["sites"][0]["servers"]["concurrency"] = 2
    result = play(world_of(data, rtt_s=[[0.5]]), split([1]), [Ask(k, 100, input=1000) for k in (0, 0, 0)])
    service = 0.1014 + 3.07
    np.testing.assert_allclose(rows_of(result).finish_s, [0.25 + service, 0.25 + service, 0.25 + 2 * service])
    ttft = result.record.latency["ttft"].sums[0]
    assert ttft == pytest.approx(3 * (0.5 + 0.1014) + service)


def test_a_service_by_energy_is_energy_over_the_power_of_a_place():
    """4 Wh on a quarter of 2 kW = 4 x 3600 x 4 / 2000 = 28.8 s (model, section 2)."""
    data = fleet((1,), request={"energy_wh": 4.0})
    data["sites"][0]["servers"] = {"count": 1, "concurrency": 4, "peak_w": 2000}
    result = play(world_of(data), split([1]), [Ask(1, 4.0)])
    assert rows_of(result).finish_s.tolist() == [29.8]


# The end, the warm-up, targets


def test_what_finishes_at_the_end_or_later_is_unfinished():
    """A run of 100 s: a finish at 99.5 counts, at 100 not; one waits, one is under way."""
    world = world_of(fleet((1, 1)), rtt_s=[[0, 20]])
    asks = [Ask(90, 9.5), Ask(95, 0.5), Ask(96, 9), Ask(97, u=0.9)]
    result = play(world, split([0.5, 0.5]), asks)
    assert fates(result) == [FINISHED, UNFINISHED, UNFINISHED, UNFINISHED]
    np.testing.assert_array_equal(starts(result), [90, 99.5, NAN, NAN])
    record = result.record
    assert record.busy_place_s.tolist() == [[10, 0]]
    assert record.under_way.tolist() == [0, 1]
    assert record.received.tolist() == [3, 0]
    assert record.latency["wait"].counts.sum() == 1


def test_what_arrives_before_the_warm_up_is_over_does_not_count_in_latency():
    """Warm-up 10 s: arrivals at 9 and before are left out, one at 10 counts; all count as requests."""
    result = play(world_of(fleet((1,), warmup_s=10.0)), split([1]), [Ask(0, 20), Ask(9, 1), Ask(10, 1), Ask(30, 1)])
    record = result.record
    assert record.latency["wait"].counts.sum() == 2
    assert record.latency["wait"].sums.tolist() == [(21 - 10) + 0]
    assert record.slo_counted.tolist() == [2]
    assert record.arrived.tolist() == [4]


def test_targets_count_everything_that_did_not_finish_as_a_miss():
    """End-to-end target 5 s: met at 5 and at 4, missed at 6, by a rejected and by an unfinished request."""
    data = fleet((1,), queue_limit=1, request={"seconds": 1.0, "slo": {"end_to_end_s": 5}})
    # Waits 0, 1, rejected; then alone with 6 s; then unfinished.
    asks = [Ask(0, 4), Ask(3, 4), Ask(3, 1), Ask(20, 6), Ask(98, 5)]
    result = play(world_of(data), split([1]), asks)
    assert fates(result) == [FINISHED, FINISHED, REJECTED, FINISHED, UNFINISHED]
    assert result.record.slo_met.tolist() == [2]
    assert result.record.slo_counted.tolist() == [5]
    assert result.summary()["slo_attainment"] == 2 / 5


def test_a_time_to_first_token_target_looks_at_network_wait_and_prefill():
    """RTT 1 s and waits of 0, 2 and 4 s without prefill: TTFT 1, 3, 5; two within 3 s; both targets must hold."""
    asks = [Ask(0, 2), Ask(0, 2), Ask(0, 2)]
    for slo, met in (({"ttft_s": 3}, 2), ({"ttft_s": 3, "end_to_end_s": 4}, 1), ({"ttft_s": 0.5}, 0)):
        data = fleet((1,), request={"seconds": 1.0, "slo": slo})
        assert play(world_of(data, rtt_s=[[1]]), split([1]), asks).record.slo_met.tolist() == [met]


# The ledger


def test_a_service_is_split_at_slot_boundaries():
    """Slots of 10 s: [8, 25) is 2 + 10 + 5; [20, 30) is the third slot alone; [28, 45) runs past the end at 40."""
    world = world_of(fleet((2, 1), slots=4, slot_s=10.0))
    result = play(world, split([0.5, 0.5]), [Ask(8, 17), Ask(20, 10, u=0.5), Ask(28, 17)])
    assert result.record.busy_place_s.tolist() == [[2, 0], [10, 0], [7, 10], [10, 0]]
    assert result.record.served_s.tolist() == [[2, 0], [10, 0], [7, 10], [10, 0]]


def test_a_policy_sees_the_ledger_of_the_finished_slot_and_the_queues():
    """At t = 10 the slot [0, 10) has 2 + 10 busy place-seconds: serving 600 W each; one request waits at site 0."""
    policy = InTurn(split([1, 0]))
    play(world_of(fleet((1, 1), slots=3, slot_s=10.0)), policy, [Ask(8, 17), Ask(9, 1)])
    first, second, third = policy.seen
    assert first.last is None
    assert second.last.serving_kwh.tolist() == [2 * 0.6 / 3600, 0]
    assert third.last.serving_kwh.tolist() == [10 * 0.6 / 3600, 0]
    np.testing.assert_allclose(third.total.serving_kwh, [12 * 0.6 / 3600, 0])
    assert [seen.waiting.tolist() for seen in policy.seen] == [[0, 0], [1, 0], [1, 0]]


# Things at equal times


def test_control_acts_before_requests_at_the_same_time():
    """At t = 10 the new plan routes what arises at 10, and control still sees the request that leaves at 10."""
    policy = InTurn(split([1, 0]), split([0, 1]))
    world = world_of(fleet((1, 1), slots=2, slot_s=10.0))
    result = play(world, policy, [Ask(0, 10), Ask(9, 1), Ask(10, 1)])
    assert sites(result) == [0, 0, 1]
    assert policy.seen[1].waiting.tolist() == [1, 0]
    assert starts(result) == [0, 10, 10]


def test_a_freed_place_goes_to_the_head_of_the_queue_before_anything_else_happens():
    """At 5 a request leaves and another reaches the site: the one that has waited since 1 starts, the new one waits."""
    result = play(world_of(fleet((1,))), split([1]), [Ask(0, 5), Ask(1, 3), Ask(5, 1)])
    assert starts(result) == [0, 5, 8]


def test_the_head_of_the_queue_has_started_before_a_request_reaches_the_site():
    """One place, one may wait. At 7 a place is freed: the one that waits since 6 takes it, and the queue has room."""
    world = world_of(fleet((1,), (1, 1), queue_limit=1), rtt_s=[[0], [4]])
    result = play(world, split([1], [1]), [Ask(0, 5), Ask(1, 2), Ask(5, 1, origin=1), Ask(6, 1)])
    assert fates(result) == [FINISHED] * 4
    assert starts(result) == [0, 5, 8, 7]


@pytest.mark.parametrize("first_leaves", [2, 0])
def test_services_finish_before_requests_reach_the_site_at_that_time(first_leaves):
    """No queue; at 5 the place is freed and a request reaches the site: served, whichever began earlier."""
    world = world_of(fleet((1,), (1, 1), queue_limit=0), rtt_s=[[2], [6]])
    result = play(world, split([1], [1]), [Ask(first_leaves, 4 - first_leaves), Ask(2, 1, origin=1)])
    assert rows_of(result).finish_s[0] == 5
    assert rows_of(result).reach_s[1] == 5
    assert fates(result) == [FINISHED, FINISHED]


def test_a_service_of_no_length_frees_its_place_before_the_next_request_of_that_time():
    """No queue, one place, and three requests at 4 without length: each finds the place free."""
    result = play(
        world_of(fleet((1,), queue_limit=0)), split([1]), [Ask(4, 0), Ask(4, 0), Ask(4, 0), Ask(4, 1), Ask(4)]
    )
    assert fates(result) == [FINISHED] * 4 + [REJECTED]


def test_requests_of_one_time_keep_the_order_of_the_tape():
    """Four arise at 0 and reach two equal sites' places in the order of the tape, and so do equal finishes."""
    result = play(world_of(fleet((2,))), split([1]), [Ask(0, 3), Ask(0, 3), Ask(0, 1), Ask(0, 2)])
    assert starts(result) == [0, 0, 3, 3]
    result = play(world_of(fleet((1,))), split([1]), [Ask(4, 1), Ask(4, 2), Ask(4, 3)])
    assert starts(result) == [4, 5, 7]


@pytest.mark.parametrize("leaves", [0, 1])
def test_a_router_sees_what_finished_and_what_reached_sites_at_its_time(leaves):
    """At 5 a place is freed, or a request of 2 s before reaches it, and a request arises, whose router looks.

    Site 0 costs 1 + 0.1 x 5 s when it is busy, site 1 always 1.4.
    """
    plan = Score(np.array([[1.0, 1.4], [1.0, 9.0]]), wait_price_usd_per_s=0.1, rate_cap_rps=np.array([9.0, 9.0]))
    world = world_of(fleet((1, 1), (1, 1), request={"seconds": 5.0}), rtt_s=[[0, 0], [4, 0]])
    others = [Ask(3, 5, origin=1)] * leaves
    result = play(world, plan, [Ask(0, 5), *others, Ask(5, 1)])
    assert sites(result) == [0, *([0] * leaves), leaves]


def test_a_request_that_reaches_its_site_at_once_is_seen_by_the_next_one_of_that_time():
    """Without RTT: of three requests at 5 the second sees the first served, and the third both sites busy."""
    plan = Score(np.array([[1.0, 1.4]]), wait_price_usd_per_s=0.1, rate_cap_rps=np.array([9.0, 9.0]))
    world = world_of(fleet((1, 1), request={"seconds": 5.0}))
    assert sites(play(world, plan, [Ask(5, 1), Ask(5, 1), Ask(5, 1)])) == [0, 1, 0]


# Shares


def test_a_request_takes_the_first_site_whose_cumulative_share_exceeds_its_number():
    """Shares 1/4, 0, 1/2 and a remainder of 1/4 that is rejected at the origin; ends belong to the next site."""
    numbers = [0.0, 0.2, 0.25, 0.7, 0.75, 0.99]
    result = play(world_of(fleet((9, 9, 9))), split([0.25, 0, 0.5]), [Ask(k, u=u) for k, u in enumerate(numbers)])
    assert sites(result) == [0, 0, 2, 2, -1, -1]
    assert fates(result) == [FINISHED] * 4 + [REJECTED] * 2
    assert result.record.fates[REJECTED].tolist() == [[0, 0, 0, 2]]
    assert result.record.received.tolist() == [2, 0, 2]


def test_rounding_of_a_full_row_rejects_nobody():
    """0.1 x 10 adds up to less than one in floating point; the largest number still finds the last site."""
    largest = np.nextafter(1.0, 0.0)
    assert np.cumsum([0.1] * 10)[-1] < 1
    result = play(world_of(fleet([1] * 11)), split([0.1] * 10 + [0.0]), [Ask(0, u=largest)])
    assert sites(result) == [9]


# Scores and tokens


def score(prices, rates, **more) -> Score:
    """A plan of scores; tokens as many as the rates say, buckets of depth one."""
    return Score(np.array(prices, dtype=float), rate_cap_rps=np.array(rates, dtype=float), **{"burst_s": 0.0, **more})


def test_the_cheapest_site_with_a_token_is_taken():
    """Site 0 is cheaper and gets a token each 8 s, full at the start: at 0, 8 and 17; the others go to site 1."""
    plan = score([[1, 2]], [0.125, 1])
    asks = [Ask(t) for t in (0, 1, 7, 8, 15, 17)]
    assert sites(play(world_of(fleet((9, 9))), plan, asks)) == [0, 1, 1, 0, 1, 0]


def test_a_bucket_holds_burst_times_rate_tokens_and_is_full_at_the_start():
    """rate 1/16 s and a burst of 48 s: three tokens at once, and three again after a long rest, never more."""
    plan = score([[1, 2]], [0.0625, 1], burst_s=48.0)
    asks = [Ask(0) for _ in range(5)] + [Ask(90) for _ in range(5)]
    assert sites(play(world_of(fleet((99, 99))), plan, asks)) == [0, 0, 0, 1, 1, 0, 0, 0, 1, 1]


def test_the_default_burst_is_a_minute():
    """Planned capacity 0.9 x 1 place / 18 s = 0.05/s: 60 s hold three tokens."""
    world = world_of(fleet((1, 50), request={"seconds": 18.0}))
    plan = Score(np.array([[1.0, 2.0]]))
    assert sites(play(world, plan, [Ask(0, 0.5) for _ in range(5)])) == [0, 0, 0, 1, 1]


def test_tokens_are_kept_when_a_plan_is_repeated_or_changes_its_prices():
    """A token each 16 s: taken at 0, there again at 16 in spite of a plan each 5 s; new prices change nothing."""
    first, second = score([[1, 2]], [0.0625, 1]), score([[1, 3]], [0.0625, 1])
    world = world_of(fleet((9, 9), slots=20, slot_s=5.0))
    asks = [Ask(t) for t in (0, 5, 6, 10, 15, 16, 17)]
    for policy in (InTurn(first), InTurn(first, second, first, second)):
        assert sites(play(world, policy, asks)) == [0, 1, 1, 1, 1, 0, 1]


def test_a_new_rate_goes_on_from_the_tokens_that_are_there():
    """A token taken at 0, 8 s at 1/16 s make half a token; from 8 on at 1/4 s it is whole at 10, not at 8 nor at 9."""
    policy = InTurn(score([[1, 2]], [0.0625, 1]), score([[1, 2]], [0.25, 1]))
    world = world_of(fleet((9, 9), slots=10, slot_s=8.0))
    assert sites(play(world, policy, [Ask(0), Ask(8), Ask(9), Ask(10), Ask(11)])) == [0, 1, 1, 0, 1]


def test_a_smaller_bucket_spills():
    """Four tokens in the first plan, one in the second: of three requests at 10 one goes to the cheap site."""
    policy = InTurn(score([[1, 2]], [0.0625, 1], burst_s=64.0), score([[1, 2]], [0.0625, 1], burst_s=16.0))
    world = world_of(fleet((9, 9), slots=10, slot_s=10.0))
    assert sites(play(world, policy, [Ask(10), Ask(10), Ask(10)])) == [0, 1, 1]


def test_without_a_token_the_fullest_bucket_goes_into_debt():
    """One token each: 0 then 1. Then 0 and 0: the lower index. Then 0 has -1: site 1. Overload spreads evenly."""
    plan = score([[1, 2]], [0.001, 0.001])
    assert sites(play(world_of(fleet((9, 9))), plan, [Ask(0) for _ in range(6)])) == [0, 1, 0, 1, 0, 1]


def test_a_debt_is_paid_before_the_next_token():
    """Site 0 fills at 1/4 s: three at 0 leave -2, so that its next token comes at 12."""
    plan = score([[1, 2]], [0.25, 0])
    world = world_of(fleet((9, 9)), allowed=[[True, False]])
    only = play(world, plan, [Ask(0), Ask(0), Ask(0)])
    assert sites(only) == [0, 0, 0]
    world = world_of(fleet((9, 9), (1, 1)), allowed=[[True, False], [True, True]])
    plan = score([[1, 2], [1, 2]], [0.25, 1])
    asks = [Ask(0), Ask(0), Ask(0), Ask(11, origin=1), Ask(12, origin=1), Ask(13, origin=1)]
    assert sites(play(world, plan, asks)) == [0, 0, 0, 1, 0, 1]


def test_equal_prices_take_the_lower_site():
    plan = score([[2, 1, 1]], [9, 9, 9])
    assert sites(play(world_of(fleet((9, 9, 9))), plan, [Ask(0), Ask(5)])) == [1, 1]


def test_sites_that_are_not_allowed_are_never_taken():
    """Cheap or not, with a token or not; an origin without any site is rejected."""
    world = world_of(fleet((9, 9), (1, 1)), allowed=[[False, True], [False, False]])
    plan = score([[1, 2], [1, 1]], [9, 0.001])
    result = play(world, plan, [Ask(0), Ask(0), Ask(1, origin=1)])
    assert sites(result) == [1, 1, -1]
    assert fates(result) == [FINISHED, FINISHED, REJECTED]


def test_fleet_scale_scales_the_buckets():
    """Full-fleet rate 1/2 s on a quarter of the fleet: a token each 8 s."""
    world = world_of(fleet((8, 8), fleet_scale=0.25))
    plan = score([[1, 2]], [0.5, 8])
    assert sites(play(world, plan, [Ask(0), Ask(7), Ask(8)])) == [0, 1, 0]


def test_a_round_trip_has_its_price():
    """1 + 0.1 x 6 s against 1.5 + 0.1 x 0 s; without a price of the RTT site 0 is cheaper."""
    world = world_of(fleet((9, 9)), rtt_s=[[6, 0]])
    for price, site in ((0.0, 0), (0.1, 1)):
        assert sites(play(world, score([[1, 1.5]], [9, 9], rtt_price_usd_per_s=price), [Ask(0)])) == [site]


def test_an_expected_wait_has_its_price():
    """Mean service 4 s, 2 places: max(0, waiting + 1 - free) / 2 x 4 s at 0.1 US$/s, site 1 costs 0.35 more.

    Two find a free place; the third expects 2 s (+ 0.2), the fourth 4 s (+ 0.4): site 1.
    """
    plan = score([[1, 1.35]], [9, 9], burst_s=60, wait_price_usd_per_s=0.1)
    world = world_of(fleet((2, 9), request={"seconds": 4.0}))
    assert sites(play(world, plan, [Ask(t, 50) for t in (0, 1, 2, 3, 4)])) == [0, 0, 0, 1, 1]


def test_requests_under_way_are_unknown_to_the_router():
    """One place 5 s away: what left at 0 to 4 is not seen; at 5 the first is there, at 6 the second waits."""
    plan = score([[1, 1.5]], [9, 9], burst_s=60, wait_price_usd_per_s=0.1)
    world = world_of(fleet((1, 9), request={"seconds": 4.0}), rtt_s=[[10, 10]])
    asks = [Ask(t, 50) for t in (0, 2, 4, 6, 8)]
    # At 6: (0 + 1 - 0) x 4 s = + 0.4; at 8: (1 + 1 - 0) x 4 s = + 0.8.
    assert sites(play(world, plan, asks)) == [0, 0, 0, 0, 1]


def test_snapshots_are_as_old_as_refresh_s():
    """One place, 4 s a request at 0.2 US$/s against 0.5 more: fresh, the second goes to site 1 at once.

    With snapshots each 10 s the idle picture of 0 holds to 10, where it is taken before the request of 10 arises.
    """
    world = world_of(fleet((1, 9), slots=4, slot_s=25.0, request={"seconds": 4.0}))
    asks = [Ask(t, 15) for t in (0, 1, 9, 10, 11)]
    for refresh_s, expected in ((0.0, [0, 1, 1, 1, 1]), (10.0, [0, 0, 0, 1, 1])):
        plan = score([[1, 1.5]], [9, 9], burst_s=60, wait_price_usd_per_s=0.2, refresh_s=refresh_s)
        assert sites(play(world, plan, asks)) == expected


def test_a_snapshot_is_taken_before_the_requests_of_its_time():
    """Snapshots each 10 s; the arrival of 20 was created at 0, the snapshot of 20 at 10, and yet it is the first.

    The request of 0 reaches its site at 15: idle in the picture of 10, busy in that of 20.
    """
    world = world_of(fleet((1, 9), request={"seconds": 4.0}), rtt_s=[[30, 30]])
    plan = score([[1, 1.5]], [9, 9], burst_s=60, wait_price_usd_per_s=0.2, refresh_s=10.0)
    assert sites(play(world, plan, [Ask(0, 50), Ask(20, 1)])) == [0, 1]
    assert sites(play(world, plan, [Ask(0, 50), Ask(19, 1)])) == [0, 0]


def test_a_snapshot_knows_who_waits_and_not_only_the_free_places():
    """One place busy to 50: at 10 the picture shows 1 waiting, (1 + 1 - 0) x 4 s at 0.1 US$/s: 0.8 more than 0.5.

    Without the second request nobody waits: 0.4 less than 0.5.
    """
    world = world_of(fleet((1, 9), request={"seconds": 4.0}))
    plan = score([[1, 1.5]], [9, 9], burst_s=60, wait_price_usd_per_s=0.1, refresh_s=10.0)
    assert sites(play(world, plan, [Ask(0, 50), Ask(1, 1), Ask(10, 1)])) == [0, 0, 1]
    assert sites(play(world, plan, [Ask(0, 50), Ask(10, 1)])) == [0, 0]


def test_another_rhythm_ends_the_one_before():
    """Snapshots each 10 s, and from 5 on each 100 s: the idle picture of 5 holds at 11, for nobody looks at 10."""

    class Slower(RoutingPolicy):
        def plan(self, observation):
            refresh_s = 10.0 if observation.slot == 0 else 100.0
            return score([[1, 1.5]], [9, 9], burst_s=60, wait_price_usd_per_s=0.2, refresh_s=refresh_s)

    world = world_of(fleet((1, 9), slots=20, slot_s=5.0, request={"seconds": 4.0}))
    assert sites(play(world, Slower(), [Ask(6, 60), Ask(11, 1)])) == [0, 0]


def test_a_new_plan_takes_no_new_snapshot():
    """A plan each 5 s with the same refresh_s of 20 s: the picture of 0 holds to 20."""
    world = world_of(fleet((1, 9), slots=20, slot_s=5.0, request={"seconds": 4.0}))
    plan = score([[1, 1.5]], [9, 9], burst_s=60, wait_price_usd_per_s=0.2, refresh_s=20.0)
    assert sites(play(world, plan, [Ask(t, 60) for t in (0, 6, 19, 20)])) == [0, 0, 0, 1]


# Properties

QUARTERS = st.integers(0, 3).map(lambda k: k / 4)


@st.composite
def crowds(draw, whole: bool | None = None):
    """Three sites, two origins, up to 40 requests; on whole-number times (many ties) or on any."""
    whole = draw(st.booleans()) if whole is None else whole
    times = st.integers(0, 30).map(float) if whole else st.floats(0, 30)
    sizes = st.integers(0, 12).map(float) if whole else st.floats(0, 12)
    number = draw(st.integers(0, 40))
    ats = sorted(draw(st.lists(times, min_size=number, max_size=number)))
    return [
        Ask(at, draw(sizes), draw(st.integers(0, 1)), draw(QUARTERS), out=draw(st.sampled_from([0.0, 0.0, 1.0, 2.5])))
        for at in ats
    ]


@st.composite
def fleets(draw):
    """Places of three sites, half round-trip times of two origins [s], and shares in quarters."""
    places = draw(st.lists(st.integers(1, 4), min_size=3, max_size=3))
    rtt_s = [[2.0 * draw(st.integers(0, 3)) for _ in range(3)] for _ in range(2)]
    rows = st.sampled_from([[0.25, 0.25, 0.5], [0.5, 0.25, 0.25], [0.0, 0.75, 0.25], [0.25, 0.0, 0.5], [1.0, 0.0, 0.0]])
    return places, rtt_s, [draw(rows), draw(rows)]


def by_hand(asks, places, rtt_s, shares, horizon_s):
    """Sites and starts by the recursion of Kiefer and Wolfowitz (1955): whoever reaches a site next gets the place
    that is free first. Plain Python, no event list."""
    chosen, began = [], [NAN] * len(asks)
    for ask in asks:
        ends = [sum(shares[ask.origin][: i + 1]) for i in range(3)]
        chosen.append(next((i for i, end in enumerate(ends) if end > ask.u), -1))
    for site in range(3):
        free_at = [0.0] * places[site]
        here = [k for k in range(len(asks)) if chosen[k] == site]
        reach = {k: asks[k].at + (rtt_s[asks[k].origin][site] / 2 + asks[k].out) for k in here}
        for k in sorted(here, key=lambda k: (reach[k], k)):
            place = free_at.index(min(free_at))
            start = max(reach[k], free_at[place])
            free_at[place] = start + asks[k].size
            if start < horizon_s:
                began[k] = start
    return chosen, began


@settings(max_examples=150, deadline=None, derandomize=True)
@given(crowds(), fleets())
def test_starts_are_those_of_kiefer_and_wolfowitz(asks, built):
    """Equal, not close: same sites, same starts, finish = start + service, in a run that leaves some unfinished."""
    places, rtt_s, shares = built
    world = world_of(fleet(places, (1, 1), slots=4, slot_s=10.0), rtt_s=rtt_s)
    rows = rows_of(play(world, split(*shares), asks))
    chosen, began = by_hand(asks, places, rtt_s, shares, 40.0)
    assert rows.site.tolist() == chosen
    np.testing.assert_array_equal(rows.start_s, began)
    finish = np.array([start + ask.size for start, ask in zip(began, asks, strict=True)])
    np.testing.assert_array_equal(rows.finish_s, np.where(finish < 40.0, finish, NAN))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(crowds(), fleets(), st.none() | st.integers(0, 3))
def test_the_laws_of_every_run(asks, built, queue_limit):
    """First come first served, no start before the reach, places, conservation by origin and by site.

    Counted from the rows alone, with and without a queue limit.
    """
    places, rtt_s, shares = built
    data = fleet(places, (1, 1), slots=4, slot_s=10.0, **({} if queue_limit is None else {"queue_limit": queue_limit}))
    record = play(world_of(data, rtt_s=rtt_s), split(*shares), asks).record
    rows = record.requests
    served = ~np.isnan(rows.start_s)
    assert np.all(rows.start_s[served] >= rows.reach_s[served])
    done = rows.fate == FINISHED
    services = np.array([ask.size for ask in asks])
    assert np.array_equal(rows.finish_s[done], rows.start_s[done] + services[done])
    assert not np.any(rows.fate == FAILED)
    for origin in (0, 1):
        own = rows.origin == origin
        assert record.arrived[origin] == own.sum() == sum(ask.origin == origin for ask in asks)
        for fate in (UNFINISHED, FINISHED, REJECTED):
            assert record.fates[fate, origin].sum() == (rows.fate[own] == fate).sum()
    for site, limit in enumerate(places):
        here = rows.site == site
        assert record.received[site] == np.sum(~np.isnan(rows.reach_s[here]))
        order = np.flatnonzero(here & served)
        order = order[np.argsort(rows.reach_s[order], kind="stable")]
        assert np.all(np.diff(rows.start_s[order]) >= 0)
        ends = np.where(np.isnan(rows.finish_s), np.inf, rows.finish_s)
        for time in rows.start_s[order]:
            # Services of no length occupy nothing.
            assert np.sum((rows.start_s[order] <= time) & (ends[order] > time)) <= limit
        assert record.most_in_use[site] <= limit
        if queue_limit is not None:
            left_queue = np.where(np.isnan(rows.start_s), np.inf, rows.start_s)
            waits = here & ~np.isnan(rows.reach_s) & (rows.fate != REJECTED)
            for time in rows.reach_s[waits]:
                assert np.sum(waits & (rows.reach_s <= time) & (left_queue > time)) <= queue_limit
        busy = np.sum(np.minimum(ends[order], 40.0) - rows.start_s[order])
        assert record.busy_place_s[:, site].sum() == pytest.approx(busy)


PLANS = {
    "split": split([0.25, 0.25, 0.5], [0.0, 0.75, 0.25]),
    "score": score([[1, 2, 3], [3, 2, 1]], [0.5, 0.25, 0.5], burst_s=8.0, wait_price_usd_per_s=0.3),
    "stale score": score([[1, 2, 3], [3, 2, 1]], [0.5, 0.25, 0.5], wait_price_usd_per_s=0.3, refresh_s=7.0),
}


@pytest.mark.parametrize("plan", PLANS)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(asks=crowds(), built=fleets())
def test_cutting_time_changes_no_request(plan, asks, built):
    """The same plan held over 1, 3, 8 or 40 control slots: the same site, start, finish and fate of every request."""
    places, rtt_s, _ = built
    found = []
    for slots in (1, 3, 8, 40):
        data = fleet(places, (1, 1), slots=slots, slot_s=40.0 / slots, queue_limit=3)
        found.append(play(world_of(data, rtt_s=rtt_s), PLANS[plan], asks).record)
    for other in found[1:]:
        for one, same in zip(found[0].requests, other.requests, strict=True):
            np.testing.assert_array_equal(one, same)
        np.testing.assert_allclose(other.busy_place_s.sum(axis=0), found[0].busy_place_s.sum(axis=0), atol=1e-9)
