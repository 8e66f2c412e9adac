"""What is asked for: frozen models read from YAML."""

from .reading import find_scenario, parse, read_source, shipped_scenarios
from .scenario import Scenario
from .source import Source

__all__ = ["Scenario", "Source", "find_scenario", "parse", "read_source", "shipped_scenarios"]
