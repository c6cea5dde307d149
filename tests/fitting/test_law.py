"""The law of a fit as a file: it reads back as itself and works in a scenario."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.analysis.law.judgement import Asked, judge
from optimizer.analysis.plan.optimum import solve
from optimizer.errors import InputError
from optimizer.fitting.fit import Settings, fit
from optimizer.fitting.fitlaw import About, law_of
from optimizer.fitting.forms import Choice
from optimizer.question.load import load_scenario
from optimizer.report.formats.law_file import law_text
from optimizer.world.law import ErrorLaw
from optimizer.world.laws import builtin_names, load_law

QUICK = {"starts": 60, "draws": 60}
LAW = load_law("besiroglu-2024-refit")
SURFACE = LAW.surface()
SCENARIO = """\
law: my-law.yaml
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""


@pytest.fixture(scope="module")
def found(made):
    runs = made.runs(SURFACE.loss, *made.grid(6, 6), 0.003)
    return fit(runs, Settings(**QUICK))


def written(tmp_path, law):
    path = tmp_path / "my-law.yaml"
    path.write_text(law_text(law, ("a comment",)), encoding="utf-8")
    return load_law(str(path))


def test_reads_back_as_itself(found, tmp_path):
    about = About(
        "my-law", 'overtrain fit "a b.csv"', "overtrain 1", data="C4: yes # no"
    )
    law = law_of(found, about, ("Two: colons.", "- a dash"))
    assert written(tmp_path, law) == law
    assert len(law.draws["alpha"]) == 60
    assert law.range.tokens_per_parameter == pytest.approx((3, 300))


@pytest.mark.parametrize("form", ["kaplan", "hestness"])
def test_other_forms_read_back(form, made, tmp_path):
    surface = load_law("kaplan-2020").surface()
    runs = made.runs(surface.loss, *made.grid(6, 6), 0.002)
    law = law_of(fit(runs, Settings(Choice(form), **QUICK)), About("my-law"))
    assert written(tmp_path, law) == law


def test_tied_exponents_read_back_with_their_covariance(made, tmp_path):
    """Both exponents stand in it, as one: of no variance apart."""
    surface = load_law("gadre-2024-rpj").surface()
    runs = made.runs(surface.loss, *made.grid(12, 12), 2e-4)
    settings = Settings(Choice("gadre"), starts=20, draws=400)
    law = law_of(fit(runs, settings), About("my-law"))
    assert law.covariance is not None
    assert {"alpha", "beta"} < set(law.covariance.order)
    assert written(tmp_path, law) == law


def test_repeated_data_read_back(made, tmp_path):
    N, D = made.grid(6, 6)
    U = np.where(np.arange(36) % 3 == 0, D / 4, D)
    runs = made.runs(SURFACE.loss, N, D, 0.002, unique=U)
    choice = Choice("data-constrained")
    law = law_of(fit(runs, Settings(choice, **QUICK)), About("my-law"))
    assert set(law.extras) == set(law.extra_draws) == {"R_D_star", "R_N_star"}
    assert set(law.draws) == set(law.coefficients)
    assert written(tmp_path, law) == law


def test_a_law_of_tokens_alone_is_refused_by_a_scenario(made, tmp_path):
    runs = made.runs(lambda _n, d: 1.5 + 300 * d**-0.25, *made.grid(5, 5), 0.002)
    law = law_of(fit(runs, Settings(Choice("hestness"), **QUICK)), About("my-law"))
    written(tmp_path, law)
    (tmp_path / "s.yaml").write_text(SCENARIO)
    with pytest.raises(InputError, match="says nothing of the model's size"):
        load_scenario(tmp_path / "s.yaml")


@pytest.mark.parametrize("name", builtin_names())
def test_every_builtin_law_can_be_written(name, tmp_path):
    law = load_law(name)
    if law.line is not None:
        pytest.skip("a frontier is a table; this writes laws with coefficients")
    text = law_text(law).replace(f'name: "{name}"', "name: copy", 1)
    path = tmp_path / "copy.yaml"
    path.write_text(text)
    again = load_law(str(path))
    assert again == replace(law, name="copy")


def test_works_at_once_as_the_law_of_a_scenario(found, tmp_path):
    law = judge(found, About("my-law"), Asked()).law
    written(tmp_path, law)
    (tmp_path / "s.yaml").write_text(SCENARIO)
    answer = solve(load_scenario(tmp_path / "s.yaml"))
    surface = law.surface()
    reference = surface.loss(13e9, surface.optimal_tokens(13e9))
    assert answer.plan.loss == pytest.approx(reference, rel=1e-9)
    assert answer.certificate.gap <= 1e-8
    codes = {warning.code for warning in answer.warnings}
    assert "outside-range" in codes or answer.plan.parameters < 1e10


def test_covariance_only_where_it_matches_the_draws(found, made):
    """Skewed draws have none; those of many quiet runs have one, of their spread."""
    quiet = made.runs(SURFACE.loss, *made.grid(12, 12), 0.001)
    good = fit(quiet, Settings(starts=20, draws=400))
    law = law_of(good, About("my-law"))
    assert law.covariance is not None
    order, matrix = law.covariance.order, np.array(law.covariance.matrix)
    spread = np.std(good.draws["alpha"], ddof=1)
    at = order.index("alpha")
    assert matrix[at, at] == pytest.approx(spread**2)
    correlation = matrix[order.index("ln_A"), at] / np.sqrt(
        matrix[at, at] * matrix[order.index("ln_A"), order.index("ln_A")]
    )
    assert correlation > 0.99
    noisy = made.runs(SURFACE.loss, *made.grid(5, 4, span=(15, 30)), 0.01)
    bad = fit(noisy, Settings(starts=20, draws=200))
    assert bad.covariance is None
    assert "standard deviations off a normal" in bad.covariance_withheld


def test_error_law_turns_an_error_into_a_loss(made, tmp_path):
    """Gadre et al. 2024, RefinedWeb, 17 tasks: .86528 − 2.21481·exp(−.707049·L)."""
    law = ErrorLaw(0.86528, 2.21481, 0.707049)
    assert law.error(3.0) == pytest.approx(0.86528 - 2.21481 * np.exp(-0.707049 * 3))
    assert law.loss(law.error(2.7)) == pytest.approx(2.7)
    with pytest.raises(ValueError, match=r"between 0 and 0\.865"):
        law.loss(0.9)
    N, D = made.grid(5, 5)
    runs = made.runs(SURFACE.loss, N, D, 0.002, error=np.zeros(25))
    runs.error[:] = 0.86528 - 2.21481 * np.exp(-0.707049 * runs.loss)
    read = written(tmp_path, law_of(fit(runs, Settings(**QUICK)), About("my-law")))
    assert read.error.gamma == pytest.approx(0.707049, rel=1e-6)
    assert len(read.error.draws["k"]) == len(read.draws["alpha"])
