"""The result of a run: its books, its footprint in units of the full fleet, and the metrics made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from simulator.batches import MEANS
from simulator.burdens import health_usd, scarce_water_m3, scarcity
from simulator.detours import extra_rtt_s, nearest_share, service_mean_s
from simulator.equity import gini, jain, peak_to_average
from simulator.fleet import Fleet, FloatArray
from simulator.footprint import Conditions, Footprint, Usage
from simulator.gap import Gap, gap_of
from simulator.onsite import Flows
from simulator.plan import Witness
from simulator.record import FAILED, FINISHED, REJECTED, UNFINISHED, Record
from simulator.statistics import known
from simulator.units import KWH_PER_MWH, S_PER_H, S_PER_MS

Row = dict[str, Any]


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
    warmup_s: float
    """Before which no request counts for latency, but in the batches."""
    is_steady: bool
    """Whether nothing outside the fleet changes with time."""
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
    site_deg: FloatArray
    """Latitude and longitude, NaN where they are not known, [sites, 2]."""
    origin_deg: FloatArray
    """As ``site_deg``, [origins, 2]."""
    worst_rps: float = 0.0
    """Demand that the plan of the worst slot left out [requests/s], of the full fleet."""
    stretched_slots: int = 0
    """Slots in which a wish of the policy's own (a bound on round trips, a limit on water) gave way."""
    stretched: Witness | None = None
    """Why it had to, in the worst slot."""
    laws: tuple[str, ...] = ()
    """Laws that were checked and hold."""
    decision_s: FloatArray | None = None
    """Wall time of each of the routing policy's decisions [s], [slots]: the only figure that no seed fixes."""
    known_gap: Gap | None = None
    """The gap to the offline optimum, where it is known already: policies of one world share the optimum."""

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
        """J of the scenario's objective [US$]: total cost, and what water and carbon of the sites weigh."""
        objective = self.fleet.objective
        return self.cost_usd + objective.water_usd(self.water_m3) + objective.carbon_usd(self.carbon_t)

    @cached_property
    def gap(self) -> Gap:
        """How far J is above that of the offline optimum."""
        return self.known_gap or gap_of(self)

    def shortfall(self) -> Row:
        """What plans left out, for machines: ``shortfalls`` of ``manifest.json``; empty where they left out nothing.

        ``slots`` and ``requests`` are of the whole run, the others of the worst slot: the witness with its demand and
        capacity (None where the policy gave no reason), and the IT power that the requests left out would add [kW].
        """
        if not self.short_slots:
            return {}
        why, left = self.witness, self.unserved_requests
        return {
            "slots": self.short_slots,
            "requests": 0.0 if left is None else float(left.sum()),
            "origins": [] if why is None else list(why.origins),
            "sites": [] if why is None else list(why.sites),
            "demand_rps": None if why is None else why.demand_rps,
            "capacity_rps": None if why is None else why.capacity_rps,
            "short_kw": self.fleet.it_kw(self.worst_rps, () if why is None else why.sites),
        }

    def fate(self, number: int) -> float:
        """How many requests met this fate."""
        return float(self.record.fates[number].sum())

    def summary(self) -> Row:
        """The row of ``summary.csv``."""
        record, counted = self.record, self.record.slo_counted.sum()
        return {
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
            **self._burdens(),
            **self._energies(),
            "boots": whole(self.booted.sum()),
            "boot_wait_h": float(self.boot_wait_s.sum()) / S_PER_H,
            "rerouted": whole(record.rerouted.sum()),
            **self._latencies(),
            "slo_attainment": float(record.slo_met.sum() / counted) if counted > 0 else math.nan,
            "nearest_share": nearest_share(record.routed, self.fleet),
            "extra_rtt_ms": extra_rtt_s(record.routed, self.fleet) / S_PER_MS,
            "short_slots": self.short_slots,
            "unserved_requests": 0.0 if self.unserved_requests is None else float(self.unserved_requests.sum()),
        }

    def _burdens(self) -> Row:
        """Water and carbon over the sites, plain and weighted, and J."""
        row: Row = {}
        for name, burden in (("water_m3", self.water_m3), ("carbon_t", self.carbon_t)):
            short = name.split("_")[0]
            row |= {f"{name}_mean": float(burden.mean()), f"{name}_max": float(burden.max())}
            row |= {
                f"par_{short}": peak_to_average(burden),
                f"gini_{short}": gini(burden),
                f"jain_{short}": jain(burden),
            }
        scarce, health = scarcity(self.footprint, self.conditions), self.health_usd
        objective = self.fleet.objective
        return row | {
            "scarce_water_m3_mean": scarce.mean_m3,
            "scarce_water_m3_max": scarce.max_m3,
            "par_scarce_water": scarce.par,
            "health_usd": math.nan if np.isnan(health).all() else float(np.nansum(health)),
            "par_weighted_water": peak_to_average(objective.weighted_water(self.water_m3)),
            "par_weighted_carbon": peak_to_average(objective.weighted_carbon(self.carbon_t)),
            "objective_usd": self.objective_usd,
            **self._gap(),
        }

    def _gap(self) -> Row:
        """J beside that of the offline optimum."""
        gap = self.gap
        best = gap.optimum if gap.against else None
        return {
            "objective_offline_usd": math.nan if best is None else best.lower_usd,
            "gap": gap.value,
            "gap_of": gap.of if gap.against else "",
            "gap_against": gap.against,
            "offline_within": math.nan if best is None else best.within,
        }

    def _energies(self) -> Row:
        """What was drawn, and what for."""
        footprint, flows = self.footprint, self.flows
        energies_kwh = {
            "energy_mwh": footprint.meter_kwh,
            "it_energy_mwh": footprint.it_kwh,
            "idle_energy_mwh": footprint.idle_kwh,
            "boot_energy_mwh": footprint.boot_kwh,
            "solar_used_mwh": flows.used,
            "solar_curtailed_mwh": flows.curtailed,
            "battery_lost_mwh": flows.lost,
        }
        return {name: float(energy.sum()) / KWH_PER_MWH for name, energy in energies_kwh.items()}

    def _latencies(self) -> Row:
        """Means and percentiles over all origins."""
        latency, shares = self.record.latency, {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
        origins = range(len(self.origins))
        first_tokens_s = known([latency["ttft"].mean(j) for j in origins])
        slow_ones_s = known([latency["ttft"].percentile(0.99, j) for j in origins])
        return {
            "network_mean_ms": latency["network"].mean() / S_PER_MS,
            "wait_mean_s": latency["wait"].mean(),
            "wait_p99_s": latency["wait"].percentile(0.99),
            "service_mean_s": service_mean_s(latency),
            "ttft_mean_ms": latency["ttft"].mean() / S_PER_MS,
            **{f"ttft_{name}_ms": latency["ttft"].percentile(share) / S_PER_MS for name, share in shares.items()},
            "e2e_mean_s": latency["end_to_end"].mean(),
            **{f"e2e_{name}_s": latency["end_to_end"].percentile(share) for name, share in shares.items()},
            "par_ttft": peak_to_average(first_tokens_s),
            "gini_ttft": gini(first_tokens_s),
            "par_ttft_p99": peak_to_average(slow_ones_s),
            **self._certainties(),
        }

    def _certainties(self) -> Row:
        """95 % intervals of means and the length of the warm-up, where this run may have a steady state; else NaN."""
        batches, row = self.record.settled if self.is_steady else None, {}
        for name, measure in MEANS.items():
            interval = None if batches is None else batches.interval(measure, self.warmup_s)
            row[f"{name}_mean_low_s"] = math.nan if interval is None else interval.low
            row[f"{name}_mean_high_s"] = math.nan if interval is None else interval.high
        return row | {"warmup_mser_s": math.nan if batches is None else batches.warmup_s}

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


def whole(count: float) -> int | float:
    """A count as an integer where it is one (flows are not)."""
    return int(count) if float(count).is_integer() else float(count)
