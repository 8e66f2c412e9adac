"""Templates: a scenario and a policy to start from."""

from __future__ import annotations

import keyword
import re
from importlib.util import find_spec
from pathlib import Path

from simulator.problem import InputError, Problem

SCENARIO = """\
# {name}: a scenario to start from. Check it with `equifleet validate`, see every default with `equifleet show`.
name: {name}
purpose: What do I want to know?
start: 2022-09-22T00:00:00Z
slots: 48                      # the length of the run, in slots
slot_s: 3600                   # signals are constant and planners decide once per slot
seed: 1
sites: {{catalogue: paper}}      # or a list of sites, or {{generate: {{count: 100}}}}
servers: {{count: 600, concurrency: 4, peak_w: 2000, power: proportional}}
origins: {{catalogue: paper}}    # or a list of origins, or at_sites
signals: {{calibrated: {{}}}}      # or paper, synthetic, csv
workload:
  demand: {{calibrated: {{peak_kw: 1000}}}}   # or paper, poisson, hourly, trace
  request: {{energy_wh: 4.0}}              # or seconds, or tokens
network: {{rtt: catalogue}}
allowed: full                  # or paper-partial, {{max_rtt_ms: 120}}, {{regions: ...}}, {{matrix: FILE}}
planning: {{site_capacity_kw: 1000}}
fleet_scale: 0.001             # simulate this share of the fleet and of its demand
policies: [glb-cost, eglb-off, eglb, hedge]
"""

POLICY = '''\
"""{name}: a routing policy to start from. In a scenario: `policies: [{module}:{cls}]`."""

import numpy as np

from simulator import Observation, RoutingPolicy, Split


class {cls}(RoutingPolicy):
    """Every origin spreads its requests over the sites it may use, by how cheap they are."""

    def __init__(self, sharpness: float = 1.0):
        self.sharpness = sharpness

    def plan(self, observation: Observation) -> Split:
        """Shares [origins, sites]; rows sum to one, and are zero where a site is not allowed."""
        price = observation.cost_usd / max(np.abs(observation.cost_usd).mean(), 1e-12)
        weight = np.exp(-self.sharpness * price) * observation.fleet.allowed
        return Split(weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12))


if __name__ == "__main__":
    from simulator import check_policy

    check_policy({cls})
    print("{cls} keeps the contract")
'''


def write_template(kind: str, name: str) -> Path:
    """Write ``NAME.yaml`` or ``name.py`` into the current folder; refuses to replace a file."""
    stem = Path(name).stem
    module = re.sub(r"\W+", "_", stem).strip("_").lower()
    if not module or module[0].isdigit() or Path(name).name != name:
        raise InputError(
            [Problem((), f"'{name}' is not a plain name such as {'my-study' if kind == 'scenario' else 'my_policy'}")]
        )
    if kind == "policy" and (keyword.iskeyword(module) or find_spec(module) is not None):
        raise InputError([Problem((), f"'{module}' is a word or a module of Python's; choose another name")])
    words = "".join(part.capitalize() for part in module.split("_"))
    file = Path(f"{stem}.yaml" if kind == "scenario" else f"{module}.py")
    text = SCENARIO.format(name=stem) if kind == "scenario" else POLICY.format(name=words, module=module, cls=words)
    try:
        with open(file, "x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError:
        raise InputError([Problem((), "exists already; it is not replaced", str(file))]) from None
    return file
