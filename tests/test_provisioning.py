"""Provisioning policies by hand: how many servers they want, when, and what they ask for; and what is no order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from worlds import Ask, InTurn, Timed, fleet, play, split, world_of

from policies import POLICIES, PROVISIONING
from policies.provisioning.follow import Follow
from policies.provisioning.on_demand import OnDemand
from policies.provisioning.reactive import Reactive
from policies.provisioning.staffing import Staffing, mean_wait_s
from policies.provisioning.static import Static
from simulator import run
from simulator.plan import PolicyError, Score
from simulator.provisioning import Order, ProvisioningPolicy, SiteFacts, SiteView
from simulator.record import FINISHED


def of(policy, servers=10.0, places=1.0, service_s=10.0, lead_s=0.0, slot_s=100.0):
    """A policy that has started at a site like this."""
    policy.start(SiteFacts("here", slot_s, servers, places, service_s, lead_s))
    return policy


def view(*load, reason="slot", time_s=0.0, slot=0, on=0.0, booting=0.0, in_use=0.0, waiting=0.0) -> SiteView:
    """What it sees; loads of this slot and the next ones."""
    return SiteView(reason, time_s, slot, 10.0, on, booting, in_use, waiting, np.array(load or (0.0,)))


def switched(places=(4,), *, boot_s=30.0, load_s=0.0, **changes):
    data = fleet(places, **changes)
    for site in data["sites"]:
        site["servers"] |= {"boot_s": boot_s, "load_s": load_s}
    return data


def on_s(result) -> list[float]:
    """Of the first pool, by slot."""
    return result.usage.on_server_s[:, 0].tolist()


# Static


def test_static_keeps_all_servers_or_so_many_on():
    assert of(Static()).order(view()) == Order(10.0)
    assert of(Static(3)).order(view(reason="work")) == Order(3)


# Follow


@pytest.mark.parametrize(
    ("load", "utilisation", "places", "servers"),
    [(7.0, 0.7, 1, 10), (7.1, 0.7, 1, 11), (7.0, 0.7, 4, 3), (0.0, 0.5, 1, 0), (2.0, 1.0, 1, 2), (0.1, 1.0, 8, 1)],
)
def test_follow_wants_the_load_over_the_target_in_whole_servers(load, utilisation, places, servers):
    """ceil(load / utilisation / places of a server); 7 / 0.7 is 10 and not 11."""
    assert of(Follow(utilisation), places=places).order(view(load)).servers == servers


def test_follow_keeps_at_least_so_many_and_one_while_there_is_work():
    assert of(Follow(least=2)).order(view(0.0)).servers == 2
    for busy in ({"waiting": 1.0}, {"in_use": 1.0}, {"reason": "work"}):
        assert of(Follow()).order(view(0.0, **busy)).servers == 1
    assert of(Follow()).order(view(0.0, reason="idle")).servers == 0


def test_follow_looks_ahead_by_the_time_of_a_boot_and_asks_again_for_the_next_slot():
    """Slots of 100 s, lead 30 s, loads 1, 5, 2: at 0 it wants 1 and asks again at 70; at 70 it wants 5.

    At 100 it wants 5, and asks again at 170. With a lead of 230 s it wants the most of three slots at 0.
    """
    assert of(Follow(1.0), lead_s=30).order(view(1, 5, 2)) == Order(1, 70)
    assert of(Follow(1.0), lead_s=30).order(view(1, 5, 2, time_s=70, reason="again")) == Order(5, 170)
    assert of(Follow(1.0), lead_s=30).order(view(5, 2, time_s=100, slot=1)) == Order(5, 170)
    assert of(Follow(1.0), lead_s=230).order(view(1, 5, 2, 9)).servers == 5
    assert of(Follow(1.0), lead_s=230).order(view(1, 5, 2, 9)).again_s == 70


def test_servers_are_up_when_the_slot_begins():
    """2 requests/s of 1 s in the first hour, 4 in the second; two of four servers on at first.

    Lead 30 + 10 s: two more boot in [3560, 3600), and all four serve at 3600.
    """
    data = switched(
        slots=2, slot_s=3600.0, load_s=10, demand={"poisson": {"rate_per_s": 3, "daily_profile": [2, 4] * 12}}
    )
    data["origins"][0]["longitude_deg"] = 0.0
    result = play(world_of(data, rtt_s=[[0.0]]), split([1]), [Ask(3600.0, 5)] * 4, orders=lambda: [Follow(1.0)])
    assert result.record.requests.start_s.tolist() == [3600.0] * 4
    assert result.usage.booting_server_s.tolist() == [[2 * 40.0], [0]]
    assert on_s(result) == [2 * 3600.0, 4 * 3600.0]


def test_servers_for_a_plan_made_of_prices_follow_what_it_did_in_the_slot_before():
    """At first by planned capacity: 2 requests/s of 1 s over two equal sites, 1 each: two servers of four at 0.5.

    Nobody went to site 1 in the slot [0, 100); 60 busy seconds at site 0 are a load of 0.6 for 2 requests/s: 2 servers.
    """
    data = switched((4, 4), slots=2, demand={"poisson": {"rate_per_s": 2}}, boot_s=0)
    plan = Score(np.array([[0.0, 1.0]]))
    result = play(world_of(data), plan, [Ask(k, 1) for k in range(60)], orders=lambda: [Follow(0.5), Follow(0.5)])
    assert result.usage.on_server_s.tolist() == [[200, 200], [200, 0]]


def test_a_plan_made_of_prices_without_any_capacity_brings_no_load():
    """All sites are dark until 20 and known to be: no server is wanted, nothing breaks; then 1/s of 1 s at each."""
    outages = {"scheduled": [{"site": s, "start_s": 0, "length_s": 20} for s in ("s0", "s1")], "detection_s": 0}
    data = switched((4, 4), demand={"poisson": {"rate_per_s": 2}}, outages=outages, boot_s=0)
    asks = [Ask(50, 5, u=0)]
    result = play(world_of(data), Score(np.zeros((1, 2))), asks, orders=lambda: [Follow(1.0), Follow(1.0)])
    assert result.record.requests.start_s.tolist() == [50]
    assert result.usage.on_server_s.tolist() == [[80, 80]]


# Staffing


def test_staffing_is_the_square_root_rule():
    """With beta = 1 a share 1 / (1 + Phi(1) / phi(1)) = 1 / (1 + 0.8413447 / 0.2419707) = 0.2233613 waits.

    A load of 100 with services of 10 s: 10 / (1 x 10) = 1 s each, on average 0.2233613 s; for that 100 + 10 places.
    """
    assert mean_wait_s(1.0, 100.0, 10.0) == pytest.approx(0.2233613, rel=1e-6)
    assert of(Staffing(0.2233613)).places(100.0) == pytest.approx(110.0, rel=1e-6)
    assert of(Staffing(0.2233613), places=4).order(view(100.0)).servers == 28
    assert of(Staffing()).order(view(0.0)).servers == 0


def erlang_wait_s(places: int, load: float, service_s: float) -> float:
    """Mean wait of M/M/c, exactly (Erlang C by the recursion of Erlang B)."""
    blocked = 1.0
    for k in range(1, places + 1):
        blocked = load * blocked / (k + load * blocked)
    waits = blocked / (1 - load / places * (1 - blocked))
    return waits * service_s / (places - load)


@pytest.mark.parametrize("wait_s", [0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
def test_staffing_meets_its_target_within_one_place_of_erlang_c(wait_s):
    """Loads of 4 to 480, services of 10 s: as many places as M/M/c needs for the target, or one fewer.

    From 50 places on the wait itself is within 10 % of the target or below.
    """
    for load in (4.0, 5.5, 8.0, 13.0, 20.0, 35.0, 60.0, 100.0, 180.0, 300.0, 480.0):
        places = int(of(Staffing(wait_s)).order(view(load)).servers)
        needed = math.floor(load) + 1
        while erlang_wait_s(needed, load, 10.0) > wait_s:
            needed += 1
        assert places in (needed - 1, needed), (load, places, needed)
        if places >= 50:
            assert erlang_wait_s(places, load, 10.0) <= 1.1 * wait_s


def test_staffing_keeps_the_wait_in_a_simulation():
    """Load 20, services of 10 s, target 1 s: 24 places by the rule, 0.75 s by Erlang C; simulated within 10 %."""
    request = {"seconds": {"exponential": {"mean": 10}}}
    data = switched((40,), slots=20, slot_s=3600.0, demand={"poisson": {"rate_per_s": 2}}, request=request)
    data |= {"provisioning": {"staffing": {"wait_s": 1.0}}}
    result = run(world_of(data), InTurn(split([1])))
    assert on_s(result) == [24 * 3600.0] * 20
    exact = erlang_wait_s(24, 20.0, 10.0)
    assert result.record.latency["wait"].mean() == pytest.approx(exact, rel=0.1)
    assert exact < 1.0


# Reactive


def test_reactive_holds_busy_places_between_two_shares():
    """Up 0.8, down 0.4, so that it aims at 0.6. Ten servers on.

    8 busy are held; 9 want 9 / 0.6 = 15; 4 are held; 3.9 are low, but only now; requests that wait are busy.
    """
    at = {"on": 8.0, "booting": 2.0}
    for busy, wanted in ((8, 10), (9, 15), (4, 10), (3, 10)):
        assert of(Reactive(0.8, 0.4)).order(view(in_use=busy, **at)).servers == wanted
    assert of(Reactive(0.8, 0.4)).order(view(in_use=6, waiting=3, **at)).servers == 15
    assert of(Reactive(0.8, 0.4), places=2).order(view(in_use=18, **at)).servers == 15
    assert of(Reactive(0.8, 0.4)).order(view(waiting=1, reason="work")).servers == 2


def test_reactive_switches_off_after_its_delay_and_not_when_work_came_in_between():
    """Low from 0 on with a delay of 120 s: off at 120, to 3 / 0.6 = 5. With a busy look at 60: at 240."""
    policy = of(Reactive(0.8, 0.4, every_s=60, delay_s=120))
    wanted = [policy.order(view(time_s=t, in_use=3, on=10.0)).servers for t in (0, 60, 119, 120)]
    assert wanted == [10, 10, 10, 5]
    policy = of(Reactive(0.8, 0.4, every_s=60, delay_s=120))
    looks = ((0, 3), (60, 5), (120, 3), (180, 3), (240, 3))
    wanted = [policy.order(view(time_s=t, in_use=busy, on=10.0)).servers for t, busy in looks]
    assert wanted == [10, 10, 10, 10, 5]


def test_reactive_waits_anew_after_it_has_switched_off():
    """Off to 5 at 120; still low at 180 with one busy, it is low since 180: off to 1 / 0.6 -> 2 at 300."""
    policy = of(Reactive(0.8, 0.4, every_s=60, delay_s=120))
    looks = ((0, 3, 10), (120, 3, 10), (180, 1, 5), (240, 1, 5), (300, 1, 5))
    assert [policy.order(view(time_s=t, in_use=busy, on=on)).servers for t, busy, on in looks] == [10, 5, 5, 5, 2]


def test_reactive_looks_at_every_multiple_of_its_interval():
    """Asked in between as well, it keeps to the multiples; also where division rounds to the one before (4.3 / 0.1)."""
    assert of(Reactive(every_s=60)).order(view(time_s=0)).again_s == 60
    assert of(Reactive(every_s=60)).order(view(time_s=59.9)).again_s == 60
    assert of(Reactive(every_s=60)).order(view(time_s=60)).again_s == 120
    for every_s in (0.1, 0.7, 1.1, 12.34):
        policy, time_s = of(Reactive(every_s=every_s)), 0.0
        for k in range(1, 2000):
            again_s = policy.order(view(time_s=time_s)).again_s
            assert again_s > time_s
            assert again_s == k * every_s
            time_s = again_s


def test_reactive_in_a_run():
    """Four servers, looks each 10 s, delay 20 s, no load: off at 20 (low since 0). Three come at 25: 1 boots for work.

    1 / 0.6 -> 2 servers at 25 (boot 5 s, there at 30); the look at 30: three busy or waiting want 3 / 0.6 = 5, of which
    there are 4: two more by 35.
    """
    data = switched((4,), boot_s=5)
    asks = [Ask(25, 20), Ask(26, 20), Ask(27, 20)]
    result = play(world_of(data), split([1]), asks, orders=lambda: [Reactive(0.8, 0.4, every_s=10, delay_s=20)])
    assert result.record.requests.start_s.tolist() == [30, 30, 35]
    assert result.booted.tolist() == [4]


# On demand


def test_on_demand_boots_for_work_and_goes_off_a_while_after_it():
    """Idle from 0: off at 15. Work at 40 boots all two until 70; done at 75; off at 90. On 2 x (15 + 20) s."""
    result = play(world_of(switched((2,))), split([1]), [Ask(40, 5)], orders=lambda: [OnDemand(15)])
    assert result.record.requests.start_s.tolist() == [70]
    assert result.booted.tolist() == [2]
    assert on_s(result) == [2 * (15 + 20)]


def test_work_within_the_delay_keeps_the_servers_on():
    """Done at 12, 22, 42 with a delay of 15 s: off at 57 only, and nobody ever waits for a boot."""
    asks = [Ask(10, 2), Ask(20, 2), Ask(30, 12)]
    result = play(world_of(switched((1,))), split([1]), asks, orders=lambda: [OnDemand(15)])
    assert result.record.requests.start_s.tolist() == [10, 20, 30]
    assert on_s(result) == [57]


def test_on_demand_without_a_delay_goes_off_as_it_goes_idle():
    """Two servers of three: boot at 5 until 35, done at 36 and 38; off at 38. Again at 50: until 80, done at 81."""
    asks = [Ask(5, 1), Ask(6, 3), Ask(50, 1)]
    result = play(world_of(switched((3,))), split([1]), asks, orders=lambda: [OnDemand(0, servers=2)])
    assert result.record.requests.start_s.tolist() == [35, 35, 80]
    assert on_s(result) == [2 * (3 + 1)]
    assert result.booted.tolist() == [4]


# When policies are asked


def test_work_is_reported_while_no_place_is_open_or_booting():
    """At 5 and 6 nothing boots yet; from 10 to 40 a server boots and nobody is heard; at 60 it is off again."""
    orders = [Timed((0, 0), (10, 1), (55, 0))]
    asks = [Ask(5, 1), Ask(6, 1), Ask(20, 1), Ask(50, 1), Ask(60, 1)]
    play(world_of(switched((1,))), split([1]), asks, engine="compiled", orders=lambda: orders)
    assert orders[0].reasons == [(0, "slot"), (5, "work"), (6, "work"), (10, "again"), (55, "again"), (60, "work")]


def test_an_order_in_between_makes_an_earlier_wish_to_be_asked_again_void():
    """Asked at 5 for work, the policy says nothing of a time, so that 10 never comes."""

    class Forgets(ProvisioningPolicy):
        def __init__(self):
            self.asked = []

        def order(self, view):
            self.asked.append((view.time_s, view.reason))
            return Order(0.0, 10.0 if view.reason == "slot" else None)

    orders = [Forgets()]
    play(world_of(switched((1,))), split([1]), [Ask(5, 1)], engine="compiled", orders=lambda: orders)
    assert orders[0].asked == [(0, "slot"), (5, "work")]
    orders[0].asked.clear()
    play(world_of(switched((1,))), split([1]), [], engine="compiled", orders=lambda: orders)
    assert orders[0].asked == [(0, "slot"), (10, "again")]


def test_a_policy_sees_its_site_in_units_of_the_full_fleet():
    """Four servers of 2 places at scale 0.5 are two, each for two: two on, one in use is two, one waiting is two."""
    seen = []

    class Looks(ProvisioningPolicy):
        def order(self, view):
            seen.append((view.servers, view.on, view.booting, view.in_use, view.waiting))
            return Order(2.0)

    data = switched((4,), fleet_scale=0.5, accept_scaled=True, slots=2, slot_s=50.0)
    data["sites"][0]["servers"]["concurrency"] = 2
    policy = Looks()
    play(world_of(data), split([1]), [Ask(1, 80)] * 3, engine="simpy", orders=lambda: [policy])
    assert seen == [(4, 4, 0, 0, 0), (4, 2, 0, 4, 2)]
    facts = policy.facts
    assert (facts.site, facts.servers, facts.places_per_server, facts.service_s) == ("s0", 4, 2, 1)
    assert (facts.lead_s, facts.slot_s) == (30, 50)


# What is wrong

WRONG = [
    ("static", {"servers": -1}, "servers must be finite and at least 0 (given -1)"),
    ("static", {"servers": math.nan}, "servers must be finite"),
    ("follow", {"utilisation": 0}, "utilisation must be above 0 and at most 1 (given 0)"),
    ("follow", {"utilisation": 1.01}, "utilisation must be above 0"),
    ("follow", {"least": -1}, "least must be finite and at least 0 (given -1)"),
    ("staffing", {"wait_s": 0}, "wait_s must be finite and above 0 (given 0)"),
    ("staffing", {"wait_s": math.inf}, "wait_s must be finite"),
    ("staffing", {"least": math.nan}, "least must be finite"),
    ("reactive", {"up": 0.5, "down": 0.5}, "0 < down < up <= 1 is needed (given down 0.5, up 0.5)"),
    ("reactive", {"up": 1.5}, "0 < down < up <= 1"),
    ("reactive", {"down": 0}, "0 < down < up <= 1"),
    ("reactive", {"every_s": 0}, "every_s must be finite and above 0 (given 0)"),
    ("reactive", {"delay_s": -1}, "delay_s and least must be finite and at least 0"),
    ("reactive", {"least": math.inf}, "delay_s and least must be finite and at least 0"),
    ("on-demand", {"delay_s": -1}, "delay_s must be finite and at least 0 (given -1)"),
    ("on-demand", {"servers": 0}, "servers must be finite and above 0 (given 0)"),
]


@pytest.mark.parametrize(("name", "given", "says"), WRONG)
def test_wrong_settings_are_refused(name, given, says):
    with pytest.raises(ValueError, match=says.replace("(", r"\(").replace(")", r"\)")):
        PROVISIONING[name](**given)


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (3, "must return an Order, not int"),
        (None, "must return an Order, not NoneType"),
        ((3.0, None), "must return an Order, not tuple"),
        (Order(-1.0), "servers must be finite and at least 0, not -1.0"),
        (Order(math.nan), "servers must be finite"),
        (Order(math.inf), "servers must be finite"),
        (Order(True), "servers must be a number, not True"),
        (Order("3"), "servers must be a number, not '3'"),
        (Order(1.0, "soon"), "again_s must be a number, not 'soon'"),
    ],
)
@pytest.mark.parametrize("engine", ["compiled", "simpy"])
def test_what_is_no_order_ends_the_run_and_names_the_site(engine, order, says):
    class Says(ProvisioningPolicy):
        def order(self, view):
            return order

    with pytest.raises(PolicyError, match=rf"order\(\).*{says}.*\(site s1\)"):
        play(world_of(switched((1, 1))), split([1, 0]), [], engine=engine, orders=lambda: [Static(), Says()])


def test_a_policy_without_an_order_says_so():
    with pytest.raises(NotImplementedError, match=r"Empty has no order\(\)"):
        type("Empty", (ProvisioningPolicy,), {})().order(view())


def test_a_policy_cannot_change_what_it_sees():
    with pytest.raises(ValueError, match="read-only"):
        view(1.0, 2.0).load[0] = 5.0


# A policy of one's own

OWN = """\
from simulator import Order, ProvisioningPolicy


class Nights(ProvisioningPolicy):
    def __init__(self, least: float = 1):
        self.least = least

    def order(self, view):
        return Order(self.least if view.time_s < 40 else self.facts.servers, 40.0)
"""


def test_a_policy_of_ones_own_serves_one_site_and_ours_the_others(tmp_path):
    """One of four on until 40, then all: three boot until 70. Site 1 keeps what the scenario says for all sites."""
    (tmp_path / "my_orders_here.py").write_text(OWN)
    data = switched((4, 4), provisioning={"static": {"servers": 3}})
    data["sites"][0]["provisioning"] = {"my_orders_here:Nights": {"least": 1}}
    world = world_of(data)
    for engine in ("compiled", "simpy"):
        result = run(world, POLICIES["glb-nearest"](), engine=engine, folders=[tmp_path])
        assert result.usage.on_server_s.tolist() == [[100 + 3 * 30, 300]]
        assert result.booted.tolist() == [3, 0]
        assert result.fate(FINISHED) > 0


@pytest.mark.parametrize(
    ("asked", "kept"),
    [("static", 4), ({"static": {"servers": 3}}, 3), ({"follow": {"least": 1}}, 1), ("staffing", 0), ("on-demand", 0)],
)
def test_planners_count_as_spent_what_is_on_whatever_happens(asked, kept) -> None:
    """Of four servers that idle at 100 W in a slot of 100 s: kept x 100 W x 100 s."""
    listening = InTurn(split([1.0]))
    run(world_of(fleet((4,), provisioning=asked)), listening)
    assert listening.seen[0].fleet.standing_kwh.tolist() == pytest.approx([kept * 100 * 100 / 3.6e6])


def test_under_prices_the_planned_load_is_what_was_sent_in_the_slot_before():
    """All of 40 requests/s of 10 s go to the cheaper site: 400 busy places, whatever it could serve so far."""
    data = fleet((900, 900), provisioning="follow", slots=4, slot_s=300.0, demand={"poisson": {"rate_per_s": 40}})
    data["workload"]["request"] = {"seconds": 10.0}
    for site in data["sites"]:
        site["servers"]["boot_s"] = 50
    result = run(world_of(data), InTurn(Score(np.array([[0.0, 1.0]]), rate_cap_rps=np.array([90.0, 90.0]))))
    wanted = 40 * 10 / 0.7
    assert result.servers_on[2, 0] == pytest.approx(wanted, rel=0.1)
    assert result.servers_on[2, 1] == pytest.approx(0, abs=1)


def test_work_that_is_turned_away_boots_a_server_too():
    """A queue without room: whoever finds no place open is rejected, and a server boots all the same."""
    data = fleet((1,), queue_limit=0, provisioning={"reactive": {"delay_s": 0.0}})
    data["sites"][0]["servers"]["boot_s"] = 5
    result = play(world_of(data), split([1]), [Ask(70, 1), Ask(80, 1)], orders=lambda: [Reactive(delay_s=0.0)])
    assert result.record.fates[FINISHED].sum() == 1


def test_an_order_for_as_many_as_there_are_changes_nothing():
    """Two types, half of each down in [10, 30): to hold what there is boots none of one type and closes no other."""

    class Hold(ProvisioningPolicy):
        def order(self, view: SiteView) -> Order:
            return Order(view.on + view.booting)

    outages = {"scheduled": [{"site": "s0", "start_s": 10, "length_s": 20, "share": 0.5}]}
    data = fleet((1,), outages=outages)
    kinds = [{"name": name, "count": 2, "peak_w": 700, "idle_w": 100, "boot_s": 40} for name in ("a", "b")]
    data["sites"][0]["servers"] = kinds
    result = play(world_of(data), split([1]), [], orders=lambda: [Hold()])
    assert result.booted.tolist() == [0, 0]
    assert result.usage.on_server_s.tolist() == [[110, 110]]
