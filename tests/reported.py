"""Runs that reports are tested with."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from simulator.cli import main

#: Names that end what they stand in, if anybody lets them: HTML, scripts, attributes, expressions, templates.
EVIL = [
    "<script>alert(1)<|script>",
    '"><img src=x onerror=alert(1)>',
    "'+alert(1)+'",
    "${alert(1)} $title &amp; \u2028 `x`",
]


def ran(folder: Path, *words: str) -> Path:
    answer = CliRunner().invoke(main, ["run", *words, "--jobs", "1", "--no-report", "--out", str(folder)])
    assert answer.exit_code == 0, answer.output
    return folder


def table1_run(folder: Path) -> Path:
    """Three policies, ten sites and origins, thirty hours."""
    policies = ["--policy", "glb-cost", "--policy", "glb-nearest", "--policy", "eglb"]
    return ran(folder / "table1", "table1", "--set", "slots=30", "--set", "fleet_scale=0.002", *policies)


def evil_run(folder: Path) -> Path:
    """A run whose scenario, purpose and places have names that are meant to do harm."""
    scenario = {
        "name": "<script>alert('name')</script>",
        "purpose": '</p><script>alert("purpose")</script> </title> \u2028 $style ${x}',
        "start": "2022-09-22T00:00:00Z",
        "slots": 2,
        "sites": [{"name": name, "latitude_deg": 10 * k, "longitude_deg": 20 * k} for k, name in enumerate(EVIL)],
        "servers": {"count": 4, "concurrency": 2, "peak_w": 1000, "idle_w": 100},
        "origins": "at_sites",
        "signals": {"synthetic": {"price_usd_per_mwh": 50, "carbon_kg_per_kwh": 0.4, "water_l_per_kwh": 3}},
        "workload": {"demand": {"poisson": {"rate_per_s": 0.02}}, "request": {"seconds": 20}},
        "network": {"rtt": {"coordinates": {}}},
        "policies": ["glb-nearest", "glb-cost"],
        "published": {"source": "</script><b>", "rows": {"glb-cost": {"par_water": 1.5}}},
    }
    (folder / "evil.yaml").write_text(json.dumps(scenario), encoding="utf-8")
    return ran(folder / "out", str(folder / "evil.yaml"))
