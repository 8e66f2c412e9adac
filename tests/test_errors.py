"""Broken inputs, and the message each one gets: place, path, sentence; exit status 2, nothing written, no traceback.

The sign ``@@`` in a change marks where the message must point to; it is taken out before the file is written.
In a data file it marks the line.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

import simulator
from simulator.cli import main
from simulator.folder import Folder
from simulator.problem import InputError

BASE = """\
name: base
start: 2022-09-22T00:00:00Z
slots: 4
slot_s: 3600
sites:
  - {name: north, region: eu, latitude_deg: 48.2, longitude_deg: 16.4}
  - {name: south, region: us, latitude_deg: 33.7, longitude_deg: -84.4}
servers: {count: 8, peak_w: 700, idle_w: 100}
origins:
  - {name: here, region: eu, latitude_deg: 48.2, longitude_deg: 16.4}
  - {name: there, region: us, latitude_deg: 33.7, longitude_deg: -84.4}
signals:
  synthetic: {price_usd_per_mwh: 100, carbon_kg_per_kwh: 0.3, water_l_per_kwh: 3}
workload:
  demand: {poisson: {rate_per_s: 0.01}}
  request: {seconds: 1}
network: {rtt: coordinates}
allowed: full
policies: [glb-nearest]
"""
SYNTHETIC = "synthetic: {price_usd_per_mwh: 100, carbon_kg_per_kwh: 0.3, water_l_per_kwh: 3}"
POISSON = "{poisson: {rate_per_s: 0.01}}"
ORIGINS = BASE[BASE.index("origins:") : BASE.index("signals:")]
SITES = BASE[BASE.index("sites:") : BASE.index("servers:")]
POLICY = """\
from simulator import RoutingPolicy


class Mine(RoutingPolicy):
    forecaster = None

    def __init__(self, step: float = 1.0):
        pass

    def start(self, fleet):
        pass

    def plan(self, observation):
        pass
"""
Change = tuple[str, str]


class Broken(NamedTuple):
    """One broken input: changes of the base (or a whole text), files beside it, arguments, and what is said."""

    name: str
    change: Change | str | bytes
    says: str
    at: str = ""
    """The place, where no ``@@`` marks one: ``1:1`` in the scenario, or the whole place."""
    files: Mapping[str, str | bytes] = {}
    args: tuple[str, ...] = ()
    more: tuple[Change, ...] = ()


def slots(value: str) -> Change:
    return ("slots: 4", f"slots: @@{value}")


def rate(value: str) -> Change:
    return ("rate_per_s: 0.01", f"rate_per_s: @@{value}")


def seconds(value: str) -> Change:
    return ("seconds: 1", f"seconds: {value}")


def price(value: str) -> Change:
    return ("price_usd_per_mwh: 100", f"price_usd_per_mwh: {value}")


def sites(value: str) -> Change:
    return (SITES, f"sites: {value}\n")


def policies(value: str) -> Change:
    return ("[glb-nearest]", value)


def more(value: str) -> Change:
    return ("slots: 4\n", f"slots: 4\n{value}\n")


SYNTAX = [
    Broken("tab", ("  synthetic", "@@\tsynthetic"), "does not allow tabs"),
    Broken("unclosed bracket", ("policies: [glb-nearest]\n", "policies: [glb-nearest\n@@"), "expected ',' or ']'"),
    Broken("unclosed quote", ("name: base", 'name: "base'), "unexpected end of stream", at="20:1"),
    Broken("second document", ("[glb-nearest]\n", "[glb-nearest]\n@@---\nname: other\n"), "one document is expected"),
    Broken("duplicate key", more("@@slots: 5"), "slots: duplicate key 'slots' (first given on line 3)"),
    Broken(
        "duplicate nested key",
        ("peak_w: 700", "peak_w: 700, @@count: 4"),
        "servers.count: duplicate key 'count' (first",
    ),
    Broken("tag", slots("!!int 4"), "tags are not used in a scenario (given !!int)"),
    Broken("tag that would run code", slots("!!python/object/apply:os.system [ls]"), "tags are not used in a scenario"),
    Broken("anchor that holds itself", ("sites:\n", "sites: @@&all\n  - *all\n"), "refers to itself"),
    Broken("anchor that is not there", slots("*nowhere"), "undefined alias 'nowhere'"),
    Broken("merge key", ("slots: 4", "@@<<: {slots: 4}"), "unknown key '<<'"),
    Broken("control character", ("name: base", "name: ba@@\x07se"), "the character U+0007 is not allowed in YAML"),
    Broken("escaped surrogate", ("name: base", 'name: @@"\\ud800"'), "no character"),
    Broken("escape beyond Unicode", ("name: base", 'name: "\\UFFFFFFFF"'), "not valid YAML", at="1:1"),
    Broken("empty file", "", "the file is empty", at="1:1"),
    Broken("comments only", "# nothing\n", "the file is empty", at="1:1"),
    Broken("list at the top", "@@- a\n- b\n", "a scenario is a mapping (given a list)"),
    Broken("word at the top", "@@hello\n", "a scenario is a mapping (given 'hello')"),
    Broken("too deep", "a: " + "[" * 4000, "the document is too deep", at="1:1"),
    Broken(
        "anchors that multiply",
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)),
        "too large, too deep",
        at="1:",
    ),
    Broken("key that is a list", more("@@[a]: 3"), "a key must be a plain word"),
    Broken("colon in a value", ("name: base", "name: base@@: more"), "mapping values are not allowed here"),
    Broken("not UTF-8", BASE.replace("base", "Zürich").encode("latin-1"), "not UTF-8 text (byte 0xfc)", at="1:8"),
    Broken("UTF-16", BASE.encode("utf-16"), "save the file as UTF-8", at="1:1"),
]

SCALARS = [
    Broken("quoted number", slots('"4"'), "slots: a whole number is needed (given '4'); write it without quotes"),
    Broken("fraction for a count", slots("1e-3"), "slots: a whole number is needed (given 0.001)"),
    Broken("sexagesimal", ("slot_s: 3600", "slot_s: @@12:30"), "slot_s: a number is needed (given '12:30')"),
    Broken("bad octal", slots("0o19"), "a whole number is needed (given '0o19')"),
    Broken("octal beyond the bound", slots("0o17777777777"), "slots: must be at most 1e+07 (given 2147483647)"),
    Broken("underscore", slots("1_000"), "a whole number is needed (given '1_000')"),
    Broken("truth for a count", slots("true"), "a whole number is needed (given true)"),
    Broken(
        "YAML 1.1 truth",
        (POISSON, "{trace: {file: a.csv, repeat: @@yes}}"),
        "demand.trace.repeat: true or false is needed (given 'yes'); write true or false",
    ),
    Broken(
        "NO is Norway",
        ("allowed: full", "allowed: {regions: {eu: [@@NO]}}"),
        "allowed.regions.eu[0]: no site is in region 'NO'; known: eu, us",
    ),
    Broken("nothing", ("slots: 4", "slots:@@"), "slots: a whole number is needed (given nothing)"),
    Broken("nan", rate(".nan"), "workload.demand.poisson.rate_per_s: a finite number is needed (given nan)"),
    Broken("infinity", rate("-.inf"), "a finite number is needed (given -inf)"),
    Broken("word nan", rate("nan"), "a number is needed (given 'nan')"),
    Broken("1e400", ("slot_s: 3600", "slot_s: @@1e400"), "slot_s: the number 1e400 is too large"),
    Broken("1e300", rate("1e300"), "no quantity is that large (given 1e+300)"),
    Broken("1e-300", ("peak_w: 700, idle_w: 100", "peak_w: @@1e-300"), "no quantity is that small (given 1e-300)"),
    Broken("5000 digits", slots("1" + "0" * 5000), "a number of 5001 characters is too long"),
    Broken("5000 hexadecimal digits", slots("0x" + "f" * 5000), "a number of 5002 characters is too long"),
    Broken("many slots", slots("99999999999999"), "slots: must be at most 1e+07 (given 99999999999999)"),
    Broken(
        "more pairs than memory",
        (SITES, "@@sites: {generate: {count: 100000}}\n"),
        "100,000 sites x 100,000 origins are more than 20,000,000 pairs",
        more=((ORIGINS, "origins: at_sites\n"),),
    ),
    Broken(
        "more hours than memory",
        ("slot_s: 3600", "slot_s: 1e8"),
        "13,888,888 hours x 2 sites are more than 20,000,000 figures of each signal",
        more=(("slots: 4", "slots: @@500"),),
    ),
    Broken("no slots", slots("0"), "slots: must be at least 1 (given 0)"),
    Broken(
        "text for a mapping",
        ("{count: 8, peak_w: 700, idle_w: 100}", "@@8"),
        "servers: a mapping is needed, or a list of them (given 8)",
    ),
    Broken("number for text", ("name: base", "name: @@3"), "name: text is needed (given 3)"),
    Broken("mapping for a list", ("policies: [", "@@policies: {a: b}\nx: ["), "policies: a list is needed"),
    Broken("number for a list", policies("@@5"), "policies: a list is needed (given 5)"),
    Broken("word for a list", policies("@@glb-nearest"), "policies: a list is needed (given 'glb-nearest')"),
    Broken("empty list", ("policies: [glb-nearest]", "@@policies: []"), "policies: at least 1 entries are needed"),
]

RANGES = [
    Broken("negative power", ("peak_w: 700", "peak_w: @@-700"), "servers.peak_w: must be above 0 (given -700)"),
    Broken("idle above peak", ("servers: {count: 8, peak_w: 700", "@@servers: {count: 8, peak_w: 70"), "below peak_w"),
    Broken("negative rate", rate("-1"), "must be at least 0 (given -1)"),
    Broken(
        "more requests than a run can have", ("demand: " + POISSON, "@@demand: {poisson: {rate_per_s: 1e20}}"), "lower"
    ),
    Broken(
        "latitude", ("longitude_deg: 16.4}\n  - {name: south", "longitude_deg: @@200}\n  - {name: south"), "at most 180"
    ),
    Broken("start without a zone", ("2022-09-22T00:00:00Z", "@@2022-09-22"), "start: say the time zone, such as 2022-"),
    Broken("start that is no time", ("2022-09-22T00:00:00Z", "@@yesterday"), "a time such as 2022-09-22T00:00:00Z is"),
    Broken("start before the calendar", ("2022-09-22T00:00:00Z", "@@0001-01-01T00:00:00+14:00"), "out of the calendar"),
    Broken("end after the calendar", ("2022-09-22T00:00:00Z", "9999-12-31T23:00:00Z"), "after the year 9999", at="1:1"),
    Broken("warm-up as long as the run", more("warmup_s: @@14400"), "must be shorter than the run of 14400 s"),
    Broken("no fleet", more("fleet_scale: @@0"), "fleet_scale: must be above 0 (given 0)"),
    Broken(
        "negative intensity", ("carbon_kg_per_kwh: 0.3", "carbon_kg_per_kwh: @@-0.3"), "intensity cannot be negative"
    ),
    Broken("lognormal of huge mean", seconds("{@@lognormal: {mu: 5000, sigma: 1}}"), "both are of the logarithm"),
    Broken("requests of no size", ("request: {seconds: 1}", "@@request: {seconds: 0}"), "above zero on average"),
    Broken("23 hours a day", (POISSON, "{poisson: {rate_per_s: 1, @@daily_profile: [1, 2]}}"), "at least 24 entries"),
    Broken(
        "seed of the command line",
        BASE,
        "seed: must be below",
        at="--seed 99999999999999999999",
        args=("--seed", "9" * 20),
    ),
]

NAMES = [
    Broken("key", more("@@purpos: x"), "purpos: unknown key 'purpos'; did you mean 'purpose'?"),
    Broken(
        "nested key", ("idle_w: 100", "@@idel_w: 100"), "servers.idel_w: unknown key 'idel_w'; did you mean 'idle_w'?"
    ),
    Broken(
        "key in a list", ("south, region", "south, @@regoin"), "sites[1].regoin: unknown key 'regoin'; did you mean"
    ),
    Broken(
        "value of a choice",
        ("peak_w: 700", "peak_w: 700, power: @@linar"),
        "unknown value 'linar'; did you mean 'linear'?",
    ),
    Broken("missing key", ("name: base\n", ""), "the key 'name' is missing", at="1:1"),
    Broken(
        "missing nested key", ("servers: {count: 8, peak_w: 700", "@@servers: {count: 8"), "the key 'peak_w' is missing"
    ),
    Broken("hyphen in a key", more("@@warmup-s: 1"), "did you mean 'warmup_s'?"),
    Broken(
        "published row",
        more("published: {source: a paper, rows: {@@glb-cots: {par_water: 1}}}"),
        "published.rows.glb-cots: unknown policy 'glb-cots'; did you mean 'glb-cost'?",
    ),
    Broken(
        "like of nowhere",
        ("south, region", "south, like: @@atlantis, region"),
        "sites[1].like: unknown place 'atlantis'",
    ),
    Broken(
        "scores for fluid",
        (BASE.replace("[glb-nearest]", "[glb-cost: {rule: @@score}]") + "engine: fluid\n"),
        "the fluid engine serves shares",
    ),
    Broken(
        "prices that move with requests, for fluid",
        (BASE.replace("[glb-nearest]", "[hedge: {update_every: @@10}]") + "engine: fluid\n"),
        "update_every: the fluid engine serves shares (rule: split); this needs engine: compiled or simpy",
    ),
    Broken(
        "prices that never move",
        policies("[@@eglb: {update_every: 0}]"),
        "update_every must be at least 1 and at most",
    ),
    Broken("prices that move by halves", policies("[eglb: {update_every: @@0.5}]"), "a whole number is needed (given"),
    Broken("rows of some requests", more("requests: {write: @@some}"), "requests.write: unknown value 'some'"),
    Broken(
        "a sample of more than all", more("requests: {sample: @@2}"), "requests.sample: must be at most 1 (given 2)"
    ),
    Broken(
        "rows and a sample", more("@@requests: {write: all, sample: 0.1}"), "exactly one of write, sample is needed"
    ),
    Broken(
        "rows of no requests", more("@@requests: {write: all}\nengine: fluid"), "the fluid engine has no requests to"
    ),
    Broken(
        "snapshots without end",
        policies("[@@glb-cost: {rule: {score: {refresh_s: 1e-7}}}]"),
        "refresh_s must be 0 (always fresh) or at least 0.001",
    ),
    Broken("engine", more("engine: @@simpi"), "engine: unknown value 'simpi'; did you mean 'simpy'?"),
    Broken(
        "engine of the command line",
        BASE,
        "engine: unknown value 'fluidd'; did you",
        at="--engine fluidd",
        args=("--engine", "fluidd"),
    ),
    Broken("policy", policies("[@@glb-nearst]"), "policies[0]: unknown policy 'glb-nearst'"),
    Broken("policy, nearest name", policies("[@@eglb_off]"), "did you mean 'eglb-off'?"),
    Broken(
        "policy of the command line",
        BASE,
        "did you mean 'glb-nearest'?",
        at="--policy glb-nearst",
        args=("--policy", "glb-nearst"),
    ),
    Broken(
        "policy setting",
        policies("[eglb: {@@stp: 1}]"),
        "policies[0].eglb.stp: unknown key 'stp'; did you mean 'step'?",
    ),
    Broken(
        "policy setting of wrong type",
        policies("[eglb: {step: @@fast}]"),
        "a number or adaptive is needed (given 'fast')",
    ),
    Broken(
        "policy setting out of range",
        policies("[@@eglb: {step: -1}]"),
        "step must be finite and above 0, or adaptive (given -1",
    ),
    Broken("settings that are a list", policies("[@@eglb: [1]]"), "the settings of eglb are a mapping (given a list)"),
    Broken("policy that is a number", policies("[@@3]"), "a policy is a name, or a name with its settings (given 3)"),
    Broken("choice", ("allowed: full", "allowed: @@ful"), "allowed: unknown choice 'ful'; did you mean 'full'?"),
    Broken("choice that needs a value", ("allowed: full", "allowed: @@max_rtt_ms"), "max_rtt_ms needs a value"),
    Broken(
        "site in per_site",
        price("{per_site: {north: 1, @@soth: 2, south: 3}}"),
        "unknown site 'soth'; did you mean 'south'?",
    ),
    Broken("site missing in per_site", price("{@@per_site: {north: 1}}"), "site 'south' has no value"),
    Broken(
        "region",
        ("allowed: full", "allowed: {regions: {eu: [@@erope]}}"),
        "no site is in region 'erope'; known: eu, us",
    ),
    Broken(
        "origin of pairs",
        ("allowed: full", "allowed: {pairs: {@@hre: [north]}}"),
        "allowed.pairs.hre: unknown origin 'hre'; did you mean 'here'?",
    ),
    Broken(
        "site of pairs",
        ("allowed: full", "allowed: {pairs: {here: [north, @@nroth]}}"),
        "allowed.pairs.here[1]: unknown site 'nroth'; did you mean 'north'?",
    ),
    Broken(
        "site of pairs twice",
        ("allowed: full", "allowed: {pairs: {here: [north, @@north]}}"),
        "allowed.pairs.here[1]: 'north' is given twice",
    ),
    Broken(
        "pairs without a site",
        ("allowed: full", "allowed: {pairs: {@@here: []}}"),
        "allowed.pairs.here: at least one site is needed",
    ),
    Broken(
        "lost site", more("lost_sites: [north, @@suoth]"), "lost_sites[1]: unknown site 'suoth'; did you mean 'south'"
    ),
    Broken("lost site twice", more("lost_sites: [north, @@north]"), "lost_sites[1]: 'north' is given twice"),
    Broken("all sites lost", more("@@lost_sites: [north, south]"), "lost_sites: no site would be left"),
    Broken("lost site alone", more("lost_sites: @@north"), "lost_sites: a list is needed (given 'north')"),
    Broken(
        "servers after a lost site",
        ("- {name: south,", "- {name: south, battery: {capacity_kwh: 1, control: @@pric},"),
        "sites[1].battery.control: unknown control 'pric'",
        more=(("slots: 4\n", "slots: 4\nlost_sites: [north]\n"),),
    ),
    Broken(
        "provisioning of a lost site",
        ("- {name: north,", "- {name: north, provisioning: @@folow,"),
        "sites[0].provisioning: unknown policy 'folow'",
        more=(("slots: 4\n", "slots: 4\nlost_sites: [north]\n"),),
    ),
    Broken(
        "place after a lost site",
        ("south, region: us, latitude_deg: 33.7,", "south, region: us,"),
        "sites[1]: 'south' has no latitude_deg and longitude_deg",
        at="8:5",
        more=(("slots: 4\n", "slots: 4\nlost_sites: [north]\n"),),
    ),
    Broken("no growth", ("workload:\n", "workload:\n  growth: @@0\n"), "workload.growth: must be above 0 (given 0)"),
    Broken(
        "growth of counted arrivals",
        (POISSON, "{hourly: {file: n.csv, arrivals: @@counted}}"),
        "counted arrivals need whole counts (below 1e9), scale 1, growth 1, fleet_scale 1, and slots on",
        files={"n.csv": "hour_utc,requests\n" + "".join(f"2022-09-22 0{h}:00,5\n" for h in range(5))},
        more=(("workload:\n", "workload:\n  growth: 2\n"),),
    ),
    Broken("origin of regions", ("allowed: full", "allowed: {regions: {@@her: [eu]}}"), "did you mean 'here'?"),
    Broken(
        "model",
        ("{seconds: 1}", "{tokens: {model: @@llama2-7b, input: 9, output: 9}}"),
        "unknown model 'llama2-7b'; did you mean 'llama2-70b'?",
    ),
    Broken("place", sites("{catalogue: {only: [@@texs]}}"), "unknown place 'texs'; did you mean 'texas'?"),
    Broken("place twice", sites("{catalogue: {only: [texas, @@texas]}}"), "'texas' is given twice"),
    Broken(
        "place of the catalogue", ("rtt: coordinates", "rtt: @@catalogue"), "'here' is not in the catalogue; say which"
    ),
    Broken(
        "like",
        ("signals:\n  " + SYNTHETIC, "signals: @@calibrated"),
        "no calibration for site 'texs'",
        more=(("name: north", "name: texs"),),
    ),
    Broken("site twice", ("name: south", "name: @@north"), "sites[1].name: the name 'north' is given twice"),
    Broken(
        "no servers", ("servers: {count: 8, peak_w: 700, idle_w: 100}\n", ""), "site 'north' has no servers", at="6:5"
    ),
    Broken(
        "two variants", ("signals:\n", "@@signals:\n  calibrated: {}\n"), "exactly one of calibrated, paper, synthetic"
    ),
    Broken(
        "no variant", ("signals:\n  " + SYNTHETIC, "@@signals: {}"), "exactly one of calibrated, paper, synthetic, csv"
    ),
    Broken(
        "two sizes", ("request: {", "@@request: {energy_wh: 4, "), "exactly one of energy_wh, seconds, tokens is needed"
    ),
]

HOURS = "t,north,south\n" + "".join(f"2022-09-22T0{hour}:00:00Z,1,2\n" for hour in range(5))
HOUR_3 = "2022-09-22T03:00:00Z,1,2"
COUNTS = "hour_utc,requests\n" + "".join(f"2022-09-22T0{hour}:00:00Z,10\n" for hour in range(5))
TRACE = "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(
    f"2023-11-16 18:1{k}:46.6805900,374,44\n" for k in range(5)
)
MASK = "origin,north,south\nhere,1,0\nthere,0,1\n"


def signal(name: str, text: str | bytes | None, says: str, at: str = "", keys: str = "", **others: str) -> Broken:
    """Signals from CSV, the price from ``p.csv`` with this text; ``keys`` are added to its settings."""
    files = {"p.csv": text, "c.csv": HOURS, "w.csv": HOURS, **others}
    csv = "csv:\n    price: {file: @P@p.csv, time: t" + keys + "}\n"
    csv += "    carbon: {file: c.csv, time: t}\n    water: {file: w.csv, time: t}"
    csv = csv.replace("@P@", "" if "@@" in keys or at or _marked(text) or any(map(_marked, others.values())) else "@@")
    return Broken(
        f"signal {name}", (SYNTHETIC, csv), says, at, {key: value for key, value in files.items() if value is not None}
    )


def _marked(text: str | bytes | None) -> bool:
    return isinstance(text, str) and "@@" in text


def demand(name: str, variant: str, says: str, text: str | None = None, at: str = "") -> Broken:
    return Broken(f"demand {name}", (POISSON, variant), says, at, {} if text is None else {"d.csv": text})


def mask(name: str, text: str, says: str, at: str = "") -> Broken:
    return Broken(f"mask {name}", ("allowed: full", "allowed: {matrix: m.csv}"), says, at, {"m.csv": text})


FILES = [
    signal("missing", None, "signals.csv.price.file: there is no file"),
    signal("missing, nearest name", None, "did you mean 'p2.csv'?", **{"p2.csv": HOURS}),
    signal("folder", None, "is a folder, a file is needed", **{"p.csv/x": ""}),
    signal(
        "short", HOURS[: HOURS.index("2022-09-22T03")], "the run needs 2022-09-22T00:00Z to 2022-09-22T04:00Z", "p.csv"
    ),
    signal(
        "NaN",
        HOURS.replace(HOUR_3, "@@2022-09-22T03:00:00Z,nan,2"),
        "column 'north': a finite number is needed (given 'nan')",
    ),
    signal("empty cell", HOURS.replace(HOUR_3, "@@2022-09-22T03:00:00Z,,2"), "a finite number is needed (given '')"),
    signal(
        "text",
        HOURS.replace(HOUR_3, "@@2022-09-22T03:00:00Z,1,cheap"),
        "column 'south': a finite number is needed (given 'cheap')",
    ),
    signal(
        "digits of another script",
        HOURS.replace(HOUR_3, "@@2022-09-22T03:00:00Z,\u0661,2"),
        "column 'north': a finite number is needed (given '\u0661')",
    ),
    signal("unclosed quote", HOURS.replace(HOUR_3, '@@2022-09-22T03:00:00Z,"1,2'), "not a CSV file: unexpected end"),
    signal("negative scale", HOURS, "scale: must be at least 0 (given -1)", keys=", scale: @@-1"),
    signal(
        "1e300", HOURS.replace(HOUR_3, "@@2022-09-22T03:00:00Z,1e300,2"), "no quantity is that large (given '1e300')"
    ),
    signal("device", HOURS, "/dev/null is no regular file", keys="")._replace(
        change=(
            SYNTHETIC,
            "csv:\n    price: {file: @@/dev/null, time: t}\n    carbon: {file: c.csv, time: t}\n"
            "    water: {file: w.csv, time: t}",
        )
    ),
    signal(
        "negative intensity",
        HOURS,
        "an intensity cannot be negative (given -1)",
        **{"c.csv": HOURS.replace(HOUR_3, "@@2022-09-22T03:00:00Z,-1,2")},
    ),
    signal("ragged", HOURS.replace(HOUR_3, "@@2022-09-22T03:00:00Z,1"), "2 cells, the header has 3"),
    signal("header", "@@" + HOURS.replace("south", "soth"), "there is no column 'south'; did you mean 'soth'?"),
    signal(
        "header twice",
        "@@" + HOURS.replace("t,north,south", "t,south,south"),
        "there is no column 'north'; did you mean 'south'?",
    ),
    signal(
        "column twice",
        "@@" + HOURS.replace(",2\n", ",2,2\n").replace("south", "south,south"),
        "the column 'south' stands twice",
    ),
    signal("semicolons", "@@" + HOURS.replace(",", ";"), "cells are separated by commas"),
    signal(
        "unsorted",
        HOURS.replace("T03", "TX").replace("T02", "T03").replace("2022-09-22TX", "@@2022-09-22T02"),
        "times must increase",
    ),
    signal("gap", HOURS.replace("2022-09-22T02:00:00Z,1,2\n", "@@"), "say gaps: hold or interpolate"),
    signal(
        "off the grid",
        HOURS.replace("T02:00", "T02:00").replace("T04:00", "T04:10").replace("2022-09-22T04", "@@2022-09-22T04"),
        "off the grid of 3600 s",
    ),
    signal(
        "grid too fine",
        HOURS.replace("2022-09-22T01:00:00Z", "@@2022-09-22T00:00:00.000001Z"),
        "more than 10,000,000 intervals",
    ),
    signal(
        "time",
        HOURS.replace("2022-09-22T03:00:00Z", "@@noon"),
        "column 't': a time such as 2022-09-22 00:00 is needed (given 'noon')",
    ),
    signal("empty", "@@", "the file has no rows under a header"),
    signal("header only", "@@t,north,south\n", "the file has no rows under a header"),
    signal("not UTF-8", HOURS.encode() + b"\xff\n", "not UTF-8 text", "p.csv:7"),
    signal("wrong unit", HOURS, "unit: unknown value 'usd/mwh'; did you mean 'USD/MWh'?", keys=", unit: @@usd/mwh"),
    signal("time zone", HOURS, "unknown time zone 'Europe/Berln'", keys=", timezone: @@Europe/Berln"),
    signal(
        "column of a stranger",
        HOURS,
        "unknown site 'soth'; did you mean 'south'?",
        keys=", column: {north: north, south: south, @@soth: south}",
    ),
    signal(
        "nothing to hold", HOURS, "no value to fill its gaps with", "c.csv:2", **{"c.csv": HOURS.replace(",1,", ",,")}
    )._replace(more=(("c.csv, time: t", "c.csv, time: t, gaps: hold"),)),
    demand(
        "negative",
        "{hourly: d.csv}",
        "column 'requests': must be at least 0 (given -10)",
        COUNTS.replace("2022-09-22T03:00:00Z,10", "@@2022-09-22T03:00:00Z,-10"),
    ),
    demand(
        "header",
        "{hourly: d.csv}",
        "there is no column 'requests'; did you mean 'request'?",
        "@@" + COUNTS.replace("requests", "request"),
    ),
    demand("missing", "{hourly: @@e.csv}", "there is no"),
    demand("counted", "{hourly: {file: d.csv, arrivals: @@counted}}", "whole counts", COUNTS.replace("Z,10", "Z,1.5")),
    demand(
        "trace without its columns",
        "{trace: {file: d.csv}}",
        "there is no column 'ContextTokens'",
        "@@" + TRACE.replace("Context", "Contxt"),
    ),
    demand(
        "trace that falls",
        "{trace: {file: d.csv}}",
        "times must not fall",
        TRACE.replace("2023-11-16 18:13", "@@2023-11-16 17:13"),
    ),
    demand(
        "trace of one request",
        "{trace: {file: d.csv}}",
        "at two times at least",
        TRACE[: TRACE.index("2023-11-16 18:11")].replace("2023", "@@2023"),
    ),
    demand("trace played for ever", "{trace: {file: @@d.csv, rate_per_s: 1e12}}", "would be played", TRACE),
    demand(
        "thin and rate",
        "{@@trace: {file: d.csv, thin: 0.5, rate_per_s: 3}}",
        "give thin or rate_per_s, not both",
        TRACE,
    ),
    demand("path of no character", '{trace: {file: @@"a\\0b"}}', "a path cannot hold the character U+0000"),
    demand("path too long", "{trace: {file: @@" + "a" * 5000 + "}}", "cannot be read: File name too long"),
    demand("folder of the paper", "{paper: {path: @@nowhere}}", "get it from github.com/Ren-Research"),
    mask("without a site", MASK.replace("here,1,0", "@@here,0,0", 1), "allowed.matrix: origin 'here' may use no site"),
    mask(
        "of other entries",
        MASK.replace("there,0,1", "@@there,0,2"),
        "has entries that are not 0 (not allowed) or 1 (allowed)",
    ),
    mask("of words", MASK.replace("there,0,1", "@@there,0,yes"), "a finite number is needed (given 'yes')"),
    mask("of a stranger", MASK + "@@her,1,1\n", "unknown origin 'her'; did you mean 'here'?"),
    mask("twice", MASK + "@@here,1,1\n", "origin 'here' stands twice"),
    mask("without an origin", MASK.replace("there,0,1\n", ""), "there is no row for origin 'there'", "m.csv"),
    mask("of another site", "@@" + MASK.replace("south", "soth"), "unknown site 'soth'; did you mean 'south'?"),
    Broken("mask missing", ("allowed: full", "allowed: {matrix: @@m.csv}"), "allowed.matrix: there is no file"),
    Broken("mask that is a folder", ("allowed: full", "allowed: {matrix: @@.}"), "is a folder, a file is needed"),
    Broken(
        "round trip below zero",
        ("coordinates", "{matrix: m.csv}"),
        "has a negative round-trip time",
        files={"m.csv": MASK.replace("there,0", "@@there,-3")},
    ),
]

DRY, MOIST = "synthetic: {dry_bulb_degc: 30}", "synthetic: {dry_bulb_degc: 30, relative_humidity_pct: 50}"
TOWER, WATER = "cooling: {water: {wet_bulb: {}}}", "grid: {water: {l_per_kwh: 1}}"
DRIER = ("water_l_per_kwh: 3}", "}")
COAL = "mix: {synthetic: {coal: 1}}"


def outside(name: str, says: str, *blocks: str, also: tuple[Change, ...] = (DRIER,), at: str = "") -> Broken:
    """Blocks of weather, cooling and grid, by default with signals that leave water to them."""
    return Broken(name, more("\n".join(blocks)), says, at, more=also)


OUTSIDE = [
    outside(
        "wet bulb without weather",
        "cooling.water.wet_bulb: this follows the weather: give a top-level block",
        "cooling: {water: {@@wet_bulb: {}}}",
        WATER,
    ),
    outside(
        "temperature without weather",
        "cooling.pue.temperature: this follows the weather",
        "cooling: {pue: {@@temperature: {}}}",
        also=(),
    ),
    outside(
        "weather without humidity",
        "a wet bulb needs relative humidity, a dew point, or the wet bulb itself",
        "weather: {@@" + DRY + "}",
        TOWER,
        WATER,
    ),
    outside(
        "weather of two humidities",
        "at most one of relative_humidity_pct, dew_point_degc, wet_bulb_degc is needed",
        "weather: {@@" + MOIST.replace("}", ", dew_point_degc: 9}") + "}",
        TOWER,
        WATER,
    ),
    outside(
        "humidity alone",
        "weather.synthetic: the key 'dry_bulb_degc' is missing",
        "weather: {@@synthetic: {relative_humidity_pct: 50}}",
        TOWER,
        WATER,
    ),
    outside(
        "temperature of a wet bulb alone",
        "the PUE follows the dry bulb, which is missing",
        "weather: {@@synthetic: {wet_bulb_degc: 20}}",
        "cooling: {pue: {temperature: {}}}",
        also=(),
    ),
    outside(
        "more than saturated",
        "relative_humidity_pct: site 'north': 150 % is no weather on Earth (0 to 105 %)",
        "weather: {" + MOIST.replace(": 50", ": @@150") + "}",
        TOWER,
        WATER,
    ),
    outside(
        "water given twice",
        "water is given here and by cooling.water; leave one of them out",
        "weather: {" + MOIST + "}",
        TOWER,
        WATER,
        also=(("water_l_per_kwh: 3", "water_l_per_kwh: @@3"),),
    ),
    outside(
        "water not given",
        "signals.synthetic: the key 'water_l_per_kwh' is missing",
        also=(DRIER, ("synthetic: {p", "@@synthetic: {p")),
    ),
    outside("half of the water", "on-site water alone is half of it", "cooling: {@@water: {l_per_kwh: 1}}"),
    outside(
        "the other half of the water",
        "holds off-site water already; say where on-site water comes from",
        "grid: {@@water: {l_per_kwh: 1}}",
        also=(),
    ),
    outside(
        "carbon given twice",
        "carbon is given here and by grid.carbon; leave one of them out",
        "grid: {carbon: mix, " + COAL + "}",
        also=(("carbon_kg_per_kwh: 0.3", "carbon_kg_per_kwh: @@0.3"),),
    ),
    outside("carbon of no mix", "grid: the key 'mix' is missing", "@@grid: {carbon: mix}", also=()),
    outside(
        "mix of no use", "the mix is not used; say carbon: mix, water: mix or both", "@@grid: {" + COAL + "}", also=()
    ),
    outside(
        "mix of an unknown fuel",
        "grid.mix.synthetic.cole: unknown fuel 'cole'; did you mean 'coal'?",
        "grid: {carbon: mix, mix: {synthetic: {cole: @@1}}}",
        also=(("carbon_kg_per_kwh: 0.3, ", ""),),
    ),
    outside(
        "towers without water",
        "cooling.water.wet_bulb.cycles: must be above 1 (given 1)",
        "cooling: {water: {wet_bulb: {cycles: @@1}}}",
    ),
    outside(
        "negative water on site",
        "an intensity cannot be negative (it falls to -1)",
        "cooling: {water: {l_per_kwh: @@-1}}",
        WATER,
    ),
    outside(
        "method of a wet bulb",
        "unknown value 'stul'; did you mean 'stull'?",
        "cooling: {water: {wet_bulb: {method: @@stul}}}",
    ),
    outside(
        "scarcity of three months",
        "at least 12 entries are needed (given 3)",
        also=(("south, region", "south, @@aware: [1, 2, 3], region"),),
    ),
    outside(
        "place above the air",
        "sites[1].altitude_m: must be at most 9000",
        also=(("south, region", "south, altitude_m: @@30000, region"),),
    ),
    signal("unknown preset", HOURS, "unknown value 'entsoe'; did you mean 'entso-e'?", keys=", preset: @@entsoe"),
    signal(
        "euros",
        HOURS,
        "these prices are in EUR/MWh: give `scale`, the US$ for a euro",
        "14:5",
        keys=", preset: entso-e",
    ),
    signal(
        "preset of other headers", "@@" + HOURS, "there is no column 'MTU (UTC)'", keys=", preset: entso-e, scale: 1.1"
    )._replace(more=((", time: t, preset", ", preset"),)),
    signal(
        "word of a stranger",
        HOURS,
        "unknown site 'est'; known: north, south",
        keys=", only: {t: {north: a, south: b, @@est: c}}",
    ),
    signal(
        "word that is nowhere", "@@" + HOURS, "column 'south': no row has '3'; known: 2", keys=", only: {south: '3'}"
    ),
    signal("no zone in the file", "@@" + HOURS, "the file does not say the zone of its times", keys=", timezone: file"),
]


def setting(name: str, given: str, says: str) -> Broken:
    return Broken(f"--set {name}", BASE, says, f"--set {given}", args=("--set", given))


def own(name: str, says: str, text: str | None, policy: str = "@@own:Mine") -> Broken:
    """A user's own policy in a module of its own name: Python imports a module once."""
    module = "own_" + name.replace(" ", "_").replace("'", "")
    files = {} if text is None else {f"{module}.py": text}
    return Broken(f"own policy {name}", policies(f"[{policy.replace('own:', module + ':')}]"), says, files=files)


SETTINGS = [
    setting("without =", "slots", "write it as KEY=VALUE, with a dotted key"),
    setting("without key", "=3", "write it as KEY=VALUE"),
    setting("unknown key", "slotz=4", "slotz: unknown key 'slotz'; did you mean 'slots'?"),
    setting("nested key", "servers.peek_w=3", "servers.peek_w: unknown key 'peek_w'; did you mean 'peak_w'?"),
    setting("wrong value", "slots=four", "slots: a whole number is needed (given 'four')"),
    setting("index too large", "sites[2].name=x", "sites[2].name: the list has 2 entries, counted from 0 (given '2')"),
    setting("index below 0", "sites[-1].name=x", "sites[-1].name: the list has 2 entries, counted from 0 (given '-1')"),
    setting(
        "index of a mapping", "servers[0]=3", "this is a mapping with count, peak_w, idle_w, not a list (given [0])"
    ),
    setting("name of no entry", "sites.norht.pue=2", "no entry of the list is called 'norht'; did you mean 'north'?"),
    setting("index of 5000 digits", f"sites[{'9' * 5000}]=3", "counted from 0"),
    setting("too deep", ".".join("a" * 3000) + "=1", "write it as KEY=VALUE"),
    setting("below a number", "slots.x=3", "slots: a whole number is needed (given a mapping)"),
    setting("broken value", "slots=[1", "slots: not valid YAML"),
    setting("second variant", "signals={paper: {}, csv: {}}", "signals: exactly one of calibrated, paper"),
    setting("file", "allowed={matrix: m.csv}", "there is no file"),
]

POLICIES = [
    own("missing", "there is no module 'own_missing'", None),
    own("importing what is not there", "it imports 'nothere', which is not there", "import nothere\n"),
    own("failing", "cannot be imported: ZeroDivisionError: division by zero", "1 / 0\n"),
    own("of wrong syntax", "cannot be imported: SyntaxError", "def (\n"),
    own("that exits", "cannot be imported: SystemExit", "raise SystemExit(0)\n"),
    own("without the class", "has no class 'Mien'; did you mean 'Mine'?", POLICY, "@@own:Mien"),
    own(
        "that fails when it is checked",
        "ZeroDivisionError when it is checked: division by zero",
        POLICY + "\n    def check(self, fleet):\n        1 / 0\n",
    ),
    own("that is none", "is not a routing policy: a class made from", "class Mine:\n    pass\n"),
    own("without a plan", "has no method plan(self, observation)", POLICY.replace("def plan", "def plam")),
    own("setting", "step: a number is needed (given 'fast')", POLICY, "'own:Mine': {step: @@fast}"),
    own("unknown setting", "stp: unknown key 'stp'; did you mean 'step'?", POLICY, "'own:Mine': {@@stp: 1}"),
    own("missing setting", "the key 'step' is missing", POLICY.replace(" = 1.0", "")),
    own("missing keyword", "the key 'step' is missing", POLICY.replace("self, step: float = 1.0", "self, *, step")),
    own("that cannot be made", "KeyError when it is made", POLICY.replace("pass", "raise KeyError('k')", 1)),
    own("setting that is no number", "step: a number is needed", POLICY, "'own:Mine': {step: @@.nan}"),
    own("by path", "there is no module", None, "@@'own.py:Mine'"),
    own("by no name", "is written module:Class, such as my_module:MyPolicy", None, "@@'a/b:Mine'"),
]

#: Where panels and batteries are, on-site and off-site water must be known apart.
APART = "cooling: {water: {l_per_kwh: 1}}\ngrid: {water: {l_per_kwh: 2}}"
SUN = "hour,north,south\n2022-09-22 00:00,0,0.5\n2022-09-22 04:00,1,0.5\n"
CONTROL = """\
from simulator import StorageControl


class Mine(StorageControl):
    def power_kw(self, view):
        return 0.0
"""


def solar(name: str, value: str, says: str, rows: str | None = None) -> Broken:
    """Panels of all sites that are wrong, or their file."""
    return Broken(
        name,
        more(f"solar: {value}\n{APART}" if "@@" in value + (rows or "") else f"@@solar: {value}\n{APART}"),
        says,
        files={} if rows is None else {"sun.csv": rows},
        more=(DRIER,),
    )


def trace(name: str, rows: str, says: str, keys: str = "") -> Broken:
    """Panels whose power comes from sun.csv."""
    profile = f"{{trace: {{file: sun.csv, time: hour{keys}}}}}"
    return solar(name, f"{{capacity_kw: 40, profile: {profile}}}", says, rows)


def battery(name: str, value: str, says: str, **files: str) -> Broken:
    """A battery of all sites that is wrong, or its control."""
    return Broken(
        name,
        more(f"battery: {value}\n{APART}" if "@@" in value else f"@@battery: {value}\n{APART}"),
        says,
        files={f"{key}.py": text for key, text in files.items()},
        more=(DRIER,),
    )


def changed(name: str, value: str, says: str) -> Broken:
    """Changes of the sites of the catalogue that are wrong."""
    signals = ("signals:\n  " + SYNTHETIC, f"signals: calibrated\n{APART}")
    return Broken(name, sites(f"{{catalogue: {{changes: {value}}}}}"), says, more=(signals,))


ONSITE = [
    solar("panels without a capacity", "{profile: clear_sky}", "solar: the key 'capacity_kw' is missing"),
    solar("panels below zero", "{capacity_kw: @@-1}", "solar.capacity_kw: must be at least 0 (given -1)"),
    solar("profile", "{capacity_kw: 1, profile: @@cloudy}", "solar.profile: unknown choice 'cloudy'; known: clear_sky"),
    solar("sun above 1", "{capacity_kw: 1, profile: {shape: @@1.5}}", "is from 0 to 1 (it goes from 1.5 to 1.5)"),
    solar(
        "sun below 0",
        "{capacity_kw: 1, profile: {@@shape: {sine: {mean: 0, amplitude: 1, peak_h: 12}}}}",
        "solar.profile.shape: a share of the capacity is from 0 to 1 (it goes from",
    ),
    solar(
        "sun of another site",
        "{capacity_kw: 1, profile: {shape: {per_site: {north: 0, south: 1, @@soth: 1}}}}",
        "solar.profile.shape.per_site.soth: unknown site 'soth'; did you mean 'south'?",
    ),
    solar(
        "sun of one site only", "{capacity_kw: 1, profile: {shape: {@@per_site: {north: 0}}}}", "'south' has no value"
    ),
    solar("sun file", "{capacity_kw: 4, profile: {trace: {file: @@sun.csv, time: hour}}}", "there is no file"),
    trace("share above 1", SUN.replace("2022-09-22 04:00,1,", "@@2022-09-22 04:00,2,"), "must be at most 1, the whole"),
    trace(
        "sun file below 0",
        SUN.replace("2022-09-22 04:00,1,", "@@2022-09-22 04:00,-1,"),
        "must be at least 0 (given -1)",
    ),
    trace(
        "kW above the capacity",
        SUN.replace("2022-09-22 04:00,1,", "@@2022-09-22 04:00,41,"),
        "column 'north': must be at most capacity_kw (given 41)",
        keys=", unit: kW",
    ),
    trace(
        "sun file without a site",
        "@@" + SUN.replace("south", "soth"),
        "there is no column 'south'; did you mean 'soth'?",
    ),
    trace("unit of the sun", SUN, "unknown value 'MW'; known: share, kW", keys=", unit: @@MW"),
    battery("battery without a capacity", "{c_rate_per_h: 1}", "battery: the key 'capacity_kwh' is missing"),
    battery("battery above itself", "{capacity_kwh: 1, initial_share: 0.1, v_lo: 0.2}", "must be from v_lo to v_up"),
    battery(
        "battery that makes energy", "{capacity_kwh: 1, eff_d: @@0.9}", "battery.eff_d: must be at least 1 (given 0.9)"
    ),
    battery(
        "control", "{capacity_kwh: 1, control: @@prise}", "unknown control 'prise'; a control of your own is written"
    ),
    battery(
        "control, nearest name", "{capacity_kwh: 1, control: @@self_consumption}", "did you mean 'self-consumption'?"
    ),
    battery(
        "control's setting",
        "{capacity_kwh: 1, control: {price: {@@windoh_h: 1}}}",
        "battery.control.price.windoh_h: unknown key 'windoh_h'; did you mean 'window_h'?",
    ),
    battery(
        "control's setting out of range",
        "{capacity_kwh: 1, control: {@@price: {cheap_share: 0.7}}}",
        "cheap_share must be above 0 and at most 0.5 (given 0.7)",
    ),
    battery(
        "control without settings", "{capacity_kwh: 1, control: {self-consumption: {@@a: 1}}}", "the control has no set"
    ),
    battery("control that is a number", "{capacity_kwh: 1, control: @@3}", "a control is a name, or a name with its"),
    battery(
        "control that is a policy",
        "{capacity_kwh: 1, control: @@'own_control_policy:Mine'}",
        "is not a battery control: a class made from simulator.StorageControl is needed",
        own_control_policy=POLICY,
    ),
    battery(
        "control without a method",
        "{capacity_kwh: 1, control: @@'own_control_empty:Mine'}",
        "has no method power_kw(self, view), which every battery control needs",
        own_control_empty=CONTROL.replace("power_kw", "power"),
    ),
    Broken(
        "control of one site",
        ("south, region: us", "south, battery: {capacity_kwh: 1, control: @@carbn}, region: us"),
        "sites[1].battery.control: unknown control 'carbn'",
        more=(DRIER, more(APART)),
    ),
    changed("change of another site", "{@@texsa: {pue: 2}}", "unknown site 'texsa'; did you mean 'texas'?"),
    changed("change of another key", "{texas: {@@peu: 2}}", "unknown key 'peu'; did you mean 'pue'?"),
    changed("change of a name", "{@@texas: {name: dallas}}", "a site keeps its name; leave `name` out"),
    changed("change out of range", "{texas: {battery: {capacity_kwh: @@-2}}}", "must be at least 0 (given -2)"),
    changed("change of a control", "{texas: {battery: {capacity_kwh: 2, control: @@x}}}", "unknown control 'x'"),
]

WHOLE = "would be switched or lost; if that is what you want, say accept_scaled: true"
DARK = "outages: {scheduled: [{site: north, start_s: 0, length_s: 60}]}"
ORDERS = """\
from simulator import Order, ProvisioningPolicy


class Mine(ProvisioningPolicy):
    def order(self, view):
        return Order(1)
"""


def provisioning(name: str, value: str, says: str, before: str = "", **files: str) -> Broken:
    """A provisioning policy of all sites that is wrong."""
    lines = f"{before}provisioning: {value}" if "@@" in value else f"{before}@@provisioning: {value}"
    return Broken(name, more(lines), says, files={f"{key}.py": text for key, text in files.items()})


def at_south(value: str) -> Change:
    return ("south, region: us", f"south, {value}, region: us")


def types(value: str) -> Change:
    lines = f"servers: {value}" if "@@" in value else f"@@servers: {value}"
    return ("servers: {count: 8, peak_w: 700, idle_w: 100}", lines)


def outages(name: str, value: str, says: str) -> Broken:
    """Outages that are wrong."""
    return Broken(name, more(f"outages: {value}" if "@@" in value else f"@@outages: {value}"), says)


def outage(name: str, value: str, says: str) -> Broken:
    """A scheduled outage that is wrong, the second one."""
    return outages(name, f"{{scheduled: [{{site: north, start_s: 0, length_s: 60}}, {value}]}}", says)


FAST, SLOW = "{name: fast, count: 2, peak_w: 700}", "{name: slow, count: 2, peak_w: 500}"
TYPES = [
    Broken("no type of servers", types("[]"), "servers: at least 1 entries are needed (given 0)"),
    Broken("a type that is a number", types(f"[{FAST}, @@3]"), "servers[1]: a mapping is needed"),
    Broken(
        "a type of servers", types(f"[{FAST}, {SLOW[:-1]}, @@idel_w: 5}}]"), "servers[1].idel_w: unknown key 'idel_w'"
    ),
    Broken("a type's power", types(f"[{FAST}, {{count: 1, peak_w: @@-1}}]"), "servers[1].peak_w: must be above 0"),
    Broken(
        "two types of one name", types(f"[{FAST}, {SLOW}, {FAST}]"), "servers: two types of servers are named 'fast'"
    ),
    Broken(
        "types without names", types("[{count: 1, peak_w: 7}, {count: 2, peak_w: 7}]"), "give each a name of its own"
    ),
    Broken(
        "a second queue",
        types(f"[{FAST}, {SLOW[:-1]}, queue_limit: 3}}]"),
        "servers: a site has one queue: give queue_limit at the first type of servers only",
    ),
    Broken(
        "mixed power",
        types(f"[{FAST}, {SLOW[:-1]}, power: proportional}}]"),
        "servers: servers of one site are all proportional or all linear",
    ),
    Broken(
        "types of one site",
        at_south(f"@@servers: [{FAST}, {FAST}]"),
        "sites[1].servers: two types of servers are named 'fast'",
    ),
    Broken(
        "a boot of negative length", types("{count: 1, peak_w: 7, boot_s: @@-1}"), "servers.boot_s: must be at least 0"
    ),
    Broken(
        "a boot of a length",
        types("{count: 1, peak_w: 7, boot_s: {@@mean: 3}}"),
        "servers.boot_s.mean: unknown key 'mean'",
    ),
    Broken("a load of no length", types("{count: 1, peak_w: 7, load_s: @@long}"), "servers.load_s: a number is needed"),
    Broken(
        "a model of a type",
        types("{count: 1, peak_w: 7, model: @@llama}"),
        "unknown model 'llama'",
        more=(("request: {seconds: 1}", "request: {tokens: {model: llama2-70b, input: 100, output: 10}}"),),
    ),
    Broken(
        "boots of proportional servers",
        types("{count: 1, peak_w: 7, power: proportional, boot_w: 3}"),
        "power: proportional draws for requests only; leave idle_w, off_w, boot_w out or say linear",
    ),
]
OUTAGES = [
    outage(
        "outage of an unknown site",
        "{@@site: nroth, start_s: 0, length_s: 60}",
        "unknown site 'nroth'; did you mean 'north'?",
    ),
    outage(
        "outage of an unknown link",
        "{site: north, origin: @@heer, start_s: 0, length_s: 6}",
        "unknown origin 'heer'; did you mean 'here'?",
    ),
    outage(
        "outage of unknown signals",
        "{@@signals: sout, start_s: 0, length_s: 60}",
        "scheduled[1].signals: unknown site 'sout'; did you mean 'south'?",
    ),
    outages(
        "random outage of an unknown site",
        "{random: {sites: {mean_up_h: 1, mean_down_h: 1, only: [north, @@suoth]}}}",
        "outages.random.sites.only[1]: unknown site 'suoth'; did you mean 'south'?",
    ),
    outage(
        "outage of nothing",
        "@@{start_s: 0, length_s: 60}",
        "outages.scheduled[1]: an outage is of a site, of a link (origin and site), or of the signals of a site",
    ),
    outage(
        "outage of two things",
        "@@{site: north, signals: north, start_s: 0, length_s: 60}",
        "an outage is of a site, of a link (origin and site), or of the signals",
    ),
    outage(
        "outage of an origin",
        "@@{origin: here, start_s: 0, length_s: 60}",
        "an outage is of a site, of a link (origin and site), or of the signals",
    ),
    outage(
        "outage of an origin's signals",
        "@@{signals: north, origin: here, start_s: 0, length_s: 60}",
        "signals belong to a site; leave origin out",
    ),
    outage(
        "a share of a link",
        "@@{site: north, origin: here, share: 0.5, start_s: 0, length_s: 60}",
        "share and running belong to an outage of a site",
    ),
    outage(
        "killing signals",
        "@@{signals: north, running: finish, start_s: 0, length_s: 60}",
        "share and running belong to an outage of a site",
    ),
    outage(
        "outage of more than all",
        "{site: south, share: @@1.5, start_s: 0, length_s: 60}",
        "scheduled[1].share: must be at most 1 (given 1.5)",
    ),
    outage(
        "outage of no length",
        "{site: south, start_s: 0, length_s: @@0}",
        "scheduled[1].length_s: must be above 0 (given 0)",
    ),
    outage(
        "outage before the start",
        "{site: south, start_s: @@-1, length_s: 60}",
        "scheduled[1].start_s: must be at least 0 (given -1)",
    ),
    outage(
        "outage that runs on",
        "{site: south, running: @@die, start_s: 0, length_s: 60}",
        "scheduled[1].running: unknown value 'die'; known: finish, kill",
    ),
    outage(
        "outage with an end",
        "{site: south, @@end_s: 5, start_s: 0, length_s: 60}",
        "scheduled[1].end_s: unknown key 'end_s'",
    ),
    outages("outages never detected", "{detection_s: @@-1}", "outages.detection_s: must be at least 0 (given -1)"),
    outages("retries for ever", "{retries: @@2000}", "outages.retries: must be at most 1000 (given 2000)"),
    outages(
        "outages all the time",
        "{random: {links: {mean_up_h: @@0, mean_down_h: 1}}}",
        "outages.random.links.mean_up_h: must be above 0",
    ),
    outages(
        "outages that last",
        "{random: {@@links: {mean_up_h: 1}}}",
        "outages.random.links: the key 'mean_down_h' is missing",
    ),
    outages(
        "outages at random of what",
        "{random: {@@servers: {mean_up_h: 1}}}",
        "outages.random.servers: unknown key 'servers'",
    ),
]

SERVERS_ON = [
    provisioning("provisioning", "@@folow", "provisioning: unknown policy 'folow'; a policy of your own is written"),
    provisioning(
        "provisioning out of range",
        "{@@follow: {utilisation: 3}}",
        "provisioning.follow: utilisation must be above 0 and at most 1 (given 3)",
    ),
    provisioning("provisioning's setting", "{follow: {@@util: 1}}", "provisioning.follow.util: unknown key 'util'"),
    provisioning(
        "provisioning's kind", "{static: {servers: @@x}}", "provisioning.static.servers: a number is needed (given 'x')"
    ),
    provisioning(
        "provisioning that routes",
        "@@'own_orders_policy:Mine'",
        "is not a provisioning policy: a class made from simulator.ProvisioningPolicy is needed",
        own_orders_policy=POLICY,
    ),
    provisioning(
        "provisioning without a method",
        "@@'own_orders_empty:Mine'",
        "has no method order(self, view), which every provisioning policy needs",
        own_orders_empty=ORDERS.replace("def order", "def say"),
    ),
    Broken(
        "provisioning of one site",
        at_south("provisioning: {@@staffing: {wait_s: 0}}"),
        "sites[1].provisioning.staffing: wait_s must be finite and above 0",
    ),
    Broken(
        "provisioning of a changed site",
        sites("{catalogue: {changes: {texas: {provisioning: @@folow}}}}"),
        "sites.catalogue.changes.texas.provisioning: unknown policy 'folow'",
        more=(("signals:\n  " + SYNTHETIC, "signals: calibrated"),),
    ),
    Broken(
        "share of a link",
        more("outages: {scheduled: [@@{origin: here, site: south, start_s: 0, length_s: 9, share: 0.5}]}"),
        "outages.scheduled[0]: share and running belong to an outage of a site",
    ),
    Broken(
        "provisioning of one policy",
        ("[glb-nearest]", "[glb-nearest: {provisioning: @@folow}]"),
        "policies[0].glb-nearest.provisioning: unknown policy 'folow'",
    ),
    Broken(
        "setting of the provisioning of one policy",
        ("[glb-nearest]", "[glb-nearest: {provisioning: {follow: {@@util: 1}}}]"),
        "policies[0].glb-nearest.provisioning.follow.util: unknown key 'util'",
    ),
    Broken(
        "provisioning of one policy that is no choice",
        ("[glb-nearest]", "[@@glb-nearest: {provisioning: 3}]"),
        "policies[0]: a provisioning policy is a name, or a name with its settings (given 3)",
    ),
    Broken(
        "servers of one policy in the fluid engine",
        ("policies: [glb-nearest]", "engine: fluid\npolicies: [glb-nearest: {provisioning: @@follow}]"),
        "policies[0].glb-nearest.provisioning: the fluid engine has no servers to switch",
    ),
    provisioning("fluid servers", "@@follow", "the fluid engine has no servers to switch", "engine: fluid\n"),
    provisioning("some fluid servers", "{static: {servers: 2}}", "the fluid engine has no serv", "engine: fluid\n"),
    Broken("fluid outages", more(f"engine: fluid\n@@{DARK}"), "outages: the fluid engine has no servers to switch"),
    Broken(
        "fluid servers of one site",
        at_south("provisioning: @@reactive"),
        "sites[1].provisioning: the fluid engine has no servers to switch",
        more=(more("engine: fluid"),),
    ),
    provisioning("scaled servers", "@@follow", "a smaller fleet (fleet_scale 0.5) " + WHOLE, "fleet_scale: 0.5\n"),
    Broken("scaled outages", more(f"fleet_scale: 0.5\n@@{DARK}"), WHOLE),
    Broken("scaled links", more("fleet_scale: 2\n@@outages: {random: {links: {mean_up_h: 1, mean_down_h: 1}}}"), WHOLE),
    Broken("combined water and sun", more("@@solar: {capacity_kw: 4}"), "solar: the signals' water is on-site and off"),
    Broken(
        "combined water and a battery",
        at_south("@@battery: {capacity_kwh: 4}"),
        "sites[1].battery: the signals' water is on-site and off-site water together",
    ),
]

ISSUED = """\
issued,target,north,south
2022-09-22 00:00,2022-09-22 01:00,10,20
2022-09-22 00:00,2022-09-22 02:00,11,21
"""
ZONES = """\
issued,target,zone,price
2022-09-22 00:00,2022-09-22 01:00,N,10
2022-09-22 00:00,2022-09-22 01:00,S,20
"""


def forecast(name: str, value: str, says: str, **files: str) -> Broken:
    return Broken(f"forecast {name}", more(f"forecast: {value}"), says, files=files)


def replay(name: str, text: str, says: str, keys: str = "", of: str = "price") -> Broken:
    """Forecasts from ``f.csv`` with this text; ``keys`` are added to the settings."""
    mark = "" if "@@" in keys + text else "@@"
    value = f"{{{of}: {{replay: {{file: {mark}f.csv{keys}}}}}}}"
    return forecast(f"replay {name}", value, says, **{"f.csv": text})


IN_ZONES = ", name: zone, value: price, column: {north: N, south: S}"
FORECASTS = [
    forecast("of no kind", "@@sesonal", "forecast: unknown choice 'sesonal'; did you mean 'seasonal'?"),
    forecast("without days", "{seasonal: {days: @@0}}", "forecast.seasonal.days: must be at least 1 (given 0)"),
    forecast("days in words", "{seasonal: {days: @@week}}", "a whole number is needed (given 'week')"),
    forecast(
        "of what there is not", "{demand: perfect, @@prise: perfect}", "unknown key 'prise'; did you mean 'price'?"
    ),
    forecast("error below zero", "{noisy: {relative_error_24h: @@-0.1}}", "must be at least 0 (given -0.1)"),
    forecast("error that shrinks", "{@@noisy: {relative_error_1h: 0.2}}", "is above relative_error_24h (0.1)"),
    forecast(
        "error of no such lead", "{noisy: {@@relative_error_2h: 1}}", "unknown key 'relative_error_2h'; did you mean"
    ),
    forecast("correlation above one", "{noisy: {common: @@1.1}}", "must be at most 1 (given 1.1)"),
    forecast("bias of all", "{noisy: {bias: @@-1}}", "must be above -1 (given -1)"),
    forecast("stale by nothing", "{price: {stale: {slots: @@0}}}", "must be at least 1 (given 0)"),
    forecast("replay without file", "{price: {@@replay: {}}}", "the key 'file' is missing"),
    forecast("replay of a unit", "{price: {replay: {file: f.csv, unit: @@EUR/MWh}}}", "unknown value 'EUR/MWh'"),
    forecast("replay of everything", "{@@replay: {file: f.csv}}", "a replay is of one quantity")._replace(
        change=more("@@forecast: {replay: {file: f.csv}}")
    ),
    forecast("replay of no file", "{price: {replay: {file: @@f.csv}}}", "there is no file"),
    forecast("that misleads in no way", "{adversarial: @@flip}", "unknown value 'flip'"),
    forecast("that misleads by a key", "{adversarial: {@@sort: flipped}}", "unknown key 'sort'"),
    replay("of another year", ISSUED.replace("2022", "2021"), "no forecast in it is for a time within the run"),
    replay("issued afterwards", ISSUED.replace("22 00:00,", "22 03:00,"), "issued before that time"),
    replay(
        "of nobody",
        ISSUED,
        "unknown site 'est'; known: north, south",
        ", column: {north: north, south: south, @@est: x}",
    ),
    replay("of too few", ISSUED, "site 'south' has no column", ", @@column: {north: north}"),
    replay(
        "without a column", "@@" + ISSUED.replace("south", "soth"), "there is no column 'south'; did you mean 'soth'?"
    ),
    replay("without times", "@@" + ISSUED.replace("issued", "made"), "there is no column 'issued'"),
    replay("of a bad time", ISSUED.replace("2022-09-22 00:00,2022-09-22 02", "@@soon,2022-09-22 02"), "(given 'soon')"),
    replay(
        "of a bad target",
        ISSUED.replace("2022-09-22 00:00,2022-09-22 02", "@@2022-09-22 00:00,2022-13-22 02"),
        "'target'",
    ),
    replay(
        "of text",
        ISSUED.replace("2022-09-22 00:00,2022-09-22 02:00,11", "@@2022-09-22 00:00,2022-09-22 02:00,cheap"),
        "column 'north': a finite number is needed (given 'cheap')",
    ),
    replay(
        "of nothing",
        ISSUED.replace("2022-09-22 00:00,2022-09-22 02:00,11", "@@2022-09-22 00:00,2022-09-22 02:00,"),
        "column 'north': a finite number is needed (given '')",
    ),
    replay(
        "of carbon below zero",
        ISSUED.replace("2022-09-22 00:00,2022-09-22 02:00,11", "@@2022-09-22 00:00,2022-09-22 02:00,-11"),
        "column 'north': must be at least 0 (given -11)",
        of="carbon",
    ),
    replay(
        "of the same twice",
        ISSUED.replace("2022-09-22 00:00,2022-09-22 02", "@@2022-09-22 00:00,2022-09-22 01"),
        "this target stands twice in its issue",
    ),
    replay("of another zone", ISSUED, "unknown time zone 'Mars'", ", timezone: @@Mars"),
    replay("of no word", "@@" + ZONES.replace(",S,", ",T,"), "column 'zone': no row has 'S'; known: N, T", IN_ZONES),
    replay("of zones without name", ZONES, "the key 'name' is missing", "", "price")._replace(
        change=more("forecast: {price: {@@replay: {file: f.csv, value: price}}}")
    ),
    Broken(
        "forecast of a policy's own",
        policies("[mpc: {forecaster: {noisy: {relative_error_24h: @@-1}}}]"),
        "policies[0].mpc.forecaster.noisy.relative_error_24h: must be at least 0 (given -1)",
    ),
    Broken(
        "forecast of a policy's own of no kind",
        policies("[mpc: {forecaster: @@perfct}]"),
        "policies[0].mpc.forecaster: unknown choice 'perfct'; did you mean 'perfect'?",
    ),
    Broken(
        "forecast of a policy's own file",
        policies("[mpc: {forecaster: {price: {replay: {file: f.csv}}}}]"),
        "column 'south': a finite number is needed (given 'x')",
        files={
            "f.csv": ISSUED.replace(
                "2022-09-22 00:00,2022-09-22 02:00,11,21", "@@2022-09-22 00:00,2022-09-22 02:00,11,x"
            )
        },
    ),
    own(
        "with an unknown forecaster",
        "unknown forecaster 'perfct'; did you mean 'perfect'?",
        POLICY.replace("None", '"perfct"'),
    ),
    Broken(
        "footprint error of nothing", more("footprint_error: {scale: @@0}"), "footprint_error.scale: must be above 0"
    ),
    Broken("footprint error below zero", more("footprint_error: {noise: @@-0.1}"), "must be at least 0 (given -0.1)"),
]
OBJECTIVE = [
    Broken(
        "norm below the sum", more("objective: {norm: @@0.5}"), "objective.norm: max or a number that is at least 1"
    ),
    Broken("norm misspelt", more("objective: {norm: @@mx}"), "(given mx); did you mean 'max'?"),
    Broken("norm without end", more("objective: {norm: @@.inf}"), "objective.norm: max or a number that is at least 1"),
    Broken(
        "weights of no site",
        more("objective: {water_site_weights: {@@nroth: 2}}"),
        "objective.water_site_weights.nroth: unknown site 'nroth'; did you mean 'north'?",
    ),
    Broken(
        "weights by another word",
        more("objective: {water_site_weights: @@scarce}"),
        "the word aware or a mapping from sites to weights is needed (given 'scarce')",
    ),
    Broken(
        "carbon by the scarcity of water",
        more("objective: {carbon_site_weights: @@aware}"),
        "objective.carbon_site_weights: a mapping from sites to weights is needed (given 'aware')",
    ),
    Broken(
        "weights below zero",
        more("objective: {@@carbon_site_weights: {north: -1, south: x}}"),
        "weights of sites must be numbers from 0 to 1e+09 (given north: -1, south: x)",
    ),
    Broken(
        "policy's weights of no site",
        policies("[@@eglb-off: {water_site_weights: {soth: 1}}]"),
        "policies[0].eglb-off: water_site_weights: unknown site 'soth'; did you mean 'south'?",
    ),
    Broken(
        "norm of prices that move with requests",
        policies("[@@hedge: {update_every: 5, norm: 2}]"),
        "prices that move with requests are those of the largest site; leave it out, or give norm: max (given 2)",
    ),
    Broken("cap without an allowance", policies("[@@water-cap]"), "allowance_m3_per_year is missing"),
    Broken(
        "allowance of nothing",
        policies("[@@water-cap: {allowance_m3_per_year: {north: 0}}]"),
        "allowance_m3_per_year must be finite and above 0, for all sites or by site (given 0)",
    ),
    Broken(
        "limit of no site",
        policies("[@@peak-water: {limit_m3_per_h: {nroth: 1}}]"),
        "limit_m3_per_h: unknown site 'nroth'; did you mean 'north'?",
    ),
    Broken(
        "limit in words",
        policies("[peak-water: {limit_m3_per_h: @@low}]"),
        "limit_m3_per_h: a number or a mapping is needed (given 'low')",
    ),
]

SHIFTS = [
    Broken("shift of nobody", more("shift: {price: {@@est: 2}}"), "shift.price.est: unknown site 'est'"),
    Broken("shift of no origin", more("shift: {demand: {@@hre: 2}}"), "unknown origin 'hre'; did you mean 'here'?"),
    Broken("shift to nothing", more("shift: {demand: @@0}"), "a factor above 0, or a mapping of names to factors"),
    Broken("shift in words", more("shift: {carbon: @@double}"), "is needed (given 'double')"),
    Broken("shift at the end", more("shift: {at_share: @@1}"), "must be below 1 (given 1)"),
    Broken("shift of what there is not", more("shift: {@@prise: 2}"), "unknown key 'prise'; did you mean 'price'?"),
]


def robust(name: str, value: str, says: str) -> Broken:
    return Broken(f"robustness {name}", more(f"study: {{robustness: {{{value}}}}}"), says)


ROBUSTNESS = [
    robust("of a key", "@@error: [0.1]", "unknown key 'error'; did you mean 'errors'?"),
    robust("with an error below zero", "errors: [0, @@-0.1]", "study.robustness.errors[1]: must be at least 0"),
    robust("without errors", "@@errors: []", "study.robustness.errors"),
    robust("with an attack of no kind", "attacks: [permuted, @@flip]", "unknown value 'flip'"),
    robust("with prices of no age", "refresh_s: [@@-60]", "must be at least 0 (given -60)"),
    robust("without demand", "demand_jump: @@0", "must be above 0 (given 0)"),
    robust("without seeds", "seeds: @@0", "must be at least 1 (given 0)"),
]

CORPUS = [
    *SYNTAX,
    *SCALARS,
    *RANGES,
    *NAMES,
    *FILES,
    *OUTSIDE,
    *SETTINGS,
    *POLICIES,
    *ONSITE,
    *SERVERS_ON,
    *TYPES,
    *OUTAGES,
    *FORECASTS,
    *OBJECTIVE,
    *SHIFTS,
    *ROBUSTNESS,
]


def broken_text(broken: Broken) -> str | bytes:
    """The scenario of a broken input, its mark still in it."""
    if not isinstance(broken.change, tuple):
        return broken.change
    text = BASE
    for old, new in (broken.change, *broken.more):
        assert text.count(old) == 1, f"{old!r} must stand once in the base"
        text = text.replace(old, new)
    return text


def marked_place(file: str, text: str | bytes) -> str | None:
    """Where ``@@`` stands: line and column in a scenario, the line in a data file."""
    if isinstance(text, bytes) or "@@" not in text:
        return None
    before = text[: text.index("@@")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return f"{file}:{line}:{column}: " if file.endswith(".yaml") else f"{file}:{line}: "


def write_all(broken: Broken, folder: Path) -> str:
    """Write a broken input into a folder; the place that its message must name."""
    place = ""
    for name, text in {"bad.yaml": broken_text(broken), **broken.files}.items():
        place = place or marked_place(name, text) or ""
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.replace("@@", "").encode("utf-8"))
    at = f"bad.yaml:{broken.at}" if broken.at[:1].isdigit() else broken.at
    assert bool(at) != bool(place), "an input needs one mark or one place"
    return at or place


def everything_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def say(*args: str) -> tuple[int, str]:
    """Exit status and stderr of the command line, run inside this process."""
    result = CliRunner().invoke(main, args)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, result.stderr


def test_the_base_is_fine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(BASE, encoding="utf-8")
    assert say("validate", "good.yaml") == (0, "")


def test_names_of_the_corpus_are_unique():
    names = [broken.name for broken in CORPUS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("broken", CORPUS, ids=lambda broken: broken.name)
def test_a_broken_input_is_refused_where_it_is_broken(broken, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EQUIFLEET_DATA", str(tmp_path / "no-data"))
    place = write_all(broken, tmp_path)
    before = everything_in(tmp_path)
    only_run = {"--seed", "--engine", "--policy"} & set(broken.args)
    for command in ("run",) if only_run else ("validate", "run"):
        status, text = say(command, "bad.yaml", *broken.args)
        lines = [line for line in text.splitlines() if place in line and broken.says in line]
        assert lines, f"{place!r} and {broken.says!r} in one line of:\n{text}"
        assert status == 2, text
        assert "Traceback" not in text
        assert "nothing was run, nothing was written" in text.splitlines()[-1]
        assert everything_in(tmp_path) == before


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = BASE
    for old, new in (
        ("slots: 4", "slots: -4"),
        ("south, region", "south, regoin"),
        ("idle_w: 100", "idle_w: -100"),
        ("rate_per_s: 0.01", "rate_per_s: fast"),
        ("[glb-nearest]", "[eglb: {stp: 1}, eglb-on]"),
    ):
        text = text.replace(old, new)
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    status, said = say("validate", "bad.yaml")
    lines = said.splitlines()
    assert status == 2
    paths = ["slots", "sites[1].regoin", "servers.idle_w", "workload.demand.poisson.rate_per_s"]
    paths += ["policies[0].eglb.stp", "policies[1]"]
    assert [line.split(": ")[1] for line in lines[:-1]] == paths
    assert lines[-1] == "6 mistakes; nothing was run, nothing was written"


@pytest.mark.parametrize(
    "blocks",
    [
        "fleet_scale: 0.5\naccept_scaled: true\nprovisioning: follow\n" + DARK,
        "fleet_scale: 0.5\nprovisioning: {static: {servers: 4}}",
        "fleet_scale: 0.5\noutages: {scheduled: [{signals: north, start_s: 0, length_s: 60}]}",
        "provisioning: own_orders:Mine\n" + DARK,
    ],
)
def test_servers_are_switched_and_lost_where_that_makes_sense(blocks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_orders.py").write_text(ORDERS)
    (tmp_path / "good.yaml").write_text(BASE.replace(*more(blocks)))
    status, text = say("run", "good.yaml", "--jobs", "1")
    assert status == 0, text


def test_an_engine_named_to_run_is_held_against_the_scenario_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(BASE.replace(*more("provisioning: follow\n" + DARK)))
    with pytest.raises(InputError, match=r"provisioning: the fluid engine(.|\n)*outages: the fluid engine"):
        simulator.run("good.yaml", "glb-nearest", engine="fluid")


def test_mistakes_in_several_data_files_come_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    broken = signal(
        "", HOURS.replace(HOUR_3, HOUR_3.replace(",1,", ",x,")), "", "p.csv", **{"w.csv": "", "c.csv": None}
    )
    write_all(broken._replace(more=(("allowed: full", "allowed: {max_rtt_ms: 1}"),)), tmp_path)
    status, said = say("validate", "bad.yaml")
    assert status == 2
    assert [part in said for part in ("p.csv:5: ", "w.csv:1: ", "there is no file")] == [True] * 3


def test_every_bad_cell_of_a_file_is_told_whatever_is_wrong_with_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.csv").write_text("hour_utc,requests\n2022-09-22T00:00:00Z,-5\n2022-09-22T01:00:00Z,many\n")
    (tmp_path / "bad.yaml").write_text(BASE.replace(POISSON, "{hourly: d.csv}"), encoding="utf-8")
    said = say("validate", "bad.yaml")[1]
    assert "d.csv:2: workload.demand.hourly.file: column 'requests': must be at least 0 (given -5)" in said
    assert "d.csv:3: workload.demand.hourly.file: column 'requests': a finite number is needed (given 'many')" in said


def test_a_bad_entry_of_a_list_is_one_mistake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text(BASE.replace("[glb-nearest]", "[3]"), encoding="utf-8")
    assert say("validate", "bad.yaml")[1].splitlines()[-1].startswith("1 mistake;")


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("taken", "taken: exists already, and is not a folder of results; it is not overwritten; name another folder"),
        ("taken.txt", "taken.txt: exists already, and is not a folder; name another folder with --out"),
        ("taken.txt/below/it", "cannot be made: Not a directory"),
        ("/proc/nowhere/it", "cannot be made"),
        ("new/" + "a" * 300, "cannot be made: File name too long"),
        ("/", "is the current folder or holds it"),
        (".", "is the current folder or holds it"),
        ("", "is the current folder or holds it"),
        ("empty/../taken/..", "is the current folder or holds it"),
    ],
)
def test_an_output_folder_that_cannot_be_is_refused_before_the_run(out, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "taken").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken" / "mine.txt").touch()
    (tmp_path / "taken.txt").touch()
    before = everything_in(tmp_path)
    status, said = say("run", "good.yaml", "--out", out)
    assert (status, says in said) == (2, True), said
    assert everything_in(tmp_path) == before


def test_an_empty_current_folder_is_refused_before_the_run(tmp_path, monkeypatch):
    (tmp_path / "good.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "here").mkdir()
    before = everything_in(tmp_path)
    monkeypatch.chdir(tmp_path / "here")
    status, said = say("run", "../good.yaml", "--out", ".")
    assert (status, "is the current folder" in said) == (2, True), said
    assert everything_in(tmp_path) == before


def test_a_mount_point_is_refused_before_the_run(tmp_path, monkeypatch):
    """Its place cannot be taken by another folder, and what stands beside it is another disk."""
    (tmp_path / "volume").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path).name == "volume")
    with pytest.raises(InputError, match="is a mount point"):
        Folder(tmp_path / "volume")
    assert [path.name for path in tmp_path.iterdir()] == ["volume"]


def test_a_folder_that_holds_no_results_is_not_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    status, said = say("run", "good.yaml", "--out", "mine", "--overwrite")
    assert status == 2
    assert "is not a folder of results; it is not overwritten" in said
    assert (tmp_path / "mine" / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_a_run_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_failing_run.py").write_text(POLICY, encoding="utf-8")
    (tmp_path / "good.yaml").write_text(BASE.replace("[glb-nearest]", "['own_failing_run:Mine']"), encoding="utf-8")
    before = everything_in(tmp_path)
    status, said = say("run", "good.yaml", "--out", "new/folder")
    assert status == 1
    assert "plan() must return a Split, a Score, a Dual or an Own, not NoneType" in said
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("tabel1", "there is no file and no shipped scenario of this name; did you mean 'table1'?"),
        ("bda.yaml", "bda.yaml: there is no such file; did you mean 'bad.yaml'?"),
        ("folder.yaml", "folder.yaml: this is a folder, a file is needed"),
        ("bad.yaml/x.yaml", "cannot be read: Not a directory"),
        ("a" * 300 + ".yaml", "cannot be read: File name too long"),
    ],
)
@pytest.mark.parametrize("command", ["run", "validate", "show"])
def test_a_scenario_that_is_not_there(command, name, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text("a: 1", encoding="utf-8")
    (tmp_path / "folder.yaml").mkdir()
    before = everything_in(tmp_path)
    status, said = say(command, name)
    assert (status, says in said) == (2, True), said
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize(
    ("text", "args", "says"),
    [
        (BASE.replace("slots: 4", "slots: four"), ["run", "bad.yaml"], "bad.yaml:3:8: slots: a whole number is needed"),
        ("a: " + "[" * 4000, ["validate", "bad.yaml"], "bad.yaml:1:1: the document is too deep"),
        (BASE, ["run", "bad.yaml", "--set", "slots"], "--set slots: write it as KEY=VALUE"),
    ],
)
def test_a_real_process_says_the_same(text, args, says, tmp_path):
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-P", "-m", "simulator", *args]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False, env=_with_ours()
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert says in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr
    assert everything_in(tmp_path) == {tmp_path / "bad.yaml"}


def _with_ours() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
