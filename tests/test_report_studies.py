"""Pages of studies: what is drawn is what the study's tables say, and the page opens with its answer's picture."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from browser import CHROMIUM, Browser, browsing
from reported import EVIL
from studied import LATENCY, PARTIAL, ROBUSTNESS, studied

from simulator.report.contents import head_of, report, sections_of, write_report
from simulator.report.figures import figures_of, specification, write_figures
from simulator.report.saved import Saved, read_saved
from simulator.report.section import Figure, Section, Sentences, Table
from simulator.report.stressed import site_count

MILLI = 1e-3


@pytest.fixture(scope="module")
def latency(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return studied(tmp_path_factory.mktemp("latency"), LATENCY)


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return studied(tmp_path_factory.mktemp("partial"), PARTIAL)


@pytest.fixture(scope="module")
def robustness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return studied(tmp_path_factory.mktemp("robustness"), ROBUSTNESS)


@pytest.fixture(params=["latency", "partial", "robustness"])
def folder(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", dtype={"level": str}, keep_default_na=False, na_values=[""])


@cache
def sections(folder: Path) -> list[Section]:
    """Made once: many tests read them."""
    return sections_of(read_saved(folder))


def drawn(folder: Path, name: str, column: str) -> pd.DataFrame:
    """The rows of a chart that have a column."""
    (figure,) = [figure for figure in figures_of(sections(folder)) if figure.name == name]
    _, tables = specification(figure)
    (rows,) = [rows for rows in tables.values() if rows and column in rows[0]]
    return pd.DataFrame(rows)


def without_intervals(saved: Saved) -> Saved:
    """As if there had been one seed."""
    tables = {name: found.copy() for name, found in saved.tables.items()}
    for name in ("tradeoff", "paying", "partial", "robustness"):
        for column in [key for key in tables.get(name, ()) if str(key).endswith(("_low", "_high"))]:
            tables[name][column] = float("nan")
    tables["intervals"][["low", "high"]] = float("nan")
    return saved._replace(tables=tables)


def texts_of(made: list[Section]) -> str:
    parts = [part for section in made for part in section.parts]
    return " ".join([section.explanation for section in made] + [getattr(part, "text", "") for part in parts])


# --- the page ----------------------------------------------------------------------------------------------------


def test_a_page_opens_with_a_sentence_and_a_picture_and_says_the_rest_below(folder: Path) -> None:
    saved = read_saved(folder)
    said = json.loads((folder / "study.json").read_text())["answer"]
    assert len(said) > 2
    assert list(head_of(saved).answer) == said[:1]
    first = sections(folder)[0].parts
    assert isinstance(first[0], Figure)
    (rest,) = [part for part in first if isinstance(part, Sentences)]
    assert list(rest.texts) == said[1:]
    assert all(isinstance(part, Figure) for part in first[: first.index(rest)])
    page = report(folder)
    assert page.index('class="answer"') < page.index('class="chart"') < page.index('class="sentences"')


def test_studies_are_drawn_without_a_warning_and_in_every_form(folder: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures = figures_of(sections_of(read_saved(folder)))
        for figure in figures:
            figure.chart.to_dict(validate=True)
            assert re.fullmatch(r"[a-z0-9-]+", figure.name)
            assert all(len(rows) > 0 for rows in specification(figure)[1].values()), "a chart of nothing"
        some = Section("", "", [figures[0], figures[-1]])
        for form, begin in (("pdf", b"%PDF"), ("svg", b"<svg")):
            for file in write_figures([some], tmp_path, form):
                assert file.read_bytes().startswith(begin)
    assert len({figure.name for figure in figures}) == len(figures)


def test_no_expression_of_a_study_holds_a_text_of_its_tables(folder: Path) -> None:
    def expressions(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            yield from (part[key] for key in ("expr", "calculate", "filter", "test") if isinstance(part.get(key), str))
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from expressions(inner)

    saved = read_saved(folder)
    evil = dict(zip(["texas", "germany", "japan", "full"], EVIL, strict=True))
    tables = {name: found.replace(evil) for name, found in saved.tables.items()}
    specs = [specification(figure)[0] for figure in figures_of(sections_of(saved._replace(tables=tables)))]
    found = list(expressions(specs))
    assert len(found) > 10
    assert not [text for text in found for name in [*evil, *evil.values(), "glb"] if name in text]


# --- the latency study -------------------------------------------------------------------------------------------


def test_points_of_the_trade_off_are_those_of_its_table(latency: Path) -> None:
    trade = table(latency, "tradeoff")
    for number, (allowed, rows) in enumerate(trade.groupby("allowed", sort=False), 1):
        points = drawn(latency, f"latency-cost-{number}-{allowed}", "extra_ttft_p99_ms")
        assert len(points) == len(rows) == 2 * 3 + 2, "ways x multiples, and two policies beside"
        for key in ("extra_cost_share", "extra_ttft_mean_ms", "extra_ttft_p99_ms", "extra_e2e_mean_s"):
            for end in ("", "_low", "_high"):
                assert sorted(points[key + end]) == pytest.approx(sorted(rows[key + end]), rel=1e-5, abs=1e-9)
        one = points[(points["way"] == "equity alone") & (points["multiple"] == "8")].iloc[0]
        plain = rows["network_p99_ms"].isna() & (rows["policy"] == "eglb-off")
        own = rows[plain & (rows["equity"] == 8)].iloc[0]
        assert one["extra_ttft_mean_ms"] == pytest.approx(own["extra_ttft_mean_ms"], rel=1e-5)
        assert points["knee"].sum() == rows["knee"].sum()
        for name in ("par_water", "par_carbon"):
            bought = drawn(latency, f"{name.replace('_', '-')}-cost-{number}-{allowed}", name)
            assert sorted(bought[name]) == pytest.approx(sorted(rows[name]), rel=1e-5)


def test_parts_add_up_to_the_time_to_the_first_token(latency: Path) -> None:
    trade = table(latency, "tradeoff")
    rows = trade[(trade["policy"] == "eglb-off") & (trade["allowed"] == "full") & trade["network_p99_ms"].isna()]
    parts = drawn(latency, "ttft-parts-1-full", "part")
    parts = parts[parts["number"] == "0"].pivot(index="multiple", columns="part", values="value")
    for _, row in rows.iterrows():
        one = parts.loc[f"{row['equity']:g}"]
        assert one.sum() == pytest.approx(row["ttft_mean_ms"], rel=1e-4)
        assert one["wait"] == pytest.approx(row["wait_mean_s"] / MILLI, rel=1e-4)
    extra = drawn(latency, "extra-parts-1-full", "part")
    wait = extra[(extra["part"] == "wait") & (extra["number"] == "0")].set_index("multiple")
    for _, row in rows.iterrows():
        ends = [row[f"extra_wait_mean_s{end}"] / MILLI for end in ("", "_low", "_high")]
        own = wait.loc[f"{row['equity']:g}", ["extra", "extra_low", "extra_high"]]
        assert list(own) == pytest.approx(ends, rel=1e-4, abs=1e-9)


def test_who_pays_is_sorted_by_what_equity_costs_an_origin(latency: Path) -> None:
    paying = table(latency, "paying")
    rows = paying[(paying["equity"] == 1) & (paying["policy"] == "eglb-off") & (paying["allowed"] == "full")]
    (figure,) = [figure for figure in figures_of(sections(latency)) if figure.name == "who-pays-1-full"]
    spec, _ = specification(figure)
    points = next(layer for layer in spec["layer"] if layer["mark"].get("type") == "point")
    plain = rows[rows["network_p99_ms"].isna()].sort_values("extra_ttft_mean_ms", ascending=False)
    assert points["encoding"]["y"]["scale"]["domain"] == list(plain["origin"])
    dots = drawn(latency, "who-pays-1-full", "extra_ttft_mean_ms")
    assert len(dots) == 2 * 3, "ways x origins"
    for end in ("", "_low", "_high"):
        key = f"extra_ttft_mean_ms{end}"
        assert sorted(dots[key]) == pytest.approx(sorted(rows[key]), rel=1e-5, abs=1e-9)


def test_the_efficient_variations_are_those_of_the_table(latency: Path) -> None:
    trade = table(latency, "tradeoff")
    (section,) = [one for one in sections(latency) if one.heading == "What no other one beats"]
    (shown,) = [part for part in section.parts if isinstance(part, Table)]
    assert len(shown.rows) == trade["pareto"].sum()
    column = list(shown.header).index("PAR water")
    ratios = [float(row[column].text.split(" ")[0]) for row in shown.rows]
    assert ratios == pytest.approx(list(trade.loc[trade["pareto"] == 1, "par_water"]), abs=6e-4)
    assert all("[" in row[column].text for row in shown.rows)


def test_with_one_seed_no_difference_is_drawn_and_the_page_says_so(latency: Path) -> None:
    one = without_intervals(read_saved(latency))
    found = sections_of(one)
    assert "one seed only" in found[0].explanation
    figures = figures_of(found)
    assert not [figure.name for figure in figures if "extra_ttft" in json.dumps(specification(figure))]
    assert not [figure.name for figure in figures if figure.name.startswith("extra-parts")]
    assert "none is shown without it" in texts_of(found)
    cells = [cell.text for part in found[6].parts if isinstance(part, Table) for row in part.rows for cell in row]
    assert "no interval" in cells


# --- the partial-GLB study ---------------------------------------------------------------------------------------


def test_every_step_is_drawn_where_it_stands_and_as_it_holds(partial: Path) -> None:
    rows = table(partial, "partial")
    steps = rows[rows["policy"] == rows["policy"].iloc[0]]
    points = drawn(partial, "what-breaks", "taken")
    assert len(points) == len(steps)
    assert list(points["taken"]) == pytest.approx(list(steps["taken"]), abs=1e-6)
    assert list(points["what"] == "all demand can be carried") == list(steps["feasible"] == 1)
    assert list(points["short_kw"]) == pytest.approx(list(steps["short_kw"].fillna(0.0)), rel=1e-5)
    assert set(steps["feasible"]) == {0, 1}


def test_bands_end_at_the_last_step_before_the_first_that_breaks(partial: Path) -> None:
    rows = table(partial, "partial")
    steps = rows[rows["policy"] == "eglb-off"]
    bands = drawn(partial, "what-breaks", "holds").set_index("row")
    assert len(bands) == 6, "bound, masks, residency, one and two sites, growth"
    growth = steps[steps["stress"] == "growth"].sort_values("taken")
    first = growth[growth["feasible"] == 0].iloc[0]
    last = growth[growth["taken"] < first["taken"]].iloc[-1]
    found = bands.loc["Growth of demand|(demand beyond)"]
    assert (found["at"], found["holds"]) == pytest.approx((first["taken"], last["taken"]), abs=1e-6)
    assert found["label"] == f"{first['level']} times"


def test_ladders_have_the_figures_of_every_step(partial: Path) -> None:
    rows = table(partial, "partial")
    names = {"money": "objective_usd", "par": "par_water", "time": "ttft_p99_ms", "left": "unserved_requests"}
    for file, key in names.items():
        for stress in ("rtt", "mask", "residency", "growth"):
            points = drawn(partial, f"{stress}-{file}", key)
            own = rows[rows["stress"] == stress]
            assert len(points) == len(own)
            assert list(points[key]) == pytest.approx(list(own[key]), rel=1e-5, nan_ok=True)
            assert list(points["broken"]) == list(own["feasible"] == 0)
    single = drawn(partial, "loss-1-money", "objective_usd")
    assert list(dict.fromkeys(single["step"])) == ["texas", "germany", "japan"]


def test_the_map_of_losses_is_what_is_short(partial: Path) -> None:
    rows = table(partial, "partial")
    losses = (
        rows[(rows["stress"] == "loss") & (rows["policy"] == "eglb-off")].set_index("level")["short_kw"].fillna(0.0)
    )
    cells = drawn(partial, "losses", "one")
    assert len(cells) == 3 + 3
    for cell in cells.to_dict("records"):
        one, other = cell["one"], cell["other"]
        level = one if one == other else f"{one}, {other}"
        assert cell["short_kw"] == pytest.approx(losses[level], rel=1e-5)


def test_every_step_that_breaks_has_its_witness_in_the_table(partial: Path) -> None:
    rows = table(partial, "partial")
    broken = rows[(rows["policy"] == "eglb-off") & (rows["feasible"] == 0)]
    (section,) = [one for one in sections(partial) if one.heading == "Why it breaks"]
    (shown,) = [part for part in section.parts if isinstance(part, Table)]
    header = list(shown.header)
    assert [row[header.index("step")].text for row in shown.rows] == [
        level.replace(", ", " + ") for level in broken["level"]
    ]
    assert [row[header.index("these origins")].text for row in shown.rows] == [
        names.replace("; ", ", ") for names in broken["origins"]
    ]
    assert [row[header.index("when, UTC")].text for row in shown.rows] == list(broken["start_utc"])


def test_a_study_that_nothing_breaks_has_a_page(partial: Path) -> None:
    saved = read_saved(partial)
    rows = saved.tables["partial"]
    kept = rows[rows["feasible"] == 1]
    said = texts_of(sections_of(saved._replace(tables={**saved.tables, "partial": kept})))
    assert "Nothing that was tried breaks it." in said
    assert "Every step that was tried can be carried." in said


def test_sites_are_counted_from_their_losses() -> None:
    """By hand: 10 + 45 losses of one and two of ten sites; of two sites never both are lost."""
    assert [site_count(55, 2), site_count(10, 1), site_count(2, 2), site_count(0, 2)] == [10, 10, 2, 0]
    assert site_count(10 + 45 + 120, 3) == 10


# --- the robustness study ----------------------------------------------------------------------------------------


def marks(folder: Path, name: str) -> list[float]:
    return list(drawn(folder, name, "at")["at"])


def test_lines_along_errors_are_those_of_the_table_in_percent(robustness: Path) -> None:
    rows = table(robustness, "robustness")
    errors = rows[rows["challenge"] == "error"]
    points = drawn(robustness, "gap-errors", "gap")
    assert set(points["policy"]) <= set(errors["policy"]) and {"mpc", "advice", "hedge", "eglb"} <= set(
        points["policy"]
    )
    for point in points.to_dict("records"):
        is_own = (errors["policy"] == point["policy"]) & (errors["level"].astype(float) * 100 == point["error"])
        (own,) = errors[is_own].to_dict("records")
        for end in ("", "_low", "_high"):
            assert point[f"gap{end}"] == pytest.approx(100 * own[f"gap{end}"], rel=1e-5, abs=1e-9)


def test_what_is_asked_of_advice_is_drawn(robustness: Path) -> None:
    """0.2 % above the optimum with perfect forecasts; 2 % above hedge with those that mislead."""
    assert marks(robustness, "gap-errors") == [0.2]
    assert marks(robustness, "misled") == [2.0]


def test_misled_policies_stand_beside_hedge_with_their_worst_seed(robustness: Path) -> None:
    rows, summary = (table(robustness, name) for name in ("robustness", "summary"))
    points = drawn(robustness, "misled", "over_hedge")
    assert set(points["policy"]) == {"mpc", "advice"} and len(points) == 2 * (2 + 3)
    flipped = points[(points["step"] == "series are mirrored") & (points["policy"] == "advice")].iloc[0]
    own = rows[(rows["challenge"] == "attack") & (rows["level"] == "flipped") & (rows["policy"] == "advice")].iloc[0]
    assert flipped["over_hedge"] == pytest.approx(100 * own["over_hedge"], rel=1e-5, abs=1e-9)
    j = {
        level: summary[(summary["level"] == level) & (summary["policy"] == policy)].set_index("seed")["objective_usd"]
        for level, policy in (("flipped", "advice"), ("none", "hedge"))
    }
    worst = 100 * (j["flipped"] / j["none"] - 1).max()
    assert flipped["over_hedge_most"] == pytest.approx(worst, rel=1e-5, abs=1e-9)


def test_a_study_without_forecasts_has_a_page(robustness: Path) -> None:
    saved = read_saved(robustness)
    rows = saved.tables["robustness"]
    kept = rows[rows["challenge"].isin(["shift"])]
    extra = {**saved.sweep["extra"], "forecasting": []}
    made = sections_of(
        saved._replace(tables={**saved.tables, "robustness": kept}, sweep={**saved.sweep, "extra": extra})
    )
    assert made[0].heading == "When the world changes halfway"


# --- in the browser ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here; see docs/report.md")
@pytest.mark.parametrize("width", [400, 1400])
def test_all_charts_of_a_study_are_drawn_and_nothing_complains(
    folder: Path, width: int, browser: Browser, tmp_path: Path
) -> None:
    (file,) = write_report(folder, tmp_path / "page.html")
    browser.open(file, width)
    expected = len(figures_of(sections(folder)))
    assert browser.ask("document.documentElement.dataset.charts") == str(expected)
    assert browser.complaints == []
    assert browser.requests == []
    assert browser.ask("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    choose = "s.selectedIndex = s.options.length - 1; s.dispatchEvent(new Event('change', {bubbles: true}))"
    browser.ask(
        f"(() => {{ document.querySelectorAll('.chart select').forEach(s => {{ {choose} }});"
        " return new Promise(done => setTimeout(done, 500)); })()"
    )
    assert browser.complaints == []
