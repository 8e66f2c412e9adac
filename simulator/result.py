"""The result of a run: its books, its footprint in units of the full fleet, and the metrics made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from simulator.burdens import health_usd, scarce_water_m3, scarcity
from simulator.equity import gini, jain, peak_to_average
from simulator.fleet import Fleet, FloatArray
from simulator.footprint import Conditions, Footprint, Usage
from simulator.onsite import Flows
from simulator.plan import Witness
from simulator.record import FAILED, FINISHED, REJECTED, UNFINISHED, Record
from simulator.units import KWH_PER_MWH, S_PER_H, S_PER_MS

Row = dict[str, Any]
#: Of ``flows.csv``, which may have no rows.
FLOW_COLUMNS = ("policy", "origin", "site", "requests")


@dataclass(frozen=True, eq=False)
class RunResult:
    """One policy on one world.

    Counts of requests are those of the fleet that was simulated; energy, money, carbon and water are
    divided by ``fleet_scale``, so that they are those of the full fleet.
    """

    policy: str
    engine: str
    seed: int
    fleet_scale: float
    start: datetime
    fleet: Fleet
    types: tuple[str, ...]
    """Names of the types of servers, [pools]."""
    record: Record
    conditions: Conditions
    """[slots, sites]."""
    usage: Usage
    """[slots, pools]."""
    footprint: Footprint
    """[slots, sites]."""
    flows: Flows
    """Of sun and batteries, [slots, sites]."""
    booted: FloatArray
    """Servers that were switched on, of the fleet that was simulated, [pools]."""
    boot_wait_s: FloatArray
    """Request-seconds waited for places that were booting, [sites]."""
    short_slots: int
    """Slots in which a plan left demand out."""
    unserved_requests: FloatArray | None
    """Demand left out by plans, requests by origin; None when there was none."""
    witness: Witness | None
    """Why no plan could serve it, in the worst slot; None where the policy gave no reason."""
    laws: tuple[str, ...] = ()
    """Laws that were checked and hold."""

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the sites."""
        return self.fleet.sites

    @property
    def origins(self) -> tuple[str, ...]:
        """Names of the origins."""
        return self.fleet.origins

    @property
    def slot_s(self) -> float:
        """Length of a slot."""
        return self.fleet.slot_s

    @property
    def places(self) -> FloatArray:
        """Places of the fleet that was simulated, [pools]: whole, but for the fluid engine."""
        if self.record.most_in_use is not None:
            return self.fleet.places(self.fleet_scale).astype(float)
        return self.fleet_scale * self.fleet.hardware.servers * self.fleet.hardware.concurrency

    @property
    def utilisation(self) -> FloatArray:
        """Busy share of all places, [slots, sites]."""
        by_site = self.fleet.hardware.by_site
        return by_site(self.record.busy_place_s) / (by_site(self.places) * self.slot_s)

    @property
    def cost_usd(self) -> float:
        """Total cost [US$]."""
        return float(self.footprint.cost_usd.sum())

    @property
    def water_m3(self) -> FloatArray:
        """Water of each site over the run [m3], [sites]."""
        return self.footprint.water_m3.sum(axis=0)

    @property
    def carbon_t(self) -> FloatArray:
        """Carbon of each site over the run [t], [sites]."""
        return self.footprint.carbon_t.sum(axis=0)

    @property
    def scarce_water_m3(self) -> FloatArray:
        """Scarcity-weighted water of each site over the run [m3 world-eq], [sites]."""
        return scarce_water_m3(self.footprint, self.conditions)

    @property
    def health_usd(self) -> FloatArray:
        """Public-health cost of each site over the run [US$], [sites]; NaN where it is not known."""
        return health_usd(self.footprint, self.conditions)

    @property
    def objective_usd(self) -> float:
        """J = total cost + water weight x max_i water + carbon weight x max_i carbon [US$]."""
        water, carbon = self.fleet.objective
        return self.cost_usd + water * float(self.water_m3.max()) + carbon * float(self.carbon_t.max())

    @property
    def nearest_share(self) -> float:
        """Share of routed requests that went to the nearest site of their origin."""
        total = self.record.routed.sum()
        served = [self.record.routed[j, i] for j, i in enumerate(self.fleet.nearest) if i >= 0]
        return float(sum(served) / total) if total else math.nan

    def fate(self, number: int) -> float:
        """How many requests met this fate."""
        return float(self.record.fates[number].sum())

    def summary(self) -> Row:
        """The row of ``summary.csv``."""
        record, latency = self.record, self.record.latency
        counted = record.slo_counted.sum()
        row: Row = {
            "policy": self.policy,
            "engine": self.engine,
            "seed": self.seed,
            "fleet_scale": self.fleet_scale,
            "requests": whole(record.arrived.sum()),
            "finished": whole(self.fate(FINISHED)),
            "rejected": whole(self.fate(REJECTED)),
            "failed": whole(self.fate(FAILED)),
            "unfinished": whole(self.fate(UNFINISHED)),
            "cost_usd": self.cost_usd,
            "cost_usd_per_site": self.cost_usd / len(self.sites),
        }
        for name, burden in (("water_m3", self.water_m3), ("carbon_t", self.carbon_t)):
            short = name.split("_")[0]
            row |= {f"{name}_mean": float(burden.mean()), f"{name}_max": float(burden.max())}
            row |= {
                f"par_{short}": peak_to_average(burden),
                f"gini_{short}": gini(burden),
                f"jain_{short}": jain(burden),
            }
        scarce, health, flows = scarcity(self.footprint, self.conditions), self.health_usd, self.flows
        row |= {
            "scarce_water_m3_mean": scarce.mean_m3,
            "scarce_water_m3_max": scarce.max_m3,
            "par_scarce_water": scarce.par,
            "health_usd": math.nan if np.isnan(health).all() else float(np.nansum(health)),
            "objective_usd": self.objective_usd,
            "energy_mwh": float(self.footprint.meter_kwh.sum()) / KWH_PER_MWH,
            "it_energy_mwh": float(self.footprint.it_kwh.sum()) / KWH_PER_MWH,
            "idle_energy_mwh": float(self.footprint.idle_kwh.sum()) / KWH_PER_MWH,
            "boot_energy_mwh": float(self.footprint.boot_kwh.sum()) / KWH_PER_MWH,
            "solar_used_mwh": float(flows.used.sum()) / KWH_PER_MWH,
            "solar_curtailed_mwh": float(flows.curtailed.sum()) / KWH_PER_MWH,
            "battery_lost_mwh": float(flows.lost.sum()) / KWH_PER_MWH,
            "boots": whole(self.booted.sum()),
            "boot_wait_h": float(self.boot_wait_s.sum()) / S_PER_H,
            "rerouted": whole(record.rerouted.sum()),
            "network_mean_ms": latency["network"].mean() / S_PER_MS,
            "wait_mean_s": latency["wait"].mean(),
            "wait_p99_s": latency["wait"].percentile(0.99),
        }
        for share, label in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p999")):
            row[f"ttft_{label}_ms"] = latency["ttft"].percentile(share) / S_PER_MS
        row["e2e_mean_s"] = latency["end_to_end"].mean()
        for share, label in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p999")):
            row[f"e2e_{label}_s"] = latency["end_to_end"].percentile(share)
        row |= {
            "slo_attainment": float(record.slo_met.sum() / counted) if counted > 0 else math.nan,
            "nearest_share": self.nearest_share,
            "short_slots": self.short_slots,
            "unserved_requests": 0.0 if self.unserved_requests is None else float(self.unserved_requests.sum()),
        }
        return row

    def site_rows(self) -> list[Row]:
        """The rows of ``sites.csv``: one for each site."""
        sums, fates, boots = self.footprint.summed(), self.record.fates, self.boot_footprint.summed()
        by_site, utilisation = self.fleet.hardware.by_site, self.utilisation.mean(axis=0)
        own = {name: part.sum(axis=0) for name, part in self.flows.columns().items() if name != "battery_kwh"}
        scarce, health = self.scarce_water_m3, self.health_usd
        return [
            {
                "policy": self.policy,
                "site": site,
                "requests": whole(self.record.routed[:, i].sum()),
                "finished": whole(fates[FINISHED, :, i].sum()),
                "rejected": whole(fates[REJECTED, :, i].sum()),
                "failed": whole(fates[FAILED, :, i].sum()),
                "unfinished": whole(fates[UNFINISHED, :, i].sum()),
                "rerouted": whole(self.record.rerouted[:, i].sum()),
                "places": whole(by_site(self.places)[i]),
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
                "boots": whole(by_site(self.booted)[i]),
                "boot_cost_usd": float(boots.cost_usd[i]),
                "boot_carbon_t": float(boots.carbon_t[i]),
                "boot_water_m3": float(boots.water_m3[i]),
                "boot_wait_h": float(self.boot_wait_s[i]) / S_PER_H,
                "wait_mean_s": self.record.site_wait.mean(i),
                "wait_p99_s": self.record.site_wait.percentile(0.99, i),
            }
            for i, site in enumerate(self.sites)
        ]

    @property
    def servers_on(self) -> FloatArray:
        """Mean number of servers on, draining ones included, of the full fleet, [slots, sites]."""
        return self.fleet.hardware.by_site(self.usage.on_server_s) / self.slot_s

    @property
    def boot_footprint(self) -> Footprint:
        """The part of the footprint that booting servers have, by their share of the IT energy, [slots, sites]."""
        it = self.footprint.it_kwh
        share = np.divide(self.footprint.boot_kwh, it, out=np.zeros_like(it), where=it > 0)
        return Footprint(*(part * share for part in self.footprint))

    def server_rows(self) -> list[Row]:
        """The rows of ``servers.csv``: one for each type of servers at each site."""
        hardware, busy_s = self.fleet.hardware, self.record.busy_place_s.sum(axis=0)
        on, booting = (part.sum(axis=0) / S_PER_H for part in (self.usage.on_server_s, self.usage.booting_server_s))
        horizon_s = len(self.footprint.cost_usd) * self.slot_s
        most = self.record.most_in_use
        return [
            {
                "policy": self.policy,
                "site": self.sites[int(hardware.site[p])],
                "type": name,
                "servers": whole(hardware.servers[p]),
                "places": whole(self.places[p]),
                "most_in_use": "" if most is None else int(most[p]),
                "utilisation": float(busy_s[p] / (self.places[p] * horizon_s)),
                "on_server_h": float(on[p]),
                "booting_server_h": float(booting[p]),
                "boots": whole(self.booted[p]),
            }
            for p, name in enumerate(self.types)
        ]

    def origin_rows(self) -> list[Row]:
        """The rows of ``origins.csv``: fates and latency of each origin's requests."""
        latency, fates = self.record.latency, self.record.fates
        return [
            {
                "policy": self.policy,
                "origin": origin,
                "requests": whole(self.record.arrived[j]),
                "finished": whole(fates[FINISHED, j].sum()),
                "rejected": whole(fates[REJECTED, j].sum()),
                "failed": whole(fates[FAILED, j].sum()),
                "unfinished": whole(fates[UNFINISHED, j].sum()),
                "network_mean_ms": latency["network"].mean(j) / S_PER_MS,
                "wait_mean_s": latency["wait"].mean(j),
                "ttft_p50_ms": latency["ttft"].percentile(0.5, j) / S_PER_MS,
                "ttft_p99_ms": latency["ttft"].percentile(0.99, j) / S_PER_MS,
                "e2e_mean_s": latency["end_to_end"].mean(j),
                "e2e_p50_s": latency["end_to_end"].percentile(0.5, j),
                "e2e_p99_s": latency["end_to_end"].percentile(0.99, j),
                "slo_attainment": ratio(self.record.slo_met[j], self.record.slo_counted[j]),
            }
            for j, origin in enumerate(self.origins)
        ]

    def flow_rows(self) -> list[Row]:
        """The rows of ``flows.csv``: requests from each origin to each site that got any."""
        return [
            dict(zip(FLOW_COLUMNS, (self.policy, origin, site, whole(self.record.routed[j, i])), strict=True))
            for j, origin in enumerate(self.origins)
            for i, site in enumerate(self.sites)
            if self.record.routed[j, i] > 0
        ]


def whole(count: float) -> int | float:
    """A count as an integer where it is one (flows are not)."""
    return int(count) if float(count).is_integer() else float(count)


def ratio(part: float, total: float) -> float:
    """Part / total; NaN of nothing."""
    return float(part / total) if np.isfinite(total) and total > 0 else math.nan
