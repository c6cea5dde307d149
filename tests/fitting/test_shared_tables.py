"""Published tables of runs and cuts of them, as they were found: all of them are read.

The tables stand beside the repository and never in it; without them nothing is tested.
Sources: beyond-chinchilla (Apache-2.0), gemstone-scaling-laws (MIT), OLMo's ladder
(Apache-2.0), datablations (Apache-2.0), OpenEuroLLM's dense English runs.
"""

import pytest

import cli
from optimizer.errors import InputError
from optimizer.fitting.fit import Settings, fit
from optimizer.fitting.runs import Options, read_runs

READ = {
    "cases/bits-per-byte.csv": 20,
    "cases/checkpoints.csv": 120,
    "cases/decimal-comma.csv": 20,
    "cases/own-compute.csv": 12,
    "cases/runs-array.json": 20,
    "cases/runs/checkpoints-cosine.csv": 150,
    "cases/runs/checkpoints-of-five-runs.csv": 120,
    "cases/runs/compute-in-gflop.csv": 72,
    "cases/runs/e-at-its-bound.csv": 121,
    "cases/runs/final-losses-25-runs.csv": 25,
    "cases/runs/isoflops-array-compact.jsonl": 20,
    "cases/runs/isoflops-array.json": 36,
    "cases/runs/names-final_loss.jsonl": 34,
    "cases/runs/names-n-d.csv": 17,
    "cases/runs/names-n_params-val_loss.csv": 12,
    "cases/runs/names-params-budget.csv": 31,
    "cases/runs/repeated-data.csv": 99,
    "cases/runs/sweep-of-learning-rates.csv": 151,
    "cases/runs/two-losses-mixed.csv": 90,
    "cases/runs/wrong-loss-column.csv": 20,
    "data/datablations.csv": 296,
    "data/gemstones-cool-end.jsonl": 199,
    "data/olmo-ladder-constant-checkpoints.csv": 648,
    "data/olmo-ladder-cosine-ends.csv": 25,
    "data/olmo-ladder-decayed-ends.csv": 25,
    "data/openeurollm-2026-runs.csv": 51,
    "data/sardana-2024-training-runs.csv": 47,
}
LACKING = {
    "cases/runs/wandb-chart-export.csv": (
        "is a chart exported by Weights & Biases",
        "--column loss=train/loss --column 'tokens=Step*TOKENS_A_STEP'",
    ),
    "cases/runs/tensorboard-export.csv": (
        "is a TensorBoard export of one curve",
        "--column parameters=124M --column 'tokens=step*TOKENS_A_STEP'",
    ),
    "cases/runs/trainer_state.json": (
        "its last eval_loss (2.9137 at step 400), not train_loss",
        "--column parameters=124M",
    ),
    "cases/runs/megatron-log.txt": (
        'found "lm loss" as loss and "tokens" as tokens',
        "--column parameters=124M",
    ),
}


@pytest.mark.parametrize("file", READ)
def test_read_unchanged(shared, file):
    assert read_runs(str(shared / file)).count == READ[file]


@pytest.mark.parametrize("file", [name for name in READ if name.startswith("data/")])
def test_published_runs_are_fitted_by_their_name_alone(shared, file, capsys):
    line = ["fit", str(shared / file), "--draws", "50", "--starts", "0"]
    assert cli.main(line) == 0
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    assert "Warning" not in told.err
    assert "alpha" in told.out


@pytest.mark.parametrize("file", LACKING)
def test_what_is_lacking_is_asked_for_by_name(shared, file):
    with pytest.raises(InputError) as caught:
        read_runs(str(shared / file))
    for part in LACKING[file]:
        assert part in str(caught.value)


def test_a_curve_of_one_run_has_one_size(shared):
    runs = read_runs(str(shared / "cases/runs/one-run-tokens-compute.csv"))
    assert len(set(runs.parameters)) == 1
    with pytest.raises(InputError, match=r"have 3\.172e\+08 parameters"):
        fit(runs, Settings(starts=0, draws=50))


def test_ends_of_checkpoints_are_the_table_of_ends(shared):
    """README of the cuts: the 25 ends give E 1.86, alpha 0.27 and beta 0.16."""
    place = str(shared / "cases/runs/checkpoints-cosine.csv")
    ends = read_runs(place, options=Options(checkpoints="ends"))
    told = read_runs(str(shared / "cases/runs/final-losses-25-runs.csv"))
    assert sorted(ends.loss) == sorted(told.loss)
    law = fit(ends, Settings(starts=0, draws=50)).coefficients
    assert law["E"] == pytest.approx(1.86, abs=0.01)
    assert law["alpha"] == pytest.approx(0.27, abs=0.01)
    assert law["beta"] == pytest.approx(0.16, abs=0.01)


def test_the_published_fit_of_gemstones(shared):
    """Published for the cool-down: E 2.0748, alpha 0.3004, beta 0.5802."""
    runs = read_runs(str(shared / "data/gemstones-cool-end.jsonl"))
    law = fit(runs, Settings(starts=0, draws=50)).coefficients
    assert law["E"] == pytest.approx(2.0748, abs=5e-5)
    assert law["alpha"] == pytest.approx(0.3004, abs=5e-5)
    assert law["beta"] == pytest.approx(0.5802, abs=5e-5)


def test_repeated_data_under_a_form_that_does_not_know_them_are_told(shared):
    runs = read_runs(str(shared / "data/datablations.csv"))
    found = fit(runs, Settings(starts=0, draws=50))
    told = [n for n in found.runs.notes if "repeat their data" in n.message]
    assert told[0].message.startswith("255 of 296 runs")
    assert "--form data-constrained" in told[0].done
