"""Imported once by the process that others are forked from: what all of them need is there, and compiled."""

from __future__ import annotations

from contextlib import suppress

from policies.merit_order import GlbCost
from simulator.intake import load
from simulator.simulation import run

# What cannot be made ready here fails where it is needed, with its reason.
with suppress(Exception):
    # A minute of a small scenario, routed by prices: it goes through every kernel.
    run(load("mmc", ["slots=1", "slot_s=60", "warmup_s=0"]), GlbCost(rule="score"), engine="compiled")
