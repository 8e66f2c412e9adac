"""Tiny studies that reports are tested with, made by the command line."""

from __future__ import annotations

from pathlib import Path

from test_sweep import run

_PLACES = "{catalogue: {name: paper, only: [texas, germany, japan]}}"
_COMMON = f"""\
start: 2022-09-22T00:00:00Z
slots: 2
slot_s: 1200
origins: {_PLACES}
signals: {{calibrated: {{}}}}
network: {{rtt: catalogue}}
"""
LATENCY = f"""\
name: What <b>equity</b> costs
purpose: Who pays, and how much?
{_COMMON}
sites: {_PLACES}
servers: {{count: 3, concurrency: 2, peak_w: 1000, idle_w: 300}}
workload: {{demand: {{poisson: {{rate_per_s: 0.12}}}}, request: {{seconds: 60}}}}
policies: [glb-cost]
study: {{latency: {{multiples: [8], rtt_usd_per_request_s: [], network_p99_ms: [150], seeds: 2}}}}
"""
PARTIAL = f"""\
name: Where it breaks
purpose: How far can it go?
{_COMMON}
sites:
  catalogue:
    name: paper
    only: [texas, germany, japan]
    changes:
      texas: {{servers: {{count: 6, concurrency: 2, peak_w: 1000, power: proportional}}}}
      japan: {{servers: {{count: 2, concurrency: 2, peak_w: 1000, power: proportional}}}}
servers: {{count: 4, concurrency: 2, peak_w: 1000, power: proportional}}
workload: {{demand: {{poisson: {{rate_per_s: 0.24}}}}, request: {{seconds: 60}}}}
policies: [glb-cost]
study: {{partial: {{rtt_steps: 2, densities: [0, 1], mask_seeds: 2, growth_steps: 2}}}}
"""
ROBUSTNESS = f"""\
name: How wrong <i>may</i> it be
purpose: What is a forecast worth?
start: 2022-09-22T00:00:00Z
slots: 8
slot_s: 3600
engine: fluid
origins: {_PLACES}
signals: {{calibrated: {{}}}}
network: {{rtt: catalogue}}
sites: {_PLACES}
servers: {{count: 4, concurrency: 2, peak_w: 1000, power: proportional}}
workload: {{demand: {{calibrated: {{peak_kw: 1.5}}}}, request: {{seconds: 60}}}}
policies: [glb-cost, hedge: {{step: 0.01}}, mpc, advice, eglb-off]
study: {{robustness: {{errors: [0.5], refresh_s: [60], seeds: 2}}}}
"""


def studied(folder: Path, text: str) -> Path:
    """The finished folder of a study."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    run(folder, "run", "study.yaml", "--jobs", "2", "--no-report", "--out", "done")
    return folder / "done"
