"""Tables: results as Arrow tables."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa

from simulator.arrow import column, named
from simulator.batches import Batches
from simulator.core.edges import EDGES_S
from simulator.result import RunResult
from simulator.units import S_PER_MS


def slot_table(result: RunResult) -> pa.Table:
    """Policy x slot x site: signals, flows and footprint in full-fleet units, and utilisation of the places."""
    slots, sites = result.footprint.cost_usd.shape
    times = [(result.start + timedelta(seconds=slot * result.slot_s)).replace(tzinfo=None) for slot in range(slots)]
    slot = np.repeat(np.arange(slots), sites)
    burden = result.footprint
    return pa.table(
        {
            "policy": named(np.zeros(slots * sites, dtype=np.int64), [result.policy]),
            "slot": column(slot),
            "start_utc": column(np.array(times, dtype="datetime64[us]")[slot]),
            "site": named(np.tile(np.arange(sites), slots), result.sites),
            "utilisation": column(result.utilisation.ravel()),
            "price_usd_per_kwh": column(result.conditions.price_usd_per_kwh.ravel()),
            "carbon_kg_per_kwh": column(result.conditions.carbon_kg_per_kwh.ravel()),
            "onsite_water_l_per_kwh": column(result.conditions.onsite_water_l_per_kwh.ravel()),
            "offsite_water_l_per_kwh": column(result.conditions.offsite_water_l_per_kwh.ravel()),
            "pue": column(result.conditions.pue.ravel()),
            "scarcity": column(result.conditions.scarcity.ravel()),
            "health_usd_per_kwh": column(result.conditions.health_usd_per_kwh.ravel()),
            "servers_on": column(result.servers_on.ravel()),
            "it_kwh": column(burden.it_kwh.ravel()),
            "boot_kwh": column(burden.boot_kwh.ravel()),
            "facility_kwh": column(burden.facility_kwh.ravel()),
            **{name: column(part.ravel()) for name, part in result.flows.columns().items()},
            "meter_kwh": column(burden.meter_kwh.ravel()),
            "cost_usd": column(burden.cost_usd.ravel()),
            "carbon_kg": column(burden.carbon_kg.ravel()),
            "water_l": column(burden.water_l.ravel()),
        }
    )


def regret_table(result: RunResult) -> pa.Table:
    """Policy x slot: J of the optimal plan up to the end of the slot, and how much more that of the run is [US$].

    Without rows where there is no plan to compare with.
    """
    gap, objective = result.gap, result.fleet.objective
    offline_usd = regret_usd = np.zeros(0)
    if gap.against and gap.optimum is not None:
        offline_usd = gap.optimum.course.so_far_usd(objective)
        regret_usd = gap.course.so_far_usd(objective) - offline_usd
    slot = np.arange(len(regret_usd))
    return pa.table(
        {
            "policy": named(0 * slot, [result.policy]),
            "slot": column(slot),
            "objective_offline_usd": column(offline_usd),
            "regret_usd": column(regret_usd),
        }
    )


def latency_table(result: RunResult) -> pa.Table:
    """Histograms: measure, group (origin or site), lower and upper end of the bin [s], count; empty bins left out."""
    parts = [(measure, result.origins, histogram) for measure, histogram in result.record.latency.items()]
    parts.append(("site_wait", result.sites, result.record.site_wait))
    edges = np.concatenate([[0.0], EDGES_S, [np.inf]])
    tables = []
    for measure, names, histogram in parts:
        group, bin_ = np.nonzero(histogram.counts)
        tables.append(
            pa.table(
                {
                    "policy": named(0 * bin_, [result.policy]),
                    "measure": named(0 * bin_, [measure]),
                    "group": named(group, names),
                    "from_s": column(edges[bin_]),
                    "to_s": column(edges[bin_ + 1]),
                    "requests": column(histogram.counts[group, bin_]),
                }
            )
        )
    return pa.concat_tables(tables)


def batch_table(result: RunResult) -> pa.Table:
    """Policy x batch x site: finished requests that arose then, and their mean durations; empty cells left out."""
    batches = result.record.batches or Batches(0.0, *np.zeros((4, 0, len(result.sites))))
    batch, site = np.nonzero(batches.requests)
    requests, wait_s, ttft_s, end_to_end_s = (part[batch, site] for part in batches[1:])
    return pa.table(
        {
            "policy": named(0 * batch, [result.policy]),
            "batch": column(batch),
            "from_s": column(batch * batches.length_s),
            "to_s": column((batch + 1) * batches.length_s),
            "site": named(site, result.sites),
            "requests": column(requests.astype(np.int64)),
            "wait_mean_s": column(wait_s / requests),
            "ttft_mean_ms": column(ttft_s / requests / S_PER_MS),
            "e2e_mean_s": column(end_to_end_s / requests),
        }
    )
