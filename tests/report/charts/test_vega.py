"""Charts as Vega, and with fewer layers, are the pictures that Vega-Lite draws."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import import_module

import pytest

from optimizer import load
from optimizer.functions.reports import worked_out
from optimizer.report.charts.catalogue import CONFIG, DRAWN, draw, static
from optimizer.report.charts.joined import joined
from optimizer.report.charts.tips import tipped
from optimizer.report.charts.vega import vega
from optimizer.report.charts.vegalite import finished
from optimizer.report.formats import render
from optimizer.report.formats.elements import Chart
from optimizer.report.pages.report import report_blocks

pytest.importorskip("vl_convert")

PLAIN = "contour split overhead tornado demand plan laws frontier uncertainty"
# Nothing special, limits that are drawn, models beside it, and prices of the loss.
SCENARIOS = (
    *("open-release", "regulated-internal-assistant", "latency-bound-assistant"),
    *("buy-or-build", "api-at-scale"),
)
# What is not seen: frames of groups, areas to cut at, and widths of no line.
UNSEEN = re.compile(
    r'<path class="(?:back|fore)ground"[^>]*>|<rect x="0" y="0" [^>]*>'
    r'| stroke-width="2"| font-(?:weight|style)="normal"'
)


@pytest.fixture(scope="module", params=SCENARIOS)
def charts(request, root):
    found = worked_out([load(root / "scenarios" / f"{request.param}.yaml")])
    return [block for block in report_blocks(found) if isinstance(block, Chart)]


def marks(chart):
    """Every line, area and word of a chart with its place, look and label."""
    text = UNSEEN.sub("", render.svg(chart))
    text = re.sub(r"clip\d+", "clip", text)
    drawn = re.findall(r"<text[^>]*>[^<]*</text>|<(?:path|line)[^>]*>", text)
    size = re.search(r"<svg[^>]*>", text)
    return Counter(drawn), size[0]


def test_vega_draws_what_vega_lite_draws(charts):
    for chart in charts:
        lite = tipped(draw(chart))
        drawn, size = marks(vega(lite))
        assert sum(drawn.values()) > 10
        assert (drawn, size) == marks(lite), chart.kind


def test_fewer_layers_draw_the_same(charts):
    for chart in charts:
        module = import_module(f"optimizer.report.charts.{DRAWN[chart.kind]}")
        function = getattr(module, chart.kind)
        one = (
            function(*chart.figure) if chart.kind == "plan" else function(chart.figure)
        )
        both = [finished(x, "words", CONFIG) for x in (one, joined(one))]
        assert marks(both[0]) == marks(both[1]), chart.kind
        assert json.dumps(both[1]).count('"mark"') <= json.dumps(both[0]).count(
            '"mark"'
        )


@pytest.mark.parametrize(
    ("name", "more"), [("open-release", ()), ("api-at-scale", ("cashflow",))]
)
def test_every_chart_of_a_report_is_vega(name, more, root):
    found = worked_out([load(root / "scenarios" / f"{name}.yaml")])
    blocks = [block for block in report_blocks(found) if isinstance(block, Chart)]
    assert {block.kind for block in blocks} == {*PLAIN.split(), *more}
    assert all("marks" in static(block) for block in blocks)


@pytest.mark.parametrize(
    "change",
    [
        {"resolve": {"axis": {"x": "independent"}}},
        {"title": "a title"},
        {
            "layer": [
                {"mark": {"type": "arc"}, "encoding": {}, "data": {"name": "rows0"}}
            ]
        },
    ],
)
def test_what_is_not_known_stays_as_it_is(change):
    rows = {"rows0": [{"x": 1.0}]}
    chart = {"config": CONFIG, "description": "", "datasets": rows, "layer": []}
    chart |= {"width": 10, "height": 10, **change}
    assert vega(chart) is chart
