"""Shapes: made courses of every site as means over the slots of a run."""

from __future__ import annotations

import numpy as np

from simulator.fleet import FloatArray
from simulator.problem import KeyPath, refuse
from simulator.scenario.scenario import Scenario
from simulator.scenario.shape import Shape
from simulator.units import S_PER_H

from .columns import Sites, every_site
from .series import Series


def shaped(shape: Shape, scenario: Scenario, sites: Sites, path: KeyPath, least: float) -> FloatArray:
    """A shape in its own unit, [slots, sites]; InputError where it falls below ``least`` or lacks a site."""
    if shape.per_site is not None:
        every_site(shape.per_site, sites, (*path, "per_site"), "value")
    columns = []
    for site in sites:
        own, where = (
            (shape, path) if shape.per_site is None else (shape.per_site[site.name], (*path, "per_site", site.name))
        )
        columns.append(course(own, scenario, where))
        if columns[-1].min() < least:
            what = "an intensity cannot be negative" if least == 0 else f"must be at least {least:g}"
            raise refuse(where, f"{what} (it falls to {columns[-1].min():g})")
    return np.stack(columns, axis=1)


def course(shape: Shape, scenario: Scenario, path: KeyPath) -> FloatArray:
    """The course of one site, [slots]."""
    if shape.constant is not None:
        return np.full(scenario.slots, shape.constant)
    midnight = scenario.start.replace(hour=0, minute=0, second=0, microsecond=0)
    start_h = (scenario.start - midnight).total_seconds() / S_PER_H
    middle_h = (np.arange(scenario.slots) + 0.5) * scenario.slot_s / S_PER_H
    if shape.sine is not None:
        wave = 2 * np.pi * (start_h + middle_h - shape.sine.peak_h) / shape.sine.period_h
        # The mean of a cosine over an interval is its middle x sin(x)/x, x half the interval as an angle.
        flattened = shape.sine.amplitude * np.sinc(scenario.slot_s / S_PER_H / shape.sine.period_h)
        return np.asarray(shape.sine.mean + flattened * np.cos(wave))
    if shape.steps is not None:
        step_s = shape.steps.every_h * S_PER_H
        # One step more than the run is long: a slot's end may be rounded to just beyond the last one.
        values = np.resize(shape.steps.values, int(np.ceil(scenario.horizon_s / step_s)) + 1)
        return Series(0.0, step_s, values[:, None]).to_slots(scenario.slots, scenario.slot_s)[:, 0]
    raise refuse(path, "a value per site cannot hold another value per site")
