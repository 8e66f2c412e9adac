"""Trust in a predictor, earned by what has come true."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from simulator.fleet import FloatArray
from simulator.forecast import Outlook
from simulator.objective import Objective
from simulator.policy import Observation

#: How long errors are remembered [days]. After a sudden change even lies are nearer to the truth than yesterday was.
_DAYS = 3
#: Share of what came true that is no error.
_ROUNDING = 1e-9


class _Promise(NamedTuple):
    """What was foreseen at some slot, and what anybody could have said then."""

    slot: int
    foreseen: FloatArray
    """What a request will come to at each site [US$], [slots, sites], the next slot first."""
    yesterday: FloatArray
    now: FloatArray


class Trust:
    """Whether predictions were better of late than "as yesterday at this time", and better than "as it is now".

    Compared is what a request comes to at each site, with cost and with equity at even prices, and the demand it meets:
    the sum over sites and slots of |foreseen - true|, for all that was promised of the last three days' slots, each a
    day ahead at most. Before a day is over "as it is now" stands in for yesterday. Nothing is trusted before ``trial``
    slots have been compared.
    """

    def __init__(self, objective: Objective, day: int, trial: int):
        self._objective, self._day, self._trial = objective, day, trial
        self._seen: deque[FloatArray] = deque(maxlen=day)
        self._promises: list[_Promise] = []
        #: Of each slot: errors of what was foreseen, of "as yesterday", of "as now"; and what came true.
        self._errors: deque[FloatArray] = deque(maxlen=_DAYS * day)

    def see(self, observation: Observation) -> None:
        """A slot has begun: compare it with what was promised of it."""
        signals = observation.cost_usd, observation.water_m3, observation.carbon_t
        true = self._worth(signals, observation.demand_rps)
        self._promises = [one for one in self._promises if observation.slot - one.slot <= len(one.foreseen)]
        said = [[part[observation.slot - one.slot - 1] for part in one[1:]] for one in self._promises]
        if said:
            wrong = np.abs(np.array(said) - true).sum(axis=(0, 2))
            self._errors.append(np.append(wrong, len(said) * np.abs(true).sum()))
        self._seen.append(true)

    def promise(self, slot: int, outlook: Outlook) -> None:
        """Remember what is foreseen of the day that begins after this slot."""
        ahead = min(self._day, len(outlook.demand_rps) - 1)
        signals = outlook.cost_usd, outlook.water_m3, outlook.carbon_t
        worth = self._worth(tuple(part[1 : 1 + ahead] for part in signals), outlook.demand_rps[1 : 1 + ahead])
        now = np.broadcast_to(self._seen[-1], worth.shape)
        whole = len(self._seen) == self._day and ahead > 0
        self._promises.append(_Promise(slot, worth, np.array(self._seen)[:ahead] if whole else now, now))

    @property
    def is_earned(self) -> bool:
        """Whether the predictor is to be followed."""
        if len(self._errors) < self._trial or not self._errors:
            return self._trial == 0
        foreseen, yesterday, now, true = np.sum(self._errors, axis=0)
        return bool(foreseen < min(yesterday, now) or foreseen <= _ROUNDING * true)

    def _worth(self, signals: tuple[FloatArray, ...], demand_rps: FloatArray) -> FloatArray:
        cost, water, carbon = signals
        objective, sites = self._objective, cost.shape[-1]
        equity = objective.water_weight_usd_per_m3 * objective.weighted_water(water)
        equity = equity + objective.carbon_weight_usd_per_t * objective.weighted_carbon(carbon)
        return np.asarray((cost + equity / sites) * demand_rps.sum(axis=-1)[..., None])
