"""Outages by hand: what is lost, what leaves anew and when, who knows of it, and what the books say.

``play`` runs the reference and the compiled plane and holds them against each other.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
from worlds import Ask, InTurn, Orders, Timed, assert_equal, fleet, play, split, world_of

from policies import POLICIES
from policies.provisioning.follow import Follow
from simulator import Own, run
from simulator.plan import Dual, Score
from simulator.problem import Problems
from simulator.record import FAILED, FINISHED, REJECTED, UNFINISHED
from simulator.scenario import parse
from simulator.tape import Tape
from simulator.world.outages import build_outages

NAN = math.nan
HALVES = split([0.5, 0.5])


def broken(places, *scheduled, detection_s=5.0, retries=1, servers=None, **changes):
    """A fleet with these outages, whose servers boot at once."""
    outages = {"scheduled": list(scheduled), "detection_s": detection_s, "retries": retries}
    data = fleet(places, outages=outages, **changes)
    for site in data["sites"]:
        site["servers"] |= {"boot_s": 0} | (servers or {})
    return data


def dark(site=0, start_s=10, length_s=20, **more):
    """An outage of a site."""
    return {"site": f"s{site}", "start_s": start_s, "length_s": length_s, **more}


def cut(origin=0, site=0, start_s=10, length_s=20):
    """An outage of a link."""
    return {"origin": f"o{origin}", "site": f"s{site}", "start_s": start_s, "length_s": length_s}


def rows(result):
    return result.record.requests


def sites(result) -> list[int]:
    return rows(result).site.tolist()


def starts(result) -> list[float]:
    return rows(result).start_s.tolist()


def fates(result) -> list[int]:
    return rows(result).fate.tolist()


# Killed, and anew


def test_a_killed_request_leaves_its_origin_anew_once_the_news_is_there():
    """RTT 4 s to site 0 and 2 s to site 1. Served there from 2, killed at 10, known after 5 s, at home after 2 s: 17.

    Anew to site 1: there at 18, finish 38, home 39. Wait 17 (the lost attempt), network 2, service 20: 39 in all.
    The ledger keeps 8 s of site 0.
    """
    world = world_of(broken((1, 1), dark()), rtt_s=[[4, 2]])
    result = play(world, HALVES, [Ask(0, 20, u=0.1)])
    row, record = rows(result), result.record
    assert (sites(result), row.reach_s.tolist(), starts(result), row.finish_s.tolist()) == ([1], [18], [18], [38])
    assert (row.retries.tolist(), row.lost_s.tolist()) == ([1], [17])
    sums = {name: histogram.sums.tolist() for name, histogram in record.latency.items()}
    assert sums == {"network": [2], "wait": [17], "ttft": [19], "end_to_end": [39]}
    assert record.busy_place_s.tolist() == [[8, 20]]
    assert (record.routed.tolist(), record.rerouted.tolist(), record.received.tolist()) == ([[1, 1]], [[1, 0]], [1, 1])
    assert record.site_wait.sums.tolist() == [0, 17]


def test_the_ledger_keeps_the_service_before_the_kill_and_not_a_second_more():
    """Slots of 10 s: services [3, 40) and [8, 12) are killed at 15 and done; [14, 16) is killed after 1 s.

    The slot before the kill is as it was; the slots after it are empty.
    """
    world = world_of(broken((3,), dark(start_s=15, length_s=99), retries=0, slots=4, slot_s=10.0))
    result = play(world, InTurn(split([1])), [Ask(3, 37), Ask(8, 4), Ask(14, 2)])
    assert fates(result) == [FAILED, FINISHED, FAILED]
    assert result.record.busy_place_s.tolist() == [[7 + 2], [5 + 2 + 1], [0], [0]]
    assert result.record.served_s.tolist() == result.record.busy_place_s.tolist()


def test_an_outage_comes_before_what_finishes_and_arrives_at_its_time():
    """A service [0, 10) dies at 10, one of [0, 9.5) does not; who reaches the site at 10 is lost, too."""
    world = world_of(broken((3,), dark(), retries=0))
    result = play(world, split([1]), [Ask(0, 10), Ask(0, 9.5), Ask(10)])
    assert fates(result) == [FAILED, FINISHED, FAILED]
    assert result.record.busy_place_s.tolist() == [[19.5]]


def test_an_outage_that_lets_requests_finish_routes_its_queue_anew():
    """One runs until 20 and finishes there. Who waits leaves at 10 + 5; who comes at 12, before the news, at 17.

    On 10 s, draining 10 s, and 70 s after the outage; off in no second.
    """
    world = world_of(broken((1, 2), dark(running="finish")))
    result = play(world, HALVES, [Ask(0, 20, u=0.1), Ask(1, 5, u=0.1), Ask(12, 5, u=0.1)])
    assert sites(result) == [0, 1, 1]
    assert starts(result) == [0, 15, 17]
    assert rows(result).finish_s.tolist() == [20, 20, 22]
    assert result.record.busy_place_s.tolist() == [[20, 10]]
    assert result.record.rerouted.tolist() == [[2, 0]]
    assert result.usage.on_server_s.tolist() == [[90, 200]]
    assert result.usage.off_server_s.tolist() == [[0, 0]]


def test_servers_that_finish_in_an_outage_are_not_off():
    """Two servers, one wanted. Off: one for 50 s; both are dark until 90, one finishes; then one boots for 10 s."""
    data = broken((2,), dark(start_s=50, length_s=40, running="finish"), servers={"boot_s": 10})
    result = play(world_of(data), split([1]), [Ask(40, 45)], orders=lambda: [Orders(1)])
    assert result.usage.on_server_s.tolist() == [[50 + 35]]
    assert result.usage.booting_server_s.tolist() == [[10]]
    assert result.usage.off_server_s.tolist() == [[50 + 10]]


# A share of the servers

LOTS = (0.3, 0.9, 0.1, 0.6)


@pytest.mark.parametrize(
    ("share", "concurrency", "fails"),
    [(0.5, 1, [1, 3]), (0.3, 1, [1, 3]), (0.25, 1, [1]), (0.75, 1, [0, 1, 3]), (0.5, 2, [1, 3]), (0.1, 2, [1, 3])],
)
def test_of_a_share_of_the_servers_the_requests_with_the_largest_lots_die(share, concurrency, fails):
    """Four places in servers of 1 or 2: of 4 servers ceil(4 x share) go, of 2 ceil(2 x share), and so many requests."""
    data = broken((4 // concurrency,), dark(share=share), retries=0, servers={"concurrency": concurrency})
    result = play(world_of(data), split([1]), [Ask(0, 50, u=u) for u in LOTS])
    assert [k for k, fate in enumerate(fates(result)) if fate == FAILED] == fails


def test_of_servers_that_are_half_used_half_of_the_requests_die():
    """Three requests on 8 places of two servers; one server goes: ceil(3 / 2) of them. Of equal lots the last ones."""
    data = broken((2,), dark(share=0.5), retries=0, servers={"concurrency": 4})
    result = play(world_of(data), split([1]), [Ask(0, 50, u=0.5)] * 3)
    assert fates(result) == [FINISHED, FAILED, FAILED]


def test_a_share_of_draining_servers_takes_that_share_of_the_requests():
    """Ten servers serve ten; one is on from 5, nine drain. An outage of three of ten kills three, not all ten."""
    data = broken((10,), dark(share=0.3, length_s=200), retries=0)
    asks = [Ask(0, 60, u=k / 10) for k in range(10)]
    result = play(world_of(data), split([1]), asks, orders=lambda: [Timed((0, 10), (5, 1))])
    assert fates(result) == [FINISHED] * 7 + [FAILED] * 3
    assert result.record.busy_place_s.tolist() == [[7 * 60 + 3 * 10]]


def test_the_same_share_of_booting_servers_goes_down():
    """Of 4 servers two are on and two boot from 5 to 45. Half of each goes at 10: one place is left, one comes at 45.

    Booting 5 + 40 s. All are back at 30 and wanted: two boot until 70.
    """
    data = broken((4,), dark(share=0.5), retries=0, servers={"boot_s": 40})
    asks = [Ask(11, 200, u=0)] * 4
    result = play(world_of(data), split([1]), asks, orders=lambda: [Timed((0, 2), (5, 4))])
    np.testing.assert_array_equal(starts(result), [11, 45, 70, 70])
    assert result.usage.booting_server_s.tolist() == [[5 + 40 + 80]]


def test_booting_servers_go_down_even_where_enough_others_are_off():
    """Of 6 servers two are on, two boot from 5 to 45, two are off. Half of each goes at 10; another boots.

    One is on, one opens at 45, one boots from 10 to 50, and once all are back one from 30 to 70: 5 + 40 + 40 + 40 s.
    """
    data = broken((6,), dark(share=0.5), retries=0, servers={"boot_s": 40})
    result = play(world_of(data), split([1]), [Ask(11, 200)] * 4, orders=lambda: [Timed((0, 2), (5, 4))])
    assert starts(result) == [11, 45, 50, 70]
    assert result.usage.booting_server_s.tolist() == [[125]]
    assert result.booted.tolist() == [4]


def test_a_smaller_outage_leaves_the_queue_where_it_is():
    """Two of four servers go at 10 with two requests; who waits since 5 stays, and starts at 20."""
    data = broken((4, 4), dark(share=0.5, length_s=90))
    asks = [*(Ask(0, 20, u=u / 2) for u in LOTS), Ask(5, 1, u=0)]
    result = play(world_of(data), HALVES, asks)
    assert sites(result) == [0, 0, 0, 0, 0]
    # The two that died leave anew at 15 and wait behind it.
    assert starts(result) == [0, 20, 0, 21, 20]
    assert result.record.rerouted.tolist() == [[2, 0]]


# On the way


def test_who_reaches_a_dark_site_leaves_anew():
    """RTT 10 s: there at 11, one second into the outage; anew at 11 + 5 + 5, at the other site at 26."""
    world = world_of(broken((1, 1), dark()), rtt_s=[[10, 10]])
    result = play(world, HALVES, [Ask(6, 1, u=0.1)])
    assert (sites(result), starts(result)) == ([1], [26])
    assert result.record.received.tolist() == [1, 1]
    assert result.record.lost.tolist() == [0, 0]


def test_who_travels_a_cut_link_is_lost_on_the_way():
    """The same, but the site has never seen it."""
    world = world_of(broken((1, 1), cut()), rtt_s=[[10, 10]])
    result = play(world, HALVES, [Ask(6, 1, u=0.1)])
    assert (sites(result), starts(result)) == ([1], [26])
    assert result.record.received.tolist() == [0, 1]
    assert result.record.lost.tolist() == [1, 0]


def test_a_link_that_is_back_in_time_loses_nobody():
    """Cut in [7, 10), while the request of [6, 11) is on its way; one of [3, 8) is lost."""
    world = world_of(broken((2, 2), cut(start_s=7, length_s=3), retries=0), rtt_s=[[10, 10]])
    result = play(world, HALVES, [Ask(3, 1, u=0.1), Ask(6, 1, u=0.1)])
    assert fates(result) == [FAILED, FINISHED]
    np.testing.assert_array_equal(starts(result), [NAN, 11])


def test_a_cut_link_moves_its_origin_only_and_nobody_in_service():
    """From 15 on origin 0 goes to site 1; origin 1 stays; who is served since 0 stays, and goes home."""
    world = world_of(broken((9, 9), cut(), shares=[1, 1]))
    asks = [Ask(0, 30), Ask(12), Ask(12, origin=1), Ask(16), Ask(16, origin=1), Ask(34), Ask(35)]
    result = play(world, split([1, 0], [1, 0]), asks)
    assert sites(result) == [0, 1, 0, 1, 0, 1, 0]
    assert starts(result) == [0, 17, 12, 16, 16, 34, 35]
    assert result.record.rerouted.tolist() == [[1, 0], [0, 0]]


# Retries


@pytest.mark.parametrize(("retries", "fate", "at"), [(0, FAILED, 0), (1, FAILED, 1), (2, FINISHED, 2)])
def test_a_request_fails_when_its_retries_are_used_up(retries, fate, at):
    """Site 0 goes dark at 10, site 1 at 20: killed at 10, anew at 15, killed at 20, anew at 25 at site 2."""
    world = world_of(broken((1, 1, 1), dark(length_s=90), dark(1, 20, 80), retries=retries), rtt_s=[[0, 0, 0]])
    result = play(world, split([1, 0, 0]), [Ask(0, 30)])
    assert (fates(result), sites(result)) == ([fate], [at])
    assert result.record.fates[fate, 0, at] == 1
    assert rows(result).retries.tolist() == [retries]
    summary = result.summary()
    assert (summary["failed"], summary["finished"], summary["rerouted"]) == (fate == FAILED, fate == FINISHED, retries)


def test_without_an_allowed_site_a_retry_fails_and_an_arrival_is_rejected():
    """One site, dark in [10, 30), known in [15, 35): killed at 10, lost at 12: both fail; 16 and 34 are rejected."""
    world = world_of(broken((1,), dark()))
    result = play(world, split([1]), [Ask(0, 20), Ask(12), Ask(16), Ask(34), Ask(35)])
    assert fates(result) == [FAILED, FAILED, REJECTED, REJECTED, FINISHED]
    assert sites(result) == [-1, -1, -1, -1, 0]
    assert result.record.fates[FAILED].tolist() == [[0, 2]]
    assert result.record.fates[REJECTED].tolist() == [[0, 2]]
    assert rows(result).retries.tolist() == [1, 1, 0, 0, 0]


def test_a_retry_that_meets_a_full_queue_is_rejected():
    """Nobody may wait, and the only place of site 1 is taken until 40: killed at 10, there at 15, rejected."""
    world = world_of(broken((1, 1), dark(), queue_limit=0))
    result = play(world, HALVES, [Ask(0, 20, u=0.1), Ask(0, 40, u=0.9)])
    assert (fates(result), sites(result)) == ([REJECTED, FINISHED], [1, 1])
    assert result.record.fates[REJECTED].tolist() == [[0, 1, 0]]


def test_a_retry_may_go_back_to_where_it_was_lost():
    """One site, dark in [10, 22), known in [25, 37). Killed at 10 it leaves at 25 and finds no site.

    With an RTT of 24 s it reaches the dark site at 12 and leaves anew at 12 + 15 + 12 = 39: there at 51.
    """
    world = world_of(broken((1,), dark(length_s=12), detection_s=15.0, retries=1))
    assert fates(play(world, split([1]), [Ask(0, 20)])) == [FAILED]
    world = world_of(broken((1,), dark(length_s=12), detection_s=15.0, retries=1), rtt_s=[[24]])
    result = play(world, split([1]), [Ask(0, 20)])
    assert (fates(result), starts(result)) == ([FINISHED], [51])


def test_a_retry_still_under_way_at_the_end_is_unfinished():
    """Killed at 90, it would leave at 95 + 20: it has no site at the end, and one fate."""
    world = world_of(broken((1, 1), dark(start_s=90)), rtt_s=[[40, 40]])
    result = play(world, HALVES, [Ask(0, 80, u=0.1)])
    assert (fates(result), sites(result)) == ([UNFINISHED], [-1])
    assert result.record.fates[UNFINISHED].tolist() == [[0, 0, 1]]


# What routers know


def test_routers_know_after_the_detection_delay_and_not_before():
    """Dark from 10, known from 15: requests of 10 and 14.9 are lost, those of 15 and later go to site 1.

    Back at 30, known at 35: 34.9 still goes to site 1.
    """
    world = world_of(broken((9, 9), dark()))
    result = play(world, HALVES, [Ask(at, u=0.2) for at in (8, 10, 14.9, 15, 34.9, 35)])
    assert sites(result) == [0, 1, 1, 1, 1, 0]
    assert rows(result).retries.tolist() == [0, 1, 1, 0, 0, 0]
    assert result.record.routed.tolist() == [[4, 4]]


def test_a_row_of_shares_without_the_dark_site_keeps_its_sum_and_its_lots():
    """Shares 0.4, 0.2, 0.2: without site 0 the row is 0, 0.4, 0.4 and still rejects lots from 0.8 on.

    Lots 0.1 and 0.39 go to site 1, 0.41 and 0.7 to site 2; before, they went to 0, 0, 1 and 2.
    """
    lots = (0.1, 0.39, 0.41, 0.7, 0.81)
    world = world_of(broken((9, 9, 9), dark(length_s=90)))
    result = play(world, split([0.4, 0.2, 0.2]), [Ask(1, u=u) for u in lots] + [Ask(20, u=u) for u in lots])
    assert sites(result) == [0, 0, 1, 2, -1, 1, 1, 2, 2, -1]


def test_a_row_that_is_left_empty_goes_to_the_nearest_site_that_is_up():
    """All shares at site 0; RTT 6 s to site 1, 4 s to site 2; then site 2 goes dark, too."""
    world = world_of(broken((9, 9, 9), dark(length_s=90), dark(2, 40, 60)), rtt_s=[[0, 6, 4]])
    result = play(world, split([1, 0, 0]), [Ask(1), Ask(20), Ask(50)])
    assert sites(result) == [0, 2, 1]


def test_scores_leave_out_what_is_down():
    """The cheapest site is dark from 10, known at 15; a site whose half is dark may still be used."""
    for share, expected in ((1.0, [0, 1, 1, 0]), (0.5, [0, 0, 0, 0])):
        world = world_of(broken((8, 8), dark(share=share)))
        asks = [Ask(1), Ask(11, u=0), Ask(16), Ask(36)]
        assert sites(play(world, Score(np.array([[0.0, 1.0]])), asks)) == expected


def test_planned_capacity_is_that_of_the_servers_that_are_up():
    """Four servers of 0.9 requests/s, half of them dark in [10, 30), known in [15, 35); slots of 10 s."""
    policy = InTurn(split([1, 0]))
    world = world_of(broken((4, 4), dark(share=0.5), slots=6, slot_s=10.0))
    play(world, policy, [])
    capacity = [view.fleet.capacity_rps.tolist() for view in policy.seen]
    np.testing.assert_allclose(capacity, [[3.6, 3.6]] * 2 + [[1.8, 3.6]] * 2 + [[3.6, 3.6]] * 2)


@numba.njit
def always_first(origin, time_s, u, waiting, free, data, memory):
    return 0


def test_an_own_rule_that_picks_a_dark_site_means_the_nearest_one_that_is_up():
    """The rule always says site 0; RTT 6 s to site 1, 4 s to site 2."""
    world = world_of(broken((9, 9, 9), dark()), rtt_s=[[0, 6, 4]])
    result = play(world, Own(always_first, np.zeros((1, 1))), [Ask(1), Ask(16), Ask(36)])
    assert sites(result) == [0, 2, 0]


def test_prices_that_move_leave_out_what_is_down_and_are_kept_when_it_comes_back():
    """Requests make site 0 dearer until site 1 has its turn. News of site 2, which nobody uses, moves nobody."""
    burden = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    plan = Dual(Score(np.array([[0.0, 0.35, 9.0]])), "euclidean", 0.1, burden, 9 * burden, 0.0)
    asks = [Ask(2.0 * k) for k in range(30)]
    calm = play(world_of(broken((9, 9, 9), dark(2, 99, 1))), plan, asks)
    shaken = play(world_of(broken((9, 9, 9), dark(2, 7, 20))), plan, asks)
    assert sites(calm) == sites(shaken)
    assert set(sites(calm)) == {0, 1}
    down = play(world_of(broken((9, 9, 9), dark(1, 0, 99), detection_s=0.0)), plan, asks)
    assert 1 not in sites(down)


@pytest.mark.parametrize("name", ["glb-cost", "glb-nearest", "eglb", "hedge", "mpc", "eglb-off"])
def test_an_outage_moves_requests_to_allowed_sites_only(name):
    """Origin 0 may use sites 0 and 1, origin 1 sites 1 and 2; site 1 is down in [100, 300), known in [105, 305)."""
    data = broken(
        (4, 4, 4), dark(1, 100, 200), shares=[1, 1], slots=4, slot_s=100.0, demand={"poisson": {"rate_per_s": 2}}
    )
    allowed = np.array([[1, 1, 0], [0, 1, 1]], dtype=bool)
    world = world_of(data, allowed=allowed)
    results = [run(world, POLICIES[name](), engine=engine, keep_requests=True) for engine in ("compiled", "simpy")]
    assert_equal(*results)
    row = rows(results[0])
    known = (row.arrival_s + row.lost_s >= 105) & (row.arrival_s + row.lost_s < 305) & (row.site >= 0)
    assert known.sum() > 50
    assert (row.site[known] == 2 * row.origin[known]).all()


# Signals


def test_while_signals_are_missing_the_policy_sees_the_last_ones_and_the_ledger_the_true_ones():
    """Slots of 36 s at 100, 200, 300, 400 US$/MWh; signals of site 0 are missing in slots 1 and 2.

    One idle server of 100 W: 0.001 kWh a slot, at the true price.
    """
    steps = {"steps": {"values": [100, 200, 300, 400], "every_h": 0.01}}
    data = broken(
        (1, 1),
        {"signals": "s0", "start_s": 36, "length_s": 72},
        slots=4,
        slot_s=36.0,
        signals={
            "synthetic": {"price_usd_per_mwh": steps, "carbon_kg_per_kwh": steps, "water_l_per_kwh": steps},
        },
    )
    policy = InTurn(HALVES)
    result = play(world_of(data), policy, [])
    prices = np.array([view.price_usd_per_kwh for view in policy.seen])
    np.testing.assert_array_equal(prices, [[0.1, 0.1], [0.1, 0.2], [0.1, 0.3], [0.4, 0.4]])
    for name, factor in (("carbon_kg_per_kwh", 1000), ("water_l_per_kwh", 1000)):
        np.testing.assert_array_equal([getattr(view, name) for view in policy.seen], factor * prices)
    np.testing.assert_allclose(result.footprint.cost_usd, np.array([[1e-4], [2e-4], [3e-4], [4e-4]]) * [[1, 1]])


def test_missing_signals_move_no_request_of_a_held_plan():
    """Not even a retry: nothing is lost."""
    calm = play(world_of(fleet((1, 1))), HALVES, [Ask(k, 3, u=k % 2 / 2) for k in range(30)])
    data = broken((1, 1), {"signals": "s0", "start_s": 0, "length_s": 72})
    silent = play(world_of(data), HALVES, [Ask(k, 3, u=k % 2 / 2) for k in range(30)])
    np.testing.assert_equal(rows(silent), rows(calm))


# When


def test_nobody_is_served_by_a_dark_site():
    """Slots of 10 s, dark in [20, 50): a service [15, 60) counts 5 s, and nobody comes before that is known at 55."""
    world = world_of(broken((1, 1), dark(start_s=20, length_s=30), slots=10, slot_s=10.0))
    asks = [Ask(15, 45, u=0), *(Ask(k, 4, u=0) for k in range(20, 80, 4))]
    result = play(world, InTurn(HALVES), asks)
    busy = result.record.busy_place_s
    assert busy[:5, 0].tolist() == [0, 5, 0, 0, 0]
    assert result.usage.on_server_s[:6, 0].tolist() == [10, 10, 0, 0, 0, 10]
    assert (rows(result).site[(rows(result).arrival_s >= 25) & (rows(result).arrival_s < 55)] == 1).all()
    assert (rows(result).site[rows(result).arrival_s >= 60] == 0).all()


@pytest.mark.parametrize(
    ("more", "on_s"),
    [
        ([], 2 * 60),
        ([dark(start_s=25, length_s=5)], 2 * 60),
        ([dark(start_s=12, length_s=70, share=0.5)], 20 + 32 + 36),
    ],
)
def test_a_site_is_back_when_its_last_outage_ends(more, on_s):
    """Dark in [10, 30) and [20, 50): known up from 55 on; one inside changes nothing.

    With half of it down until 82 as well: two servers on for 10 s, one in [50, 82), two for 18 s.
    """
    world = world_of(broken((2, 2), dark(), dark(start_s=20, length_s=30), *more))
    result = play(world, HALVES, [Ask(at, u=0) for at in (8, 36, 54.9, 55)])
    assert sites(result) == [0, 1, 1, 0]
    assert result.usage.on_server_s[0, 0] == on_s


def test_halves_that_overlap_leave_nothing():
    """Half dark in [10, 40) and half in [20, 30): one server, none in [20, 30), one until 40, two after.

    On 2 x 10 + 10 + 0 + 10 + 2 x 60.
    """
    world = world_of(broken((2,), dark(length_s=30, share=0.5), dark(start_s=20, length_s=10, share=0.5)))
    result = play(world, split([1]), [])
    assert result.usage.on_server_s.tolist() == [[20 + 10 + 10 + 120]]


def test_an_outage_that_follows_another_leaves_no_gap():
    """[10, 30) and [30, 50) are one outage: who arrives at 30 is lost or knows, and the servers never start."""
    world = world_of(broken((1, 1), dark(), dark(start_s=30), detection_s=0.0))
    result = play(world, HALVES, [Ask(30, u=0), Ask(50, u=0)])
    assert sites(result) == [1, 0]
    assert result.usage.on_server_s[0, 0] == 10 + 50


def test_an_outage_at_a_slot_boundary_leaves_the_slot_before_whole():
    """Slots of 10 s: a service [5, 15) killed at 10 is 5 s of the first slot; detected at once, the plan knows."""
    world = world_of(broken((1, 1), dark(length_s=10), detection_s=0.0, slots=3, slot_s=10.0))
    policy = InTurn(HALVES, split([0, 1]), HALVES)
    result = play(world, policy, [Ask(5, 10, u=0), Ask(20, 1, u=0)])
    assert result.record.busy_place_s.tolist() == [[5, 0], [0, 10], [1, 0]]
    assert starts(result) == [10, 20]
    assert [view.fleet.allowed.tolist() for view in policy.seen] == [[[True, True]], [[False, True]], [[True, True]]]
    assert [view.places_open.tolist() for view in policy.seen] == [[1, 1], [0, 1], [0, 1]]


def test_an_outage_to_the_end_and_beyond_is_never_over():
    """A run of 100 s, dark from 60 on: off or dark, on for 60 s."""
    for length_s in (40, 1e6):
        result = play(world_of(broken((1,), dark(start_s=60, length_s=length_s))), split([1]), [Ask(59, 5)])
        assert fates(result) == [FAILED]
        assert result.usage.on_server_s.tolist() == [[60]]
        assert result.usage.off_server_s.tolist() == [[0]]


@pytest.mark.parametrize(("detection_s", "expected"), [(0.0, [1, 1, 0]), (5.0, [1, 1, 1])])
def test_an_outage_may_be_there_from_the_start(detection_s, expected):
    """Dark in [0, 20). Known at once: nobody goes there; after 5 s: the first one is lost, and 24 still avoids it."""
    world = world_of(broken((1, 1), dark(start_s=0), detection_s=detection_s, slots=10, slot_s=10.0))
    result = play(world, InTurn(HALVES), [Ask(0, u=0), Ask(19, u=0), Ask(24, u=0)])
    assert sites(result) == expected
    assert rows(result).retries.tolist() == [int(detection_s > 0), 0, 0]
    assert starts(result) == [detection_s, 19, 24]
    assert result.usage.on_server_s.sum(axis=0).tolist() == [80, 100]


def test_an_outage_at_the_start_switches_nothing_else_off():
    """A quarter of four servers is dark in [0, 20); two are wanted for the load, and are on from the start."""
    data = broken((4,), dark(start_s=0, share=0.25), demand={"poisson": {"rate_per_s": 2}}, servers={"boot_s": 200})
    result = play(world_of(data), split([1]), [Ask(1)], orders=lambda: [Follow(1.0)])
    assert starts(result) == [1]
    assert result.booted.tolist() == [0]
    assert result.usage.on_server_s.tolist() == [[200]]


def test_an_outage_that_ends_as_a_slot_begins_boots_for_the_new_load_only():
    """Loads of 4, and of 1 from 100 on; when four servers are back at 100, one boots, not four."""
    demand = {"poisson": {"rate_per_s": 4}}
    data = broken((4, 4), dark(start_s=50, length_s=50), slots=2, demand=demand, servers={"boot_s": 10}, detection_s=0)
    policy = InTurn(split([1, 0]), split([0.25, 0.75]))
    result = play(world_of(data), policy, [], orders=lambda: [Follow(1.0), Timed((0, 4))])
    assert result.booted.tolist() == [1, 0]
    assert result.usage.booting_server_s.tolist() == [[0, 0], [10, 0]]


def test_a_site_that_is_back_boots_before_it_serves():
    """Back at 30, known at 35, boot 40 s: up at 70. Who arrives at 36 waits until then."""
    world = world_of(broken((1, 1), dark(), servers={"boot_s": 40}))
    result = play(world, HALVES, [Ask(36, 1, u=0)])
    assert (sites(result), starts(result)) == ([0], [70])
    assert result.usage.booting_server_s.tolist() == [[40, 0]]


def test_provisioning_is_asked_when_servers_go_down_and_come_back():
    """At 10 and at 30, and 5 s later when routers know and may send requests elsewhere."""
    orders = [Timed((0, 1))]
    play(world_of(broken((1,), dark())), split([1]), [], orders=lambda: orders, engine="compiled")
    assert orders[0].reasons == [(0, "slot"), (10, "outage"), (15, "slot"), (30, "outage"), (35, "slot")]


# At random

RANDOM = {
    "sites": {"mean_up_h": 2, "mean_down_h": 0.5},
    "links": {"mean_up_h": 3, "mean_down_h": 0.25},
    "signals": {"mean_up_h": 1, "mean_down_h": 4},
}


def drawn(seed, random):
    scenario = parse(fleet((1,), (1,), slots=1000, slot_s=3600.0, outages={"random": random}))
    return build_outages(scenario, ["s0"], ["o0"], seed, Problems()).all


def test_times_up_and_down_are_exponential():
    """First times up and down over 1,000 seeds: means and standard deviations of an exponential (|z| < 4)."""
    seeds = 1000
    for kind, asked in RANDOM.items():
        first = [drawn(seed, {kind: asked})[0] for seed in range(seeds)]
        up_s, down_s = (
            np.array(column) for column in zip(*((o.start_s, o.end_s - o.start_s) for o in first), strict=True)
        )
        for times_s, mean_h in ((up_s, asked["mean_up_h"]), (down_s, asked["mean_down_h"])):
            z = (times_s.mean() / 3600 / mean_h - 1) * math.sqrt(seeds)
            assert abs(z) < 4, (kind, z)
            # The variance of a sample variance of an exponential is 8 / n (of mean 1).
            assert abs(times_s.var() / (3600 * mean_h) ** 2 - 1) < 4 * math.sqrt(8 / seeds), kind
        assert abs(np.corrcoef(up_s, down_s)[0, 1]) < 4 / math.sqrt(seeds)


def test_up_and_down_take_turns_to_the_end_of_the_run():
    """1,000 h of 2 h up and 0.5 h down: about 400 outages, none in another, and dark for a fifth of the time."""
    found = drawn(1, {"sites": RANDOM["sites"]})
    times = np.array([(outage.start_s, outage.end_s) for outage in found]).ravel()
    assert (np.diff(times) > 0).all()
    assert 300 < len(found) < 500
    assert found[-1].start_s < 3.6e6 < found[-1].end_s + 20 * 3600
    dark_s = sum(outage.end_s - outage.start_s for outage in found)
    assert dark_s / 3.6e6 == pytest.approx(0.2, abs=0.04)


def test_random_outages_move_no_request_of_the_tape_and_no_other_outage():
    """Each kind, site and link has a part of the stream of its own."""
    plain = world_of(fleet((2, 2), demand={"poisson": {"rate_per_s": 5}}))
    shaken = world_of(fleet((2, 2), demand={"poisson": {"rate_per_s": 5}}, outages={"random": RANDOM}))
    for one, other in zip(Tape(plain).blocks(), Tape(shaken).blocks(), strict=True):
        np.testing.assert_equal(one, other)
    alone = drawn(5, {"sites": RANDOM["sites"]})
    assert tuple(o for o in drawn(5, RANDOM) if o.kind == "site") == alone


def test_random_outages_of_some_sites_leave_the_others_alone():
    """`only`, and a share."""
    random = {"sites": {"mean_up_h": 0.002, "mean_down_h": 0.002, "only": ["s1"], "share": 0.5, "running": "finish"}}
    found = world_of(fleet((2, 2, 2), outages={"random": random})).outages.all
    assert found
    assert {(outage.site, outage.share, outage.kills) for outage in found} == {(1, 0.5, False)}


# The books


@pytest.mark.parametrize("running", ["kill", "finish"])
def test_nothing_is_lost_from_the_books_under_heavy_load(running):
    """Three sites at full load, one dark for a third of the run, another one just when retries come, a link cut."""
    data = broken(
        (5, 5, 5),
        dark(0, 100, 100, running=running),
        dark(1, 108, 30, running=running),
        dark(1, 150, 60, share=0.5, running=running),
        cut(0, 2, 120, 50),
        slots=3,
        demand={"poisson": {"rate_per_s": 14}},
        request={"seconds": {"exponential": {"mean": 1.0}}},
        queue_limit=20,
        detection_s=7.0,
    )
    world = world_of(data, rtt_s=[[0.5, 1.0, 2.0]])
    third = split([0.4, 0.3, 0.3])
    results = [run(world, InTurn(third), engine=engine, keep_requests=True) for engine in ("compiled", "simpy")]
    assert_equal(*results)
    result = results[0]
    count = len(rows(result).number)
    assert count == sum(len(block.arrival_s) for block in Tape(world).blocks())
    ends = [int(result.fate(fate)) for fate in (FINISHED, FAILED, REJECTED, UNFINISHED)]
    assert sum(ends) == count > 3000
    assert min(ends) > 0
    assert result.record.rerouted.sum() > 20
    assert rows(result).retries.max() == 1
    assert ends == [fates(result).count(fate) for fate in (FINISHED, FAILED, REJECTED, UNFINISHED)]
    if running == "kill":
        assert result.record.busy_place_s[1, 0] == 0
    assert "every request that a site received has one fate, or was routed anew" in result.laws


def test_laws_hold_where_what_is_taken_back_leaves_a_rounding():
    """Services of any length that lie in several slots and are killed: a + b - b is not a in binary."""
    outages = {"scheduled": [{"site": "s0", "start_s": 3500, "length_s": 7200}]}
    data = fleet((40, 40), slots=4, slot_s=3600.0, outages=outages, demand={"poisson": {"rate_per_s": 0.08}})
    data["workload"]["request"] = {"seconds": {"exponential": {"mean": 300}}}
    for seed in range(10):
        result = run(world_of(data, seed), InTurn(HALVES))
        assert all((part >= 0).all() for part in result.usage)


def test_a_server_that_failed_while_it_served_boots_when_it_comes_back():
    """Dark in [10, 30) with services until 51 that finish where they are: four boots of 30 s from 30, none kept on."""
    data = broken((4,), dark(running="finish"), servers={"boot_s": 30})
    result = play(world_of(data), split([1]), [Ask(1, 50) for _ in range(4)])
    assert result.booted.tolist() == [4]
    assert result.usage.booting_server_s.sum() == 4 * 30


def test_servers_that_are_down_are_not_off():
    """Two of four on, half fail in [10, 40) and one boots at once in place of the one that was on.

    On 2 x 100 s; off 2 x 10, none of the two that are up, 2 x 60.
    """
    data = broken((4,), dark(length_s=30, share=0.5, running="finish"), provisioning={"static": {"servers": 2}})
    result = play(world_of(data), split([1]), [Ask(0, 51), Ask(0, 51)])
    assert result.usage.on_server_s.tolist() == [[200]]
    assert result.usage.off_server_s.tolist() == [[140]]
    assert result.booted.tolist() == [1]


def test_origins_that_no_site_was_up_for_are_served_once_one_is_known_to_be():
    """Dark in [90, 110) over the start of a slot at 100, known at 115: the plan of 100 had nowhere to send requests."""
    data = broken((9,), dark(start_s=90), slots=2, slot_s=100.0)

    class ByTheFleet(InTurn):
        def plan(self, observation):
            return split(observation.fleet.allowed[0].astype(float))

    result = play(world_of(data), ByTheFleet(split([1])), [Ask(k, 1, u=0.5) for k in (105, 114, 116, 150)])
    assert result.record.requests.fate.tolist() == [REJECTED, REJECTED, FINISHED, FINISHED]
