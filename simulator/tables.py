"""Tables: results as DataFrames."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from simulator.core.edges import EDGES_S
from simulator.result import RunResult


def slot_table(result: RunResult) -> pd.DataFrame:
    """Policy x slot x site: signals, footprint in full-fleet units, and utilisation of the places."""
    slots, sites = result.footprint.cost_usd.shape
    times = [result.start + timedelta(seconds=slot * result.slot_s) for slot in range(slots)]
    burden = result.footprint
    return pd.DataFrame(
        {
            "policy": result.policy,
            "slot": np.repeat(np.arange(slots), sites),
            "start_utc": np.repeat(
                np.array([time.replace(tzinfo=None) for time in times], dtype="datetime64[us]"), sites
            ),
            "site": np.tile(np.array(result.sites, dtype=object), slots),
            "utilisation": (result.record.busy_place_s / (result.record.places * result.slot_s)).ravel(),
            "price_usd_per_kwh": result.signals.price_usd_per_kwh.ravel(),
            "carbon_kg_per_kwh": result.signals.carbon_kg_per_kwh.ravel(),
            "water_l_per_kwh": result.signals.water_l_per_kwh.ravel(),
            "it_kwh": burden.it_kwh.ravel(),
            "meter_kwh": burden.meter_kwh.ravel(),
            "cost_usd": burden.cost_usd.ravel(),
            "carbon_kg": burden.carbon_kg.ravel(),
            "water_l": burden.water_l.ravel(),
        }
    )


def latency_table(result: RunResult) -> pd.DataFrame:
    """Histograms: measure, group (origin or site), lower and upper end of the bin [s], count; empty bins left out."""
    parts = [(measure, result.origins, histogram) for measure, histogram in result.record.latency.items()]
    parts.append(("site_wait", result.sites, result.record.site_wait))
    edges = np.concatenate([[0.0], EDGES_S, [np.inf]])
    tables = []
    for measure, names, histogram in parts:
        group, bin_ = np.nonzero(histogram.counts)
        tables.append(
            pd.DataFrame(
                {
                    "policy": result.policy,
                    "measure": measure,
                    "group": np.array(names, dtype=object)[group],
                    "from_s": edges[bin_],
                    "to_s": edges[bin_ + 1],
                    "requests": histogram.counts[group, bin_],
                }
            )
        )
    return pd.concat(tables)
