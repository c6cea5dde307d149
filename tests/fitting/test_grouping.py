"""Rows that err together are resampled together, and others are not."""

import os

import numpy as np
import pytest

from optimizer.analysis.law.diagnostics import verdicts
from optimizer.errors import InputError
from optimizer.fitting.fit import Settings, fit
from optimizer.fitting.grouping import by_size, counts, together
from optimizer.fitting.runs import Options, read_runs

from .conftest import runs_of

E, A, B, ALPHA, BETA = 1.8172, 482.0, 2085.43, 0.3478, 0.3658
QUICK = Settings(draws=50, starts=20)
SEEDS = 12 if os.environ.get("OVERTRAIN_THOROUGH") else 3


def loss(n, d):
    return E + A * n**-ALPHA + B * d**-BETA


def checkpoints(runs, seed, offset=4e-3, scatter=5e-4):
    """Runs of one size each with 20 checkpoints, each run a little off as a whole."""
    draw = np.random.default_rng(seed)
    n = np.geomspace(3e7, 3e9, runs).repeat(20)
    d = n * np.tile(np.geomspace(10, 200, 20), runs)
    shift = draw.normal(0, offset, runs).repeat(20) + draw.normal(0, scatter, n.size)
    made = runs_of(loss, n, d)
    made.loss[:] *= np.exp(shift)
    return made


@pytest.mark.parametrize("runs", [6, 12])
def test_few_runs_with_many_checkpoints_are_called_not_known(runs):
    """Taken row by row, alpha lay in its interval in 3 of 12 and was called known."""
    for seed in range(SEEDS):
        found = fit(checkpoints(runs, seed), QUICK)
        assert found.groups == runs
        told = verdicts(found, ())
        assert not any(verdict.identified for verdict in told)
        assert f"are {runs} runs" in told[0].text


def test_many_runs_with_checkpoints_hold_the_truth():
    held = 0
    for seed in range(SEEDS):
        found = fit(checkpoints(24, seed), QUICK)
        assert found.groups == 24
        low, high = found.intervals["alpha"]
        held += low <= ALPHA <= high
    assert held >= 0.6 * SEEDS


def test_runs_of_their_own_stay_alone():
    """A grid of independent runs looks like checkpoints, but does not err like them."""
    n = np.geomspace(3e7, 3e9, 8).repeat(8)
    d = n * np.tile(np.geomspace(5, 200, 8), 8)
    alone = [
        fit(runs_of(loss, n, d, noise=3e-3, seed=seed), QUICK).groups is None
        for seed in range(2 * SEEDS)
    ]
    assert sum(alone) >= 2 * SEEDS - 1


def test_what_goes_together_is_asked_of_the_residuals():
    draw = np.random.default_rng(3)
    groups = np.arange(10).repeat(8)
    noise = draw.normal(size=80)
    assert not together(groups, noise)
    assert together(groups, noise + 2 * draw.normal(size=10).repeat(8))


def test_whole_groups_are_drawn():
    drawn = counts(np.array([0, 0, 1, 2, 2, 2]), 500, np.random.default_rng(0))
    assert (drawn[:, 0] == drawn[:, 1]).all()
    assert (drawn[:, 3:] == drawn[:, 3:4]).all()
    assert (drawn[:, [0, 2, 3]].sum(1) == 3).all()


def test_isoflop_sizes_are_no_checkpoints():
    """Sizes that each stand at few token counts are runs of their own."""
    n = np.geomspace(1e8, 1e10, 30)
    assert by_size(runs_of(loss, n, 20 * n)) is None


def test_a_column_names_the_run_of_each_row(tmp_path):
    rows = [
        (f"run-{i}", n, n * r, loss(n, n * r) * (1 + 0.004 * (-1) ** i), i % 3)
        for i, n in enumerate((1e8, 2e8, 4e8, 8e8))
        for r in (10, 20, 40, 80, 160)
    ]
    text = "run,parameters,tokens,loss,batch\n"
    text += "\n".join(",".join(map(str, row)) for row in rows)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    place = str(tmp_path / "a.csv")
    assert read_runs(place).group.tolist() == np.arange(4).repeat(5).tolist()
    assert (
        len(set(read_runs(place, options=Options(group="batch")).group.tolist())) == 3
    )
    with pytest.raises(InputError, match='has no column "x" to group by'):
        read_runs(place, options=Options(group="x"))
