"""The source of a scenario: scalars by the YAML 1.2 core schema, places of keys, settings of the command line.

Scalars: https://yaml.org/spec/1.2.2/#103-core-schema.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from simulator.problem import InputError, Problem
from simulator.scenario import read_source
from simulator.scenario.scalar import Text
from simulator.scenario.source import Source


def source(text: str, folder: Path = Path("/somewhere")) -> Source:
    return Source(text, "a.yaml", folder)


def problems(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        source(text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2022-09-22", "2022-09-22"),
        ("1e-3", 0.001),
        ("1.5E3", 1500.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.inf", -math.inf),
        (".inf", math.inf),
        ("inf", "inf"),
        ("1e", "1e"),
        (".", "."),
        ("'12'", "12"),
        ('"true"', "true"),
        ("'~'", "~"),
        ("=", "="),
    ],
)
def test_scalars_are_those_of_yaml_1_2(scalar, value):
    read = source(f"key: {scalar}").data["key"]
    assert read == value
    assert type(read) is (Text if isinstance(value, str) else type(value))


def test_nan_is_read_as_a_number():
    assert math.isnan(source("key: .nan").data["key"])


def test_keys_are_always_text():
    assert source("{1: a, true: b, ~: c}").data == {"1": "a", "true": "b", "~": "c"}


def test_lists_are_tuples_and_anchors_repeat_their_block():
    assert source("a: &x [1, {b: 2}]\nc: *x").data == {"a": (1, {"b": 2}), "c": (1, {"b": 2})}


def test_every_duplicate_key_is_named_with_both_its_places():
    assert problems("a: 1\nb: {c: 1, c: 2}\na: 3") == [
        "a.yaml:2:11: b.c: duplicate key 'c' (first given on line 2)",
        "a.yaml:3:1: a: duplicate key 'a' (first given on line 1)",
    ]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("a",), (1, 1)),  # a block: its key
        (("a", "b"), (1, 8)),  # a value: itself
        (("c", 1), (4, 5)),  # an entry of a list: itself
        (("c", 1, "d"), (4, 9)),
        (("c", 1, "left out"), (4, 5)),  # what is not there: what should hold it
        (("e",), (5, 4)),
        (("nowhere",), (1, 1)),
    ],
)
def test_problems_stand_where_their_value_stands(path, place):
    text = "a: {b: 1}\nc:\n  - 1\n  - {d: 2}\ne: x"
    located = source(text).locate(Problem(path, "is wrong"))
    assert (located.line, located.column) == place


def test_an_unknown_key_stands_where_the_key_stands():
    located = source("a:\n  key: value").locate(Problem(("a", "key"), "unknown key 'key'"))
    assert (located.line, located.column) == (2, 3)


def test_settings_change_what_is_there_and_add_what_is_not():
    read = source("a: 1\nlist: [{b: 1}, {b: 2}]\nword: full")
    read.override(["a=0o17", "list[1].b=NO", "list.0.c=1e-3", "new.block=[1, x]", "word.variant=3", "empty="])
    assert read.data == {
        "a": 15,
        "list": ({"b": 1, "c": 0.001}, {"b": "NO"}),
        "word": {"variant": 3},
        "new": {"block": (1, "x")},
        "empty": None,
    }


def test_the_last_setting_of_a_key_holds_and_its_value_may_hold_equals_signs():
    read = source("a: 1")
    read.override(["a=2", "a=x=y"])
    assert read.data == {"a": "x=y"}


def test_settings_leave_what_was_read_before_as_it_is():
    read = source("a: {b: 1}")
    before = read.data
    read.override(["a.b=2"])
    assert before == {"a": {"b": 1}}


def test_paths_count_from_the_file_and_those_of_settings_from_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read = source("one: a.csv\nother: a.csv")
    read.override(["other=b.csv"])
    assert (read.data["one"].folder, read.data["other"].folder) == (Path("/somewhere"), tmp_path)


def test_problems_of_a_setting_name_the_setting():
    read = source("a: {b: 1}\nc: 2\nd: 3")
    read.override(["a.b=x", "c.new=1"])
    assert str(read.locate(Problem(("a", "b"), "is wrong"))) == "--set a.b=x: a.b: is wrong"
    assert str(read.locate(Problem(("c",), "is wrong"))) == "--set c.new=1: c: is wrong"
    assert str(read.locate(Problem(("a",), "is wrong"))) == "a.yaml:1:1: a: is wrong"
    assert str(read.locate(Problem(("d",), "is wrong"))) == "a.yaml:3:4: d: is wrong"


def test_all_wrong_settings_are_named_at_once():
    read = source("list: [1]")
    with pytest.raises(InputError) as caught:
        read.override(["word", "list[1]=2", "list[0]=[", "=3"])
    assert [problem.file for problem in caught.value.problems] == [
        "--set word",
        "--set list[1]=2",
        "--set list[0]=[",
        "--set =3",
    ]


def test_a_problem_is_one_line_whatever_the_key():
    assert (
        str(source("a: 1").locate(Problem(("a", "\x1b[31m\n"), "unknown key '\n'")))
        == r"a.yaml:1:1: a: unknown key '\n'"
    )


def test_text_with_a_byte_order_mark_and_any_line_ends(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    read = Source.from_file(file)
    assert read.data == {"a": 1, "b": 2}
    assert read.locate(Problem(("b",), "")).line == 2


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("allowed.max_rtt_ms=50", ("allowed", "max_rtt_ms"), 50),
        ("signals.paper.path=elsewhere", ("signals", "paper", "path"), "elsewhere"),
        ("signals.calibrated.seed=3", ("signals", "calibrated", "seed"), 3),
        ("sites.generate.count=4", ("sites", "generate", "count"), 4),
        ("workload.demand.poisson.rate_per_s=2", ("workload", "demand", "poisson", "rate_per_s"), 2),
    ],
)
def test_the_choice_of_the_file_gives_way_to_the_one_that_is_set(setting, path, value):
    data = read_source("table1", [setting]).data
    for part in path[:-1]:
        data = data[part]
    assert data == {path[-1]: value}
