"""What is said about a fit is true of it."""

import numpy as np
import pytest

from optimizer.analysis.law.beside_published import versus
from optimizer.analysis.law.diagnostics import hold_out, trends, verdicts
from optimizer.analysis.law.iso_flops import iso_flops
from optimizer.analysis.law.next_runs import next_runs
from optimizer.analysis.law.profiles import profiles
from optimizer.fitting.fit import Settings, fit
from optimizer.fitting.fitlaw import About, law_of
from optimizer.fitting.forms import Choice
from optimizer.question.load import read_scenario
from optimizer.world.laws import load_law

QUICK = {"starts": 60, "draws": 150}
LAW = load_law("besiroglu-2024-refit")
SURFACE = LAW.surface()


@pytest.fixture(scope="module")
def good(made):
    runs = made.runs(SURFACE.loss, *made.grid(8, 8, span=(1, 1000)), 0.003)
    return fit(runs, Settings(**QUICK))


@pytest.fixture(scope="module")
def narrow(made):
    """Runs whose tokens span a factor of three."""
    N, D = np.meshgrid(np.geomspace(5e7, 2e9, 8), np.geomspace(1e10, 3e10, 5))
    return fit(made.runs(SURFACE.loss, N.ravel(), D.ravel(), 0.003), Settings(**QUICK))


def test_verdict_names_what_the_design_lacks(good, narrow):
    assert all(v.identified for v in verdicts(good, profiles(good)))
    told = {v.symbol: v for v in verdicts(narrow, profiles(narrow))}
    assert not told["beta"].identified
    assert "the runs do not identify beta: D spans a factor 3" in told["beta"].text
    assert told["alpha"].identified


def test_profile_is_least_at_the_fit_and_holds_the_truth(good, narrow):
    for curve in profiles(good):
        here = good.coefficients[curve.symbol]
        rise = dict(zip(curve.values, curve.rise, strict=True))
        assert rise[here] == pytest.approx(0, abs=1e-6)
        assert min(curve.rise) >= 0
        assert curve.low < here < curve.high
    wide = {c.symbol: c for c in profiles(narrow)}["beta"]
    assert wide.low is None or wide.high is None or wide.high > 1.8 * wide.low


def test_profile_agrees_with_a_fit_at_a_fixed_value(good):
    curve = next(c for c in profiles(good) if c.symbol == "alpha")
    value, rise = curve.values[4], curve.rise[4]
    fixed = fit(good.runs, Settings(Choice(fixed={"alpha": value}), **QUICK))
    scale = curve.rise[2] / (
        2
        * (
            fit(
                good.runs, Settings(Choice(fixed={"alpha": curve.values[2]}), **QUICK)
            ).value
            - good.value
        )
    )
    assert 2 * (fixed.value - good.value) * scale == pytest.approx(rise, rel=1e-4)


def test_hold_out_predicts_the_big_from_the_small(good, made):
    told = hold_out(good)
    assert len(told.lines) == 13
    assert abs(told.median_error) < 0.005
    assert told.inside >= 10
    # Runs that leave the law where they are large are noticed.
    runs = made.runs(SURFACE.loss, *made.grid(8, 8), 0.003)
    late = runs.compute > np.quantile(runs.compute, 0.8)
    runs.loss[late] *= 1.05
    found = fit(runs, Settings(**QUICK))
    off = hold_out(found)
    assert off.median_error == pytest.approx(1 / 1.05 - 1, abs=0.01)
    assert off.inside < 7


def test_trends_notice_a_bend(good, made):
    assert sum(t.notable for t in trends(good)) <= 1
    assert sum(t.count for t in trends(good) if t.axis == "tokens") == 64
    N, D = made.grid(9, 9)
    bent = made.runs(lambda n, d: SURFACE.loss(n, d) * (d / n) ** 0.03, N, D, 0.001)
    bent.loss[D / N > 100] *= 1.06
    found = fit(bent, Settings(Choice(tie=True), **QUICK))
    assert any(t.notable for t in trends(found) if t.axis == "tokens_per_parameter")


def test_iso_flop_profiles_find_the_law_s_optimum(made):
    C = np.repeat([1e19, 1e20], 9)
    N = np.concatenate(
        [SURFACE.compute_optimal(c)[0] * np.geomspace(0.3, 3, 9) for c in (1e19, 1e20)]
    )
    found = fit(made.runs(SURFACE.loss, N, C / 6 / N, 2e-4), Settings(**QUICK))
    told = iso_flops(found)
    assert [len(iso.lines) for iso in told] == [9, 9]
    for iso in told:
        true = SURFACE.compute_optimal(iso.compute)[0]
        # A parabola is not the law: Hoffmann's approach 2 is off by a few per cent.
        assert iso.optimum == pytest.approx(true, rel=0.15)
        assert iso.law == pytest.approx(true, rel=0.15)


def test_next_run_narrows_the_plan_as_foretold(made):
    """The best candidate, made many times over, beats the worst one, refitted."""
    runs = made.runs(SURFACE.loss, *made.grid(6, 5, span=(10, 100)), 0.004)
    found = fit(runs, Settings(**QUICK))
    law = law_of(found, About("my-law"))
    told = next_runs(found, law, 1e22)
    lefts = [c.left for c in told.candidates]
    assert lefts == sorted(lefts)
    assert 0 <= lefts[0] < lefts[-1] <= 1
    assert max(c.compute for c in told.candidates) <= 1e22

    def spread(candidate):
        N = np.append(runs.parameters, candidate.parameters)
        D = np.append(runs.tokens, candidate.tokens)
        more = made.runs(SURFACE.loss, N, D)
        more.loss[:-1] = runs.loss
        # Residuals, since a resample of pairs may leave the new run out.
        again = fit(more, Settings(starts=20, draws=150, resample="residuals"))
        rows = zip(
            *(again.draws[s] for s in ("E", "A", "B", "alpha", "beta")), strict=True
        )
        ahead = 10 * runs.compute.max()
        sizes = [type(SURFACE)(*row).compute_optimal(ahead)[0] for row in rows]
        return np.subtract(*np.percentile(np.log(sizes), [84, 16]))

    assert spread(told.candidates[0]) < 0.8 * spread(told.candidates[-1])


def test_next_run_for_a_scenario(good):
    text = (
        "law: besiroglu-2024-refit\n"
        "target: {match: {parameters: 13B}}\n"
        "demand: {tokens: 2T}\n"
    )
    told = next_runs(good, law_of(good, About("my-law")), 1e21, read_scenario(text))
    assert told.unit == "parameters"
    assert told.interval[0] < told.parameters < told.interval[1]
    assert told.failed == 0
    fixed = read_scenario(text + "fix: {parameters: 8B}\n")
    told = next_runs(good, law_of(good, About("my-law")), 1e21, fixed)
    assert told.unit == "tokens"


def test_compare_puts_the_law_that_made_the_runs_first(good):
    rows = versus(good, law_of(good, About("my-law")), 1e23)
    assert rows[0].name == "my-law"
    names = [row.name for row in rows]
    assert "besiroglu-2024-refit" in names[1:3]
    assert abs(rows[0].offset) < 0.002
    kaplan = next(row for row in rows if row.name == "kaplan-2020")
    assert kaplan.scatter > 5 * rows[0].scatter
