"""Forecasts: what a policy may know of the present slot and of those ahead."""

from .forecaster import FORECASTERS, Forecaster, Perfect, asked_by
from .outlook import Forecast, Foreseen, Outlook

__all__ = ["FORECASTERS", "Forecast", "Forecaster", "Foreseen", "Outlook", "Perfect", "asked_by"]
