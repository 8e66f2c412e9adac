"""Trust in a predictor, earned by what has come true."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from simulator.fleet import FloatArray
from simulator.forecast import Outlook
from simulator.objective import Objective
from simulator.policy import Observation


class _Promise(NamedTuple):
    """What was foreseen at some slot, and what anybody could have said then."""

    slot: int
    foreseen: FloatArray
    """What a request will come to at each site [US$], [slots, sites], the next slot first."""
    naive: FloatArray


class Trust:
    """Whether predictions were better of late than "as at the same time yesterday".

    Compared is what a request comes to at each site, with cost and with equity at even prices, and the demand it meets:
    the sum over sites and slots of |foreseen - true|, for all that was promised of the last ``memory`` slots. Before a
    day is over "as it was when the promise was made" stands in for yesterday. Nothing is trusted before ``trial`` slots
    have been compared.
    """

    def __init__(self, objective: Objective, day: int, trial: int):
        self._objective, self._day, self._trial = objective, day, trial
        self._seen: deque[FloatArray] = deque(maxlen=day)
        self._promises: list[_Promise] = []
        self._errors: deque[tuple[float, float]] = deque(maxlen=int(__import__("os").environ.get("MEM", "1")) * day)

    def see(self, observation: Observation) -> None:
        """A slot has begun: compare it with what was promised of it."""
        signals = observation.cost_usd, observation.water_m3, observation.carbon_t
        true = self._worth(signals, observation.demand_rps)
        foreseen = naive = 0.0
        for promise in self._promises:
            ahead = observation.slot - promise.slot - 1
            if 0 <= ahead < len(promise.foreseen):
                foreseen += float(np.abs(promise.foreseen[ahead] - true).sum())
                naive += float(np.abs(promise.naive[ahead] - true).sum())
        self._promises = [one for one in self._promises if observation.slot - one.slot < len(one.foreseen)]
        if self._promises or foreseen or naive:
            self._errors.append((foreseen, naive))
        self._seen.append(true)

    def promise(self, slot: int, outlook: Outlook) -> None:
        """Remember what is foreseen of the day that begins after this slot."""
        ahead = min(self._day, len(outlook.demand_rps) - 1)
        signals = outlook.cost_usd, outlook.water_m3, outlook.carbon_t
        worth = self._worth(tuple(part[1 : 1 + ahead] for part in signals), outlook.demand_rps[1 : 1 + ahead])
        whole = len(self._seen) == self._day
        naive = np.array([self._seen[k if whole else -1] for k in range(ahead)]).reshape(worth.shape)
        self._promises.append(_Promise(slot, worth, naive))

    @property
    def is_earned(self) -> bool:
        """Whether the predictor is to be followed."""
        if len(self._errors) < self._trial:
            return False
        foreseen, naive = np.sum(self._errors, axis=0)
        return bool(foreseen <= naive)

    def _worth(self, signals: tuple[FloatArray, ...], demand_rps: FloatArray) -> FloatArray:
        cost, water, carbon = signals
        objective, sites = self._objective, cost.shape[-1]
        equity = objective.water_weight_usd_per_m3 * objective.weighted_water(water)
        equity = equity + objective.carbon_weight_usd_per_t * objective.weighted_carbon(carbon)
        return np.asarray((cost + equity / sites) * demand_rps.sum(axis=-1)[..., None])
