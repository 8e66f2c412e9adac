"""Battery controls: what each one does on days by hand, and that none trades at a loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_onsite import battery, one_site

from policies.storage import Carbon, Price, SelfConsumption

#: Four cheap hours, four dear ones.
TWO_LEVELS = [0.05] * 4 + [0.20] * 4


def test_self_consumption_stores_the_surplus_and_gives_it_back_and_takes_nothing_from_the_grid():
    """10 kWh of surplus leave 9.7 in the cells; an hour gives at most 1 / 1.05 of that, and 0.01 / 1.05 stay."""
    flows, _ = one_site([30, 10, 0, 0], [20, 20, 5, 5], SelfConsumption(), price=[-1, 1, -1, 1])
    np.testing.assert_allclose(flows.stored, [10, 0, 0, 0])
    stays = 0.01 / 1.05
    np.testing.assert_allclose(flows.discharged, np.array([0, 1, stays, stays**2]) * 9.7 / 1.05, rtol=1e-9)
    assert (flows.grid_charged == 0).all()


@given(st.floats(0.1, 1e4), st.floats(0.1, 1e4))
def test_self_consumption_takes_not_even_a_rounding_from_the_grid(solar, load):
    flows, _ = one_site([solar], [load], SelfConsumption(), hours=0.1, cells=battery(1e6))
    assert flows.grid_charged[0] == 0


def test_price_buys_cheap_and_gives_in_dear_hours():
    """Flat prices buy nothing; the first dear hour is above the dearest quarter of the window, and sells."""
    flows, loads = one_site([0] * 9, [40] * 9, Price(), price=[0.2, *TWO_LEVELS])
    assert flows.grid_charged[0] == 0
    assert flows.grid_charged[1] == pytest.approx(100 / 1.01)
    assert flows.discharged[1:5].sum() == 0
    np.testing.assert_allclose(flows.discharged[5:7], [40, 40])
    cost = (np.array([0.2, *TWO_LEVELS]) * (loads - flows.own_kwh)).sum()
    assert cost < (np.array([0.2, *TWO_LEVELS]) * loads).sum()


def test_price_stores_the_surplus_at_any_price():
    flows, _ = one_site([30, 30, 30], [20, 20, 20], Price(), price=[0.1, 0.2, 0.3])
    assert flows.stored[2] == 10


def test_price_does_not_trade_where_the_spread_is_less_than_the_losses():
    """The round trip keeps 0.97 / 1.04 = 93.3 %: 5 % between cheap and dear do not pay, 10 % do."""
    small, _ = one_site([0] * 24, [40] * 24, Price(), price=[0.105, 0.100] * 12)
    large, _ = one_site([0] * 24, [40] * 24, Price(), price=[0.110, 0.100] * 12)
    assert small.grid_charged.sum() == small.discharged.sum() == 0
    assert large.discharged.sum() > 0


def test_price_keeps_what_it_bought_until_it_is_worth_as_much_or_can_be_bought_again_for_less():
    """Bought at 0.5. The price falls to 0.3, a little up and down: no reason to give it away. Then it goes up to 0.6:
    it is given; or up and down between 0.3 and 0.1: what is given at 0.3 can be bought again at 0.1."""
    fallen = [1.0, 0.5, *[0.30, 0.29] * 10]
    for end, gives in (([0.6, 0.6], [True, True]), ([0.1, 0.3] * 2, [False, True] * 2), ([0.3] * 4, [False] * 4)):
        prices = fallen + end
        flows, _ = one_site([0] * len(prices), [10] * len(prices), Price(window_h=4), price=prices)
        assert flows.grid_charged[1] > 0
        assert flows.discharged[: len(fallen)].sum() == 0
        assert (flows.discharged[len(fallen) :] > 0).tolist() == gives


def test_price_is_paid_for_taking_energy_below_a_price_of_zero_and_gives_none():
    flows, _ = one_site([0] * 4, [10] * 4, Price(), price=[-0.1] * 4)
    assert flows.grid_charged[0] > 0
    assert flows.discharged.sum() == 0


def test_carbon_minds_carbon_and_not_the_price():
    prices, carbons = [0.2, 0.1, 0.2, 0.1], [0.2, 0.6, 0.2, 0.6]
    flows, loads = one_site([0] * 4, [10] * 4, Carbon(), price=prices, carbon=carbons)
    assert flows.grid_charged[2] > 0
    assert flows.discharged[3] == pytest.approx(10)
    assert (np.array(prices) * (loads - flows.own_kwh)).sum() > (np.array(prices) * loads).sum()


@settings(max_examples=200, deadline=None)
@given(st.data(), st.lists(st.floats(0.001, 1), min_size=2, max_size=60), st.floats(1, 48))
def test_nothing_is_given_at_a_loss(data, prices, window_h):
    """What is given saves at least what was paid for it, or what the cheapest quarter of the window would cost."""
    slots = len(prices)
    solar = data.draw(st.lists(st.floats(0, 50), min_size=slots, max_size=slots))
    load = data.draw(st.lists(st.floats(0, 50), min_size=slots, max_size=slots))
    flows, _ = one_site(solar, load, Price(window_h), price=prices)
    paid = content = 0.0
    for k, price in enumerate(prices):
        paid += price * flows.grid_charged[k]
        if flows.discharged[k] > 0:
            share = min(flows.discharged[k] * 1.04 / content, 1.0)
            again = np.quantile(prices[max(k + 1 - round(window_h), 0) : k + 1], 0.25) * 1.04 / 0.97
            assert price * flows.discharged[k] >= min(paid * share, again * flows.discharged[k]) * (1 - 1e-9)
            paid *= 1 - share
        content = flows.content[k]


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=40))
def test_a_control_that_is_started_again_has_forgotten_the_run_before(prices):
    control = Price()
    first, _ = one_site([0] * len(prices), [10] * len(prices), control, price=prices)
    again, _ = one_site([0] * len(prices), [10] * len(prices), control, price=prices)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "setting", [{"window_h": 0}, {"window_h": float("inf")}, {"cheap_share": 0}, {"dear_share": 0.6}]
)
def test_settings_that_make_no_sense_are_refused(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        Price(**setting)


def test_carbon_names_its_own_settings():
    with pytest.raises(ValueError, match="clean_share must be above 0 and at most"):
        Carbon(clean_share=0.7)
