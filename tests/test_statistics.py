"""Statistics against published tables, hand computation and queues whose means are known.

Sources: Student's t from the table of the NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2;
Gross, Shortle, Thompson, Harris, Fundamentals of Queueing Theory, 4th ed., Wiley 2008 ("Gross").
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import EXPONENTIAL, InTurn, fleet, split, world_of

from simulator.result import RunResult
from simulator.simulation import run
from simulator.statistics import LEAST_LEFT, batch_means, known, mean_interval, mser, paired_interval, student_t

FIGURES = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("level", "freedom", "published"),
    [(0.95, 1, 12.706), (0.95, 2, 4.303), (0.95, 4, 2.776), (0.95, 19, 2.093), (0.95, 100, 1.984), (0.99, 9, 3.250)],
)
def test_students_t_is_the_published_one(level, freedom, published):
    assert round(student_t(level, freedom), 3) == published


def test_an_interval_by_hand():
    """1 to 5: mean 3, s = sqrt(10 / 4), standard error s / sqrt(5) = 0.70711, t = 2.776."""
    found = mean_interval([1, 2, 3, 4, 5])
    assert found.count == 5
    assert (found.low, found.mean, found.high) == pytest.approx((3 - 2.776 * 0.70711, 3, 3 + 2.776 * 0.70711), abs=5e-4)
    wide = mean_interval([1, 2, 3, 4, 5], level=0.99)
    assert wide.high - 3 == pytest.approx(4.604 * 0.70711, rel=1e-4)


def test_one_value_has_a_mean_and_no_interval_and_none_has_neither():
    assert mean_interval([7.0])[:2] == (1, 7.0)
    assert np.isnan(mean_interval([7.0])[2:]).all()
    assert mean_interval([]).count == 0
    assert np.isnan(mean_interval([])[1:]).all()
    assert mean_interval([2.0, math.nan, 4.0]) == mean_interval([2.0, 4.0])


def test_what_is_known_is_what_is_not_nan():
    assert known([2, math.nan, 4]).tolist() == [2.0, 4.0]
    assert known([math.nan]).tolist() == known([]).tolist() == []


def test_a_pair_with_a_gap_is_left_out():
    """Differences 1, 2, 3 remain of five pairs."""
    found = paired_interval([2, 4, math.nan, 6, 5], [1, 2, 3, 3, math.nan])
    assert found == mean_interval([1, 2, 3])
    with pytest.raises(ValueError, match="3 values cannot be paired with 2"):
        paired_interval([1, 2, 3], [1, 2])


def test_common_random_numbers_narrow_a_difference():
    """What both have in common falls out: values far apart that differ by 1 each time differ by 1 for certain."""
    values = np.array([3.0, 80.0, 500.0, 9000.0])
    found = paired_interval(values + 1.0, values)
    assert (found.low, found.mean, found.high) == pytest.approx((1, 1, 1), abs=1e-9)
    assert mean_interval(values).high - mean_interval(values).low > 1000


@pytest.mark.parametrize("count", [2, 3, 10])
def test_intervals_of_normal_samples_cover_as_often_as_they_say(count):
    """20,000 samples: the share is binomial with standard deviation 0.0015. A normal quantile would cover 0.700,
    0.811 and 0.918 of these, Student's t with a degree of freedom too many 0.855 and 0.914 of the first two."""
    draws = np.random.default_rng(count).normal(5.0, 2.0, (20_000, count))
    found = [mean_interval(row) for row in draws]
    covered = np.mean([one.low <= 5.0 <= one.high for one in found])
    assert abs(covered - 0.95) < 3.3 * math.sqrt(0.95 * 0.05 / 20_000)


# --- batch means ----------------------------------------------------------------------------------------------------


def test_batch_means_of_equal_counts_are_an_interval_of_their_means():
    """Then the ratio is a plain mean: of six spans in three groups, means 2, 4, 9."""
    assert batch_means([2, 6, 6, 10, 16, 20], [2] * 6, batches=3) == pytest.approx(mean_interval([2, 4, 9]))


def test_batch_means_of_unequal_counts_by_hand():
    """Sums 4, 2, 6 over counts 2, 2, 4: mean 12 / 8 = 1.5. Left over 4 - 3, 2 - 3, 6 - 6 = 1, -1, 0; variance
    2 / 2 = 1; standard error sqrt(1 / 3) / (8 / 3) = 0.21651; t for 2 degrees of freedom 4.303."""
    found = batch_means([4, 2, 6], [2, 2, 4], batches=3)
    assert (found.count, found.mean) == (3, 1.5)
    assert found.high - 1.5 == pytest.approx(4.303 * 0.21651, rel=1e-4)
    assert 1.5 - found.low == pytest.approx(found.high - 1.5)


def test_spans_left_over_join_the_first_group():
    """Seven spans in three groups of two: the first has three."""
    found = batch_means([1, 2, 3, 4, 5, 6, 7], [1] * 7, batches=3)
    assert found == batch_means([6, 9, 13], [3, 2, 2], batches=3)


def test_few_batches_say_little():
    assert batch_means([], []).count == 0
    assert math.isnan(batch_means([], []).mean)
    assert batch_means([3.0], [2])[:2] == (1, 1.5)
    assert math.isnan(batch_means([3.0], [2]).low)
    assert batch_means([1.0, 3.0], [1, 1]) == pytest.approx(mean_interval([1, 3]))
    assert math.isnan(batch_means([0.0, 0.0], [0, 0]).mean)


@given(st.lists(st.tuples(FIGURES, st.integers(0, 50)), min_size=2, max_size=60), st.integers(2, 30))
def test_batch_means_are_about_the_ratio_of_all_sums_to_all_counts(spans, batches):
    sums, counts = np.array([sum_ * (count > 0) for sum_, count in spans]), np.array([count for _, count in spans])
    found = batch_means(sums, counts, batches)
    if counts.sum():
        assert found.mean == pytest.approx(sums.sum() / counts.sum())
        assert found.low <= found.mean <= found.high
        assert found.count == min(batches, len(spans))


# --- warm-up --------------------------------------------------------------------------------------------------------


def plain_mser(series, batch=5):
    """As it is defined, one cut after the other, as long as enough means are left that are known."""
    groups = [
        [x for x in series[k * batch : (k + 1) * batch] if not math.isnan(x)] for k in range(len(series) // batch)
    ]
    rests = [np.array([np.mean(group) for group in groups[d:] if group]) for d in range(len(groups))]
    return [float(((rest - rest.mean()) ** 2).sum()) / len(rest) ** 2 for rest in rests if len(rest) >= LEAST_LEFT]


def test_mser_cuts_a_step_where_it_ends():
    """100 values of 10, then 400 about 1: exactly the 100 go."""
    noise = np.random.default_rng(1).normal(0, 0.5, 400)
    assert mser([10.0] * 100 + list(1.0 + noise)) == (100, True)


def test_mser_cuts_a_transient_that_fades():
    """10 exp(-t / 30) on noise of 1: below a tenth of the noise after 30 ln 100 = 138 values, so about there."""
    t = np.arange(1000)
    cuts = [mser(10 * np.exp(-t / 30) + np.random.default_rng(seed).normal(0, 1, 1000)) for seed in range(30)]
    assert all(cut.is_trustworthy for cut in cuts)
    assert 60 <= np.median([cut.start for cut in cuts]) <= 160


def test_mser_does_not_trust_a_series_that_never_settles():
    assert not mser(np.arange(500.0)).is_trustworthy
    assert not mser([1.0] * 12).is_trustworthy  # two means say nothing
    assert not mser([math.nan] * 500).is_trustworthy
    assert mser(np.arange(49.0)) == (0, False)


def test_a_series_without_a_transient_is_hardly_cut():
    """White noise of 200 means: half of the runs lose at most a tenth."""
    cuts = [mser(np.random.default_rng(seed).normal(5, 1, 1000)).start for seed in range(100)]
    assert np.median(cuts) <= 100


@given(st.lists(FIGURES, min_size=50, max_size=120), st.floats(-1e3, 1e3))
def test_mser_is_the_smallest_error_as_it_is_defined(series, shift):
    """Against the definition, cut by cut; and where zero is makes no difference."""
    errors = plain_mser(series)
    assert len(errors) == len(series) // 5 - LEAST_LEFT + 1
    size = max(abs(value) for value in series) ** 2 + 1
    for found in (mser(series), mser(np.array(series) + shift)):
        assert found.start % 5 == 0
        assert errors[found.start // 5] <= min(errors) + 1e-9 * size
        assert found.is_trustworthy == (2 * found.start <= len(series) // 5 * 5)


def test_gaps_in_a_series_do_not_count():
    series = np.array([10.0] * 50 + [1.0, 1.5, 0.5, 1.2, 0.8] * 50)
    series[[3, 60, 61, 62, 63, 64, 200]] = math.nan
    assert mser(series).start == 50


@pytest.mark.parametrize("gap", [1, 3, 5, 6, 20, 24, 100, 499])
@pytest.mark.parametrize("last", [False, True])
def test_gaps_at_the_end_of_a_series_do_not_hide_its_warm_up(gap, last):
    """What ends in nothing, or in a single value that is known, has no small error there: it has none."""
    series = np.concatenate([np.full(100, 10.0), 1.0 + np.random.default_rng(1).normal(0, 0.5, 900)])
    series[-gap:] = math.nan
    if last:
        series[-1] = 1.0
    assert mser(series) == (100, True)


@given(st.lists(FIGURES, min_size=50, max_size=120), st.sets(st.integers(0, 119)), st.integers(0, 60))
def test_mser_of_a_series_with_gaps_is_the_smallest_error_of_what_is_known(series, gaps, end):
    size = max(abs(value) for value in series) ** 2 + 1
    holed = [math.nan if k in gaps or k >= len(series) - end else value for k, value in enumerate(series)]
    errors, found = plain_mser(holed), mser(holed)
    if len({k // 5 for k, value in enumerate(holed[: len(series) // 5 * 5]) if not math.isnan(value)}) < 2 * LEAST_LEFT:
        assert found == (0, False)
    else:
        assert errors[found.start // 5] <= min(errors) + 1e-9 * size


# --- on runs --------------------------------------------------------------------------------------------------------


def mm1(rate: float, customers: int, seed: int, warmup_s: float = 300.0) -> RunResult:
    """One run of an M/M/1 queue with services of mean 1 s, of so many expected customers after the warm-up."""
    data = fleet((1,), slot_s=warmup_s + customers / rate, warmup_s=warmup_s, request={"seconds": EXPONENTIAL})
    data["workload"]["demand"] = {"poisson": {"rate_per_s": rate}}
    return run(world_of(data, seed), InTurn(split([1])))


def test_three_replications_cover_the_mean_wait_of_mm1():
    """Wq = rho / (mu - lambda) = 1 (Gross, 2.2) at rho = 0.5; 150 experiments of 3 runs of 2,000 customers.

    Means of so many waits are nearly normal; binomial: 0.95 within 3.3 standard deviations of 0.0178. A normal
    quantile instead of t would cover 0.81.
    """
    covered = 0
    for experiment in range(150):
        seeds = range(3 * experiment + 1, 3 * experiment + 4)
        found = mean_interval([mm1(0.5, 2000, seed).record.latency["wait"].mean() for seed in seeds])
        covered += found.low <= 1.0 <= found.high
    assert abs(covered / 150 - 0.95) < 3.3 * math.sqrt(0.95 * 0.05 / 150)


def test_the_script_of_coverage_runs():
    """On next to nothing: what it says of 1,000 experiments stands in docs/results.md."""
    script = Path(__file__).parents[1] / "scripts" / "interval_coverage.py"
    small = ["--experiments", "2", "--replications", "3", "--customers", "200", "--jobs", "1"]
    done = subprocess.run([sys.executable, script, *small], capture_output=True, text=True, check=True)
    one, other = done.stdout.splitlines()
    assert re.match(r"3 replications of 200: [0-2] of 2 cover 2.33333 s, ", one)
    assert re.match(r"batch means of one run of 600: [0-2] of 2 cover 2.33333 s, ", other)


def test_batch_means_of_one_run_cover_the_mean_wait_of_mm1():
    """Each of 150 runs of 20,000 customers says its own interval; plain standard errors of single waits, which
    follow each other closely, would cover less than half of the time."""
    found = [mm1(0.5, 20_000, seed).summary() for seed in range(1, 151)]
    covered = np.mean([row["wait_mean_low_s"] <= 1.0 <= row["wait_mean_high_s"] for row in found])
    assert abs(covered - 0.95) < 3.3 * math.sqrt(0.95 * 0.05 / 150)
    sojourns = np.mean([row["e2e_mean_low_s"] <= 2.0 <= row["e2e_mean_high_s"] for row in found])
    assert abs(sojourns - 0.95) < 3.3 * math.sqrt(0.95 * 0.05 / 150)
