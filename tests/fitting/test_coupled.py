"""Coupled laws from runs: published runs, made ones, and what no runs could tell."""

import numpy as np
import pytest

from optimizer.analysis.law.diagnostics import verdicts
from optimizer.analysis.law.profiles import profiles
from optimizer.errors import InputError
from optimizer.fitting.fit import Settings, fit
from optimizer.fitting.forms import Choice
from optimizer.fitting.rules import read_rules
from optimizer.fitting.runs import Options, read_runs
from optimizer.world.laws import load_law

COUPLED = Settings(Choice("coupled"), starts=60, draws=60)
LAW = load_law("openeurollm-2026")


@pytest.mark.parametrize(
    ("file", "columns", "rule", "law"),
    [
        (
            "openeurollm-2026-runs.csv",
            {"parameters": "N", "tokens": "D"},
            "parameters > 1.7B",
            "openeurollm-2026",
        ),
        (
            "sardana-2024-training-runs.csv",
            {"loss": "Smoothed Loss"},
            "parameters > 1T",
            "sardana-2024-all-coupled",
        ),
    ],
)
def test_public_runs_give_the_digits_found_elsewhere(shared, file, columns, rule, law):
    """The shipped digits come from another program: 18 starts of a simplex search."""
    runs = read_runs(
        str(shared / "data" / file),
        columns,
        options=Options(exclude=read_rules((rule,))),
    )
    found = fit(runs, COUPLED)
    c = dict(found.coefficients)
    wanted = load_law(law).coefficients
    assert np.log(c["A"]) == pytest.approx(np.log(wanted["A"]), rel=1e-5)
    for symbol in ("E", "B", "alpha", "beta", "k"):
        assert c[symbol] == pytest.approx(wanted[symbol], rel=2e-5)
    assert found.stationarity <= 1e-8


def test_the_interval_of_k_holds_the_published_one(shared):
    """OpenEuroLLM's own bootstrap of the runs to 1B: k 95 % 0.359 to 0.479."""
    path = str(shared / "data" / "openeurollm-2026-runs.csv")
    rules = read_rules(("parameters > 1.7B",))
    runs = read_runs(
        path, {"parameters": "N", "tokens": "D"}, options=Options(exclude=rules)
    )
    found = fit(runs, Settings(Choice("coupled"), starts=0, draws=300))
    low, high = found.intervals["k"]
    assert low == pytest.approx(0.359, abs=0.015)
    assert high == pytest.approx(0.479, abs=0.03)
    told = {v.symbol: v for v in verdicts(found, profiles(found))}
    assert told["k"].identified
    assert "no irreducible loss" in told["E apart from k"].text
    together = float(np.corrcoef(found.draws["E"], found.draws["k"])[0, 1])
    assert f"{together:+.2f}".replace("-", "−") in told["E apart from k"].text


def test_a_law_that_was_made_is_found_again_with_one_exponent_or_a_given_k(made):
    c = dict(LAW.coefficients)
    runs = made.runs(LAW.surface().loss, *made.grid(7, 7))
    given = fit(runs, Settings(Choice("coupled", fixed={"k": c["k"]}), 1e-3, 30, 50))
    assert given.coefficients == pytest.approx(c, rel=1e-4)
    tied = LAW.with_coefficients(alpha=0.45, beta=0.45)
    runs = made.runs(tied.surface().loss, *made.grid(7, 7))
    found = fit(runs, Settings(Choice("coupled", tie=True), 1e-3, 30, 50))
    assert found.coefficients == pytest.approx(dict(tied.coefficients), rel=1e-4)


def test_runs_of_an_additive_law_do_not_rule_it_out(made):
    surface = load_law("besiroglu-2024-refit").surface()
    runs = made.runs(surface.loss, *made.grid(8, 8), 0.005)
    found = fit(runs, COUPLED)
    assert found.intervals["k"][1] > 0.9
    told = {v.symbol: v for v in verdicts(found, ())}
    assert not told["k"].identified
    assert "additive" in told["k"].text


def test_runs_of_few_ratios_at_one_size_are_refused_with_the_runs_to_add(made):
    N = np.repeat(np.geomspace(5e7, 5e9, 12), 3)
    D = N * np.tile([15.0, 20.0, 30.0], 12)
    with pytest.raises(InputError) as error:
        fit(made.runs(LAW.surface().loss, N, D, 0.003), COUPLED)
    said = str(error.value)
    assert "say nothing of k" in said
    assert "Add runs of two sizes from about 20 to 500 tokens per parameter" in said


@pytest.mark.parametrize(
    ("fixed", "told"),
    [
        ({"k": 0.0}, "k must be above 0"),
        ({"k": 1.5}, "k must be between 0.01 and 1"),
        ({"E": 9.0}, "E = 9 is not below the least loss of the runs"),
    ],
)
def test_a_coefficient_that_cannot_be_is_told(made, fixed, told):
    runs = made.runs(LAW.surface().loss, *made.grid(6, 6))
    with pytest.raises(InputError, match=told):
        fit(runs, Settings(Choice("coupled", fixed=fixed), 1e-3, 20, 50))
