"""The contents of a report: which sections tell of a run, of a sweep, and of a study."""
from __future__ import annotations

from simulator.problem import InputError

from .overview import headline, overview
from .page import Head, page
from .saved import Saved, read_saved
from .section import Section
from .stacks import stacks
from .race import race
from .cdf import distributions
from .flows import flows
from .sitemap import site_map
from .pareto import pareto
from .small_print import small_print

def sections_of(saved: Saved) -> list[Section]:
    return [f(saved) for f in (overview, site_map, stacks, race, distributions, flows, pareto, small_print)]


def head_of(saved: Saved) -> Head:
    return Head("A run of equifleet", saved.name, saved.purpose, [headline(saved)], "")
