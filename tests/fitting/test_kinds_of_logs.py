"""One file a run: logs, states and charts of trainers are one table of their ends.

The lines are those that tools write (Hugging Face's trainer, TensorBoard, Megatron,
torchtitan, OLMo, nanoGPT, Weights & Biases, lm-eval); numbers are made from one law.
"""

import json

import pytest

from optimizer.errors import InputError
from optimizer.fitting.runs import Options, read_runs
from tests.fitting.made_runs import (
    NAMES,
    RUNS,
    SIZES,
    close,
    loss,
    offered,
    read_in_two,
)


def logged(kind, n, d, x):
    """The log of one run as some trainer writes it, 40 steps long."""
    step = d / 40
    lines = []
    if kind == "megatron":
        lines += ["  seq_length ...................................... 2048"]
        lines += [
            f" > number of parameters on (tensor, pipeline) model parallel rank "
            f"({i}, 0): {n / 2:.0f}"
            for i in (0, 1)
        ]
    elif kind == "torchtitan":
        lines += [
            f"[titan] - root - INFO - Model llama3 1B size: {n:,.0f} total parameters",
            "[titan] - root - INFO - Training starts at step 1, with local batch "
            f"size 8, global batch size {step / 2048:.0f}, sequence length 2048",
        ]
    elif kind == "olmo":
        lines += [
            f"INFO [train] Total number of parameters: {n:,.0f}",
            "INFO [train] Number of non-embedding parameters: 1,000,000",
        ]
    else:
        lines += [
            f"number of parameters: {n / 1e6:.2f}M",
            f"tokens per iteration will be: {step:,.0f}",
        ]
    for i in range(1, 41):
        now = x + (40 - i) * 0.01
        if kind == "megatron":
            lines += [
                f" iteration {i:8d}/ 40 | consumed samples: {i * 8:12d} | consumed "
                f"tokens: {i * step:.0f} | elapsed time per iteration (s): 3.2 | "
                f"learning rate: 4.1E-05 | lm loss: {now + 0.2:.6E} | grad norm: 2 |",
                f" validation loss at iteration {i} | lm loss value: {now:.6E} | lm "
                "loss PPL: 2.0E+01 |",
            ]
        elif kind == "torchtitan":
            lines += [
                f"[titan] - root - INFO - step: {i:2d}  loss:  {now + 0.2:.5f}  "
                "memory: 42.1GiB(44%)  tps: 7,900  tflops: 420.1  mfu: 42.5%",
                f"[titan] - root - INFO - validate step: {i:2d}  loss:  {now:.7f}  "
                "memory: 42.1GiB(44%)  tps: 7,900",
            ]
        elif kind == "olmo":
            lines += [
                f"INFO [train] [step={i}/40,epoch=0]",
                f"    train/CrossEntropyLoss={now + 0.2:.4f}",
                f"    throughput/total_tokens={i * step:,.0f}",
                "    throughput/device/tokens_per_second=12,000",
                f"    eval/c4_en-validation/CrossEntropyLoss={now:.7f}",
            ]
        else:
            lines += [
                f"step {i}: train loss {now + 0.2:.4f}, val loss {now:.7f}",
                f"iter {i}: loss {now + 0.2:.4f}, time 200.12ms, mfu 41.00%",
            ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", ["megatron", "torchtitan", "olmo", "nanogpt"])
def test_a_folder_of_logs_is_a_table_of_their_ends(tmp_path, kind):
    for n, d in RUNS:
        d_ = round(d / 40 / 2048) * 2048 * 40
        text = logged(kind, n, d_, loss(n, d_))
        (tmp_path / f"run-{NAMES[n]}-{d / n:.0f}x.log").write_text(text)
    runs = read_runs(str(tmp_path))
    close(runs)
    assert any("640 rows are checkpoints of 16 runs" in n.message for n in runs.notes)
    every = read_runs(str(tmp_path), options=Options(checkpoints=0.5))
    assert every.count == 16 * 21
    assert len(set(every.group.tolist())) == 16
    alone = str(next(tmp_path.glob("*.log")))
    with pytest.raises(InputError, match="One run is no law"):
        read_runs(alone)


def test_trainer_states_with_sizes_in_the_names_of_their_folders(tmp_path):
    for n, d in RUNS:
        place = tmp_path / f"gpt-{NAMES[n]}-{d / n:.0f}x"
        place.mkdir()
        steps = [{"step": s, "loss": 9.0} for s in (100, 200)]
        steps += [{"step": s, "eval_loss": loss(n, d) + (400 - s)} for s in (200, 400)]
        state = {
            "global_step": 400,
            "total_flos": 6 * n * d,
            "log_history": [*steps, {"step": 400, "train_loss": 3.4}],
        }
        (place / "trainer_state.json").write_text(json.dumps(state))
    runs = read_runs(str(tmp_path / "*" / "trainer_state.json"))
    close(runs)
    # transformers 5.24: tokens that are worked out from total_flos need N's footing.
    told = [n.done for n in runs.notes if "total_flos counts 6 FLOP" in n.message]
    assert len(told) == 1
    assert "num_input_tokens_seen is better" in told[0]


def test_a_chart_of_weights_and_biases_by_names_and_tokens(tmp_path):
    names = [f"run-{NAMES[n]}-{i}" for i, (n, _) in enumerate(RUNS)]
    head = ["tokens"]
    head += [f"{r} - eval/loss{e}" for r in names for e in ("", "__MIN", "__MAX")]
    lines = [",".join(f'"{h}"' for h in head)]
    for share in (0.25, 0.5, 1.0):
        for at, (n, d) in enumerate(RUNS):
            cells = [""] * len(names)
            cells[at] = str(loss(n, share * d))
            triple = ",".join(f'"{c}"' for c in cells for _ in range(3))
            lines.append(f'"{share * d:.0f}",{triple}')
    path = tmp_path / "chart.csv"
    path.write_text("\n".join(lines) + "\n")
    close(read_runs(str(path)))


def test_a_chart_without_sizes_takes_them_from_a_table(tmp_path):
    names = [f"run-{i}" for i in range(len(RUNS))]
    head = ["Step"]
    head += [f"{r} - eval/loss{e}" for r in names for e in ("", "__MIN", "__MAX")]
    lines = [",".join(f'"{h}"' for h in head)]
    for share in (0.5, 1.0):
        cells = [loss(n, share * d) for n, d in RUNS]
        lines.append(
            ",".join(map(str, [1000 * share, *[c for c in cells for _ in "123"]]))
        )
    chart = tmp_path / "chart.csv"
    chart.write_text("\n".join(lines) + "\n")
    more = tmp_path / "sizes.csv"
    rows = [f"{r},{n},{d / 1000}" for r, (n, d) in zip(names, RUNS, strict=True)]
    more.write_text("\n".join(["name,n_params,tokens_per_step", *rows]) + "\n")
    with pytest.raises(InputError) as caught:
        read_runs(str(chart))
    assert "--column parameters=NAME" in str(caught.value)
    assert "tokens=Step*TOKENS_A_STEP" in str(caught.value)
    assert "--table FILE" in str(caught.value)
    runs, again = read_in_two(str(chart), table=str(more))
    assert again
    close(runs)


def test_tensorboard_exports_of_a_folder(tmp_path):
    for n, d in RUNS:
        name = f"run-{NAMES[n]}-{d / n:.0f}x-tag-eval_loss.csv"
        rows = [f"17000{i},{1000 * s},{loss(n, s * d)}" for i, s in enumerate((0.5, 1))]
        (tmp_path / name).write_text("\n".join(["Wall time,Step,Value", *rows]) + "\n")
    with pytest.raises(InputError) as caught:
        read_runs(str(tmp_path))
    found = offered(str(caught.value))
    assert found["--column"] == {"tokens": "step*TOKENS_A_STEP"}
    chosen = {"tokens": "step*524288"}
    runs = read_runs(str(tmp_path), chosen)
    assert runs.count == 16
    assert set(runs.tokens) == {1000 * 524288.0}
    assert sorted(set(runs.parameters)) == pytest.approx(sorted(SIZES))


def test_results_of_an_evaluation_harness(tmp_path):
    for n, d in RUNS:
        result = {
            "results": {
                "wikitext": {
                    "bits_per_byte,none": loss(n, d),
                    "word_perplexity,none": 9,
                }
            },
            "config": {"model_num_parameters": int(n)},
            "model_name": f"m-{d / 1e9:.10g}Btok",
        }
        (tmp_path / f"{n:.0f}-{d:.0f}.json").write_text(json.dumps(result))
    runs, _ = read_in_two(str(tmp_path))
    close(runs)
    assert runs.loss_unit == "bits per byte"
