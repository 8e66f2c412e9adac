"""The rows of a result's tables: by site, by type of servers, by origin, and of flows between places."""

from __future__ import annotations

import math

import numpy as np

from simulator.detours import extra_rtt_s, nearest_share, service_mean_s
from simulator.record import FAILED, FINISHED, REJECTED, UNFINISHED
from simulator.result import Row, RunResult, whole
from simulator.units import S_PER_H, S_PER_MS

#: Of ``flows.csv``, which may have no rows.
FLOW_COLUMNS = ("policy", "origin", "site", "requests")


def site_rows(result: RunResult) -> list[Row]:
    """The rows of ``sites.csv``: one for each site."""
    sums, fates, boots = result.footprint.summed(), result.record.fates, result.boot_footprint.summed()
    by_site, utilisation = result.fleet.hardware.by_site, result.utilisation.mean(axis=0)
    own = {name: part.sum(axis=0) for name, part in result.flows.columns().items() if name != "battery_kwh"}
    scarce, health = result.scarce_water_m3, result.health_usd
    return [
        {
            "policy": result.policy,
            "site": site,
            "latitude_deg": float(result.site_deg[i, 0]),
            "longitude_deg": float(result.site_deg[i, 1]),
            "requests": whole(result.record.routed[:, i].sum()),
            "finished": whole(fates[FINISHED, :, i].sum()),
            "rejected": whole(fates[REJECTED, :, i].sum()),
            "failed": whole(fates[FAILED, :, i].sum()),
            "unfinished": whole(fates[UNFINISHED, :, i].sum()),
            "rerouted": whole(result.record.rerouted[:, i].sum()),
            "places": whole(by_site(result.places)[i]),
            "utilisation": float(utilisation[i]),
            "energy_kwh": float(sums.meter_kwh[i]),
            "it_kwh": float(sums.it_kwh[i]),
            "serving_kwh": float(sums.serving_kwh[i]),
            "idle_kwh": float(sums.idle_kwh[i]),
            "boot_kwh": float(sums.boot_kwh[i]),
            "off_kwh": float(sums.off_kwh[i]),
            "facility_kwh": float(sums.facility_kwh[i]),
            **{name: float(energy[i]) for name, energy in own.items()},
            "cost_usd": float(sums.cost_usd[i]),
            "carbon_t": float(sums.carbon_t[i]),
            "water_m3": float(sums.water_m3[i]),
            "scarce_water_m3": float(scarce[i]),
            "health_usd": float(health[i]),
            "boots": whole(by_site(result.booted)[i]),
            "boot_cost_usd": float(boots.cost_usd[i]),
            "boot_carbon_t": float(boots.carbon_t[i]),
            "boot_water_m3": float(boots.water_m3[i]),
            "boot_wait_h": float(result.boot_wait_s[i]) / S_PER_H,
            "wait_mean_s": result.record.site_wait.mean(i),
            "wait_p99_s": result.record.site_wait.percentile(0.99, i),
        }
        for i, site in enumerate(result.sites)
    ]


def server_rows(result: RunResult) -> list[Row]:
    """The rows of ``servers.csv``: one for each type of servers at each site."""
    hardware, busy_s = result.fleet.hardware, result.record.busy_place_s.sum(axis=0)
    on, booting = (part.sum(axis=0) / S_PER_H for part in (result.usage.on_server_s, result.usage.booting_server_s))
    horizon_s = len(result.footprint.cost_usd) * result.slot_s
    most = result.record.most_in_use
    return [
        {
            "policy": result.policy,
            "site": result.sites[int(hardware.site[p])],
            "type": name,
            "servers": whole(hardware.servers[p]),
            "places": whole(result.places[p]),
            "most_in_use": "" if most is None else int(most[p]),
            "utilisation": float(busy_s[p] / (result.places[p] * horizon_s)),
            "on_server_h": float(on[p]),
            "booting_server_h": float(booting[p]),
            "boots": whole(result.booted[p]),
        }
        for p, name in enumerate(result.types)
    ]


def origin_rows(result: RunResult) -> list[Row]:
    """The rows of ``origins.csv``: fates and latency of each origin's requests."""
    latency, fates = result.record.latency, result.record.fates
    return [
        {
            "policy": result.policy,
            "origin": origin,
            "latitude_deg": float(result.origin_deg[j, 0]),
            "longitude_deg": float(result.origin_deg[j, 1]),
            "requests": whole(result.record.arrived[j]),
            "finished": whole(fates[FINISHED, j].sum()),
            "rejected": whole(fates[REJECTED, j].sum()),
            "failed": whole(fates[FAILED, j].sum()),
            "unfinished": whole(fates[UNFINISHED, j].sum()),
            "nearest_share": nearest_share(result.record.routed, result.fleet, j),
            "extra_rtt_ms": extra_rtt_s(result.record.routed, result.fleet, j) / S_PER_MS,
            "network_mean_ms": latency["network"].mean(j) / S_PER_MS,
            "wait_mean_s": latency["wait"].mean(j),
            "service_mean_s": service_mean_s(latency, j),
            "ttft_mean_ms": latency["ttft"].mean(j) / S_PER_MS,
            "ttft_p50_ms": latency["ttft"].percentile(0.5, j) / S_PER_MS,
            "ttft_p99_ms": latency["ttft"].percentile(0.99, j) / S_PER_MS,
            "e2e_mean_s": latency["end_to_end"].mean(j),
            "e2e_p50_s": latency["end_to_end"].percentile(0.5, j),
            "e2e_p99_s": latency["end_to_end"].percentile(0.99, j),
            "slo_attainment": ratio(result.record.slo_met[j], result.record.slo_counted[j]),
        }
        for j, origin in enumerate(result.origins)
    ]


def flow_rows(result: RunResult) -> list[Row]:
    """The rows of ``flows.csv``: requests from each origin to each site that got any."""
    return [
        dict(zip(FLOW_COLUMNS, (result.policy, origin, site, whole(result.record.routed[j, i])), strict=True))
        for j, origin in enumerate(result.origins)
        for i, site in enumerate(result.sites)
        if result.record.routed[j, i] > 0
    ]


def ratio(part: float, total: float) -> float:
    """Part / total; NaN of nothing."""
    return float(part / total) if np.isfinite(total) and total > 0 else math.nan
