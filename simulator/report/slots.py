"""Slots of a run in few bins of time: rates per hour, and footprints as they grow."""

from __future__ import annotations

import pandas as pd

from simulator.units import KG_PER_T, L_PER_M3, S_PER_H

from .numbers import rounded
from .saved import Saved

MS_PER_S = 1000


def slot_s(saved: Saved) -> float:
    """Length of a slot."""
    return float(saved.scenario.get("slot_s", S_PER_H))


def binned(saved: Saved) -> tuple[pd.DataFrame, float]:
    """Policy, site, bin, its beginning and end [ms since 1970], and the sum of each measure; and the hours of a bin."""
    found, length_s = saved.tables["slots"], slot_s(saved)
    begin_ms = found["start_utc"].min().timestamp() * MS_PER_S
    hours = found["slots"] * length_s / S_PER_H
    found = found.assign(
        begin_ms=begin_ms + found["first"] * length_s * MS_PER_S,
        end_ms=begin_ms + (found["first"] + found["slots"]) * length_s * MS_PER_S,
        hours=hours,
    )
    return found, float(hours.max())


def cumulative(saved: Saved) -> pd.DataFrame:
    """Policy, time [ms], and of the sites' footprints up to then the largest and the mean: water [m3], carbon [t]."""
    found, _ = binned(saved)
    sites = found["site"].nunique()
    grown = found.sort_values("bin", kind="stable")
    by_site = grown.groupby(["policy", "site"], sort=False, observed=True)
    grown = grown.assign(water=by_site["water_l"].cumsum() / L_PER_M3, carbon=by_site["carbon_kg"].cumsum() / KG_PER_T)
    ends = grown.groupby(["policy", "end_ms"], sort=False, observed=True)[["water", "carbon"]]
    parts = ends.max().add_suffix("_largest").join((ends.sum() / sites).add_suffix("_mean")).reset_index()
    start = pd.DataFrame({"policy": saved.policies, "end_ms": found["begin_ms"].min()})
    whole = pd.concat([start, parts], ignore_index=True).fillna(0.0)
    numbers = [str(name) for name in whole if name not in ("policy", "end_ms")]
    return whole.assign(**{name: whole[name].map(rounded) for name in numbers})
