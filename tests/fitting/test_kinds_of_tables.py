"""Tables of the kinds that people have: each is read, or the offered command reads it.

The columns and lines are those that tools write (Weights & Biases, Hugging Face's
trainer, TensorBoard, Megatron, torchtitan, OLMo, nanoGPT, levanter, lm-eval) and
that published tables have; the numbers are made from one law.
"""

import gzip
import itertools
import json
import math
import re
import shlex

import pytest

from optimizer.analysis.law.judgement import Asked, judge
from optimizer.errors import InputError
from optimizer.fitting.fit import Settings, fit
from optimizer.fitting.fitlaw import About
from optimizer.fitting.runs import Options, read_runs

SIZES = (7e7, 1.6e8, 4.1e8, 1.4e9)
RATIOS = (10, 20, 40, 160)
RUNS = [(n, n * r) for n in SIZES for r in RATIOS]
NAMES = {7e7: "70m", 1.6e8: "160m", 4.1e8: "410m", 1.4e9: "1.4b"}


def loss(n, d):
    return 1.8 + 400 * n**-0.34 + 2000 * d**-0.37


def csv(names, row, sep=",", runs=RUNS, before=(), after=()):
    lines = [*before, sep.join(names), *after]
    lines += [sep.join(str(c) for c in row(n, d, loss(n, d))) for n, d in runs]
    return "\n".join(lines) + "\n"


def offered(said):
    """The columns and units of the command that a refusal offers."""
    line = next(x for x in said.split("\n") if "overtrain fit" in x)
    words = shlex.split(line[line.index("overtrain fit") :])
    found = {"--column": {}, "--unit": {}, "--bytes-per-token": None}
    for flag, value in itertools.pairwise(words):
        if flag in ("--column", "--unit"):
            word, _, name = value.partition("=")
            found[flag][word] = name.rstrip(".")
    return found


def read_in_two(path, **options):
    """The runs at the first command, or at the one that the refusal of it offers."""
    try:
        return read_runs(path, options=Options(**options)), False
    except InputError as error:
        said = str(error)
    found = offered(said)
    args = found["--column"], found["--unit"]
    return read_runs(path, *args, Options(**options)), True


W = ("Name", "State", "Notes", "Created", "Runtime")
FIRST = {
    "wandb runs": csv(
        (*W, "model.num_params", "train_tokens", "eval/loss", "train/loss", "_step"),
        lambda n, d, x: ("r", "finished", "", "2025", 9, n, d, x, x - 0.05, d / 5e5),
    ),
    "wandb quoted": csv(
        ('"Name"', '"parameter_count"', '"throughput/total_tokens"', '"eval/loss"'),
        lambda n, d, x: ('"r"', f'"{n:.0f}"', f'"{d:.0f}"', f'"{x}"'),
    ),
    "non-emb": csv(
        ("N (non-emb)", "D (tokens)", "C (FLOPs)", "loss"),
        lambda n, d, x: (n, d, 6 * n * d, x),
    ),
    "in millions": csv(
        ("Model Size (M)", "Tokens (B)", "Val Loss"),
        lambda n, d, x: (n / 1e6, d / 1e9, x),
    ),
    "suffixes": csv(
        ("params_m", "tokens_b", "val_loss"), lambda n, d, x: (n / 1e6, d / 1e9, x)
    ),
    "logs": csv(
        ("log10_params", "log10_flops", "final_loss"),
        lambda n, d, x: (math.log10(n), math.log10(6 * n * d), x),
    ),
    "index": csv(("", "n_params", "n_tokens", "loss"), lambda n, d, x: (7, n, d, x)),
    "unnamed": csv(("Unnamed: 0", "N", "D", "L"), lambda n, d, x: (7, n, d, x)),
    "units row": csv(
        ("N", "D", "loss"),
        lambda n, d, x: (n / 1e6, d / 1e9, x),
        after=("(M),(B tokens),(nats)",),
    ),
    "title": csv(
        ("N", "D", "loss"),
        lambda n, d, x: (n, d, x),
        before=("Table 3: all runs,,", ",,", "# made by hand"),
    ),
    "semicolons": csv(
        ("params", "tokens", "loss"),
        lambda n, d, x: (f"{n:.0f}", f"{d:.0f}", str(x).replace(".", ",")),
        ";",
    ),
    "thousands": csv(
        ("params", "tokens", "loss"),
        lambda n, d, x: (f'"{n:,.0f}"', f'"{d:,.0f}"', x),
    ),
    "spaces": csv(("N", "D", "loss"), lambda n, d, x: (n, d, x), "  "),
    "bars": csv(
        ("| N", "D", "loss |"),
        lambda n, d, x: (f"| {n}", d, f"{x} |"),
        "|",
        after=("|---|---:|---|",),
    ),
    "letters": csv(
        ("model_size", "tokens", "val_loss"),
        lambda n, d, x: (NAMES[n], f"{d / 1e9:.10g}B", x),
    ),
    "names of models": csv(
        ("model", "tokens", "loss"), lambda n, d, x: (f"my-{NAMES[n]}-v2", d, x)
    ),
    "ratio": csv(
        ("params", "tokens_per_param", "val_loss"), lambda n, d, x: (n, d / n, x)
    ),
    "D/N": csv(("N", "D/N", "loss"), lambda n, d, x: (n, d / n, x)),
    "svg": csv(
        ("Model Size", "Training FLOP", "loss"), lambda n, d, x: (n, 6 * n * d, x)
    ),
    "twice": csv(("N", "D", "loss", "step", "step"), lambda n, d, x: (n, d, x, 1, 2)),
    "header again": csv(
        ("N", "D", "loss"), lambda n, d, x: (n, d, x), after=("N,D,loss",) * 2
    ),
    "not numbers": csv(
        ("N", "D", "loss"),
        lambda n, d, x: (n, d, x),
        after=("1e8,2e9,NaN", "1e8,2e9,inf", "1e8,2e9,", ",,", "1e8,2e9,diverged"),
    ),
    "camels": csv(("numParams", "trainTokens", "valLoss"), lambda n, d, x: (n, d, x)),
    "flops in units": csv(
        ("n_params", "total_gflops", "test_loss"),
        lambda n, d, x: (n, 6 * n * d / 1e9, x),
    ),
}
SECOND = {
    "several losses": csv(
        (
            *("parameter_count", "throughput/total_tokens", "throughput/total_gflops"),
            *("eval/paloma/c4_en/loss", "eval/paloma/macro_loss", "train/loss"),
        ),
        lambda n, d, x: (n, d, 6 * n * d / 1e9, x + 0.1, x, x - 1),
    ),
    "training loss": csv(("params", "tokens", "train_loss"), lambda n, d, x: (n, d, x)),
    "steps": csv(
        ("N", "step", "batch_size", "seq_len", "val_loss"),
        lambda n, d, x: (n, d / 2**19, 256, 2048, x),
    ),
    "bare millions": csv(
        ("params", "tokens", "loss"), lambda n, d, x: (n / 1e6, d / 1e9, x)
    ),
    "bare billions and flops": csv(
        ("params", "flops", "loss"), lambda n, d, x: (n / 1e9, 6 * n * d, x)
    ),
    "two sizes": csv(
        ("params", "n_params", "tokens", "loss"), lambda n, d, x: (n, n, d, x)
    ),
}


def close(runs):
    """All runs, and their losses as the law has them."""
    assert runs.count == len(RUNS)
    for n, d, x in zip(runs.parameters, runs.tokens, runs.loss, strict=True):
        assert x == pytest.approx(loss(n, d), rel=1e-6)
    assert sorted(set(runs.parameters.round())) == pytest.approx(sorted(SIZES))


@pytest.mark.parametrize("kind", FIRST)
def test_read_at_the_first_command(tmp_path, kind):
    path = tmp_path / "a.csv"
    path.write_text(FIRST[kind], encoding="utf-8")
    close(read_runs(str(path)))


@pytest.mark.parametrize("kind", SECOND)
def test_read_by_the_command_that_is_offered(tmp_path, kind):
    path = tmp_path / "a b.csv"
    path.write_text(SECOND[kind], encoding="utf-8")
    runs, again = read_in_two(str(path))
    assert again
    close(runs)


def test_an_offer_keeps_what_was_typed(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(SECOND["training loss"], encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_runs(str(path), options=Options(command="overtrain fit a.csv --best"))
    end = "overtrain fit a.csv --best --column loss=train_loss"
    assert str(caught.value).endswith(end)


@pytest.mark.parametrize(
    ("column", "value", "unit", "per_token"),
    [
        ("val_bpb", lambda x: x / 4.2 / math.log(2), "bits per byte", None),
        ("val_bpb", lambda x: x / 4.2 / math.log(2), "nats per token", 4.2),
        ("eval/bits_per_byte", lambda x: x, "bits per byte", None),
        ("ppl", math.exp, "nats per token", None),
        ("val perplexity", math.exp, "nats per token", None),
        ("eval loss (bits)", lambda x: x / math.log(2), "nats per token", None),
        ("val_bpc", lambda x: x, "bits per character", None),
    ],
)
def test_units_of_a_loss_are_read_off_its_name(
    tmp_path, column, value, unit, per_token
):
    path = tmp_path / "a.csv"
    rows = csv(("N", "D", column), lambda n, d, x: (n, d, value(x)))
    path.write_text(rows, encoding="utf-8")
    runs = read_runs(str(path), options=Options(per_token=per_token))
    assert runs.loss_unit == unit
    assert any("losses are in" in note.message for note in runs.notes)
    if unit == "nats per token":
        close(runs)
    else:
        assert runs.loss[0] == pytest.approx(value(loss(*RUNS[0])))


def test_a_unit_that_is_none_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(FIRST["D/N"], encoding="utf-8")
    with pytest.raises(InputError, match="choose of nats, bits, bpb, bpc, ppl"):
        read_runs(str(path), units={"loss": "dB"})
    with pytest.raises(InputError, match="Add --unit loss=bpb"):
        read_runs(str(path), options=Options(per_token=4.0))


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
    close(read_runs(str(tmp_path / "*" / "trainer_state.json")))


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


def test_nested_json_runs_by_name_and_lines_of_metrics(tmp_path):
    nested = [
        {"config": {"n_params": {"value": n}}, "summary": {"tokens": d, "val_loss": x}}
        for n, d in RUNS
        for x in (loss(n, d),)
    ]
    named = {
        f"run {i}": row["summary"] | {"N": n}
        for i, (row, (n, _)) in enumerate(zip(nested, RUNS, strict=True))
    }
    curves = {
        f"run {i}": [
            {"params": n, "tokens": s * d, "loss": loss(n, s * d)} for s in (0.5, 1)
        ]
        for i, (n, d) in enumerate(RUNS)
    }
    rows = [["N", "D", "loss"], *[[n, d, loss(n, d)] for n, d in RUNS]]
    for name, said in (("a", nested), ("b", named), ("c", curves), ("d", rows)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(said))
        close(read_runs(str(path)))
    folder = tmp_path / "runs"
    folder.mkdir()
    for n, d in RUNS:
        lines = [
            {
                "_step": s,
                "throughput/total_tokens": d * s / 9,
                "eval/loss": loss(n, d * s / 9),
                "parameter_count": n,
            }
            for s in (1, 5, 9)
        ]
        text = "\n".join(map(json.dumps, lines)).encode()
        (folder / f"{n:.0f}-{d:.0f}.jsonl.gz").write_bytes(gzip.compress(text))
    close(read_runs(str(folder)))


def test_excel_and_parquet(tmp_path):
    openpyxl = pytest.importorskip("openpyxl", reason="the optional part excel")
    book = openpyxl.Workbook()
    book.active.title = "about"
    book.active.append(["Runs of last year"])
    sheet = book.create_sheet("runs")
    sheet.append(["All runs"])
    sheet.append([])
    sheet.append(["Model", "Params (M)", "Tokens (B)", "Val loss"])
    for n, d in RUNS:
        sheet.append([NAMES[n], n / 1e6, d / 1e9, loss(n, d)])
    book.save(tmp_path / "runs.xlsx")
    close(read_runs(str(tmp_path / "runs.xlsx")))
    (tmp_path / "bad.xlsx").write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(InputError, match="is not an Excel workbook"):
        read_runs(str(tmp_path / "bad.xlsx"))


def test_other_encodings(tmp_path):
    text = csv(
        ("Größe N", "Modell", "params", "D", "loss"), lambda n, d, x: (1, "ä", n, d, x)
    )
    for name, code in (
        ("a.csv", "utf-16"),
        ("b.csv", "cp1252"),
        ("c.csv", "utf-8-sig"),
    ):
        (tmp_path / name).write_bytes(text.encode(code))
        close(read_runs(str(tmp_path / name)))


def test_what_would_not_fit_in_memory_is_refused_before_it_is_read(tmp_path):
    wide = tmp_path / "wide.csv"
    wide.write_text(",".join(f"c{i}" for i in range(100_000)) + "\n1,2,3\n")
    with pytest.raises(InputError, match="has 100,000 columns"):
        read_runs(str(wide))
    long = tmp_path / "long.csv"
    long.write_text("parameters,tokens,loss\n" + "1e8,1e10,3\n" * 1_400_000)
    with pytest.raises(InputError, match="cells, of which 4,000,000 may be read"):
        read_runs(str(long))
    arrow = pytest.importorskip("pyarrow", reason="the optional part data")
    parquet = pytest.importorskip("pyarrow.parquet")
    place = tmp_path / "unfolds.parquet"
    same = arrow.table({"loss": arrow.array([2.5] * 5_000_000)})
    parquet.write_table(same, place)
    assert place.stat().st_size < 200_000
    with pytest.raises(InputError, match="5,000,000 cells"):
        read_runs(str(place))


def test_more_rows_than_can_be_resampled_are_thinned_by_run(tmp_path):
    path = tmp_path / "long.csv"
    lines = ["run,N,D,loss"]
    for i in range(5):
        n = 1e8 * 2**i
        lines += [f"r{i},{n},{n + 1e6 * j},{3 - j * 1e-5}" for j in range(10_000)]
    path.write_text("\n".join(lines))
    runs = read_runs(str(path))
    assert runs.count == 5 * 3334
    assert len(set(runs.group.tolist())) == 5
    last = [runs.tokens[runs.group == g].max() for g in range(5)]
    assert last == [1e8 * 2**i + 1e6 * 9999 for i in range(5)]
    assert any("one in 3 of each run taken" in note.done for note in runs.notes)
    alone = path.read_text().replace("run,", "other,")
    path.write_text(alone)
    with pytest.raises(InputError, match="--group COLUMN --checkpoints ends"):
        read_runs(str(path))


def test_runs_that_a_table_calls_crashed_are_told(tmp_path):
    path = tmp_path / "a.csv"
    rows = csv(
        ("N", "D", "loss", "State"),
        lambda n, d, x: (n, d, x, "crashed" if n < 1e8 else "finished"),
    )
    path.write_text(rows)
    told = [n for n in read_runs(str(path)).notes if "crashed" in n.message]
    assert re.fullmatch("4 runs are crashed: lines 2 to 5", told[0].message)
    assert told[0].done == 'kept; --exclude "State = crashed"'


def test_a_chosen_column_says_its_unit_itself(tmp_path):
    path = tmp_path / "a.csv"
    columns = ("size", "throughput/total_gflops", "x", "loss")
    path.write_text(csv(columns, lambda n, d, x: (n, 6 * n * d / 1e9, 1, x)))
    chosen = {"compute": "throughput/total_gflops"}
    close(read_runs(str(path), chosen))
    runs = read_runs(str(path), chosen, {"compute": "TFLOP"})
    assert runs.tokens[0] == pytest.approx(1000 * RUNS[0][1])


def test_exact_runs_are_held_by_the_intervals_of_their_own_digits(made):
    """Losses of six digits of a law itself: nothing is off but the rounding."""
    runs = made.runs(lambda n, d: round(loss(n, d), 6), *made.grid(5, 5))
    found = judge(fit(runs, Settings(starts=0, draws=60)), About("mine"), Asked())
    assert found.against == ()
    assert all(verdict.identified for verdict in found.verdicts)
