"""Tables of the kinds that people have: each is read, or the offered command reads it.

The columns are those that tools write (Weights & Biases, levanter, lm-eval) and that
published tables have; the numbers are made from one law.
"""

import gzip
import json
import math
import re

import pytest

from optimizer.analysis.law.judgement import Asked, judge
from optimizer.errors import InputError
from optimizer.fitting.fit import Settings, fit
from optimizer.fitting.fitlaw import About
from optimizer.fitting.runs import Options, read_runs
from tests.fitting.made_runs import (
    NAMES,
    RUNS,
    close,
    csv,
    loss,
    read_in_two,
)

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
    "decimal commas": csv(
        ("Parameter (Mrd.)", "Tokens (Mrd.)", "Loss"),
        lambda n, d, x: (str(v).replace(".", ",") for v in (n / 1e9, d / 1e9, x)),
        sep=";",
    ),
}
SECOND = {
    "decimal commas, units in a word": csv(
        ("Parameter (Milliarden)", "Tokens (Milliarden)", "Loss"),
        lambda n, d, x: (str(v).replace(".", ",") for v in (n / 1e9, d / 1e9, x)),
        sep=";",
    ),
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
    "steps in all": csv(
        ("Run", "params", "total_steps", "batch_size", "context_length", "val/loss"),
        lambda n, d, x: ("r", n, d / 2**19, 256, 2048, x),
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
