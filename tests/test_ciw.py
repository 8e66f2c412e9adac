"""The simulator against Ciw (Palmer et al. 2019, Ciw: an open-source discrete event simulation library).

Three sites of 2, 3 and 5 places, two origins that split their requests over them, exponential services.
"""

from __future__ import annotations

import math

import ciw
import numpy as np
import pytest
from worlds import EXPONENTIAL, InTurn, fleet, split, world_of

from simulator.record import FINISHED
from simulator.simulation import run

PLACES = (2, 3, 5)
RATES = (2.8, 3.2)
SHARES = np.array([[0.2, 0.3, 0.5], [0.25, 0.3, 0.45]])
HORIZON_S, WARMUP_S, MARGIN_S = 2000.0, 300.0, 150.0
REPLICATIONS = 24


def ours(seed: int, rtt_s=None):
    """Rows of the requests of one run."""
    data = fleet(
        PLACES,
        RATES,
        slots=5,
        slot_s=HORIZON_S / 5,
        request={"seconds": EXPONENTIAL},
        demand={"poisson": {"rate_per_s": sum(RATES)}},
    )
    return run(world_of(data, seed, rtt_s), InTurn(split(*SHARES)), keep_requests=True).record.requests


def theirs(seed: int) -> list:
    """Records of one run of Ciw: two gateways without service, then the sites."""
    network = ciw.create_network(
        arrival_distributions=[*(ciw.dists.Exponential(rate) for rate in RATES), None, None, None],
        service_distributions=[ciw.dists.Deterministic(0.0)] * 2 + [ciw.dists.Exponential(1.0)] * 3,
        number_of_servers=[math.inf, math.inf, *PLACES],
        routing=[[0.0, 0.0, *row] for row in SHARES.tolist()] + [[0.0] * 5] * 3,
    )
    ciw.seed(seed)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(HORIZON_S)
    return simulation.get_all_records()


def test_mean_waits_are_ciws():
    """Two-sample z of the mean wait at each site, over independent replications of both; standard errors below 8 %."""
    end = HORIZON_S - MARGIN_S
    our_waits, their_waits = np.empty((2, REPLICATIONS, 3))
    for k in range(REPLICATIONS):
        rows = ours(seed=k + 1)
        late = (rows.arrival_s >= WARMUP_S) & (rows.arrival_s < end)
        assert np.all(rows.fate[late] == FINISHED)
        records = [r for r in theirs(seed=k + 1) if r.node > 2 and WARMUP_S <= r.arrival_date < end]
        for site in range(3):
            here = late & (rows.site == site)
            our_waits[k, site] = (rows.start_s - rows.reach_s)[here].mean()
            their_waits[k, site] = np.mean([r.waiting_time for r in records if r.node == site + 3])
    for site in range(3):
        one, other = our_waits[:, site], their_waits[:, site]
        errors = [values.std(ddof=1) / math.sqrt(REPLICATIONS) for values in (one, other)]
        z = (one.mean() - other.mean()) / math.hypot(*errors)
        print(f"site {site}: ours {one.mean():.4f}, Ciw {other.mean():.4f}, z = {z:.2f}")
        assert max(errors) < 0.08 * other.mean()
        assert abs(z) < 3.3


@pytest.mark.parametrize("rtt_s", [None, [[0.01, 0.08, 0.2], [0.3, 0.02, 0.1]]])
def test_starts_and_finishes_are_ciws_for_the_same_requests(rtt_s):
    """Ciw is given our times of arrival at each site and our services; each start and finish must be ours to 1e-9 s.

    With round-trip times that differ by origin, requests overtake each other on the way.
    """
    rows = ours(seed=7, rtt_s=rtt_s)
    for site, places in enumerate(PLACES):
        here = np.flatnonzero((rows.site == site) & (rows.fate == FINISHED))
        # In order of reaching the site: first come, first served.
        here = here[np.argsort(rows.reach_s[here], kind="stable")]
        # The last ones are left out: some that reached the site before them have not finished.
        here = here[rows.reach_s[here] < HORIZON_S - MARGIN_S]
        assert len(here) > 1000
        services = (rows.finish_s - rows.start_s)[here]
        gaps = np.diff(rows.reach_s[here], prepend=0.0)
        network = ciw.create_network(
            arrival_distributions=[ciw.dists.Sequential([*gaps.tolist(), 10 * HORIZON_S])],
            service_distributions=[ciw.dists.Sequential(services.tolist())],
            number_of_servers=[places],
        )
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_time(5 * HORIZON_S)
        records = sorted(simulation.get_all_records(), key=lambda r: r.id_number)
        assert len(records) == len(here)
        assert np.mean([r.waiting_time > 0 for r in records]) > 0.2
        np.testing.assert_allclose([r.arrival_date for r in records], rows.reach_s[here], rtol=0, atol=1e-9)
        np.testing.assert_allclose([r.service_start_date for r in records], rows.start_s[here], rtol=0, atol=1e-9)
        np.testing.assert_allclose([r.service_end_date for r in records], rows.finish_s[here], rtol=0, atol=1e-9)
