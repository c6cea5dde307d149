"""The frontier's band, the distribution of N, and the pictures of a fit."""

import json
import math
import re
import sys

import numpy as np
import pytest

from optimizer.analysis.frontier.band import banded, distribution
from optimizer.question.load import read_scenario
from optimizer.world.laws import load_law

PLAIN = """\
name: Plain
law: besiroglu-2024-refit
target: {loss: 2.05}
demand: {tokens: 2T}
"""
CERTAIN = PLAIN.replace("besiroglu-2024-refit", "besiroglu-2024")
SPREAD = PLAIN.replace("2T", "{low: 500B, expected: 2T, high: 9T}")
PICTURES = ("residuals", "profiles", "isoflop", "holdout")
QUICK = ("--starts", "20", "--draws", "60")


def read(text):
    return read_scenario(text, "scenario.yaml")


@pytest.fixture(scope="module")
def plain():
    return banded(read(PLAIN), 5, 60)


def test_band_is_what_the_law_alone_gives(plain):
    """A demand with a range moves `uncertainty`, and leaves the band as it is."""
    assert banded(read(SPREAD), 5, 60).band == plain.band


def test_band_is_of_single_solves(plain, ask):
    """Each end is the cost under some draw: the median of three is found by hand."""
    law = load_law("besiroglu-2024-refit")
    few = banded(read(PLAIN), 3, 3)
    covariance = law.covariance
    assert covariance is not None
    point = few.frontier.points[0]
    costs = []
    from optimizer.question.draws import draws  # noqa: PLC0415

    drawn = draws(read(PLAIN), 3, 0, frozenset())
    names = [number.path[1] for number in drawn.numbers]
    for row in drawn.at(np.arange(3)):
        sets = [f"law.{n}={float(v)!r}" for n, v in zip(names, row, strict=True)]
        answer = ask(PLAIN, f"target.loss={point.loss!r}", *sets)
        costs.append(math.inf if answer.cost is None else answer.cost.total)
    low, middle, high = sorted(costs)
    band = few.band
    assert (band.low[0], band.middle[0]) == pytest.approx((low, middle), rel=1e-8)
    assert band.high[0] == pytest.approx(high, rel=1e-8)


def test_band_widens_and_opens_towards_the_irreducible_loss(plain):
    """At 1e-3 above E about half of the draws cannot reach the loss at all."""
    band = plain.band
    widths = [high / low for low, high in zip(band.low, band.high, strict=True)]
    assert widths[-1] > widths[0] > 1
    E = load_law("besiroglu-2024-refit").coefficients["E"]
    near = read(PLAIN.replace("2.05", repr(E + 0.01)))
    assert banded(near, 3, 60).band.high[-1] is None


def test_law_without_covariance_has_a_frontier_but_no_band():
    found = banded(read(CERTAIN), 5)
    assert found.band is None
    assert len(found.frontier.points) == 5


def test_budget_without_a_demand_has_a_band():
    """A target needs a demand, be it none; a budget does not."""
    spent = "law: besiroglu-2024-refit\nbudget: {training_compute: 1e23}\n"
    found, served = (
        banded(read(spent), 5),
        banded(read(spent + "demand: {tokens: 0}"), 5),
    )
    assert found.band is not None
    assert found.band == served.band


def test_distribution_has_the_percentiles_of_its_sizes():
    found = distribution(read(SPREAD), 300)
    size = found.intervals["parameters"]
    assert len(found.sizes) == round(300 * (1 - found.unreachable))
    assert np.median(found.sizes) == pytest.approx(size.p50, rel=1e-12)
    below = np.mean(np.array(found.sizes) < size.p5)
    assert below == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("text", [CERTAIN, PLAIN + "fix: {parameters: 7B}\n"])
def test_size_that_nothing_moves_has_no_distribution(text):
    assert distribution(read(text), 100) is None


@pytest.fixture
def drawn(overtrain, tmp_path):
    """Draws a scenario's text; returns the texts of the picture, and its file."""

    def draw(kind, text):
        source, path = tmp_path / "scenario.yaml", tmp_path / "chart.svg"
        source.write_text(text, encoding="utf-8")
        done = overtrain("plot", kind, source, "-o", path)
        if done.code:
            return done
        picture = path.read_text(encoding="utf-8")
        assert not {"NaN", "undefined", "Infinity"} & set(re.split(r"\W", picture))
        return " ".join(re.findall(r">([^<>]+)</text>", picture))

    return draw


def test_frontier_marks_the_plan_and_says_what_the_band_is(drawn, ask):
    words = drawn("frontier", PLAIN)
    size = ask(PLAIN).plan.parameters / 1e9
    assert f"the plan, {float(f'{size:.2g}'):g}B" in words
    assert "5 % to 95 % of the draws of the law" in words
    assert "draws" not in drawn("frontier", CERTAIN)


def test_distribution_marks_plan_robust_plan_and_percentiles(drawn):
    words = drawn("uncertainty", SPREAD)
    for word in ("the plan: ", "robust plan, 90 % sure: ", "5 %: ", "50 %: ", "95 %: "):
        assert word in words


@pytest.mark.parametrize(
    "limit", ["limits: {parameters: SIZE}\n", "fix: {tokens: 9T}\n"]
)
def test_squeezed_distribution_is_drawn(drawn, ask, limit):
    """About half of the draws rest on the limit; the axis still has words."""
    limit = limit.replace("SIZE", repr(ask(PLAIN).plan.parameters))
    assert "parameters" in drawn("uncertainty", PLAIN + limit)


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("uncertainty", CERTAIN, "a law with a covariance"),
        ("uncertainty", PLAIN + "limits: {parameters: 1M}\n", "a law with"),
        ("frontier", PLAIN.replace("2.05", "1.5"), "losses that have plans"),
    ],
)
def test_plot_says_why_there_is_nothing(drawn, kind, text, told):
    done = drawn(kind, text)
    assert (done.code, told in done.err) == (2, True), done.err


def test_first_scenario_alone_is_said_to_have_the_section(made):
    page = made.read_text(encoding="utf-8")
    assert page.count(">In draws of the law and the demand</h3>") == 1
    assert page.count("for the first alone") == 1


def test_json_has_the_numbers_of_these_charts(overtrain, files):
    content = json.loads(overtrain("report", *files, "--format", "json").out)
    first, second = content["reports"]
    assert len(first["frontier"]["band"]["low"]) == len(
        first["frontier"]["frontier"]["points"]
    )
    assert min(first["uncertainty"]["sizes"]) > 0
    assert second["frontier"] is second["uncertainty"] is None


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Runs of four computes with six sizes each, and scatter; seeded."""
    surface = load_law("besiroglu-2024-refit").surface()
    random = np.random.default_rng(3)
    lines = ["parameters,tokens,loss"]
    for compute in (1e19, 6e19, 4e20, 2e21):
        best = surface.compute_optimal(compute)[0]
        for factor in np.geomspace(0.2, 5, 6).tolist():
            N = best * factor
            D = compute / (6 * N)
            loss = surface.loss(N, D) * math.exp(random.normal(0, 0.003))
            lines.append(f"{N!r},{D!r},{loss!r}")
    path = tmp_path_factory.mktemp("fit") / "runs.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_fit_draws_its_pictures(overtrain, table, tmp_path):
    folder = tmp_path / "pictures"
    done = overtrain("fit", table, *QUICK, "--plots", folder)
    assert done.code == 0, done.err
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        f"{kind}.svg" for kind in PICTURES
    )
    for kind in PICTURES:
        text = (folder / f"{kind}.svg").read_text(encoding="utf-8")
        assert text.startswith("<svg")
        assert "NaN" not in text
    words = (folder / "isoflop.svg").read_text(encoding="utf-8")
    for compute in ("1.0e19", "6.0e19", "4.0e20", "2.0e21"):
        assert f"{compute} FLOP" in words


def test_hold_out_draws_what_its_numbers_count(overtrain, table):
    told = json.loads(overtrain("fit", table, *QUICK, "--format", "json").out)
    held = told["fit"]["hold_out"]
    losses = {r["line"]: r["loss"] for r in told["fit"]["residuals"]}
    measured = np.array([losses[line] for line in held["lines"]])
    inside = (held["low"] <= measured) & (measured <= held["high"])
    assert inside.sum() == held["inside"]
    errors = held["predicted"] / measured - 1
    assert np.median(errors) == pytest.approx(held["median_error"], rel=1e-9)


@pytest.mark.parametrize("form", ["hestness", "kaplan"])
def test_other_forms_draw_what_they_have_and_name_the_rest(
    form, overtrain, table, tmp_path
):
    words = ("--form", form, "--hold-out", "0", "--plots", tmp_path / "p")
    done = overtrain("fit", table, *QUICK, *words)
    assert done.code == 0, done.err
    assert "No holdout.svg: " in done.out
    assert (tmp_path / "p" / "residuals.svg").exists()


def test_pictures_need_their_part_and_a_place_before_the_work(
    overtrain, table, tmp_path, monkeypatch
):
    nowhere = overtrain("fit", table, *QUICK, "--plots", tmp_path / "no" / "folder")
    assert (nowhere.code, "there is no directory" in nowhere.err) == (2, True)
    onto = overtrain("fit", table, *QUICK, "--plots", table)
    assert (onto.code, "not a directory" in onto.err) == (2, True)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    law = tmp_path / "law.yaml"
    done = overtrain("fit", table, *QUICK, "-o", law, "--plots", tmp_path / "p")
    assert done.code == 2
    assert "needs vl-convert; in the checkout of overtrain: pip" in done.err
    assert "pip install '.[report]'" in done.err
    assert not law.exists()
