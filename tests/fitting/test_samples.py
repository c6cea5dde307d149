"""`fit --form samples`: L = E + A·N^-α + B·D^-β + G·k^-γ, from rows made here."""

import numpy as np
import pytest

import cli
from optimizer.analysis.plan.optimum import solve
from optimizer.errors import InputError
from optimizer.fitting.fit import Settings, fit
from optimizer.fitting.forms import Choice, checked, problem
from optimizer.fitting.runs import Options, read_runs
from optimizer.fitting.sampled import evaluated
from optimizer.question.load import load_scenario

TRUE = {"E": 0.1, "A": 120, "B": 600, "alpha": 0.3, "beta": 0.32, "G": 0.7}
TRUE["gamma"] = 0.45
SIZES, RATIOS, SAMPLES = (1e7, 3e7, 1e8, 3e8, 1e9, 2e9), (10, 30, 100, 300), (1, 4, 64)


def table(path, samples=SAMPLES, model=0.004, row=0.002, column="samples"):
    """Rows of 24 models; each errs as a whole, and a little row by row."""
    draw = np.random.default_rng(1)
    lines = [f"parameters,tokens,{column},loss"]
    for N in SIZES:
        for ratio in RATIOS:
            D, off = N * ratio, draw.normal(0, model)
            for k in samples:
                loss = TRUE["E"] + TRUE["A"] * N ** -TRUE["alpha"]
                loss += TRUE["B"] * D ** -TRUE["beta"] + TRUE["G"] * k ** -TRUE["gamma"]
                loss *= np.exp(off + draw.normal(0, row))
                lines.append(f"{N:.0f},{D:.0f},{k},{loss:.9f}")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def read(path):
    return read_runs(path, options=Options(samples=True))


def test_it_finds_the_law_that_made_the_rows(tmp_path):
    runs = read(table(tmp_path / "runs.csv", model=0.0, row=0.0))
    found = fit(runs, Settings(Choice("samples"), starts=100, draws=20))
    for symbol, value in TRUE.items():
        assert found.coefficients[symbol] == pytest.approx(value, rel=2e-4), symbol


def test_its_intervals_are_those_of_models_and_hold_the_truth(tmp_path):
    runs = read(table(tmp_path / "runs.csv"))
    found = fit(runs, Settings(Choice("samples"), starts=100, draws=300))
    assert found.groups == len(SIZES) * len(RATIOS)
    assert not any("is above the" in note.message for note in found.notes)
    inside = [s for s, (a, b) in found.intervals.items() if a <= TRUE[s] <= b]
    assert len(inside) >= 6
    low, high = found.intervals["gamma"]
    assert 0.001 < high - low < 0.1


def test_gradient_and_curvature_are_differences(tmp_path):
    runs = read(table(tmp_path / "runs.csv"))
    asked, _ = problem(runs, checked(Choice("samples", fixed={"alpha": 0.3})))
    z = np.array([[-1.0, -1.2, 0.15, 0.35, -0.8, 0.5]])
    z += np.zeros((1, asked.free))
    delta = np.array([0.5])  # wide: all residuals inside, and none at a corner
    here = evaluated(asked, z, delta)
    step = 1e-5
    for j in range(asked.free):
        move = step * np.eye(asked.free)[j]
        up, down = evaluated(asked, z + move, delta), evaluated(asked, z - move, delta)
        slope = (up.value - down.value) / (2 * step)
        assert here.gradient[0, j] == pytest.approx(float(slope[0]), rel=1e-6)
        bend = (up.gradient - down.gradient)[0] / (2 * step)
        assert here.hessian[0, j] == pytest.approx(bend, rel=1e-5, abs=1e-7)


def test_the_law_file_leads_to_a_plan(tmp_path, capsys):
    runs, mine = table(tmp_path / "runs.csv"), str(tmp_path / "mine.yaml")
    words = ["fit", runs, "--form", "samples", "--draws", "300", "--starts", "50"]
    assert cli.main([*words, "-o", mine]) == 0
    told = capsys.readouterr().out
    assert "k^-0.45" in told
    assert "24 models, several of which" in told
    assert "the runs identify gamma" in told
    (tmp_path / "plan.yaml").write_text(
        "law: mine.yaml\ntarget: {loss: 0.4}\n"
        "demand: {tokens: 1T, samples: {at_most: 64}}\n"
    )
    assert "law.gamma" in {i.input for i in _moves(tmp_path / "plan.yaml")}


def _moves(path):
    answer = solve(load_scenario(path))
    assert answer.plan.samples is not None
    return answer.sensitivities


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({"samples": (1,)}, "say nothing of gamma: 0 of 24 models"),
        ({"samples": (1, 2, 3)}, "that span a factor 4"),
        ({"column": "tries"}, 'needs the column "samples"'),
    ],
)
def test_rows_that_say_nothing_of_samples_are_refused(tmp_path, rows, told):
    runs = read(table(tmp_path / "runs.csv", **rows))
    with pytest.raises(InputError, match=told):
        fit(runs, Settings(Choice("samples"), starts=10, draws=10))


def test_a_row_without_samples_is_left_out_by_name(tmp_path):
    path = table(tmp_path / "runs.csv")
    text = (tmp_path / "runs.csv").read_text().splitlines()
    cells = text[1].split(",")
    text[1] = ",".join([*cells[:2], "0", cells[3]])
    (tmp_path / "runs.csv").write_text("\n".join(text) + "\n")
    runs = read(path)
    assert runs.count == len(text) - 2
    assert any(
        note.line == 2 and "samples must be a number of at least 1" in note.message
        for note in runs.notes
    )


def test_other_forms_read_no_samples(tmp_path):
    runs = read_runs(table(tmp_path / "runs.csv"))
    assert runs.samples is None
