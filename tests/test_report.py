"""The page of a report: what is drawn is what was saved, nothing of the input is obeyed, and it stays small."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import altair as alt
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from reported import EVIL, evil_run, ran, table1_run
from sweeps import fake_sweep

from simulator import read_folder
from simulator.cli import main
from simulator.problem import InputError
from simulator.report.atlas import land
from simulator.report.bins import grouped, shown_names
from simulator.report.cdf import curve_of
from simulator.report.contents import head_of, report, sections_of, write_report
from simulator.report.figures import drawn, figures_of, specification
from simulator.report.flows import great_circle_km
from simulator.report.grid import plain
from simulator.report.labels import spots
from simulator.report.overview import headline
from simulator.report.pareto import pareto
from simulator.report.saved import Saved, read_saved
from simulator.report.section import Figure, Section, Table
from simulator.report.slots import cumulative
from simulator.report.studies import STUDIES

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def table1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return table1_run(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evil_run(tmp_path_factory.mktemp("evil"))


class Reader(HTMLParser):
    """What a browser sees of a page: its tags with their attributes, scripts, and texts."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open = [""]
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1], data))

    def of(self, tag: str) -> list[str]:
        return [text for where, text in self.texts if where == tag]


def charts_of(page: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json" id="charts">(.*?)</script>', page, re.DOTALL)
    found: dict[str, Any] = json.loads(text)
    return found


def rows_of(found: dict[str, Any], name: str) -> pd.DataFrame:
    """A table as the page's script reads it."""
    columns = found["tables"][name]["columns"]
    values = {
        key: column if isinstance(column, list) else [column["values"][k] for k in column["numbers"]]
        for key, column in columns.items()
    }
    return pd.DataFrame(values)


def only_rows(saved: Saved, name: str) -> pd.DataFrame:
    """The data of a chart that holds one table."""
    (figure,) = [figure for figure in figures_of(sections_of(saved)) if figure.name == name]
    _, tables = specification(figure)
    (rows,) = [rows for key, rows in tables.items() if key != "land"][-1:]
    return pd.DataFrame(rows)


# --- what is drawn is what was saved -----------------------------------------------------------------------------


def test_points_of_cost_and_par_are_those_of_the_summary(table1: Path) -> None:
    summary = read_folder(table1)["summary"].set_index("policy")
    for name in ("water", "carbon"):
        drawn = only_rows(read_saved(table1), f"cost-par-{name}").set_index("policy")
        assert list(drawn.index) == list(summary.index)
        assert (drawn["cost_usd_per_site"] == summary["cost_usd_per_site"]).all()
        assert (drawn[f"par_{name}"] == summary[f"par_{name}"]).all()


def test_circles_are_the_footprints_of_the_sites(table1: Path) -> None:
    sites = read_folder(table1)["sites"].set_index(["policy", "site"])
    saved = read_saved(table1)
    (figure,) = [figure for figure in figures_of(sections_of(saved)) if figure.name == "map-water"]
    spec, tables = specification(figure)
    circles = next(layer for layer in spec["layer"] if layer["mark"].get("type") == "circle")
    drawn = pd.DataFrame(tables[circles["data"]["name"]]).set_index(["policy", "site"])
    assert len(drawn) == 3 * 10
    assert drawn["water_m3"].to_numpy() == pytest.approx(sites["water_m3"].loc[drawn.index].to_numpy(), rel=1e-4)
    domain = circles["encoding"]["size"]["scale"]["domain"]
    assert domain == [0, sites["water_m3"].max()], "areas are proportional, and the same under every policy"


def test_stacks_add_up_to_the_energy_at_the_meter(table1: Path) -> None:
    """Rates times hours over all steps: the last row of each site only closes the last step."""
    found = only_rows(read_saved(table1), "stacks")
    summary = read_folder(table1)["summary"].set_index("policy")
    for policy, part in found.groupby("policy"):
        hours = part["time"].diff(-1).abs().where(part["site"] == part["site"].shift(-1), 0) / 3.6e6
        assert (part["meter_kwh"] * hours).sum() / 1000 == pytest.approx(summary["energy_mwh"][policy], rel=1e-4)
        assert (part["cost_usd"] * hours).sum() == pytest.approx(summary["cost_usd"][policy], rel=1e-4)


def test_the_race_ends_at_the_largest_and_the_mean_of_the_summary(table1: Path) -> None:
    summary = read_folder(table1)["summary"].set_index("policy")
    grown = cumulative(read_saved(table1))
    end = grown[grown["end_ms"] == grown["end_ms"].max()].set_index("policy")
    for policy in summary.index:
        assert end["water_largest"][policy] == pytest.approx(summary["water_m3_max"][policy], rel=1e-4)
        assert end["carbon_mean"][policy] == pytest.approx(summary["carbon_t_mean"][policy], rel=1e-4)
    assert (grown[grown["end_ms"] == grown["end_ms"].min()][["water_largest", "carbon_mean"]] == 0).all().all()


def test_curves_of_latency_pass_through_the_percentiles_of_the_tables(table1: Path) -> None:
    """The histograms' percentiles lie within a bin of about 1 %; curves are kept at steps of the grid."""
    curves = only_rows(read_saved(table1), "latency")
    summary = read_folder(table1)["summary"].set_index("policy")
    for policy in summary.index:
        one = curves[(curves["policy"] == policy) & (curves["latency"] == "end_to_end")]
        whole = one[one["origin"] == "all origins"]
        assert np.interp(0.99, whole["share"], whole["ms"]) == pytest.approx(
            1e3 * summary["e2e_p99_s"][policy], rel=0.02
        )
        assert whole["share"].iloc[-1] == 1


def test_a_thinned_distribution_keeps_every_large_step() -> None:
    """By hand: 60 % in one bin, 0 in zero's own bin, 40 % at the open end."""
    curve = curve_of(np.array([[0.0, 1e-3, 2.0], [0.1, 0.2, 4.0], [5.0, math.inf, 4.0]]))
    assert curve == {"ms": [1, 1, 100, 200, 5000, 5000], "share": [0, 0.2, 0.2, 0.6, 0.6, 1]}


def test_shares_of_a_row_of_flows_add_up(table1: Path) -> None:
    drawn = only_rows(read_saved(table1), "flows")
    assert drawn.groupby(["policy", "origin"])["percent"].sum().to_numpy() == pytest.approx(100, abs=1e-2)
    assert drawn["requests"].sum() == read_folder(table1)["flows"]["requests"].sum()
    near = drawn[(drawn["policy"] == "glb-nearest") & (drawn["origin"] == drawn["site"])]
    assert (near["km"] == 0).all()


def test_the_table_of_the_page_has_the_figures_of_the_summary_and_the_published_ones(table1: Path) -> None:
    sections = sections_of(read_saved(table1))
    (table,) = [part for part in sections[0].parts if isinstance(part, Table)]
    summary = read_folder(table1)["summary"]
    header = list(table.header)
    shown = [row[header.index("PAR water")].text for row in table.rows]
    assert shown == [f"{value:.3f}" for value in summary["par_water"]]
    assert [row[header.index("published PAR water")].text for row in table.rows] == ["1.71", "1.44", "1.37"]
    least = summary["cost_usd_per_site"].idxmin()
    assert [row[1].is_best for row in table.rows] == [k == least for k in range(3)]


def test_the_headline_names_the_policy_with_the_smallest_j(table1: Path) -> None:
    summary = read_folder(table1)["summary"].set_index("policy")
    best, cheapest = summary["objective_usd"].idxmin(), summary["cost_usd"].idxmin()
    said = headline(read_saved(table1))
    assert said.startswith(f"{best} has the smallest J")
    more = summary["cost_usd"][best] / summary["cost_usd"][cheapest] - 1
    assert f"({more:.1%}) more than the cheapest policy, {cheapest}" in said
    assert f"{summary['par_water'][best]:.2f} times the mean water" in said


def test_a_policy_is_pale_if_another_one_is_no_worse_in_both(table1: Path, monkeypatch) -> None:
    """Pair by pair, for costs and burdens with ties made up; and it is the one function of Pareto sets that says so."""
    saved = read_saved(table1)
    summary = pd.concat([saved.tables["summary"]] * 2, ignore_index=True).head(5)
    points = [(1.0, 3.0), (2.0, 2.0), (3.0, 3.0), (2.0, 2.0), (4.0, 1.0)]
    cost, burden = zip(*points, strict=True)
    made = summary.assign(policy=list("abcde"), cost_usd=cost, objective_usd=burden)
    saved = saved._replace(tables=saved.tables | {"summary": made})

    def shown() -> list[bool]:
        (figure,) = pareto(saved).parts
        assert isinstance(figure, Figure)
        _, tables = specification(figure)
        drawn = pd.DataFrame(next(iter(tables.values())))
        return list(drawn.loc[drawn["burden"] == "objective_usd", "unbeaten"])

    assert shown() == [True, True, False, True, True]
    monkeypatch.setattr("simulator.report.pareto.pareto_mask", lambda costs: np.arange(len(costs)) == 2)
    assert shown() == [False, False, True, False, False]


# --- pieces, by hand ---------------------------------------------------------------------------------------------


def test_great_circles() -> None:
    """A quarter of the way around the Earth, and from London to New York (5,570 km)."""
    places = np.radians([[0.0, 0.0], [51.5, -0.13]]), np.radians([[0.0, 90.0], [40.7, -74.0]])
    assert great_circle_km(*places) == pytest.approx([10007.5, 5570], abs=5)


def test_labels_never_lie_on_each_other_or_on_points() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 250, (40, 2))
    texts = ["a policy", "x", "a rather long name"] * 13 + ["last"]
    found = spots(points, texts, (280, 250))
    boxes = []
    for (x, y), text, at in zip(points, texts, found, strict=True):
        if at:
            wide, left = 6.2 * len(text), {"left": 9, "right": 9}.get(at, 0)
            x0 = x + left if at == "right" else x - left - wide if at == "left" else None
            if x0 is not None:
                boxes.append((x0, y - 6.5, x0 + wide, y + 6.5))
    assert len(boxes) > 5
    for k, one in enumerate(boxes):
        for other in boxes[k + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_more_names_than_colours_are_grouped_by_weight() -> None:
    names = grouped(pd.Series({"a": 1.0, "b": 9.0, "c": 2.0, "d": 5.0}), "sites", most=3)
    assert names == {"a": "2 other sites", "b": "b", "c": "2 other sites", "d": "d"}
    assert shown_names(names) == ["b", "d", "2 other sites"]


def test_the_land_is_the_worlds_and_has_no_ice_in_the_south() -> None:
    rings = [ring for polygon in land()["geometry"]["coordinates"] for ring in polygon]
    points = np.array([point for ring in rings for point in ring])
    assert points[:, 0].min() >= -180 and points[:, 0].max() <= 180
    assert points[:, 1].min() > -58 and points[:, 1].max() == pytest.approx(83.6, abs=0.1), "the north of Greenland"
    assert all(ring[0] == ring[-1] for ring in rings)


def test_values_of_axes_are_numbers_or_text() -> None:
    assert [plain(value) for value in (1, 2.5, True, "x", math.nan)] == [1, 2.5, "true", "x", "(none)"]


def test_names_that_look_like_something_else_stay_names(tmp_path: Path) -> None:
    """A site NA (Namibia) and one 007 are no missing value and no number."""
    sites = "{name: 'NA', latitude_deg: -22, longitude_deg: 17}, {name: '007', latitude_deg: 51, longitude_deg: 0}"
    text = (ROOT / "scenarios" / "mmc.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^sites:.*?(?=^\w)", f"sites: [{sites}]\n", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^origins:.*?(?=^\w)", "origins: at_sites\n", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^network:.*?(?=^\w)", "network: {rtt: {coordinates: {}}}\n", text, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "names.yaml").write_text(text, encoding="utf-8")
    ran(tmp_path / "out", str(tmp_path / "names.yaml"), "--set", "slots=1")
    assert list(read_folder(tmp_path / "out")["sites"]["site"]) == ["NA", "007"]
    charts = charts_of(report(tmp_path / "out"))
    assert '"NA"' in json.dumps(charts) and '"007"' in json.dumps(charts)


# --- specifications ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    axes = {"workload.request.energy_wh": [1, 2, 4], "allowed": ["full", "paper-partial"]}
    return fake_sweep(tmp_path_factory.mktemp("sweep") / "a", axes, seeds=3, failed={"0002": "killed <b>by</b> us"})


@pytest.mark.parametrize("kind", ["table1", "sweep"])
def test_every_chart_is_valid_vega_lite(kind: str, request: pytest.FixtureRequest) -> None:
    for figure in figures_of(sections_of(read_saved(request.getfixturevalue(kind)))):
        figure.chart.to_dict(validate=True)
        spec, _ = specification(figure)
        assert spec["width"] == "container", "charts are as wide as their page"
        assert re.fullmatch(r"[a-z0-9-]+", figure.name)


@pytest.mark.parametrize("kind", ["table1", "evil", "sweep"])
def test_no_chart_names_an_address(kind: str, request: pytest.FixtureRequest) -> None:
    page = report(request.getfixturevalue(kind))
    assert not [tag for tag, given in Reader(page).tags if tag not in ("a", "link") and {"src", "href"} & set(given)]
    links = [given["href"] or "" for tag, given in Reader(page).tags if "href" in given]
    assert all(link.startswith("#") or link == "data:," for link in links)
    specs = json.dumps(charts_of(page)["charts"]).replace("https://vega.github.io/schema/", "")
    assert "://" not in specs and '"url"' not in specs


# --- nothing of the input is obeyed ------------------------------------------------------------------------------


def test_names_of_the_input_are_text_and_nothing_else(evil: Path) -> None:
    page = report(evil)
    plain_page = Reader(page)
    scripts = [given for tag, given in plain_page.tags if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "charts"}, {}, {}]
    assert not [
        tag for tag, given in plain_page.tags if tag in ("img", "b") or any(key.startswith("on") for key in given)
    ]
    assert plain_page.of("h1") == ["<script>alert('name')</script>"]
    assert plain_page.of("title") == ["<script>alert('name')</script>"]
    assert any('alert("purpose")' in text for text in plain_page.of("p"))
    assert "\u2028" not in re.sub(r"<p class=\"question\">.*?</p>", "", page, flags=re.DOTALL)


def test_no_expression_holds_a_text_of_the_input(evil: Path) -> None:
    """Names stand in data and in domains; expressions are ours alone."""

    def expressions(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [str(part[key]) for key in ("expr", "calculate", "filter", "test") if isinstance(part.get(key), str)]
            return own + [text for inner in part.values() for text in expressions(inner)]
        return [text for inner in part for text in expressions(inner)] if isinstance(part, list) else []

    charts = charts_of(report(evil))["charts"]
    found = [text for chart in charts.values() for text in expressions(chart["spec"])]
    assert len(found) > 10
    assert not [text for text in found for name in [*EVIL, "alert", "glb-"] if name in text]
    assert EVIL[0] in json.dumps(charts_of(report(evil)), ensure_ascii=False)


def test_reasons_of_failed_points_are_text(sweep: Path) -> None:
    page = Reader(report(sweep))
    assert "killed <b>by</b> us" in [text for _, text in page.texts]
    assert not [tag for tag, _ in page.tags if tag == "b"]


# --- sweeps and studies ------------------------------------------------------------------------------------------


def test_error_bars_are_the_intervals_of_the_table(sweep: Path) -> None:
    table = pd.read_csv(sweep / "intervals.csv").set_index(
        ["workload.request.energy_wh", "allowed", "policy", "figure"]
    )
    drawn = rows_of(charts_of(report(sweep)), "means")
    assert len(drawn) == 3 * 2 * 3 * 5, "axis values x policies x main figures"
    for row in drawn.to_dict("records"):
        own = table.loc[(row["axis0"], row["axis1"], row["policy"], row["figure"])]
        assert [row[key] for key in ("n", "mean", "low", "high")] == pytest.approx(
            list(own[["n", "mean", "low", "high"]])
        )


def test_no_difference_without_an_interval(tmp_path: Path) -> None:
    one_seed = fake_sweep(tmp_path / "one", {"slots": [1, 2]}, seeds=1)
    section = next(s for s in sections_of(read_saved(one_seed)) if s.heading == "Differences between policies")
    assert [type(part).__name__ for part in section.parts] == ["Remark"]
    assert "no interval" in report(one_seed)
    many = fake_sweep(tmp_path / "many", {"slots": [1, 2]}, seeds=4)
    section = next(s for s in sections_of(read_saved(many)) if s.heading == "Differences between policies")
    (table,) = [part for part in section.parts if isinstance(part, Table)]
    assert len(table.rows) == 2 * 2 * 5
    assert all(cell.text != "-" for row in table.rows for cell in row)


def test_a_sweep_of_nothing_but_seeds_has_a_page(tmp_path: Path) -> None:
    page = report(fake_sweep(tmp_path / "seeds", {}, seeds=5))
    assert "5 seeds" in page and "along-policy-cost-usd" in charts_of(page)["charts"]


def test_a_study_adds_its_title_its_sentences_and_its_own_sections(tmp_path: Path, monkeypatch) -> None:
    study = {"kind": "latency", "title": "What <it> costs", "answer": ["First.", "Second."], "checks": ["sums hold"]}
    folder = fake_sweep(tmp_path / "study", {"weight": [0, 1]}, sweep={"kind": "latency"}, study=study)
    chart = alt.Chart(pd.DataFrame({"x": [1, 2]})).mark_point().encode(x="x:Q")
    own = Section("Its own", "What it shows.", [Figure("its-own", chart, "A caption.")])
    monkeypatch.setitem(STUDIES, "latency", lambda saved: [own])
    saved = read_saved(folder)
    assert head_of(saved).title == "What <it> costs"
    assert head_of(saved).answer == ["First.", "Second."]
    assert sections_of(saved)[0] == own
    page = report(folder)
    assert "its-own" in charts_of(page)["charts"] and "sums hold" in page


def test_a_sweep_of_a_thousand_points_stays_small(tmp_path: Path) -> None:
    folder = fake_sweep(tmp_path / "large", {"a.b": list(range(500))}, policies=("p", "q"), seeds=2)
    page = report(folder)
    assert len(page.encode()) < 3e6
    assert page.count("<tr>") < 500, "tables are cut, and say so"
    assert "The first 200 of 1,000 rows; intervals.csv holds all." in page


# --- runs that are out of the ordinary ---------------------------------------------------------------------------


def test_runs_without_latency_or_of_one_policy_have_a_page(tmp_path: Path) -> None:
    words = ["table1", "--engine", "fluid", "--set", "slots=2", "--policy", "glb-cost"]
    page = report(ran(tmp_path / "fluid", *words))
    assert "has the smallest J" not in page and "glb-cost costs US$" in page


def test_without_coordinates_there_is_a_sentence_and_no_map(table1: Path) -> None:
    saved = read_saved(table1)
    tables = {name: table.drop(columns="latitude_deg", errors="ignore") for name, table in saved.tables.items()}
    page_sections = sections_of(saved._replace(tables=tables))
    (section,) = [section for section in page_sections if section.heading == "Where the burden lies"]
    assert "no map" in section.parts[0].text  # type: ignore[union-attr]
    unknown = saved.tables["sites"].assign(latitude_deg=math.nan)
    (section,) = [
        s for s in sections_of(saved._replace(tables={**saved.tables, "sites": unknown})) if "burden" in s.heading
    ]
    assert "no map" in section.parts[0].text  # type: ignore[union-attr]


def test_zero_water_has_no_ratio_and_the_page_says_so(table1: Path) -> None:
    saved = read_saved(table1)
    summary = saved.tables["summary"].assign(par_water=math.nan, water_m3_max=0.0, water_m3_mean=0.0)
    sites, slots = (
        saved.tables[name].assign(**{key: 0.0}) for name, key in (("sites", "water_m3"), ("slots", "water_l"))
    )
    dry = saved._replace(tables={**saved.tables, "summary": summary, "sites": sites, "slots": slots})
    assert "nan" not in headline(dry)
    assert any("no peak-to-average ratio of water" in getattr(part, "text", "") for part in sections_of(dry)[0].parts)


def test_a_policy_that_leaves_requests_out_is_not_praised_for_what_it_saves(table1: Path) -> None:
    saved = read_saved(table1)
    summary = saved.tables["summary"].copy()
    summary["finished"] = summary["finished"].astype(float)
    best = summary["objective_usd"].idxmin()
    summary.loc[best, "finished"] = 0.5 * summary.loc[best, "requests"]
    said = headline(saved._replace(tables={**saved.tables, "summary": summary}))
    assert "finishes 50.00% of its requests only" in said


# --- files -------------------------------------------------------------------------------------------------------


def test_the_same_results_give_the_same_bytes(table1: Path, tmp_path: Path) -> None:
    """In another process, and under another name of the folder."""
    first = report(table1)
    program = "import sys; from pathlib import Path; from simulator.report.contents import write_report; "
    program += "write_report(Path(sys.argv[1]), Path(sys.argv[2]))"
    done = [sys.executable, "-c", program, str(table1), str(tmp_path / "again.html")]
    subprocess.run(done, check=True, timeout=60, cwd=ROOT)
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == first


def test_a_page_is_made_quickly_and_stays_small(table1: Path, tmp_path: Path) -> None:
    begin = time.process_time()
    (written,) = write_report(table1, tmp_path / "page.html")
    assert time.process_time() - begin < 10
    assert written.stat().st_size < 3e6
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_every_chart_is_a_figure_with_text(table1: Path) -> None:
    figures = figures_of(sections_of(read_saved(table1)))
    answer = CliRunner().invoke(main, ["report", str(table1), "--figures", "svg"])
    assert answer.exit_code == 0, answer.output
    files = sorted((table1 / "figures").iterdir())
    assert {file.name for file in files} == {f"{figure.name}.svg" for figure in figures}
    for file in files:
        drawing = ElementTree.fromstring(file.read_bytes())
        texts = [part.text for part in drawing.iter("{http://www.w3.org/2000/svg}text")]
        assert len([text for text in texts if text]) > 3, file.name
    shown = (table1 / "figures" / "cost-par-water.svg").read_text(encoding="utf-8")
    assert "glb-nearest" in shown and "PAR of water" in shown


@pytest.mark.parametrize(("form", "begins"), [("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_figures_have_the_form_that_was_asked_for(table1: Path, form: str, begins: bytes) -> None:
    figures = {figure.name: figure for figure in figures_of(sections_of(read_saved(table1)))}
    assert drawn(figures["map-water"], form).startswith(begins)


def test_a_run_writes_its_report_and_may_be_overwritten_with_it(tmp_path: Path) -> None:
    words = ["run", "mmc", "--set", "slots=1", "--jobs", "1", "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(main, words).exit_code == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page == report(tmp_path / "out")
    assert CliRunner().invoke(main, ["report", str(tmp_path / "out"), "--figures", "svg"]).exit_code == 0
    assert CliRunner().invoke(main, [*words, "--overwrite"]).exit_code == 0
    assert not (tmp_path / "out" / "figures").exists()
    (tmp_path / "out" / "figures").mkdir()
    (tmp_path / "out" / "figures" / "mine.txt").write_text("keep me")
    again = CliRunner().invoke(main, [*words, "--overwrite"])
    assert again.exit_code == 2 and "mine.txt" in again.output
    assert (tmp_path / "out" / "figures" / "mine.txt").exists()


def test_a_report_that_fails_does_not_lose_the_results(tmp_path: Path, monkeypatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("no luck")

    monkeypatch.setattr("simulator.report.contents.page", fail)
    answer = CliRunner().invoke(main, ["run", "mmc", "--set", "slots=1", "--jobs", "1", "--out", str(tmp_path / "out")])
    assert answer.exit_code == 1
    assert "failed: report.html: ZeroDivisionError: no luck" in answer.output
    assert (tmp_path / "out" / "manifest.json").is_file()
    assert read_folder(tmp_path / "out")["manifest"]["failed"] == {}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out"]


# --- wrong inputs ------------------------------------------------------------------------------------------------


def test_a_folder_without_results_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "manifest.json").write_text('{"name": "app"}')
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    (tmp_path / "listed").mkdir()
    (tmp_path / "listed" / "manifest.json").write_text("[1]")
    (tmp_path / "text").write_text("no folder")
    cases = {
        "none": "there is no such folder",
        "text": "there is no such folder",
        ".": "holds no finished run, sweep or study (there is no manifest.json)",
        "app": "holds no finished run, sweep or study (summary.csv is not there)",
        "broken": "is not JSON",
        "listed": "is no JSON object",
    }
    for name, sentence in cases.items():
        answer = CliRunner().invoke(main, ["report", str(tmp_path / name)])
        assert answer.exit_code == 2, name
        assert sentence in answer.output
        assert "Traceback" not in answer.output
    assert not list(tmp_path.rglob("report.html*"))


def test_tables_that_are_not_those_that_were_written_are_refused(table1: Path, tmp_path: Path) -> None:
    """All of them at once: one cut short, one that is gone."""
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(table1, copy)
    (copy / "sites.csv").write_bytes((copy / "sites.csv").read_bytes()[:-20])
    (copy / "flows.csv").unlink()
    with pytest.raises(InputError) as refused:
        read_saved(copy)
    assert [(Path(str(p.file)).name, p.what.split(",")[0].split(":")[0]) for p in refused.value.problems] == [
        ("sites.csv", "is not what manifest.json says"),
        ("flows.csv", "is not there"),
    ]


def test_tables_that_cannot_be_read_are_refused(table1: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(table1, copy)
    (copy / "manifest.json").write_text("{}")  # without hashes
    (copy / "slots.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match="holds a table that cannot be read"):
        read_saved(copy)
    shutil.copy(table1 / "slots.parquet", copy)
    (copy / "summary.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="without the column 'policy'"):
        read_saved(copy)
