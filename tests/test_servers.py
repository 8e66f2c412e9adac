"""Servers that boot, drain and go off, by hand: every expected figure follows from the model by pencil.

``play`` runs the reference and the compiled plane and holds them against each other.
"""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import Ask, InTurn, Orders, Timed, fleet, play, split, world_of

from policies import POLICIES
from simulator import build_world
from simulator.plan import Score
from simulator.record import FINISHED, REJECTED
from simulator.rows import site_rows
from simulator.scenario import parse
from simulator.scenario.catalogue import models
from simulator.streams import stream

NAN = math.nan
J_PER_KWH = 3.6e6


def switched(places=(1,), *, servers=None, **changes):
    """A fleet whose servers boot in 30 s, or have these keys."""
    data = fleet(places, **changes)
    for site in data["sites"]:
        site["servers"] |= {"boot_s": 30} | (servers or {})
    return data


def timed(*steps, sites=1):
    """The first site's servers by time; the other sites' are all on."""
    return lambda: [Timed(*steps), *(Timed((0, 99)) for _ in range(1, sites))]


def starts(result) -> list[float]:
    return result.record.requests.start_s.tolist()


def usage(result, part: str) -> list[float]:
    """Of the whole run, [pools]."""
    return getattr(result.usage, part).sum(axis=0).tolist()


# Booting


def test_requests_wait_for_a_boot_and_the_load_of_the_model():
    """Off at 0; work at 5 boots one of two: open at 5 + 30 + 12 = 47, then 3 s each. On for 53 s, off 5 + 100 s."""
    world = world_of(switched((2,), servers={"load_s": 12}))
    result = play(world, split([1]), [Ask(5, 3), Ask(6, 3), Ask(20, 3)], orders=lambda: [Orders(0)])
    assert starts(result) == [47, 50, 53]
    assert result.booted.tolist() == [1]
    assert usage(result, "booting_server_s") == [42]
    assert usage(result, "on_server_s") == [53]
    assert usage(result, "off_server_s") == [105]


def test_a_second_raise_while_servers_boot_adds_the_missing_ones_only():
    """One wanted at 10 opens at 40; three wanted at 25: two more, open at 55. Four wait, of 100 s each."""
    world = world_of(switched((4,)))
    asks = [Ask(1, 100)] * 4
    result = play(world, split([1]), asks, orders=timed((0, 0), (10, 1), (25, 3)))
    np.testing.assert_array_equal(starts(result), [40, 55, 55, NAN])
    assert result.booted.tolist() == [3]
    assert usage(result, "booting_server_s") == [3 * 30]


def test_the_wait_for_boots_is_of_no_more_requests_than_places_boot():
    """Four wait. Places booting: 1 in [10, 25), 3 in [25, 40); then three wait for 2 in [40, 55): 15 + 45 + 30."""
    world = world_of(switched((4,)))
    result = play(world, split([1]), [Ask(1, 100)] * 4, orders=timed((0, 0), (10, 1), (25, 3)))
    assert result.boot_wait_s.tolist() == [90]


def test_the_wait_for_boots_is_of_no_more_places_than_requests_wait():
    """Three servers of 2 places boot in [10, 40); one waits since 1, one more since 30: 30 x 1 + 10 x 1."""
    world = world_of(switched((3,), servers={"concurrency": 2}))
    result = play(world, split([1]), [Ask(1, 5), Ask(30, 5)], orders=timed((0, 0), (10, 3)))
    assert starts(result) == [40, 40]
    assert result.boot_wait_s.tolist() == [40]


def test_the_youngest_boots_are_broken_off_first_and_have_drawn_their_power():
    """One boot since 10, two since 20; one fewer at 30, one more fewer at 35: the first opens at 40.

    Booting 30 + 10 + 15 = 55 server-seconds at 500 W.
    """
    world = world_of(switched((4,), servers={"boot_w": 500}))
    orders = timed((0, 0), (10, 1), (20, 3), (30, 2), (35, 1))
    result = play(world, split([1]), [Ask(1, 100)] * 3, orders=orders)
    np.testing.assert_array_equal(starts(result), [40, NAN, NAN])
    assert usage(result, "booting_server_s") == [55]
    assert result.booted.tolist() == [3]
    np.testing.assert_array_max_ulp(result.footprint.boot_kwh.sum(), 500 * 55 / J_PER_KWH, 2)


@pytest.mark.parametrize(("given", "load_s"), [({}, None), ({"load_s": 7}, 7.0), ({"load_s": 0}, 0.0)])
def test_the_model_of_the_catalogue_is_loaded_after_the_boot_unless_a_time_is_given(given, load_s):
    """Tokens of llama2-70b, whose row of models.csv says how long loading takes."""
    request = {"tokens": {"model": "llama2-70b", "input": 10, "output": 1}}
    load_s = float(models()["llama2-70b"]["load_s"]) if load_s is None else load_s
    world = world_of(switched((1,), request=request, servers=given, slot_s=1000.0))
    result = play(world, split([1]), [Ask(5, 1)], orders=lambda: [Orders(0)])
    assert starts(result) == [5 + (30 + load_s)]
    assert world.fleet.hardware.load_s.tolist() == [load_s]


def test_a_boot_of_no_length_opens_at_once():
    """Work at 5 opens a place at 5; boot_s and load_s are 0."""
    world = world_of(switched((1,), servers={"boot_s": 0}))
    result = play(world, split([1]), [Ask(5, 3), Ask(6, 3)], orders=lambda: [Orders(0)])
    assert starts(result) == [5, 8]
    assert usage(result, "booting_server_s") == [0]
    assert result.booted.tolist() == [1]


def test_a_boot_ends_before_a_request_of_that_time_reaches_the_site():
    """Nobody may wait. The boot of [10, 40) has ended for the request of 40, not for the one of 39.5."""
    world = world_of(switched((1,), queue_limit=0))
    result = play(world, split([1]), [Ask(39.5), Ask(40)], orders=timed((0, 0), (10, 1)))
    assert result.record.requests.fate.tolist() == [REJECTED, FINISHED]
    np.testing.assert_array_equal(starts(result), [NAN, 40])


def test_a_place_closes_before_a_request_of_that_time_reaches_the_site():
    """Nobody may wait, and the only server goes off at 50."""
    world = world_of(switched((1,), queue_limit=0))
    result = play(world, split([1]), [Ask(49, 0.5), Ask(50)], orders=timed((0, 1), (50, 0)))
    assert result.record.requests.fate.tolist() == [FINISHED, REJECTED]


@pytest.mark.parametrize("site", [0, 1])
def test_the_kth_boot_of_a_site_takes_the_kth_draw_whatever_the_policy(site):
    """Four boots at 1, or one a second; four requests that never leave take places as they open."""
    data = switched((4, 4), slot_s=1000.0, servers={"boot_s": {"exponential": {"mean": 20}}})
    draws = stream(3, "boots", site).standard_exponential(4) * 20
    asks = [Ask(0.5, 5000, u=site / 2)] * 4
    for steps, begins in ((((1, 4),), [1, 1, 1, 1]), ([(k, k) for k in range(1, 5)], [1, 2, 3, 4])):
        orders = [Timed((0, 0), (900, 4)), Timed((0, 0), *steps)]
        world = world_of(data, seed=3)
        result = play(world, split([0.5, 0.5]), asks, orders=lambda o=orders: o if site else o[::-1])
        assert sorted(starts(result)) == sorted(np.array(begins) + draws)


def test_booting_is_split_at_slot_boundaries():
    """Slots of 10 s; booting in [15, 25): 5 and 5 s; off before, on after."""
    world = world_of(switched((1,), slots=4, slot_s=10.0, servers={"boot_s": 10}))
    result = play(world, split([1]), [], orders=timed((0, 0), (15, 1)))
    assert result.usage.off_server_s.tolist() == [[10], [5], [0], [0]]
    assert result.usage.booting_server_s.tolist() == [[0], [5], [5], [0]]
    assert result.usage.on_server_s.tolist() == [[0], [0], [5], [10]]


# Draining


def test_places_close_at_once_while_those_who_run_finish():
    """Three servers of 2 places serve six requests; one server from 10 on.

    Beyond its 2 places run 4 until 12, 3 until 14, 2 until 16, 1 until 18: servers draining 2 (10 to 14), 1 (14 to 18).
    On 100 + 2 x 10 + 2 x 4 + 4 = 132. Who waits since 11 starts at 20, when two places are not all taken.
    """
    world = world_of(switched((3,), servers={"concurrency": 2}))
    asks = [Ask(0, size) for size in (12, 14, 16, 18, 20, 40)] + [Ask(11, 5)]
    result = play(world, split([1]), asks, orders=timed((0, 3), (10, 1)))
    assert result.record.requests.finish_s.tolist() == [12, 14, 16, 18, 20, 40, 25]
    assert usage(result, "on_server_s") == [132]
    assert usage(result, "off_server_s") == [300 - 132]
    assert result.booted.tolist() == [0]


def test_draining_is_split_at_slot_boundaries():
    """One server off at 5 serves until 23 in slots of 10 s: on 10, 10, 3; the other one is never used."""
    world = world_of(switched((2,), slots=3, slot_s=10.0))
    result = play(world, split([1]), [Ask(1, 22)], orders=timed((0, 1), (5, 0)))
    assert result.usage.on_server_s.tolist() == [[10], [10], [3]]
    assert result.usage.off_server_s.tolist() == [[10], [10], [17]]


def test_draining_servers_that_are_wanted_again_stay_on_without_a_boot():
    """Two servers drain from 10 to 20; one is wanted again at 15: it serves who waits since 5 at 20, and never booted.

    On 2 x 20 + 80 = 120.
    """
    world = world_of(switched((2,)))
    result = play(world, split([1]), [Ask(0, 20), Ask(0, 20), Ask(5, 1)], orders=timed((0, 2), (10, 0), (15, 1)))
    assert starts(result) == [0, 0, 20]
    assert result.booted.tolist() == [0]
    assert usage(result, "on_server_s") == [120]


def test_only_those_that_drain_stay_and_the_others_boot():
    """Three servers, three wanted at 15. One on and one draining: one boots until 45, and a place is free again at 60.

    One draining alone: two boot until 45.
    """
    world = world_of(switched((3,)))
    asks = [Ask(0, 60), Ask(1, 60), Ask(16, 60), Ask(16, 60)]
    result = play(world, split([1]), asks, orders=timed((0, 2), (10, 1), (15, 3)))
    assert starts(result) == [0, 1, 45, 60]
    assert result.booted.tolist() == [1]
    world = world_of(switched((3,)))
    result = play(world, split([1]), [Ask(0, 60), *asks[2:]], orders=timed((0, 1), (10, 0), (15, 3)))
    assert starts(result) == [0, 45, 45]
    assert result.booted.tolist() == [2]


def test_a_run_begins_with_all_servers_on():
    """What the first order does not want goes off at 0 without a trace; what it wants never boots."""
    result = play(world_of(switched((4,))), split([1]), [Ask(0), Ask(0)], orders=timed((0, 3)))
    assert starts(result) == [0, 0]
    assert usage(result, "on_server_s") == [300]
    assert usage(result, "off_server_s") == [100]
    assert result.booted.tolist() == [0]


def test_orders_are_rounded_up_to_whole_servers_and_cut_at_all_there_are():
    """1.2 servers are 2; 1 + 1e-12 is 1; 99 are all 4."""
    for wanted, on_s in ((1.2, 200), (1 + 1e-12, 100), (99, 400)):
        result = play(world_of(switched((4,))), split([1]), [], orders=timed((0, wanted)))
        assert usage(result, "on_server_s") == [on_s]


@pytest.mark.parametrize("seed", range(12))
def test_engines_add_up_draining_alike_while_another_site_calls(seed):
    """Site 1 drains while work at site 0 calls control at any time: planes must agree to the last bit (``play``)."""
    draw = random.Random(seed)
    data = switched((1, 3), servers={"boot_s": 3.3})
    end_s = draw.uniform(1, 9)
    asks = [Ask(0, draw.uniform(10, 20), u=0.9), Ask(0, draw.uniform(10, 20), u=0.9), Ask(draw.uniform(21, 40), u=0.1)]
    orders = [Orders(0), Timed((0, 3), (end_s, 0))]
    result = play(world_of(data), split([0.5, 0.5]), asks, orders=lambda: orders)
    assert result.usage.on_server_s[0, 1] == pytest.approx(3 * end_s + asks[0].size + asks[1].size - 2 * end_s)


# Several types


def two_types(**changes):
    """A fast server of one place, and a slow one of two."""
    data = fleet((1,), **changes)
    data["sites"][0]["servers"] = [
        {"name": "fast", "count": 1, "peak_w": 700, "idle_w": 100, "speed": 2, "boot_s": 30},
        {"name": "slow", "count": 1, "concurrency": 2, "peak_w": 500, "idle_w": 60, "boot_s": 10},
    ]
    return data


def test_places_of_the_first_type_are_taken_first_and_speed_halves_the_service():
    """Four of 10 s: one on the fast server for 5 s, two on the slow one, the fourth on the fast one at 5."""
    result = play(world_of(two_types()), split([1]), [Ask(0, 10), Ask(0, 10), Ask(0, 10), Ask(1, 10)])
    rows = result.record.requests
    assert rows.pool.tolist() == [0, 1, 1, 0]
    assert rows.start_s.tolist() == [0, 0, 0, 5]
    assert rows.finish_s.tolist() == [5, 10, 10, 10]


def test_energy_is_that_of_each_type():
    """Busy 10 s at 600 W and 20 place-seconds at 440 / 2 W; idle 100 s at 100 W and at 60 W."""
    result = play(world_of(two_types()), split([1]), [Ask(0, 10), Ask(0, 10), Ask(0, 10), Ask(1, 10)])
    assert result.usage.busy_place_s.tolist() == [[10, 20]]
    np.testing.assert_array_max_ulp(result.footprint.serving_kwh.item(), (6000 + 4400) / J_PER_KWH, 2)
    np.testing.assert_array_max_ulp(result.footprint.idle_kwh.item(), 16000 / J_PER_KWH, 2)


def test_the_first_type_is_switched_on_first_and_off_last():
    """One wanted: the fast one. Two from 50: the slow one boots for 10 s. One again from 80."""
    result = play(world_of(two_types()), split([1]), [Ask(51, 50)] * 3, orders=timed((0, 1), (50, 2), (80, 1)))
    assert usage(result, "on_server_s") == [100, 20 + 20]  # it drains to the end
    assert usage(result, "booting_server_s") == [0, 10]
    assert starts(result) == [51, 60, 60]
    assert result.booted.tolist() == [0, 1]


def test_the_second_type_comes_when_the_first_is_all_on_its_way():
    """Both off; two wanted at 10: the slow one opens at 20, the fast one at 40 and is taken first from then on."""
    asks = [Ask(1, 100), Ask(1, 100), Ask(1, 10), Ask(50, 10)]
    result = play(world_of(two_types()), split([1]), asks, orders=timed((0, 0), (10, 2)))
    assert starts(result) == [20, 20, 40, 50]
    assert result.record.requests.pool.tolist() == [1, 1, 0, 0]


# The usage of any run


@st.composite
def histories(draw):
    """Targets over time, at any times, and requests."""
    times = sorted(draw(st.lists(st.floats(0, 39), max_size=6)))
    steps = [(0.0, draw(st.integers(0, 6))), *((time, draw(st.integers(0, 6))) for time in times)]
    asks = sorted(Ask(draw(st.floats(0, 39)), draw(st.floats(0, 15))) for _ in range(draw(st.integers(0, 15))))
    return steps, asks


@settings(max_examples=40, deadline=None)
@given(histories(), st.sampled_from([1.0, 0.5]), st.sampled_from([1, 3]))
def test_every_server_is_on_booting_or_off_at_any_time(history, scale, concurrency):
    """In each slot on + booting + off = servers x slot; busy places are on; nothing is negative."""
    steps, asks = history
    servers = {"concurrency": concurrency, "boot_s": 3.3}
    data = switched((5,), slots=4, slot_s=10.0, fleet_scale=scale, accept_scaled=True, servers=servers)
    result = play(world_of(data), split([1]), asks, orders=timed(*steps))
    used = result.usage
    total = used.on_server_s + used.booting_server_s + used.off_server_s
    np.testing.assert_allclose(total, np.full((4, 1), 50.0), rtol=1e-12)
    assert min(part.min() for part in used) >= 0
    assert (used.busy_place_s * scale <= used.on_server_s / 5 * -(-5 * scale // 1) * concurrency + 1e-9).all()


# The footprint


def test_the_footprint_of_a_day_by_hand():
    """Four servers of 2 places; 1000 W busy, 200 W idle, 500 W booting, 20 W off. PUE 1.5.

    Two wanted from midnight, four from 6 h (boot 1,800 s), one from 18 h. Requests: 3 h at 2 h, two of 4 h at 7 h, 2 h
    at 13 h, all served at once. Until noon: on 2 x 12 + 2 x 5.5 = 35 h, booting 1 h, off 12 h, busy 11 h:
    7,000 + 500 + 240 + 4,400 = 12,140 Wh. After noon: on 24 + 6 = 30 h, off 18 h, busy 2 h:
    6,000 + 360 + 800 = 7,160 Wh.
    Facility 18.21 and 10.74 kWh at 0.1 and 0.2 US$/kWh: 3.969 US$; at 0.25 and 0.5 kg/kWh: 9.9225 kg.
    Water 2 L per kWh of IT and 4 L per kWh at the meter: 38.6 + 115.8 = 154.4 L.
    """
    hour = 3600.0
    servers = {"count": 4, "concurrency": 2, "peak_w": 1000, "idle_w": 200, "boot_w": 500, "off_w": 20, "boot_s": 1800}
    data = fleet(
        (4,),
        slots=24,
        slot_s=hour,
        signals={
            "synthetic": {
                "price_usd_per_mwh": {"steps": {"values": [100, 200], "every_h": 12}},
                "carbon_kg_per_kwh": {"steps": {"values": [0.25, 0.5], "every_h": 12}},
            }
        },
        cooling={"water": {"l_per_kwh": 2}},
        grid={"water": {"l_per_kwh": 4}},
    )
    data["sites"][0] |= {"servers": servers, "pue": 1.5}
    asks = [Ask(2 * hour, 3 * hour), Ask(7 * hour, 4 * hour), Ask(7 * hour, 4 * hour), Ask(13 * hour, 2 * hour)]
    result = play(world_of(data), split([1]), asks, orders=timed((0, 2), (6 * hour, 4), (18 * hour, 1)))
    assert starts(result) == [ask.at for ask in asks]
    expected = {
        "serving_kwh": 5.2,
        "idle_kwh": 13.0,
        "boot_kwh": 0.5,
        "off_kwh": 0.6,
        "facility_kwh": 28.95,
        "meter_kwh": 28.95,
        "cost_usd": 3.969,
        "carbon_kg": 9.9225,
        "water_l": 154.4,
    }
    found = {name: part.sum() for name, part in result.footprint._asdict().items()}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_max_ulp(found[name], value, 8)
    halves = result.footprint.it_kwh.reshape(2, 12).sum(axis=1)
    np.testing.assert_array_max_ulp(halves, np.array([12.14, 7.16]), 8)


def test_what_switching_costs_is_its_share_of_the_energy():
    """Off, then booting 0.5 h at 600 W: 0.3 kWh, 0.03 US$; an hour on at 200 W is not part of it."""
    data = switched((1,), slots=2, slot_s=3600.0, servers={"boot_s": 1800, "boot_w": 600, "idle_w": 200, "count": 1})
    result = play(world_of(data), split([1]), [], orders=timed((0, 0), (1800, 1)))
    np.testing.assert_allclose(result.footprint.boot_kwh.ravel(), [0.3, 0])
    np.testing.assert_allclose(result.boot_footprint.cost_usd.ravel(), [0.3 * 0.1, 0])
    assert site_rows(result)[0]["boot_cost_usd"] == pytest.approx(0.03)
    assert result.summary()["boots"] == 1


# What planners and routers know


def test_average_energy_of_a_request_has_its_share_of_the_idle_draw():
    """36 s on half a server: 36 x 800 / 2 J = 0.004 kWh; idle 36 x 200 / 2 J = 0.001 kWh, over the cap of 0.9.

    Standing energy then is nothing, else 4 x 200 W x 100 s = 80 kJ.
    """
    data = fleet((4,), request={"seconds": 36})
    data["sites"][0]["servers"] |= {"concurrency": 2, "peak_w": 1000, "idle_w": 200}
    for marginal, energy, standing in (("dynamic", 0.004, 80e3 / J_PER_KWH), ("average", 0.004 + 0.001 / 0.9, 0.0)):
        found = build_world(parse(data | {"planning": {"marginal": marginal}})).fleet
        np.testing.assert_array_max_ulp(found.energy_kwh, np.array([energy]), 4)
        np.testing.assert_allclose(found.standing_kwh, [standing], rtol=1e-12)


@pytest.mark.parametrize(("capacity", "seen"), [("all", [3.6, 3.6, 3.6]), ("open", [3.6, 1.8, 2.7])])
def test_planners_may_use_the_capacity_of_all_servers_or_of_those_on_and_booting(capacity, seen):
    """Four servers of 0.9 requests/s. Two on from 0 (after the plan), one more booting from 15 to 45; slots of 10 s."""
    data = switched((4, 4), slots=3, slot_s=10.0, planning={"capacity": capacity})
    policy = InTurn(split([1, 0]))
    play(world_of(data), policy, [], orders=timed((0, 2), (15, 3), sites=2))
    np.testing.assert_allclose([view.fleet.capacity_rps for view in policy.seen], [[value, 3.6] for value in seen])


def test_planners_see_the_boots_that_end_as_their_slot_begins():
    """Slots of 50 s; one server boots in [20, 50), another one in [30, 60)."""
    policy = InTurn(split([1]))
    play(world_of(switched((2,), slots=2, slot_s=50.0)), policy, [], orders=timed((0, 0), (20, 1), (30, 2)))
    assert [(view.places_open.item(), view.places_booting.item()) for view in policy.seen] == [(2, 0), (1, 1)]


def test_planners_send_what_open_servers_cannot_carry_elsewhere():
    """3 requests/s; the nearest site has half of its 4 servers on: 1.8 of 3 stay there, the others go to the next."""
    data = switched(
        (4, 4),
        slots=2,
        slot_s=500.0,
        planning={"capacity": "open"},
        demand={"poisson": {"rate_per_s": 3}},
        provisioning={"static": {"servers": 2}},
    )
    data["sites"][1]["provisioning"] = "static"
    world = world_of(data, rtt_s=[[0.0, 1.0]])
    asks = [Ask(600, u=u) for u in (0.0, 0.59, 0.61, 0.99)]
    assert play(world, POLICIES["glb-nearest"](), asks).record.requests.site.tolist() == [0, 0, 1, 1]
    assert play(world, POLICIES["glb-nearest"](), [Ask(1, u=0.99)]).record.requests.site.tolist() == [0]


@pytest.mark.parametrize(("boots_at", "picks"), [(5, [1, 1, 0]), (99, [1, 1, 1])])
def test_routers_expect_to_wait_for_the_rest_of_a_boot(boots_at, picks):
    """Price 1 a second of wait, site 1 costs 10 more and is busy: 11 at any time, 10 while it is free.

    A boot of [5, 45) makes site 0 cost 45 - t: 25 at 20, 10 at 35. Off and not booting, it is 40 away at any time.
    """
    data = switched((1, 1), servers={"boot_s": 40})
    plan = Score(np.array([[0.0, 10.0]]), wait_price_usd_per_s=1.0)
    asks = [Ask(0, 90), Ask(20, 90), Ask(35, 1)]
    result = play(world_of(data), plan, asks, orders=timed((0, 0), (boots_at, 1), sites=2))
    assert result.record.requests.site.tolist() == picks


# A smaller fleet


def test_servers_of_a_smaller_fleet_stand_for_several():
    """Four servers of 2 places at scale 0.5: two, each for two. Two wanted, four from 50: one boots for 10 s.

    In full units on 2 x 100 + 2 x 40, booting 2 x 10, off 2 x 50; a service of 10 s is 20 busy place-seconds.
    """
    servers = {"concurrency": 2, "boot_s": 10}
    world = world_of(switched((4,), fleet_scale=0.5, accept_scaled=True, servers=servers))
    result = play(world, split([1]), [Ask(1, 10)] * 3, orders=timed((0, 2), (50, 4)))
    assert starts(result) == [1, 1, 11]
    assert usage(result, "on_server_s") == [280]
    assert usage(result, "booting_server_s") == [20]
    assert usage(result, "off_server_s") == [100]
    assert usage(result, "busy_place_s") == [60]
    assert result.record.busy_place_s.tolist() == [[30]]
    assert result.booted.tolist() == [1]


def test_a_smaller_fleet_has_no_more_places_than_its_share():
    """Three servers of 2 places at scale 0.5: 3 places in two servers, each for 1.5. One on: 2 places; both: 3."""
    data = switched((3,), fleet_scale=0.5, accept_scaled=True, servers={"concurrency": 2})
    for wanted, expected, on_s in ((1, [0, 0, 10, 10], 150), (2, [0, 0, 0, 10], 300)):
        result = play(world_of(data), split([1]), [Ask(0, 10)] * 4, orders=timed((0, wanted)))
        assert starts(result) == expected
        assert usage(result, "on_server_s") == [on_s]
