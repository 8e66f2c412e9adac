"""The forecaster of a run: a predictor for demand and for each signal, as a scenario or a policy asks for them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.fleet import Fleet, IntArray
from simulator.problem import KeyPath, did_you_mean
from simulator.scenario.forecast import QUANTITIES, AdversarialForecast, Forecasting, SeasonalForecast
from simulator.units import H_PER_DAY, S_PER_H
from simulator.world import World
from simulator.world.replay import Replay, read_replays

from .adversarial import Adversarial
from .course import Course, Courses
from .errors import Errors
from .noisy import Noisy
from .outlook import Forecast, Foreseen, Outlook
from .plain import Predictor, Seasonal, Stale, Truth
from .replay import Replayed

#: Forecasters by name: what a policy may name, besides that of the scenario. (A replay needs files.)
FORECASTERS = {name: Forecasting.model_validate(name) for name in Forecasting.choices()}


def asked_by(forecaster: str | Forecasting | None, scenario: Forecasting) -> Forecasting:
    """What a policy's ``forecaster`` asks for: the scenario's block for ``scenario`` and for None.

    Raises
    ------
    ValueError
        for a name that is none.
    """
    if isinstance(forecaster, Forecasting):
        return forecaster
    if forecaster is None or forecaster == "scenario":
        return scenario
    if not isinstance(forecaster, str) or forecaster not in FORECASTERS:
        known = ["scenario", *FORECASTERS]
        raise ValueError(f"unknown forecaster '{forecaster}'{did_you_mean(forecaster, known)}")
    return FORECASTERS[forecaster]


class Forecaster:
    """Foresees the slots of a world as asked.

    ``fleet`` is the one whose requests are reckoned with: as policies are told of it unless given. ``path`` is where
    the scenario asks for it, for messages.

    Raises
    ------
    InputError
        for mistakes in the files that a policy's own forecaster replays.
    """

    def __init__(self, world: World, asked: Forecasting, fleet: Fleet | None = None, path: KeyPath = ("forecast",)):
        self._fleet = world.told if fleet is None else fleet
        self._courses = Courses(world)
        replays = world.replays if asked is world.scenario.forecast else read_replays(world, asked, path)
        self._predictors = {
            quantity: _predictor(world, asked, quantity, getattr(self._courses, quantity), replays)
            for quantity in QUANTITIES
        }
        self._predictors["pue"] = _predictor_of_pue(world, asked, self._courses.pue)

    def hear(self, slot: int, last: IntArray) -> None:
        """A slot begins, and the signals of each site were last heard of in these slots, [sites]."""
        self._courses.hear(slot, last)

    def now(self, slot: int) -> Foreseen:
        """What is known of the present slot."""
        return Foreseen(*(predictor.now(slot) for predictor in self._predictors.values()))

    def at(self, slot: int) -> Forecast:
        """The forecast that is made in a slot."""
        return _Issue(self, slot)

    def ahead(self, slot: int, slots: int) -> Outlook:
        """The present slot and the next ones as foreseen in it."""
        slots = min(slots, self._fleet.slots - slot)
        foreseen = Foreseen(*(predictor.ahead(slot, slots) for predictor in self._predictors.values()))
        return foreseen.outlook(self._fleet)


class _Issue:
    """The forecast of one slot."""

    def __init__(self, forecaster: Forecaster, slot: int):
        self._forecaster, self._slot = forecaster, slot

    def ahead(self, slots: int) -> Outlook:
        """The present slot and the next ones."""
        return self._forecaster.ahead(self._slot, slots)


class Perfect:
    """The truth: signals and demand rates as they will be (never the requests themselves), and the true fleet."""

    def __init__(self, world: World, slot: int):
        self._forecaster, self._slot = Forecaster(world, FORECASTERS["perfect"], world.fleet), slot

    def ahead(self, slots: int) -> Outlook:
        """The present slot and the next ones, as they will be."""
        return self._forecaster.ahead(self._slot, slots)


def _predictor(
    world: World, asked: Forecasting, quantity: str, course: Course, replays: Mapping[str, Replay]
) -> Predictor:
    """The predictor of a quantity."""
    chosen, choice = asked.of(quantity).chosen, asked.of(quantity).choice
    if chosen == "noisy":
        number, every = 1 + QUANTITIES.index(quantity), np.arange(len(world.origins))
        columns, of = (every, len(every)) if quantity == "demand" else (world.numbers, world.sites_in_all)
        return Noisy(course, choice, Errors(choice, world.fleet.slot_s, columns, of, (world.seed, number)))
    if chosen == "replay":
        factor = world.demand.rps_per_kw if choice.unit == "kW" else 1.0
        beyond = _seasonal(world, SeasonalForecast(), course)
        return Replayed(replays[quantity], factor, world.fleet.slot_s, beyond)
    return _without_help(world, asked.of(quantity).chosen, choice, course)


def _predictor_of_pue(world: World, asked: Forecasting, course: Course) -> Predictor:
    """PUE is foreseen as the price is; noisy forecasts know it, and where prices are replayed it is seasonal."""
    price = asked.of("price")
    if price.chosen == "noisy":
        return Truth(course)
    if price.chosen == "replay":
        return _seasonal(world, SeasonalForecast(), course)
    return _without_help(world, price.chosen, price.choice, course)


def _without_help(world: World, chosen: str, choice: object, course: Course) -> Predictor:
    """A predictor that needs the course alone."""
    if chosen == "seasonal":
        assert isinstance(choice, SeasonalForecast)
        return _seasonal(world, choice, course)
    if chosen == "adversarial":
        assert isinstance(choice, AdversarialForecast)
        return Adversarial(course, choice.kind, H_PER_DAY * S_PER_H / world.fleet.slot_s)
    return Truth(course) if chosen == "perfect" else Stale(course, getattr(choice, "slots", 0))


def _seasonal(world: World, asked: SeasonalForecast, course: Course) -> Seasonal:
    return Seasonal(course, asked.days, H_PER_DAY * S_PER_H / world.fleet.slot_s)
