"""The simulator against queueing theory.

Every test is a z-test on fixed seeds: the mean over independent replications against the exact value, in
standard errors of those replications. |z| < 3.3 is passed by a right simulator in 99.9 of 100 tests (a little
less with 24 replications); each test also says how small the standard error must be, so that it can fail.

Sources: Gross, Shortle, Thompson, Harris, Fundamentals of Queueing Theory, 4th ed., Wiley 2008 ("Gross");
Tijms, A First Course in Stochastic Models, Wiley 2003 ("Tijms").
"""

from __future__ import annotations

import math
import zlib
from functools import cache

import numpy as np
import pytest
from worlds import EXPONENTIAL, InTurn, fleet, split, world_of

from simulator.record import FINISHED, REJECTED, UNFINISHED
from simulator.simulation import run
from simulator.tape import Tape

LIMIT = 3.3
REPLICATIONS = 24
#: More than twenty relaxation times 1 / (mu (sqrt(c) - sqrt(c rho))^2) of every queue below (Gross, section 2.12).
WARMUP_S = 800.0
#: Requests of the last seconds are left out, so that none is left out for being slow.
MARGIN_S = 200.0

GAMMA = {"gamma": {"mean": 1.0, "cv": 1.5}}
LOGNORMAL = {"lognormal": {"mu": -0.32, "sigma": 0.8}}


def z_of(values: list[float], expected: float, largest_error: float) -> float:
    """(mean - expected) / standard error, which must be below ``largest_error`` x expected."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    z = (float(np.mean(values)) - expected) / error
    print(f"mean {np.mean(values):.5g}, expected {expected:.5g}, standard error {error / expected:.2%}, z = {z:.2f}")
    assert error < largest_error * expected
    return z


@cache
def replications(seconds: str, places: int, rate: float, queue_limit: int | None = None) -> list:
    """Waits, sojourns and whether rejected, of requests between warm-up and margin, for each seed."""
    service = {"exponential": EXPONENTIAL, "constant": 1.0, "gamma": GAMMA, "lognormal": LOGNORMAL}[seconds]
    limit = {} if queue_limit is None else {"queue_limit": queue_limit}
    slots = math.ceil((6000 / rate + WARMUP_S + MARGIN_S) / 500)
    data = fleet((places,), slots=slots, slot_s=500.0, request={"seconds": service}, **limit)
    data["workload"]["demand"] = {"poisson": {"rate_per_s": rate}}
    # Seeds of its own for each model, so that the tests are independent.
    first = zlib.crc32(repr((seconds, places, rate, queue_limit)).encode())
    found = []
    for seed in range(first, first + REPLICATIONS):
        world = world_of(data, seed)
        rows = run(world, InTurn(split([1])), keep_requests=True).record.requests
        late = (rows.arrival_s >= WARMUP_S) & (rows.arrival_s < world.scenario.horizon_s - MARGIN_S)
        rejected = rows.fate[late] == REJECTED
        assert np.all(rejected | (rows.fate[late] == FINISHED))
        wait, sojourn = rows.start_s - rows.reach_s, rows.finish_s - rows.reach_s
        found.append((wait[late][~rejected], sojourn[late][~rejected], rejected))
    return found


def mean_waits(*model) -> list[float]:
    return [wait.mean() for wait, _, _ in replications(*model)]


def erlang_b(places: int, load: float) -> float:
    """Probability of loss in M/G/c/c, by B(c) = a B(c-1) / (c + a B(c-1)) (Gross, section 2.6, exercise 2.6)."""
    lost = 1.0
    for c in range(1, places + 1):
        lost = load * lost / (c + load * lost)
    return lost


def erlang_c(places: int, load: float) -> float:
    """Probability of waiting in M/M/c: C = B / (1 - rho (1 - B)) (Gross, section 2.3)."""
    lost, rho = erlang_b(places, load), load / places
    return lost / (1 - rho * (1 - lost))


def lost_mmck(places: int, room: int, load: float) -> float:
    """p_K of M/M/c/K from its birth and death rates (Gross, section 2.5)."""
    weights = [1.0]
    for n in range(1, room + 1):
        weights.append(weights[-1] * load / min(n, places))
    return weights[-1] / sum(weights)


def mdc(places: int, load: float) -> tuple[float, np.ndarray]:
    """Mean wait and distribution of the number in M/D/c with service 1.

    Crommelin 1932: whoever is in service now is gone one service time later and nobody else is, so
    N(t + 1) = max(N(t) - c, 0) + Poisson(load); iterated to its fixed point. Then Little's law.
    """
    size = 400
    arrivals = np.exp(np.arange(size) * math.log(load) - load - [math.lgamma(n + 1) for n in range(size)])
    held = np.zeros(size)
    held[0] = 1.0
    for _ in range(100_000):
        after = np.concatenate([[held[: places + 1].sum()], held[places + 1 :]])
        new = np.convolve(after, arrivals)[:size]
        if np.abs(new - held).max() < 1e-16:
            break
        held = new
    return float(np.arange(size) @ new) / load - 1.0, new


def test_mm1_mean_wait():
    """Wq = rho / (mu - lambda) (Gross, 2.2): 1.5 at rho = 0.6."""
    assert abs(z_of(mean_waits("exponential", 1, 0.6), 0.6 / (1 - 0.6), 0.03)) < LIMIT


def test_mm1_mean_sojourn():
    """W = 1 / (mu - lambda) (Gross, 2.2): 2.5 at rho = 0.6."""
    sojourns = [sojourn.mean() for _, sojourn, _ in replications("exponential", 1, 0.6)]
    assert abs(z_of(sojourns, 1 / (1 - 0.6), 0.03)) < LIMIT


def test_mm1_sojourns_are_exponential():
    """P(T > t) = exp(-(mu - lambda) t) (Gross, 2.2.4), at the median, the 90th and the 99th percentile."""
    for share in (0.5, 0.1, 0.01):
        t = -math.log(share) / 0.4
        above = [(sojourn > t).mean() for _, sojourn, _ in replications("exponential", 1, 0.6)]
        assert abs(z_of(above, share, 0.12)) < LIMIT


@pytest.mark.parametrize(("places", "rate"), [(3, 2.1), (8, 6.4)])
def test_mmc_mean_wait_is_erlang_c(places, rate):
    """Wq = C(c, a) / (c mu - lambda) (Gross, 2.3); M/M/8 at 80 %: 0.2860 s as in scenarios/mmc.yaml."""
    expected = erlang_c(places, rate) / (places - rate)
    assert abs(z_of(mean_waits("exponential", places, rate), expected, 0.05)) < LIMIT


@pytest.mark.parametrize(("places", "rate"), [(3, 2.1), (8, 6.4)])
def test_mmc_probability_of_waiting_is_erlang_c(places, rate):
    """C(c, a) (Gross, 2.3); C(8, 6.4) = 0.4576 as in scenarios/mmc.yaml. Whoever finds a free place waits exactly 0."""
    waiting = [(wait > 0).mean() for wait, _, _ in replications("exponential", places, rate)]
    assert abs(z_of(waiting, erlang_c(places, rate), 0.03)) < LIMIT


def test_erlang_formulas_give_the_published_values():
    """B(1, a) = a / (1 + a), B(2, 1) = 1/5, C(2, 1) = 1/3; C(8, 6.4) = 0.4576 and Wq = 0.2860 of scenarios/mmc.yaml."""
    assert erlang_b(1, 0.6) == pytest.approx(0.375)
    assert erlang_b(2, 1.0) == pytest.approx(0.2)
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)
    assert round(erlang_c(8, 6.4), 4) == 0.4576
    assert round(erlang_c(8, 6.4) / 1.6, 4) == 0.2860


@pytest.mark.parametrize(
    ("seconds", "second_moment"),
    [("constant", 1.0), ("gamma", 1 + 1.5**2), ("lognormal", math.exp(2 * -0.32 + 2 * 0.8**2))],
)
def test_mg1_mean_wait_is_pollaczek_khinchine(seconds, second_moment):
    """Wq = lambda E[S^2] / (2 (1 - rho)) (Gross, 5.1.1), services of mean 1 at rho = 0.6."""
    expected = 0.6 * second_moment / (2 * (1 - 0.6))
    assert abs(z_of(mean_waits(seconds, 1, 0.6), expected, 0.05)) < LIMIT


def test_the_mdc_oracle_agrees_with_two_closed_forms():
    """One place: Pollaczek-Khinchine. More: Lq from the probabilities of 0 to c - 1 (Tijms, section 9.6.2).

    Lq = ((c rho)^2 - c (c - 1) + sum_{j<c} (c (c - 1) - j (j - 1)) p_j) / (2 c (1 - rho)).
    """
    assert mdc(1, 0.6)[0] == pytest.approx(0.6 / (2 * 0.4), rel=1e-9)
    for c, load in ((3, 2.1), (4, 3.2)):
        wait, held = mdc(c, load)
        ends = sum((c * (c - 1) - j * (j - 1)) * held[j] for j in range(c))
        queue = (load**2 - c * (c - 1) + ends) / (2 * (c - load))
        assert load * wait == pytest.approx(queue, rel=1e-9)


@pytest.mark.parametrize(("places", "rate"), [(3, 2.1), (4, 3.2)])
def test_mdc_mean_wait_is_crommelins(places, rate):
    """Crommelin 1932 (see ``mdc``)."""
    assert abs(z_of(mean_waits("constant", places, rate), mdc(places, rate)[0], 0.04)) < LIMIT


@pytest.mark.parametrize(("places", "queue_limit", "rate"), [(3, 2, 2.7), (1, 4, 0.8), (3, 2, 4.5)])
def test_mmck_loss(places, queue_limit, rate):
    """p_K with K = places + queue_limit, arrivals see time averages (Gross, 2.5); also above capacity."""
    lost = [rejected.mean() for _, _, rejected in replications("exponential", places, rate, queue_limit)]
    assert abs(z_of(lost, lost_mmck(places, places + queue_limit, rate), 0.05)) < LIMIT


@pytest.mark.parametrize("seconds", ["exponential", "gamma", "constant"])
def test_loss_without_a_queue_is_erlang_b_whatever_the_service(seconds):
    """M/G/c/c depends on the service by its mean only (Gross, 5.2.2); B(3, 2.1) = 0.2254."""
    lost = [rejected.mean() for _, _, rejected in replications(seconds, 3, 2.1, 0)]
    assert abs(z_of(lost, erlang_b(3, 2.1), 0.02)) < LIMIT


@pytest.mark.parametrize("rate", [6.4, 8.5])
def test_littles_law_with_edges(rate):
    """L = lambda W on one run, at 80 % and above capacity, with those still there at the end (Little 1961; Gross, 1.4).

    Left: the area under the number in system, stepped through row by row. Right: arrivals counted by the run,
    its exact mean of end-to-end times (no RTT here), and the time so far of the unfinished. With the ledger:
    the area under the number in service is its busy place-seconds.
    """
    demand = {"poisson": {"rate_per_s": rate}}
    data = fleet((8,), slots=5, slot_s=200.0, request={"seconds": EXPONENTIAL}, demand=demand)
    record = run(world_of(data), InTurn(split([1])), keep_requests=True).record
    rows, end = record.requests, 1000.0
    unfinished = rows.fate == UNFINISHED
    assert unfinished.any()

    def area(begins, ends):
        """Integral over [0, end] of how many have begun and not ended."""
        times = np.concatenate([begins, np.where(np.isnan(ends), end, ends)])
        order = np.argsort(times, kind="stable")
        number = np.cumsum(np.repeat([1, -1], len(begins))[order])
        return float(np.sum(number * np.diff(np.append(times[order], end))))

    finished = record.fates[FINISHED].sum()
    sojourns = finished * record.latency["end_to_end"].mean() + np.sum(end - rows.reach_s[unfinished])
    in_system, arrival_rate = area(rows.reach_s, rows.finish_s) / end, record.arrived.sum() / end
    assert in_system == pytest.approx(arrival_rate * (sojourns / record.arrived.sum()), rel=1e-9)
    started = ~np.isnan(rows.start_s)
    in_service = area(rows.start_s[started], rows.finish_s[started])
    assert in_service == pytest.approx(record.busy_place_s.sum(), rel=1e-9)


def chi_square_z(observed: np.ndarray, expected: np.ndarray, freedom: int) -> float:
    """z of a chi-square statistic (Wilson and Hilferty 1931: its cube root is nearly normal)."""
    ratio = float(np.sum((observed - expected) ** 2 / expected)) / freedom
    z = (ratio ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    print(f"chi-square / degrees of freedom = {ratio:.3f} ({freedom}), z = {z:.2f}")
    return z


def tape(rate: float, shares=(1,), seed: int = 1, slots: int = 200, slot_s: float = 50.0):
    """The columns of a whole tape, in many short blocks."""
    data = fleet((1,), shares, slots=slots, slot_s=slot_s, demand={"poisson": {"rate_per_s": rate}})
    blocks = list(Tape(world_of(data, seed)).blocks())
    return np.concatenate([b.arrival_s for b in blocks]), np.concatenate([b.origin for b in blocks])


@pytest.mark.parametrize("width_s", [1.0, 20.0, 50.0])
def test_counts_of_arrivals_are_poisson(width_s):
    """Index of dispersion: sum (n - nm)^2 / nm is chi-square with bins - 1 degrees of freedom; and the total."""
    times, _ = tape(5.0)
    counts = np.bincount((times / width_s).astype(int), minlength=int(10_000 / width_s))
    assert abs(chi_square_z(counts, np.full(len(counts), counts.mean()), len(counts) - 1)) < LIMIT
    assert abs(len(times) - 50_000) / math.sqrt(50_000) < LIMIT


@pytest.mark.parametrize("rate", [5.0, 0.01])
def test_gaps_between_arrivals_are_exponential(rate):
    """Kolmogorov and Smirnov: sqrt(n) sup |F_n - F| exceeds 1.95 with probability 0.001; also across blocks.

    At 0.01/s half of the blocks are empty.
    """
    slots = 200 if rate == 5.0 else 20_000
    times, _ = tape(rate, slots=slots)
    gaps = np.sort(np.diff(times, prepend=0.0))
    share = 1 - np.exp(-rate * gaps)
    steps = np.arange(len(gaps) + 1) / len(gaps)
    distance = max(np.max(steps[1:] - share), np.max(share - steps[:-1]))
    print(f"sqrt(n) D = {math.sqrt(len(gaps)) * distance:.3f}, n = {len(gaps)}")
    assert math.sqrt(len(gaps)) * distance < 1.95


def test_gaps_that_follow_each_other_are_independent():
    """The lag-1 correlation of n independent gaps is normal with standard deviation 1 / sqrt(n) (Bartlett 1946)."""
    times, _ = tape(5.0)
    # Ranks rather than gaps, so that a heavy tail decides nothing.
    ranks = np.argsort(np.argsort(np.diff(times))).astype(float)
    correlation = np.corrcoef(ranks[:-1], ranks[1:])[0, 1]
    print(f"z = {correlation * math.sqrt(len(ranks)):.2f}")
    assert abs(correlation) * math.sqrt(len(ranks)) < LIMIT


def test_origins_mark_the_superposed_stream_by_their_shares():
    """Marks are independent with probability share / total: chi-square of single marks and of pairs that follow."""
    shares = np.array([1.0, 2.0, 3.0, 4.0])
    chance = shares / shares.sum()
    _, origin = tape(5.0, shares)
    singles = np.bincount(origin, minlength=4)
    assert abs(chi_square_z(singles, len(origin) * chance, 3)) < LIMIT
    ahead, behind = origin[0:-1:2], origin[1::2]
    pairs = np.bincount(4 * ahead[: len(behind)] + behind, minlength=16)
    assert abs(chi_square_z(pairs, len(behind) * np.outer(chance, chance).ravel(), 15)) < LIMIT


def test_each_origin_of_the_superposition_is_poisson():
    """Thinning by independent marks leaves Poisson streams (Gross, 1.7): dispersion of the counts of each origin."""
    times, origin = tape(5.0, (1, 4))
    for own, rate in ((0, 1.0), (1, 4.0)):
        counts = np.bincount((times[origin == own] / 5.0).astype(int), minlength=2000)
        assert abs(chi_square_z(counts, np.full(2000, counts.mean()), 1999)) < LIMIT
        assert abs(counts.sum() - 10_000 * rate) / math.sqrt(10_000 * rate) < LIMIT


def test_requests_follow_the_shares_of_a_plan():
    """Each pair is binomial with the plan's share, the remainder is rejected at the origin: z of every count."""
    shares = np.array([[0.2, 0.5, 0.1], [0.0, 0.25, 0.75]])
    data = fleet((9, 9, 9), (1, 3), slots=4, slot_s=1000.0, demand={"poisson": {"rate_per_s": 5.0}})
    record = run(world_of(data), InTurn(split(*shares))).record
    for origin in (0, 1):
        number = record.arrived[origin]
        left = record.fates[REJECTED, origin, -1]
        assert record.routed[origin].sum() + left == number
        wanted = [*shares[origin], 1 - shares[origin].sum()]
        for count, share in zip([*record.routed[origin], left], wanted, strict=True):
            if share in (0.0, 1.0):
                assert count == share * number
                continue
            z = (count - share * number) / math.sqrt(number * share * (1 - share))
            print(f"origin {origin}: {count:.0f} of {number:.0f}, share {share:g}, z = {z:.2f}")
            assert abs(z) < LIMIT


# --- servers that are switched on for work and off when idle --------------------------------------------------------

#: Boots of mean 2 s: exponential, constant.
BOOTS = {"exponential": {"exponential": {"mean": 2.0}}, "constant": 2.0}
#: Second moments of these boots.
BOOTS_SQUARED = {"exponential": 8.0, "constant": 4.0}


@cache
def switched(boot: str, delay_s: float, rate: float = 0.5) -> tuple[list[float], list[float]]:
    """Mean waits, and boots per second, of an M/M/1 queue whose server goes off ``delay_s`` after it has gone idle."""
    server = {"count": 1, "peak_w": 700, "idle_w": 100, "boot_s": BOOTS[boot], "load_s": 0.0}
    data = fleet((1,), slots=14, slot_s=500.0, request={"seconds": EXPONENTIAL})
    data["sites"][0]["servers"] = server
    data["workload"]["demand"] = {"poisson": {"rate_per_s": rate}}
    data["provisioning"] = {"on-demand": {"delay_s": delay_s}}
    first = zlib.crc32(repr((boot, delay_s, rate)).encode())
    waits, boots = [], []
    for seed in range(first, first + REPLICATIONS):
        world = world_of(data, seed)
        result = run(world, InTurn(split([1])), keep_requests=True)
        rows = result.record.requests
        late = (rows.arrival_s >= WARMUP_S) & (rows.arrival_s < world.scenario.horizon_s - MARGIN_S)
        assert np.all(rows.fate[late] == FINISHED)
        waits.append(float((rows.start_s - rows.reach_s)[late].mean()))
        boots.append(float(result.booted[0]) / world.scenario.horizon_s)
    return waits, boots


def setup_queue(boot: str, delay_s: float, rate: float = 0.5) -> tuple[float, float]:
    """Mean wait and boots per second of that queue.

    Whoever arrives at an empty system waits for a boot D, if the timer has run out by then, with probability
    p = exp(-rate x delay): Welch, "On a generalized M/G/1 queuing process in which the first customer of each busy
    period receives exceptional service", Operations Research 12(5), 1964, gives

        Wq = rate E[S^2] / (2 (1 - rho)) + (2 E[D] + rate E[D^2]) / (2 (1 + rate E[D])),
        P(empty) = (1 - rho) / (1 + rate E[D]),   D = boot with probability p, else 0.

    With p = 1 and exponential boots the second term is their mean (Gandhi and Harchol-Balter, "M/G/k with exponential
    setup", 2009); with p < 1 it is the queue with a delayed-off timer (Gandhi, Doroudi, Harchol-Balter and
    Scheller-Wolf, "Exact analysis of the M/M/k/setup class of Markov chains via recursive renewal reward", 2013).
    """
    p = math.exp(-rate * delay_s)
    mean, square = p * 2.0, p * BOOTS_SQUARED[boot]
    wait = rate * 2.0 / (2 * (1 - rate)) + (2 * mean + rate * square) / (2 * (1 + rate * mean))
    return wait, p * rate * (1 - rate) / (1 + rate * mean)


@pytest.mark.parametrize("delay_s", [0.0, 1.5])
@pytest.mark.parametrize("boot", BOOTS)
def test_the_wait_for_a_server_that_boots_for_work(boot: str, delay_s: float) -> None:
    """Exponential boots: 1 + 2 = 3 s; constant: 1 + 1.5 = 2.5 s; less with a timer."""
    waits, boots = switched(boot, delay_s)
    wait, rate = setup_queue(boot, delay_s)
    assert abs(z_of(waits, wait, 0.03)) < LIMIT
    assert abs(z_of(boots, rate, 0.03)) < LIMIT
    if delay_s == 0:
        assert wait == {"exponential": 3.0, "constant": 2.5}[boot]


def test_a_server_that_never_waits_for_its_timer_is_one_that_is_always_on() -> None:
    """With a timer longer than any idle time the wait is that of M/M/1: rho / (mu - lambda) = 1 s."""
    waits, _ = switched("constant", 200.0)
    assert abs(z_of(waits, 1.0, 0.03)) < LIMIT
