"""Prices of equity by hand, against a second solver, and against what requests are charged in a run."""

from __future__ import annotations

import math

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import Ask, fleet, play, world_of

from simulator.adaptive_prices import AdaptiveEntropicPrices, AdaptiveEuclideanPrices, mixability_gap, pace_of
from simulator.plan import Dual, Score
from simulator.prices import EntropicPrices, EuclideanPrices, auxiliary


@given(seed=st.integers(0, 10**6), count=st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_the_auxiliary_step_of_mirror_descent_is_a_linear_program(seed: int, count: int) -> None:
    """argmin of max(z) - gamma.z over 0 <= z <= most, by the second solver."""
    generator = np.random.default_rng(seed)
    gamma, most = generator.normal(0.2, 0.5, count), generator.uniform(0, 3, count)
    z = cp.Variable(count, nonneg=True)
    least = cp.Problem(cp.Minimize(cp.max(z) - gamma @ z), [z <= most]).solve(solver=cp.CLARABEL)
    ours = np.array(auxiliary(gamma.tolist(), most.tolist()))
    assert (ours >= 0).all()
    assert (ours <= most + 1e-12).all()
    assert max(ours) - gamma @ ours == pytest.approx(least, abs=1e-6)


def test_a_euclidean_step_by_hand() -> None:
    """gamma 0: z = 0, so gamma = 0.5 x (2, 0, 1). Then 1 + 0.5 > 1: z follows the site with 4, as high as 3 there."""
    prices = EuclideanPrices(3)
    prices.move([2.0, 0.0, 1.0], 0.5, [4.0, 9.0, 3.0], 1.0)
    assert prices.gamma == [1.0, 0.0, 0.5]
    prices.move([1.0, 1.0, 1.0], 0.5, [4.0, 9.0, 3.0], 0.5)
    # From the largest down: 4 has 1.0 of gamma, not more than 1; with 3 it is 1.5. So z = (3, 0, 3), half of it counts.
    assert prices.gamma == [1.0 + 0.5 * (1 - 1.5), 0.5, 0.5 + 0.5 * (1 - 1.5)]


def test_an_entropic_step_by_hand() -> None:
    """Weights e^0 and e^(0.5 x 2), and the same again from there."""
    prices = EntropicPrices(2)
    assert prices.gamma == [0.5, 0.5]
    prices.move([0.0, 2.0], 0.5, [9.0, 9.0], 1.0)
    np.testing.assert_allclose(prices.gamma, np.array([1.0, math.e]) / (1 + math.e), rtol=1e-15)
    prices.move([0.0, 2.0], 0.5, [9.0, 9.0], 1.0)
    np.testing.assert_allclose(prices.gamma, np.array([1.0, math.e**2]) / (1 + math.e**2), rtol=1e-15)


def test_entropic_weights_stay_on_the_simplex_however_large_the_exponents() -> None:
    prices = EntropicPrices(3)
    prices.move([1e4, 1e4 + 1.0, -1e4], 1.0, [], 1.0)
    assert sum(prices.gamma) == pytest.approx(1)
    assert prices.gamma[1] / prices.gamma[0] == pytest.approx(math.e)
    assert prices.gamma[2] == 0


def test_an_adaptive_entropic_step_by_hand() -> None:
    """Even weights gain 1 of (2, 0), the best site 2: a gap of 1, so the rate is ln 2 and weights e^(2 ln 2) = 4 to 1.

    The mix of a second (2, 0) is log2(0.8 x 4 + 0.2) = log2 3.4, and these weights gain 1.6.
    """
    prices = AdaptiveEntropicPrices(2)
    prices.move([2.0, 0.0], 1.0, [], 1.0)
    assert prices.rate == math.log(2)
    np.testing.assert_allclose(prices.gamma, [0.8, 0.2], rtol=1e-14)
    prices.begin_round()
    prices.move([2.0, 0.0], 1.0, [], 1.0)
    assert prices.rate == pytest.approx(math.log(2) / (1 + math.log2(3.4) - 1.6), rel=1e-14)


def test_an_adaptive_euclidean_step_by_hand() -> None:
    """Squares of 3 and 4 are 25: a rate of 1/5. A round (3, 4) twice is (6, 8): 100, more than 25 twice."""
    prices = AdaptiveEuclideanPrices(2)
    prices.move([3.0, 4.0], 1.0, [0.0, 0.0], 1.0)
    np.testing.assert_allclose(prices.gamma, [0.6, 0.8], rtol=1e-15)
    prices.move([3.0, 4.0], 1.0, [0.0, 0.0], 1.0)
    np.testing.assert_allclose(prices.gamma, [0.6 + 3 / 10, 0.8 + 4 / 10], rtol=1e-15)
    prices.begin_round()
    prices.move([3.0, 4.0], 1.0, [0.0, 0.0], 1.0)
    assert prices.rate == pytest.approx(1 / math.sqrt(125), rel=1e-15)


@given(seed=st.integers(0, 10**6), size=st.sampled_from([1e-6, 1.0, 1e6]), each=st.sampled_from([1, 5]))
@settings(max_examples=60, deadline=None)
def test_hedging_by_itself_loses_no_more_than_the_theorem_allows(seed: int, size: float, each: int) -> None:
    """At most sqrt(sum of squared ranges x ln N) + largest range x (2 + 4/3 ln N), whatever the unit of the gains.

    The worst-case bound of de Rooij et al. (2014). Ranges are those of rounds, which may be longer than one move.
    """
    generator = np.random.default_rng(seed)
    moves, count = 60, 4
    gains = size * generator.random((moves, count)) * generator.choice([1.0, 3.0], (moves, count))
    # And what misleads whoever follows the leader: the leader of each move gains least in the next.
    for k in range(1, moves):
        gains[k, gains[:k].sum(axis=0).argmax()] *= 0.1
    prices, mine = AdaptiveEntropicPrices(count), 0.0
    for k, gain in enumerate(gains):
        if k % each == 0:
            prices.begin_round()
        mine += float(np.dot(prices.gamma, gain))
        prices.move(gain.tolist(), 1.0, [], 1.0)
    ranges = np.ptp(gains, axis=1).reshape(-1, each).sum(axis=1)
    bound = math.sqrt((ranges**2).sum() * math.log(count)) + ranges.max() * (2 + 4 / 3 * math.log(count))
    assert gains.sum(axis=0).max() - mine <= bound


@given(seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_the_mixability_gap_is_the_logarithm_of_a_mean_of_powers(seed: int) -> None:
    """As it is defined, in plain floating point, where nothing overflows."""
    generator = np.random.default_rng(seed)
    weights, gains = generator.dirichlet(np.ones(4)), generator.normal(0, 2, 4)
    rate = float(generator.uniform(0.1, 3))
    direct = math.log(float(weights @ np.exp(rate * gains))) / rate - float(weights @ gains)
    assert mixability_gap(weights.tolist(), gains.tolist(), rate) == pytest.approx(direct, abs=1e-12)
    assert mixability_gap(weights.tolist(), gains.tolist(), 1e4) <= gains.max() - weights @ gains + 1e-12


@pytest.mark.parametrize("kind", [AdaptiveEntropicPrices, AdaptiveEuclideanPrices])
def test_adaptive_prices_do_not_know_the_unit_of_money(kind: type) -> None:
    """A fleet a thousand times smaller has the same prices, and rates a thousand times larger."""
    gains = np.random.default_rng(4).random((30, 3))
    large, small = kind(3), kind(3)
    for k, gain in enumerate(gains):
        for prices, scale in ((large, 1.0), (small, 1 / 1024)):
            if k % 10 == 0:
                prices.begin_round()
            prices.move((scale * gain).tolist(), math.sqrt((k + 1) / 30), (scale * np.ones(3)).tolist(), 1.0)
    np.testing.assert_allclose(large.gamma, small.gamma, rtol=1e-9)
    assert large.rate == pytest.approx(small.rate / 1024, rel=1e-9)


def test_rounds_are_days_and_hardness_is_foreseen_to_grow_as_the_root_of_time() -> None:
    assert pace_of(0, 100, 3600.0) == (0.1, 0)
    assert pace_of(24, 100, 3600.0) == (0.5, 1)
    assert pace_of(99, 100, 172800.0) == (1.0, 198)


@pytest.mark.parametrize("steps", ["adaptive-entropic", "adaptive-euclidean"])
def test_adaptive_prices_move_requests(steps: str) -> None:
    """Site 1 is dearer by 1 US$ a request, and is used when the burden of site 0 has made it dearer still."""
    burden = np.array([[3.0, 3.0], [0.0, 0.0]])
    assert set(sites(dual(steps=steps, step=1.0, burden_usd=burden), 20)) == {0, 1}


def dual(**more) -> Dual:
    """Two sites, the first one cheaper by 1 US$; a request's carbon weighs 1 US$ at either, its water nothing."""
    burden, most = np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([[100.0, 100.0], [0.0, 0.0]])
    score = Score(np.array([[1.0, 2.0]]), rate_cap_rps=np.array([9.0, 9.0]), **more.pop("rule", {}))
    given = {"steps": "euclidean", "step": 0.3, "burden_usd": burden, "most_usd": most, "requests": 10.0, **more}
    return Dual(score, **given)


def sites(plan: Dual, count: int, **changes) -> list[int]:
    world = world_of(fleet((9, 9), slots=4, slot_s=25.0, **changes))
    return play(world, plan, [Ask(float(k)) for k in range(count)]).record.requests.site.tolist()


def test_each_request_raises_the_price_of_its_site() -> None:
    """0.3 US$ a request, and z = 0 as long as gamma sums to at most 1: the dearer site is 1 US$ away.

    Site 0 three times: 0.9. The fourth still goes there (1.9 < 2): gamma 1.2. The fifth pays 2.2 there, 2 at site 1.
    With 1.2 > 1 in sum z is 100 for site 0, of which a tenth counts: gamma = 1.2 - 0.3 x 10 = -1.8; cheap again.
    """
    assert sites(dual(), 6) == [0, 0, 0, 0, 1, 0]


def test_prices_move_after_every_so_many_requests() -> None:
    """Of five at once: 1.5 US$ after the fifth request, so that the sixth to the tenth go to site 1."""
    assert sites(dual(update_every=5), 10) == [0] * 5 + [1] * 5


def test_a_tenth_of_the_fleet_charges_ten_times_as_much() -> None:
    """A simulated request stands for ten: 3 US$ at once; then z takes a whole slot's worth back, 0.3 x 100."""
    assert sites(dual(), 3, fleet_scale=0.1) == [0, 1, 0]


def test_routers_act_on_old_prices() -> None:
    """Looks each 10 s: the prices of 0 hold until 10, when ten requests have made site 0 3 US$ dearer.

    Then site 1 takes ten, and is 3 US$ dearer as well when routers look at 20.
    """
    plan = dual(rule={"refresh_s": 10.0}, most_usd=np.zeros((2, 2)))
    assert sites(plan, 22) == [0] * 10 + [1] * 10 + [0] * 2


@pytest.mark.parametrize("steps", ["euclidean", "entropic"])
def test_prices_are_kept_from_plan_to_plan(steps: str) -> None:
    """The same run in 1, 4 or 20 slots, with the share of a slot kept."""
    found = []
    for slots in (1, 4, 20):
        plan = dual(steps=steps, update_every=3, burden_usd=np.array([[3.0, 3.0], [0.0, 0.0]]))
        world = world_of(fleet((9, 9), slots=slots, slot_s=100.0 / slots))
        found.append(play(world, plan, [Ask(2.0 * k) for k in range(40)]).record.requests.site.tolist())
    assert found[0] == found[1] == found[2]
    assert set(found[0]) == {0, 1}
