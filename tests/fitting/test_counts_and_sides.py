"""What N counts, one-sided losses, budgets as stated, repetition with the law given."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest

import cli
from optimizer.analysis.law.counted import BODY, HEAD, TOTAL, counted
from optimizer.analysis.law.iso_flops import iso_flops
from optimizer.analysis.law.judgement import Asked, judge
from optimizer.fitting.fit import Settings, fit
from optimizer.fitting.fitlaw import About
from optimizer.fitting.forms import Choice
from optimizer.fitting.runs import Options, read_runs
from optimizer.world.laws import load_law

QUICK = Settings(starts=0, draws=60)
WORDS = 50_000


def additive(n, d):
    return 1.8 + 480 * n**-0.35 + 2080 * d**-0.37


def with_width(made, counts):
    """Runs whose loss follows the blocks alone, and N as counted."""
    N, D = made.grid(8, 6, 2e7, 2e9)
    width = (N / 12 / 64) ** (1 / 3) * 8
    runs = made.runs(additive, N, D, noise=0.0005)
    size = N + (WORDS * width if counts == "total" else 0.0)
    return replace(runs, parameters=size, width=width)


@pytest.mark.parametrize("counts", ["total", "non-embedding"])
def test_the_plan_under_other_counts_is_that_of_runs_counted_so(made, counts):
    runs = with_width(made, counts)
    found = fit(runs, QUICK)
    ways = {w.what: w for w in counted(found, counts, 1e22, WORDS)}
    assert set(ways) == {TOTAL, BODY}
    # The blocks alone give the law that the runs were made from.
    alpha, beta = ways[BODY].exponents
    assert (alpha, beta) == pytest.approx((0.35, 0.37), rel=0.05)
    other = with_width(made, "non-embedding" if counts == "total" else "total")
    again = fit(other, QUICK)
    told = ways[BODY if counts == "total" else TOTAL].exponents
    assert told[0] == pytest.approx(again.coefficients["alpha"], rel=1e-5)
    assert ways[TOTAL].exponents[0] > 1.05 * ways[BODY].exponents[0]
    assert ways[BODY].own == (counts == "non-embedding")
    apart = counted(found, counts, 1e22, WORDS, tied=False)
    assert {way.what for way in apart} == {TOTAL, BODY, HEAD}
    assert counted(found, "active", 1e22, WORDS) == ()
    assert counted(found, counts, 1e22) == ()


def test_width_and_vocabulary_are_columns_and_the_name_of_n_says_what_it_counts(
    tmp_path, made, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    runs = with_width(made, "non-embedding")
    lines = ["N (non-emb),D,d_model,vocab_size,val_loss"]
    columns = runs.parameters, runs.tokens, runs.width, runs.loss
    lines += [f"{n},{d},{w},{WORDS},{x}" for n, d, w, x in zip(*columns, strict=True)]
    (tmp_path / "runs.csv").write_text("\n".join(lines))
    words = ("fit", "runs.csv", "--starts", "0", "--draws", "60", "-o", "mine.yaml")
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert "What N counts" in said
    assert "without embeddings (this law)" in said
    assert load_law("mine.yaml", tmp_path).counts == "non-embedding"


def test_losses_too_high_hardly_move_a_law_of_the_lower_side(made):
    """A third of the runs trained badly: their loss is up to a tenth too high."""
    runs = made.runs(additive, *made.grid(), noise=0.001, seed=3)
    bad = np.random.default_rng(1).random(runs.count)
    high = np.where(bad < 0.6, 1 + 0.1 * bad, 1.0)
    runs = replace(runs, loss=runs.loss * high)
    clean = bad >= 0.6
    truth = np.log(runs.loss[clean])
    off = {}
    for over in (1.0, 30.0):
        found = fit(runs, replace(QUICK, over=over))
        assert found.stationarity < 1e-8
        off[over] = float(np.median(found.predicted[clean] - truth))
        assert (found.errors is None) or over == 1.0
    assert off[1.0] > 0.005
    assert abs(off[30.0]) < 0.2 * off[1.0]
    law = judge(found, About("mine"), Asked()).law
    assert law.fit["overestimates_count"] == 30.0
    assert any("counts 30 times one below" in caveat for caveat in law.caveats)


def test_the_lower_envelope_keeps_one_run_of_sizes_within_a_tenth(tmp_path, made):
    N, D = made.grid(5, 5)
    lines = ["N,D,loss"]
    for n, d in zip(N, D, strict=True):
        lines += [f"{n},{d},{additive(n, d)}"]
        lines += [f"{1.05 * n},{1.03 * d},{1.1 * additive(n, d)}"]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines))
    runs = read_runs(str(path), options=Options(envelope=True))
    assert runs.parameters.tolist() == pytest.approx(N.tolist())
    assert any("those within a tenth as one" in note.done for note in runs.notes)
    assert read_runs(str(path), options=Options(best=True)).count == 50


def test_runs_of_one_compute_are_those_that_the_table_says(made):
    """A trainer counts attention: 6·N·D is 64 to 83 % of its compute, and spreads."""
    budgets = np.repeat([1e19, 1e20, 1e21], 6)
    N = np.concatenate([np.geomspace(0.3, 3, 6) * s for s in (4e8, 1.3e9, 4e9)])
    share = np.tile(np.linspace(0.64, 0.83, 6), 3)
    D = share * budgets / 6 / N
    runs = made.runs(additive, N, D)
    assert len(iso_flops(fit(runs, QUICK))) == 0
    told = iso_flops(fit(replace(runs, stated=budgets), QUICK))
    assert [iso.compute for iso in told] == pytest.approx([1e19, 1e20, 1e21])
    assert all(iso.optimum is not None for iso in told)
    # Sizes within a tenth are one: three are no profile.
    few = np.tile([1e9, 1.05e9, 2e9, 2.1e9, 4e9, 4.2e9], 3)
    runs = made.runs(additive, few, budgets / 6 / few)
    assert iso_flops(fit(replace(runs, stated=budgets), QUICK)) == ()


def test_the_constants_of_repetition_with_the_law_given(made):
    """Muennighoff et al. 2023, the second of their two steps: two constants alone."""
    law = {"E": 1.87, "A": 521.0, "B": 1488.0, "alpha": 0.353, "beta": 0.353}
    stars = 15.4, 5.3

    def loss(n, d, unique):
        seen = min(d, unique)
        best = (law["A"] / law["B"] * seen ** law["beta"]) ** (1 / law["alpha"])
        size = min(n, best)
        excess = d / seen - 1, n / size - 1
        data = seen * (1 + stars[0] * -math.expm1(-excess[0] / stars[0]))
        body = size * (1 + stars[1] * -math.expm1(-excess[1] / stars[1]))
        return (
            law["E"]
            + law["A"] * body ** -law["alpha"]
            + law["B"] * data ** -law["beta"]
        )

    N, D = made.grid(6, 8, 5e7, 5e9, (5, 500))
    unique = np.where(np.arange(N.size) % 3 == 0, D, D / 20)
    exact = {(n, d): loss(n, d, u) for n, d, u in zip(N, D, unique, strict=True)}
    runs = made.runs(lambda n, d: exact[n, d], N, D, noise=0.0005, unique=unique)
    settings = replace(QUICK, choice=Choice("data-constrained", fixed=law))
    found = judge(fit(runs, settings), About("mine"), Asked())
    assert found.fit.extras["R_D_star"] == pytest.approx(15.4, rel=0.03)
    assert found.fit.extras["R_N_star"] == pytest.approx(5.3, rel=0.03)
    assert {v.symbol: v.identified for v in found.verdicts} == {
        "R_D_star": True,
        "R_N_star": True,
    }
    # A law that does not pass through the runs of fresh data is told.
    off = judge(
        fit(replace(runs, loss=1.05 * runs.loss), settings), About("m"), Asked()
    )
    assert not any(v.identified for v in off.verdicts)
    assert "lies 4.9 % below the runs of fresh data" in off.against[0].text


def test_wild_draws_of_a_law_warn_of_nothing(shared, capsys):
    """With an exponent of a hundredth the optimal size is no number; six warnings."""
    place = str(shared / "cases/runs/repeated-data.csv")
    words = ("fit", place, "--form", "data-constrained", "--draws", "200")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cli.main((*words, "--starts", "20")) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "the runs do not identify R_N_star" in said


@pytest.mark.parametrize(("sizes", "groups"), [(3, 0), (4, 3)])
def test_sizes_within_a_tenth_count_as_one_size_of_a_budget(made, sizes, groups):
    """Two runs 8 % apart at each size: six are three sizes, and no profile."""
    budgets = np.repeat([1e19, 1e20, 1e21], 2 * sizes)
    each = np.outer(np.geomspace(0.3, 3, sizes), [1, 1.08]).ravel()
    N = np.concatenate([each * middle for middle in (4e8, 1.3e9, 4e9)])
    runs = made.runs(additive, N, budgets / 6 / N)
    assert len(iso_flops(fit(runs, QUICK))) == groups
