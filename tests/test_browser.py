"""The page of a report in a browser without a network: nothing leaves it, all is drawn, and it fits its screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from browser import CHROMIUM, Browser, browsing
from reported import EVIL, evil_run, table1_run
from sweeps import fake_sweep

from simulator import read_folder
from simulator.report.contents import sections_of, write_report
from simulator.report.figures import figures_of
from simulator.report.saved import read_saved

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here; see docs/report.md")

WIDTHS = (400, 1400)
#: Marks of a chart's data (not of its axes and legends), by kind.
COUNT = """
(name => Object.fromEntries(["symbol", "line", "area", "rect", "rule", "shape"].map((kind) => [kind,
  [...document.querySelectorAll(`#chart-${name} svg .mark-${kind}.role-mark`)].flatMap((mark) =>
    [...mark.querySelectorAll("path, line")].filter((part) => (part.getAttribute("d") ?? "line") !== "")).length])))
"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def drawn(browser: Browser, name: str) -> dict[str, int]:
    return browser.ask(f"({COUNT})({json.dumps(name)})")


def choose(browser: Browser, name: str, number: int) -> None:
    """Choose an option of the first list of a chart, as a reader does, and wait for what follows."""
    change = f"s.selectedIndex = {number}; s.dispatchEvent(new Event('change', {{bubbles: true}}))"
    wait = "return new Promise(done => setTimeout(done, 300))"
    browser.ask(f"(s => {{ {change}; {wait}; }})(document.querySelector('#chart-{name} select'))")


def opened(browser: Browser, folder: Path, tmp_path: Path, width: int = 1400) -> Browser:
    (file,) = write_report(folder, tmp_path / "page.html")
    browser.open(file, width)
    return browser


@pytest.fixture(scope="module")
def table1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return table1_run(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evil_run(tmp_path_factory.mktemp("evil"))


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    axes = {"workload.request.energy_wh": [1, 2, 4], "allowed": ["full", "paper-partial"]}
    return fake_sweep(tmp_path_factory.mktemp("sweep") / "a", axes, seeds=3)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["table1", "evil", "sweep"])
def test_nothing_leaves_nothing_complains_and_nothing_overflows(
    kind: str, width: int, browser: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(kind)
    opened(browser, folder, tmp_path, width)
    expected = len(figures_of(sections_of(read_saved(folder))))
    assert browser.ask("document.documentElement.dataset.charts") == str(expected)
    assert browser.ask("document.querySelectorAll('.chart svg.marks').length") == expected
    assert browser.complaints == []
    assert browser.requests == []
    assert browser.ask(OVERFLOW) == 0
    charts = "[...document.querySelectorAll('.chart svg.marks')]"
    beyond = f"{charts}.filter(s => s.getBoundingClientRect().right > innerWidth).length"
    assert browser.ask(beyond) == 0
    assert browser.ask("document.title") == read_saved(folder).name


def test_charts_of_a_run_have_a_mark_for_each_figure(table1: Path, browser: Browser, tmp_path: Path) -> None:
    """Three policies, ten sites, ten origins (tests/test_report.py); the first policy is the one that is shown."""
    opened(browser, table1, tmp_path)
    tables = read_folder(table1)
    first = tables["summary"]["policy"].iloc[0]
    count = {name: drawn(browser, name) for name in browser.ask("Object.keys(JSON.parse(charts.textContent).charts)")}
    assert count["cost-par-water"]["symbol"] == count["cost-par-carbon"]["symbol"] == 3
    for name in ("map-water", "map-carbon"):
        assert (count[name]["symbol"], count[name]["shape"]) == (10 + 10, 1)
    assert count["stacks"]["area"] == 10
    assert count["race-water"]["line"] == count["race-carbon"]["line"] == 3 * 2
    assert count["latency"]["line"] == 10 + 1
    assert count["flows"]["rect"] == len(tables["flows"][tables["flows"]["policy"] == first])
    assert (count["pareto"]["symbol"], count["pareto"]["line"]) == (3, 1)


def test_charts_of_a_sweep_have_a_mark_and_a_bar_for_each_interval(
    sweep: Path, browser: Browser, tmp_path: Path
) -> None:
    opened(browser, sweep, tmp_path)
    energies, allowed, policies = 3, 2, 3
    for figure in ("cost-usd", "par-water", "par-carbon", "ttft-p99-ms", "objective-usd"):
        found = drawn(browser, f"along-0-{figure}")
        assert (found["symbol"], found["rule"], found["line"]) == (energies * policies, energies * policies, policies)
        found = drawn(browser, f"along-1-{figure}")
        assert (found["symbol"], found["rule"], found["line"]) == (allowed * policies, allowed * policies, 0)
    found = drawn(browser, "cost-par-water")
    assert (found["symbol"], found["rule"]) == (energies * allowed * policies, 2 * energies * allowed * policies)
    found = drawn(browser, "differences")
    assert (found["symbol"], found["rule"]) == (policies - 1, policies - 1 + 1), "two differences, two bars, and zero"


def test_heights_of_points_are_the_figures(table1: Path, browser: Browser, tmp_path: Path) -> None:
    """Pixels are a straight line of the values: what the summary says is what the eye sees."""
    opened(browser, table1, tmp_path)
    places = browser.ask(
        "[...document.querySelectorAll('#chart-cost-par-water .mark-symbol.role-mark path')]"
        ".map(p => p.getAttribute('transform').match(/[-0-9.]+/g).map(Number))"
    )
    summary = read_folder(table1)["summary"]
    for axis, column in enumerate(("cost_usd_per_site", "par_water")):
        pixels, values = pd.Series([place[axis] for place in places]), summary[column]
        slope = (pixels[1] - pixels[0]) / (values[1] - values[0])
        assert (slope > 0) == (axis == 0)
        assert pixels[2] - pixels[0] == pytest.approx(slope * (values[2] - values[0]), abs=0.05)


def test_a_policy_that_is_chosen_in_one_chart_is_shown_in_all(table1: Path, browser: Browser, tmp_path: Path) -> None:
    opened(browser, table1, tmp_path)
    title = "document.querySelector(`#chart-${n} .role-title-text`).textContent"
    titles = f"['map-water', 'stacks', 'latency', 'flows'].map(n => {title})"
    assert all(title.startswith("glb-cost: ") for title in browser.ask(titles))
    choose(browser, "stacks", 1)
    assert all(title.startswith("glb-nearest: ") for title in browser.ask(titles))
    flows = read_folder(table1)["flows"]
    assert drawn(browser, "flows")["rect"] == (flows["policy"] == "glb-nearest").sum()
    assert browser.complaints == []


def test_a_page_that_grows_narrow_is_drawn_anew_and_keeps_its_choice(
    table1: Path, browser: Browser, tmp_path: Path
) -> None:
    opened(browser, table1, tmp_path)
    choose(browser, "flows", 2)
    browser.call("Emulation.setDeviceMetricsOverride", width=420, height=900, deviceScaleFactor=1, mobile=True)
    browser.ask("new Promise(done => setTimeout(done, 1500))")
    assert browser.ask(OVERFLOW) == 0
    assert browser.ask("document.querySelector('#chart-flows .role-title-text').textContent").startswith("eglb: ")


def test_names_are_shown_as_they_are_and_not_obeyed(evil: Path, browser: Browser, tmp_path: Path) -> None:
    opened(browser, evil, tmp_path)
    texts = browser.ask("[...document.querySelectorAll('#chart-stacks svg text')].map(t => t.textContent)")
    for name in EVIL:
        shown = name.replace("\u2028", " ")
        assert any(text.replace("\u2028", " ")[:12] == shown[:12] for text in texts), name
    assert browser.ask("document.querySelectorAll('img, h1 script, b').length") == 0


def test_a_page_offers_pictures_and_no_editor_on_the_network(table1: Path, browser: Browser, tmp_path: Path) -> None:
    opened(browser, table1, tmp_path)
    offered = browser.ask("[...document.querySelectorAll('#chart-pareto .vega-actions a')].map(a => a.textContent)")
    assert offered == ["Save as SVG", "Save as PNG"]


def test_on_paper_there_are_no_controls_and_no_chart_is_cut(table1: Path, browser: Browser, tmp_path: Path) -> None:
    opened(browser, table1, tmp_path)
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        controls = "[...document.querySelectorAll('select, nav, .vega-embed details')]"
        shown = f"{controls}.filter(e => e.offsetParent !== null).length"
        assert browser.ask(shown) == 0
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")
    browser.printed(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_what_these_tests_look_for_they_would_find(table1: Path, browser: Browser, tmp_path: Path) -> None:
    """A page that asks for a picture and complains is seen to; on ours the same request is forbidden."""
    ask = "const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i);"
    (tmp_path / "bad.html").write_text(
        f"<body><script>document.documentElement.dataset.charts = 0; {ask} null.x;</script>"
    )
    browser.open(tmp_path / "bad.html", 400)
    assert browser.requests == ["http://127.0.0.1:9/x.png"]
    assert any("null" in text for text in browser.complaints)
    opened(browser, table1, tmp_path)
    browser.ask(f"(() => {{ {ask} return new Promise(done => setTimeout(done, 200)); }})()")
    assert browser.forbidden == ["csp"]
    assert any("Content Security Policy" in text for text in browser.complaints)
