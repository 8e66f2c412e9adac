"""Masks of a stress study: nested, never without the nearest site, and in the order that is promised."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from conftest import world
from hypothesis import given
from hypothesis import strategies as st

from simulator.fleet import BoolArray, IntArray
from simulator.study.masks import losses, nested_masks, pairs_of, residency_steps, rtt_bounds_ms

DENSITIES = [0.0, 0.1, 0.25, 0.5, 0.9, 1.0]


def drawn(seed: int, shape: tuple[int, int] = (6, 7)) -> tuple[BoolArray, IntArray]:
    """Random pairs, and a nearest one of each row; rows may be empty."""
    generator = np.random.default_rng(seed)
    allowed = generator.random(shape) < 0.5
    rtt = np.where(allowed, generator.random(shape), np.inf)
    return allowed, np.where(allowed.any(axis=1), rtt.argmin(axis=1), -1)


@given(seed=st.integers(0, 10**6))
def test_denser_masks_hold_sparser_ones_and_all_of_them_the_nearest_sites(seed: int) -> None:
    allowed, nearest = drawn(seed)
    masks = nested_masks(allowed, nearest, DENSITIES, seed)
    for sparse, dense in pairwise(masks):
        assert not (sparse & ~dense).any()
    np.testing.assert_array_equal(masks[-1], allowed)
    np.testing.assert_array_equal(masks[0].sum(axis=1), allowed.any(axis=1))
    for mask in masks:
        assert all(mask[j, i] for j, i in enumerate(nearest) if i >= 0)
        assert not (mask & ~allowed).any()


def test_a_density_is_the_chance_of_a_pair_that_is_not_the_nearest() -> None:
    """Of 300 x 300 pairs: within four standard errors; and another seed is another mask."""
    allowed, nearest = np.ones((300, 300), dtype=bool), np.zeros(300, dtype=np.int64)
    (mask,), (other,) = (nested_masks(allowed, nearest, [0.3], seed) for seed in (1, 2))
    assert mask[:, 1:].mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / (300 * 299)))
    assert (mask != other).mean() == pytest.approx(2 * 0.3 * 0.7, abs=0.01)


def test_a_mask_does_not_depend_on_the_other_densities() -> None:
    allowed, nearest = drawn(1)
    (alone,) = nested_masks(allowed, nearest, [0.5], 7)
    np.testing.assert_array_equal(alone, nested_masks(allowed, nearest, DENSITIES, 7)[3])


@pytest.mark.parametrize("density", [-0.1, 1.1, float("nan")])
def test_what_is_no_density_is_refused(density: float) -> None:
    with pytest.raises(ValueError, match="a density is from 0 to 1"):
        nested_masks(*drawn(1), [0.5, density], 1)


def test_residency_keeps_one_region_more_at_home_in_each_step() -> None:
    """Origins in eu, us, eu, asia, where there is no site of asia's own: its origin keeps its nearest one."""
    allowed = np.ones((4, 3), dtype=bool)
    steps = residency_steps(allowed, np.array([0, 1, 2, 1]), ["eu", "us", "eu", "asia"], ["eu", "us", "eu"])
    assert [step.regions for step in steps] == [(), ("eu",), ("eu", "us"), ("eu", "us", "asia")]
    assert [step.mask.astype(int).tolist() for step in steps] == [
        [[1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]],
        [[1, 0, 1], [1, 1, 1], [1, 0, 1], [1, 1, 1]],
        [[1, 0, 1], [0, 1, 0], [1, 0, 1], [1, 1, 1]],
        [[1, 0, 1], [0, 1, 0], [1, 0, 1], [0, 1, 0]],
    ]
    assert allowed.all()


def test_residency_stays_within_what_was_allowed_and_only_ever_takes_away() -> None:
    for seed in range(20):
        allowed, nearest = drawn(seed)
        regions = np.random.default_rng(seed).choice(["a", "b", "c"], 13).tolist()
        masks = [step.mask for step in residency_steps(allowed, nearest, regions[:6], regions[6:])]
        for before, after in pairwise(masks):
            assert not (after & ~before).any()
            np.testing.assert_array_equal(after.any(axis=1), allowed.any(axis=1))


def test_losses_are_all_single_sites_and_then_all_pairs() -> None:
    assert losses(["a", "b", "c"]) == [("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c")]
    assert losses(["a", "b", "c"], most=1) == [("a",), ("b",), ("c",)]
    assert losses(["a", "b"]) == [("a",), ("b",)]
    assert losses(["a"]) == []


def test_bounds_are_the_distinct_times_of_allowed_pairs_thinned_evenly() -> None:
    rtt_s = np.array([[0.001, 0.02, 0.05], [0.02, 0.001, 0.08], [0.3, 0.07, 0.001]])
    allowed = np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1]], dtype=bool)
    assert rtt_bounds_ms(rtt_s, allowed, 99) == [1, 20, 50, 70, 80]
    assert rtt_bounds_ms(rtt_s, allowed, 3) == [1, 50, 80]
    assert rtt_bounds_ms(rtt_s, allowed, 2) == [1, 80]
    with pytest.raises(ValueError, match="at least two steps"):
        rtt_bounds_ms(rtt_s, allowed, 1)


@pytest.mark.parametrize("rtt", ["catalogue", "coordinates"])
def test_each_bound_lets_through_what_it_says_and_the_next_smaller_one_less(rtt: str) -> None:
    """As a scenario's `allowed: {max_rtt_ms: ...}` reads it: no pair is lost to rounding."""
    asked = {"sites": {"catalogue": "paper"}, "origins": {"catalogue": "paper"}, "network": {"rtt": rtt}}
    fleet = world(**asked).fleet
    bounds = rtt_bounds_ms(fleet.rtt_s, fleet.allowed, 10**6)
    counts = [int(world(**asked, allowed={"max_rtt_ms": bound}).fleet.allowed.sum()) for bound in bounds]
    assert (np.diff(counts) >= 1).all()
    assert counts[-1] == 100
    assert all(counts[k] == (fleet.rtt_s <= bound / 1000 + 1e-12).sum() for k, bound in enumerate(bounds))


def test_pairs_say_the_same_as_the_mask() -> None:
    fleet = world(sites={"catalogue": "paper"}, network={"rtt": "catalogue"}).fleet
    (mask,) = nested_masks(fleet.allowed, fleet.nearest, [0.4], 5)
    pairs = {name: list(sites) for name, sites in pairs_of(mask, fleet.origins, fleet.sites).items()}
    again = world(sites={"catalogue": "paper"}, network={"rtt": "catalogue"}, allowed={"pairs": pairs}).fleet.allowed
    np.testing.assert_array_equal(again, mask)
    with pytest.raises(ValueError, match="no site may serve texas"):
        pairs_of(np.zeros((1, 2), dtype=bool), ["texas"], ["a", "b"])
