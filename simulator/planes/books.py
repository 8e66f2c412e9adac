"""The books: from the rows of all requests to the record of a run."""

from __future__ import annotations

import numpy as np

from simulator.batches import SUMS, Batches, cut_of
from simulator.fleet import BoolArray, FloatArray, IntArray
from simulator.latency import MEASURES, Histogram
from simulator.record import FAILED, FATES, FINISHED, UNFINISHED, Counts, Record, Requests
from simulator.world import World


def close_books(world: World, requests: Requests, ledger: FloatArray, counts: Counts) -> Record:
    """Count fates and durations of requests; ``ledger`` and ``counts`` are the plane's own, kept as it went."""
    origins, sites = len(world.fleet.origins), len(world.fleet.sites)
    site = np.where(requests.site < 0, sites, requests.site)
    fates = np.zeros((len(FATES), origins, sites + 1))
    np.add.at(fates, (requests.fate, requests.origin, site), 1)
    sent = requests.site >= 0
    end = world.scenario.horizon_s
    started = ~np.isnan(requests.start_s) & (requests.fate != FAILED)  # whose service was cut short stands apart
    # An unfinished request was served up to the end of the run.
    until = np.where(np.isnan(requests.finish_s), end, requests.finish_s)
    served = _service_by_slot(requests.pool[started], requests.start_s[started], until[started], world)
    if counts.cut_short:
        pool, start_s, end_s = (np.array(column) for column in zip(*counts.cut_short, strict=True))
        served += _service_by_slot(pool, start_s, end_s, world)
    on_the_way = sent & (requests.fate == UNFINISHED) & np.isnan(requests.reach_s)
    latency, site_wait, met = _durations(world, requests)
    late = requests.arrival_s >= world.scenario.warmup_s
    return Record(
        busy_place_s=ledger,
        served_s=served,
        arrived=counts.handed,
        routed=counts.routed,
        rerouted=counts.rerouted,
        lost=counts.lost,
        received=counts.received,
        fates=fates,
        under_way=np.bincount(requests.site[on_the_way], minlength=sites).astype(float),
        most_in_use=counts.most_in_use,
        latency=latency,
        site_wait=site_wait,
        slo_met=met,
        slo_counted=np.bincount(requests.origin[late], minlength=origins).astype(float),
        batches=_batches(world, requests),
    )


def _service_by_slot(pool: IntArray, start_s: FloatArray, until_s: FloatArray, world: World) -> FloatArray:
    """Seconds that [start, until) of each request lies in each slot, summed, [slots, pools].

    By slots rather than by requests, so that it checks the ledger that planes keep as they go.
    """
    slots, slot_s = world.fleet.slots, world.fleet.slot_s
    served = np.zeros((slots, len(world.pools)))
    first = np.clip((start_s / slot_s).astype(np.int64) - 1, 0, slots - 1)  # may have rounded up
    last = np.clip((until_s / slot_s).astype(np.int64) + 1, 0, slots - 1)
    slot = first
    while len(slot):
        seconds = np.minimum(until_s, (slot + 1) * slot_s) - np.maximum(start_s, slot * slot_s)
        np.add.at(served, (slot, pool), np.maximum(seconds, 0.0))
        on = slot < last
        pool, start_s, until_s, slot, last = pool[on], start_s[on], until_s[on], slot[on] + 1, last[on]
    return served


def _durations(world: World, requests: Requests) -> tuple[dict[str, Histogram], Histogram, FloatArray]:
    """Histograms by origin and of waits by site, and requests within their targets by origin."""
    origins, sites = len(world.fleet.origins), len(world.fleet.sites)
    counted = (requests.fate == FINISHED) & (requests.arrival_s >= world.scenario.warmup_s)
    origin = requests.origin[counted]
    _, wait, ttft, end_to_end = durations = _durations_of(requests, counted)
    latency = {measure: Histogram(origins) for measure in MEASURES}
    for measure, seconds in zip(MEASURES, durations, strict=True):
        latency[measure].add(origin, seconds)
    site_wait = Histogram(sites)
    site_wait.add(requests.site[counted], wait)
    slo = world.scenario.workload.request.slo
    if slo.ttft_s is None and slo.end_to_end_s is None:
        return latency, site_wait, np.full(origins, np.nan)
    met = np.ones(len(origin), dtype=bool)
    if slo.ttft_s is not None:
        met &= ttft <= slo.ttft_s
    if slo.end_to_end_s is not None:
        met &= end_to_end <= slo.end_to_end_s
    return latency, site_wait, np.bincount(origin[met], minlength=origins).astype(float)


def _batches(world: World, requests: Requests) -> Batches:
    """Sums of the finished requests by the batch in which they arose and their site, those before the warm-up too."""
    cut, finished = cut_of(world), requests.fate == FINISHED
    batch = (requests.arrival_s[finished] * cut.batches_per_s).astype(np.int64)
    where = (batch, requests.site[finished])
    sums = np.zeros((len(SUMS), cut.rows, len(world.fleet.sites)), dtype=np.int64)
    np.add.at(sums[0], where, 1)
    _, *durations = _durations_of(requests, finished)
    for k, seconds in enumerate(durations, 1):
        np.add.at(sums[k], where, (seconds * cut.ticks_per_s + 0.5).astype(np.int64))
    return Batches.of_ticks(cut, sums)


def _durations_of(requests: Requests, which: BoolArray) -> tuple[FloatArray, ...]:
    """Network, wait, TTFT and end-to-end of some requests, as MEASURES names them."""
    network = requests.out_s[which] + requests.back_s[which]
    wait = (requests.start_s[which] - requests.reach_s[which]) + requests.lost_s[which]
    end_to_end = (requests.finish_s[which] + requests.back_s[which]) - requests.arrival_s[which]
    return network, wait, network + wait + requests.prefill_s[which], end_to_end
