"""Exports, logs and pivots as people keep them, each read at once or as is offered.

The kinds are those of MLflow, Comet, Neptune, Aim, ClearML, DVC, Hydra, pandas,
nanotron, Composer, LitGPT and Hugging Face's trainer; the numbers are of one law.
"""

import json
import math

import pytest

from optimizer.errors import InputError
from optimizer.fitting.runs import Options, read_runs
from tests.fitting.made_runs import (
    NAMES,
    RUNS,
    SIZES,
    close,
    csv,
    loss,
    offered,
    read_in_two,
)

BUDGETS = (1e18, 3e18, 1e19, 3e19)
EXPORTS = {
    "MLflow": csv(
        (
            *("run_id", "status", "start_time", "params.n_params", "params.lr"),
            *("params.train_tokens", "metrics.val_loss", "metrics.train_loss"),
        ),
        lambda n, d, x: ("a1", "FINISHED", "2025-01-01", n, 3e-4, d, x, x - 0.1),
    ),
    "Comet": csv(
        ('"Experiment Key"', '"Name"', '"num_params"', '"total_tokens"', '"val_loss"'),
        lambda n, d, x: ("k", "r", n, d, x),
    ),
    "Neptune": csv(
        (
            *("sys/id", "sys/name", "parameters/model/n_params", "monitoring/gpu"),
            *("parameters/data/tokens", "metrics/val/loss", "metrics/train/loss"),
        ),
        lambda n, d, x: ("A-1", "r", n, 90, d, x, x - 1),
    ),
    "Neptune, budgets": csv(
        ("Id", "config/num_parameters", "config/max_tokens", "val/loss (last)"),
        lambda n, d, x: ("A-1", n, d, x),
    ),
    "Aim": csv(
        (
            *("run.hash", "run.hparams.model.n_params", "run.hparams.data.tokens"),
            "metric.val_loss.last",
        ),
        lambda n, d, x: ("h", n, d, x),
    ),
    "ClearML": csv(
        (
            *("Task ID", "Hyperparameters.General/n_params"),
            *("Hyperparameters.General/tokens", "Metrics.loss/val.Last"),
        ),
        lambda n, d, x: ("h", n, d, x),
    ),
    "steps and tokens a step": csv(
        ("run", "step", "tokens_per_step", "n_params", "val_loss"),
        lambda n, d, x: (f"r{n}-{d}", d / 2**19, 2**19, n, x),
    ),
    "iterations": csv(
        ("iteration", "global_batch_size", "context_length", "parameters", "val loss"),
        lambda n, d, x: (d / 2**19, 512, 1024, n, x),
    ),
    "a paper's table": csv(
        ("Model", "#Params", "#Tokens", "Loss ↓", "PPL ↓"),
        lambda n, d, x: ("m", NAMES[n].upper(), f"{d / 1e9:.10g}B", x, math.exp(x)),
    ),
    "words": csv(
        ("model size in millions", "tokens in billions", "final val loss (nats/token)"),
        lambda n, d, x: (n / 1e6, d / 1e9, x),
    ),
    "LaTeX": csv(
        ("N", "D", "Loss \\\\"),
        lambda n, d, x: (f"{n:.6g}", f"{d:.6g}", f"{x} \\\\"),
        " & ",
    ),
    "multiples": csv(
        ("size", "chinchilla_multiplier", "final_eval_loss"),
        lambda n, d, x: (NAMES[n], d / n / 20, x),
    ),
    "perplexity": csv(
        ("n_params", "n_tokens", "val_ppl"), lambda n, d, x: (n, d, math.exp(x))
    ),
    "Europe": csv(
        ("Parameter", "Tokens", "Verlust (loss)"),
        lambda n, d, x: (
            f"{n:,.0f}".replace(",", "."),
            f"{d:,.0f}".replace(",", "."),
            f"{x:.9f}".replace(".", ","),
        ),
        ";",
    ),
    "no word of English": csv(
        ("Modell", "Parameter (Mio.)", "Tokens (Mrd.)", "Verlust"),
        lambda n, d, x: (
            NAMES[n],
            *(f"{v:.9g}".replace(".", ",") for v in (n / 1e6, d / 1e9, x)),
        ),
        ";",
    ),
    "units with what they count": csv(
        ("Size [M params]", "Data [B tok]", "ppl (val)"),
        lambda n, d, x: (f"{n / 1e6:.9g}", f"{d / 1e9:.9g}", math.exp(x)),
        "\t",
    ),
    "an index and shorthands": csv(
        ("", "non_emb_params", "train_toks", "valid_nll"),
        lambda n, d, x: (RUNS.index((n, d)), n, d, x),
    ),
    "a prefix each": csv(
        (
            *("Name", "State", "cfg.model.n_params_non_embed", "cfg/optim.lr"),
            *("metrics/summary/tokens_processed", "val/c4_en/ce_loss"),
        ),
        lambda n, d, x: (NAMES[n], "finished", n, 3e-4, d, x),
    ),
}


@pytest.mark.parametrize("kind", EXPORTS)
def test_tables(tmp_path, kind):
    path = tmp_path / "runs.csv"
    path.write_text(EXPORTS[kind], encoding="utf-8")
    close(read_in_two(str(path))[0])


OBJECTS = {
    "split.json": {
        "columns": ["n_params", "tokens", "val_loss"],
        "index": [*range(len(RUNS))],
        "data": [[n, d, loss(n, d)] for n, d in RUNS],
    },
    "index.json": {
        f"run{i}": {"n_params": n, "tokens": d, "val_loss": loss(n, d)}
        for i, (n, d) in enumerate(RUNS)
    },
    "nested.json": [
        {
            "config": {"model": {"n_params": n}, "data": {"tokens": d}},
            "metrics": {"eval": {"loss": loss(n, d)}, "train": {"loss": 1}},
        }
        for n, d in RUNS
    ],
}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects(tmp_path, name):
    path = tmp_path / name
    path.write_text(json.dumps(OBJECTS[name]))
    close(read_runs(str(path)))


def test_yaml(tmp_path):
    path = tmp_path / "runs.yaml"
    told = [f"- n_params: {n}\n  tokens: {d}\n  loss: {loss(n, d)}\n" for n, d in RUNS]
    path.write_text("".join(told))
    close(read_runs(str(path)))
    path.write_text("- 1\n- 2\n")
    with pytest.raises(InputError, match="must be a list of runs"):
        read_runs(str(path))


@pytest.mark.parametrize("curves", [True, False])
def test_runs_with_their_history(tmp_path, curves):
    """Checkpoints as a list of objects, or as lists of numbers side by side."""
    shares = (0.35, 0.65, 1.0)
    told = []
    for n, d in RUNS:
        history = [{"tokens": d * s, "val_loss": loss(n, d * s)} for s in shares]
        if curves:
            history = {w: [e[w] for e in history] for w in ("tokens", "val_loss")}
        told.append({"hparams": {"num_parameters": n}, "history": history})
    path = tmp_path / "runs.json"
    path.write_text(json.dumps({"runs": told}))
    close(read_runs(str(path)))  # of checkpoints the ends
    runs = read_runs(str(path), options=Options(checkpoints="all"))
    assert runs.count == 48
    assert len(set(runs.group)) == 16
    for n, d, x in zip(runs.parameters, runs.tokens, runs.loss, strict=True):
        assert x == pytest.approx(loss(n, d), rel=1e-9)


def pivot(corner, across, down, cell):
    lines = [f"{corner},{','.join(str(a) for a, _ in across)}"]
    for name, y in down:
        lines.append(f"{name},{','.join(str(cell(x, y)) for _, x in across)}")
    return "\n".join(lines) + "\n"


SIZED = [(NAMES[n].upper(), n) for n in SIZES]
SPENT = [(f"{c:g}", c) for c in BUDGETS]
SEEN = [(f"{d}B tokens", d * 1e9) for d in (2, 5, 10, 30)]
PIVOTS = {
    "a line a budget": pivot("C", SIZED, SPENT, lambda n, c: loss(n, c / 6 / n)),
    "a bare corner": pivot("", SIZED, SPENT, lambda n, c: loss(n, c / 6 / n)),
    "a budget that is missed": pivot(
        *("budget (FLOP)", SIZED, SPENT),
        lambda n, c: "" if n * c == 7e7 * 1e18 else loss(n, c / 6 / n),
    ),
    "a line a size": pivot("params", SPENT, SIZED, lambda c, n: loss(n, c / 6 / n)),
    "tokens across": pivot("model", SEEN, SIZED, lambda d, n: loss(n, d)),
    "bare tokens across": pivot(
        "N", [(t.split()[0], d) for t, d in SEEN], SIZED, lambda d, n: loss(n, d)
    ),
}


@pytest.mark.parametrize("kind", PIVOTS)
def test_sizes_across(tmp_path, kind):
    path = tmp_path / "isoflops.csv"
    path.write_text(PIVOTS[kind])
    runs = read_runs(str(path))
    assert runs.count == 16 - (kind == "a budget that is missed")
    assert sorted(set(runs.parameters)) == pytest.approx(sorted(SIZES))
    for n, d, x in zip(runs.parameters, runs.tokens, runs.loss, strict=True):
        assert x == pytest.approx(loss(n, d), rel=1e-9)
    assert any("one run a cell" in note.message for note in runs.notes)


def test_a_table_of_years_is_no_pivot(tmp_path):
    path = tmp_path / "spend.csv"
    path.write_text("team,2023,2024,2025\na,1,2,3\nb,2,3,4\n")
    with pytest.raises(InputError, match="lacks the columns"):
        read_runs(str(path))


def steps(n, d, last=20):
    """The share of a run that is done, its tokens and its loss."""
    return [(i, d * i / last, loss(n, d * i / last)) for i in range(1, last + 1)]


def nanotron(n, d):
    yield f"INFO [default]: Total number of parameters: {n / 1e9:.6f}G (2345.67MiB)"
    for i, seen, x in steps(n, d):
        yield (
            f"03/01/2025 [INFO|DP=0|PP=0|TP=0]: iteration: {i} / 20 | consumed_tokens: "
            f"{seen / 1e6:.6f}M | tokens_per_sec: 1.2M | global_batch_size: 1.05M | "
            f"lm_loss: {x:.9f} | lr: 0.0003 | grad_norm: 0.5"
        )


def composer(n, d):
    yield f"num params: {n:.0f}"
    for i, seen, x in steps(n, d):
        yield f"[batch={i * 50}/1000]:"
        yield f"\t Train time/token: {seen:.0f}"
        yield f"\t Train metrics/train/LanguageCrossEntropy: {x + 0.2:.4f}"
        yield "[eval_batch=8/8]:"
        yield f"\t Eval metrics/eval/LanguageCrossEntropy: {x:.9f}"


def litgpt(n, d):
    yield f"Number of trainable parameters: {n:,.0f}"
    for i, _, x in steps(n, d):
        yield (
            f"Epoch 1 | iter {i * 100} step {i} | loss train: {x + 0.2:.3f}, "
            f"val: {x:.9f} | iter time: 300.11 ms (step) remaining time: 0:01:02"
        )


def trainer(n, d):
    yield f"  Number of trainable parameters = {n:,.0f}"
    for i, seen, x in steps(n, d):
        more = {"num_input_tokens_seen": int(seen), "epoch": i / 20}
        yield str({"loss": round(x + 0.2, 4), "learning_rate": 3e-4, **more})
        yield str({"eval_loss": x, "eval_runtime": 3.2, **more})
    yield str({"train_runtime": 100.0, "train_loss": 4.4, "epoch": 1.0})


@pytest.mark.parametrize("log", [composer, trainer, nanotron, litgpt])
def test_logs(tmp_path, log):
    for n, d in RUNS:
        path = tmp_path / f"run-{NAMES[n]}-{d / n:.0f}.log"
        path.write_text("\n".join(log(n, d)) + "\n")
    if log is litgpt:  # which says nothing of tokens
        with pytest.raises(InputError) as caught:
            read_runs(str(tmp_path))
        found = offered(str(caught.value))["--column"]
        assert found == {"tokens": "step*TOKENS_A_STEP"}
        return
    runs = read_runs(str(tmp_path))
    if log is not nanotron:
        close(runs)
        return
    # Without an evaluation it is the mean of the last ten training losses.
    assert runs.count == len(RUNS)
    for n, d, x in zip(runs.parameters, runs.tokens, runs.loss, strict=True):
        last = [each for _, _, each in steps(n, d)][-10:]
        assert x == pytest.approx(sum(last) / 10, rel=1e-6)


@pytest.mark.parametrize("style", ["exp-{n:.0f}-{d:.0f}", "model={m},tokens={b:.10g}B"])
def test_a_folder_a_run_with_one_file_of_metrics(tmp_path, style):
    """As DVC keeps them, and Hydra, whose folders have the sizes in their names."""
    for n, d in RUNS:
        place = tmp_path / style.format(n=n, d=d, m=NAMES[n], b=d / 1e9)
        place.mkdir()
        told = {"val_loss": loss(n, d)}
        told |= {"n_params": n, "tokens": d} if style.startswith("exp") else {}
        (place / "metrics.json").write_text(json.dumps(told))
    close(read_runs(str(tmp_path)))


def test_lightning_keeps_training_and_evaluation_in_rows_of_their_own(tmp_path):
    for n, d in RUNS:
        place = tmp_path / f"gpt-{NAMES[n]}-{d / n:.0f}x" / "version_0"
        place.mkdir(parents=True)
        lines = ["epoch,lr,step,train_loss,val_loss"]
        for i, _, x in steps(n, d):
            lines += [f"0,,{i * 50 - 1},{x + 0.3},", f"0,,{i * 50 - 1},,{x}"]
        (place / "metrics.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as caught:
        read_runs(str(tmp_path))
    assert offered(str(caught.value))["--column"] == {"tokens": "step*TOKENS_A_STEP"}
    runs = read_runs(str(tmp_path), {"tokens": "step*524288"})
    ends = [loss(n, d) for n, d in RUNS]
    assert sorted(set(runs.parameters)) == pytest.approx(sorted(SIZES))
    assert set(ends) <= set(runs.loss)
