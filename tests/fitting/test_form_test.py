"""The test that tells: what each form says of runs beyond those it was fitted to."""

import numpy as np
import pytest

from optimizer.analysis.law.form_test import form_test, form_tests
from optimizer.analysis.law.judgement import Asked, judge
from optimizer.fitting.fit import Settings, fit
from optimizer.fitting.fitlaw import About
from optimizer.fitting.forms import Choice
from optimizer.fitting.rules import read_rules
from optimizer.fitting.runs import Options, read_runs
from optimizer.reading.document import load_text
from optimizer.report.formats.law_file import law_text
from optimizer.report.pages.form_test import sentence
from optimizer.world.laws import law_from_mapping, load_law

RATIO = "tokens_per_parameter"


@pytest.fixture
def openeurollm(shared):
    path = str(shared / "data" / "openeurollm-2026-runs.csv")
    rules = read_rules(("parameters > 1.7B",))
    return read_runs(
        path, {"parameters": "N", "tokens": "D"}, options=Options(exclude=rules)
    )


def test_far_runs_of_openeurollm_tell_the_forms_apart(openeurollm):
    """Another program, 28 runs beyond 100: additive −1.7 to −2.0, coupled +0.1 %."""
    told = form_test(openeurollm, RATIO, 100)
    additive, coupled = (told.result.forms[f] for f in ("chinchilla", "coupled"))
    assert told.result.runs == 28
    assert told.result.up_to == pytest.approx(6308, abs=1)
    assert additive.mean == pytest.approx(-0.017, abs=5e-4)
    assert -0.067 < additive.largest < -0.055
    assert coupled.mean == pytest.approx(0.001, abs=1e-3)
    assert 0.005 < abs(coupled.largest) < 0.009
    assert told.best == "coupled"
    assert "the coupled form predicts far overtraining best" in sentence(told)
    assert "too optimistic" in sentence(told)
    assert "−1.7 % in the mean" in sentence(told)


def test_far_runs_of_sardana_tell_the_forms_apart(shared):
    """Another program, 13 runs beyond 100: −5.8 (15.0), coupled +1.1 % (3.3)."""
    path = str(shared / "data" / "sardana-2024-training-runs.csv")
    told = form_test(read_runs(path, {"loss": "Smoothed Loss"}), RATIO, 100)
    additive, coupled = (told.result.forms[f] for f in ("chinchilla", "coupled"))
    assert told.result.runs == 13
    assert additive.mean == pytest.approx(-0.058, abs=5e-4)
    assert additive.largest == pytest.approx(-0.150, abs=1e-3)
    assert coupled.mean == pytest.approx(0.011, abs=5e-4)
    assert coupled.largest == pytest.approx(0.033, abs=1e-3)


@pytest.mark.parametrize("law", ["openeurollm-2026", "besiroglu-2024-refit"])
def test_the_form_that_made_the_runs_foresees_them(made, law):
    it = load_law(law)
    runs = made.runs(it.surface().loss, *made.grid(7, 8))
    told = form_test(runs, RATIO, 60)
    assert abs(told.result.forms[it.form].largest) < 1e-5
    assert abs(told.result.forms["tied"].largest) > 1e-5
    # An additive law is a coupled one with k = 1, and hardly a saturating one.
    assert (abs(told.result.forms["chinchilla"].largest) < 1e-5) == (
        it.form == "chinchilla"
    )


def test_a_form_that_the_rest_cannot_tell_is_refused_and_the_others_stand(made):
    N = np.repeat(np.geomspace(5e7, 5e9, 12), 4)
    D = N * np.tile([15.0, 20.0, 30.0, 400.0], 12)
    runs = made.runs(load_law("openeurollm-2026").surface().loss, N, D, 0.001)
    told = form_test(runs, RATIO, 50)
    assert set(told.refused) == {"coupled"}
    assert "say nothing of k" in told.refused["coupled"]
    assert told.result.forms["chinchilla"].mean < 0


def test_a_share_of_none_and_too_few_runs_ask_for_nothing(made):
    surface = load_law("besiroglu-2024-refit").surface()
    runs = made.runs(surface.loss, *made.grid(4, 4), 0.002)
    found = fit(runs, Settings(starts=0, draws=50))
    assert form_tests(found, 0) == ()
    assert form_test(runs, RATIO, 1e9) is None
    assert {test.result.by for test in form_tests(found, 0.2)} == {RATIO, "compute"}


def test_the_law_file_carries_the_result(openeurollm):
    found = fit(openeurollm, Settings(Choice("coupled"), starts=0, draws=60))
    judged = judge(found, About("mine"), Asked())
    again = law_from_mapping(load_text(law_text(judged.law), "mine.yaml"))
    assert again.extrapolation == judged.law.extrapolation
    assert [told.by for told in again.extrapolation] == [RATIO, "compute"]
