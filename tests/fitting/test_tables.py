"""Tables of runs as people have them: names, formats, units, and what is told.

The shapes of the tables are those of published ones (isoFLOP sets handed out in a
course, exports of Weights & Biases and TensorBoard, a trainer's state, a log); the
numbers are made.
"""

import gzip
import json
import os

import pytest

from optimizer.errors import InputError
from optimizer.fitting.oddities import spans, summed
from optimizer.fitting.runs import Options, read_runs
from optimizer.fitting.tables.read import read_table
from optimizer.fitting.tables.table import Note

LAW = (1.8, 400.0, 2000.0, 0.34, 0.37)


def loss(n, d):
    E, A, B, alpha, beta = LAW
    return E + A * n**-alpha + B * d**-beta


RUNS = [(n, n * r) for n in (2e8, 4e8, 8e8) for r in (10, 20, 40)]


def written(path, names, rows, sep=","):
    lines = [sep.join(names), *(sep.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "names",
    [
        ("N", "D", "loss"),
        ("n_params", "n_tokens", "val_loss"),
        ("parameter_count", "throughput/total_tokens", "eval/paloma/macro_loss"),
        ("params_active_precise", "tokens", "final_loss"),
        ("Model Size", "Tokens Seen", "Smoothed Loss"),
        ("Parameters", "training tokens", "eval/loss"),
    ],
    ids=" ".join,
)
def test_usual_names_are_taken_and_told(tmp_path, names):
    rows = [(n, d, loss(n, d)) for n, d in RUNS]
    runs = read_runs(written(tmp_path / "a.csv", names, rows))
    assert runs.count == len(RUNS)
    assert runs.tokens.tolist() == [d for _, d in RUNS]
    told = " ".join(note.message for note in runs.notes)
    for name, word in zip(names, ("parameters", "tokens", "loss"), strict=True):
        assert name.lower() == word or f'"{name}" as {word}' in told


def test_two_losses_are_no_guess_and_ours_wins(tmp_path):
    rows = [(n, d, 9.0, loss(n, d)) for n, d in RUNS]
    place = written(tmp_path / "a.csv", ("N", "D", "smooth loss", "loss"), rows)
    runs = read_runs(place)
    assert runs.loss[0] == pytest.approx(loss(*RUNS[0]))
    assert any('"smooth loss" stands beside "loss"' in n.message for n in runs.notes)
    other = ("N", "D", "val_loss", "test_loss")
    with pytest.raises(InputError) as caught:
        read_runs(written(tmp_path / "b.csv", other, rows))
    said = str(caught.value)
    assert "found" in said
    assert "loss might be val_loss or test_loss" in said
    assert f"overtrain fit {tmp_path / 'b.csv'} --column loss=val_loss" in said


def test_a_training_loss_is_never_guessed(tmp_path):
    rows = [(n, d, 2.0) for n, d in RUNS]
    with pytest.raises(InputError, match="lacks the columns for loss"):
        read_runs(written(tmp_path / "a.csv", ("N", "D", "train_loss"), rows))


def test_all_that_is_missing_is_asked_for_in_one_command(tmp_path):
    place = written(tmp_path / "a b.csv", ("x", "y", "z"), [(1, 2, 3)])
    with pytest.raises(InputError) as caught:
        read_runs(place)
    said = str(caught.value)
    for part in ("loss=NAME", "parameters=NAME", "tokens=NAME", "It has x, y, z"):
        assert part in said
    assert f"overtrain fit '{place}'" in said  # ready for a shell


def test_columns_add_up(tmp_path):
    rows = [(n / 4, 3 * n / 4, d, loss(n, d)) for n, d in RUNS]
    place = written(tmp_path / "a.csv", ("emb", "body", "tokens", "loss"), rows)
    runs = read_runs(place, {"parameters": "emb + body"})
    assert runs.parameters.tolist() == pytest.approx([n for n, _ in RUNS])
    with pytest.raises(InputError, match="has no column"):
        read_runs(place, {"parameters": "emb+head"})


def test_json_arrays_columns_and_gzip_hold_the_same_runs(tmp_path):
    """An array over many lines keeps the line of each run."""
    rows = [
        {"parameters": n, "compute": 6 * n * d, "loss": loss(n, d)} for n, d in RUNS
    ]
    texts = {
        "a.json": json.dumps(rows, indent=1),
        "b.jsonl": json.dumps(rows),
        "c.json": json.dumps({k: [row[k] for row in rows] for k in rows[0]}),
        "d.json": json.dumps(
            {k: {i: r[k] for i, r in enumerate(rows)} for k in rows[0]}
        ),
        "e.json": json.dumps({"about": "x", "runs": rows}),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        runs = read_runs(str(tmp_path / name))
        assert runs.tokens.tolist() == pytest.approx([d for _, d in RUNS]), name
    first, second = read_runs(str(tmp_path / "a.json")).line[:2]
    assert (first, second - first) == (2, 5)
    packed = tmp_path / "f.jsonl.gz"
    packed.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    assert read_runs(str(packed)).count == len(RUNS)
    packed.write_bytes(packed.read_bytes()[:40])
    with pytest.raises(InputError, match="is not gzip, or is cut off"):
        read_runs(str(packed))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", '[{"loss": 2}, 3]', "must be a run such as"),
        ("a.json", '[{"loss": 2},\n{"loss"', "2:1: is not JSON from here on"),
        ("a.json", '{"loss": 2}', "holds one run, and lacks the columns for two of"),
        ("a.json", "7", "must be a list of runs"),
        (
            "trainer_state.json",
            '{"log_history": [{"eval_loss": 2.9, "step": 400}, {"train_loss": 3.4}]}',
            "its last eval_loss (2.9 at step 400), not train_loss",
        ),
        ("tb.csv", "Wall time,Step,Value\n1.5,200,9.9\n", "is a TensorBoard export"),
        (
            "wandb.csv",
            '"Step","r-70m - train/loss","r-70m - train/loss__MIN"\n"1","4","4"\n',
            "curves over steps of r-70m, and lacks the columns for loss",
        ),
        (
            "log.txt",
            "0: iteration 200/ 1000 | consumed tokens: 5 | lm loss: 9.9E+00 |\n" * 3,
            "is the log of one run, and lacks the columns for",
        ),
    ],
)
def test_what_is_no_table_of_runs_is_known_by_its_looks(tmp_path, name, text, told):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_runs(str(tmp_path / name))
    assert told in str(caught.value)


def test_the_unit_of_a_compute_is_read_from_its_name_or_proposed(tmp_path):
    rows = [(n, d, 6 * n * d / 1e9, loss(n, d)) for n, d in RUNS]
    named = written(tmp_path / "a.csv", ("N", "D", "total_gflops", "loss"), rows)
    assert not [n for n in read_runs(named).notes if n.message.startswith("compute is")]
    bare = written(tmp_path / "b.csv", ("N", "D", "compute", "loss"), rows)
    told = [note for note in read_runs(bare).notes if note.line == 0]
    assert any("as if in GFLOP" in n.message for n in told)
    assert any(n.done == "not used; add --unit compute=GFLOP" for n in told)
    fixed = read_runs(bare, units={"compute": "GFLOP"})
    assert not [n for n in fixed.notes if n.message.startswith("compute is")]


def test_a_decimal_comma_is_read_and_told(tmp_path):
    rows = [(n, d, f"{loss(n, d):.3f}".replace(".", ",")) for n, d in RUNS]
    place = written(tmp_path / "a.csv", ("N", "D", "loss"), rows, sep=";")
    runs = read_runs(place)
    assert runs.loss[0] == pytest.approx(loss(*RUNS[0]), abs=1e-3)
    assert sum(note.done == "read as a point" for note in runs.notes) == len(RUNS)


def test_two_kinds_of_loss_and_a_sweep_are_recognised(tmp_path):
    kinds = [(k, n, d, loss(n, d) * f) for n, d in RUNS for k, f in KINDS]
    place = written(tmp_path / "a.csv", ("kind", "N", "D", "loss"), kinds)
    told = [note for note in read_runs(place).notes if note.line == 0]
    assert any('the column "kind" tells them apart' in n.message for n in told)
    assert any('--exclude "kind = bits"' in n.done for n in told)
    swept = [(lr, n, d, loss(n, d) * (1 + lr)) for n, d in RUNS for lr in (0, 0.1, 0.3)]
    place = written(tmp_path / "b.csv", ("lr", "N", "D", "loss"), swept)
    runs = read_runs(place)
    assert runs.count == 3 * len(RUNS)
    assert any("--best keeps the least loss" in n.done for n in runs.notes)
    best = read_runs(place, options=Options(best=True))
    assert best.loss.tolist() == pytest.approx([loss(n, d) for n, d in RUNS])


KINDS = (("nats", 1.0), ("bits", 1.4427))


def test_notes_of_one_kind_are_one_with_all_their_lines():
    notes = [
        Note(n, f"loss {n}.5 is above line {n - 1}", "kept") for n in range(47, 92)
    ]
    (one,) = summed([*notes])
    assert one.message.endswith("is true of 45 runs: lines 47 to 91")
    assert spans([4, 7, 8, 9, 12]) == "lines 4, 7 to 9 and 12"
    few = notes[:2]
    assert summed(few) == few


def test_what_is_no_file_in_a_folder_is_left_alone(tmp_path):
    """A named pipe that ends in .csv was waited for, without end."""
    text = "parameters,tokens,loss\n1e9,2e10,2.5\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "b.csv").write_text(text.replace("2.5", "2.6"))
    (tmp_path / "self.csv").symlink_to("self.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    for place in (str(tmp_path), str(tmp_path / "*.csv")):
        assert len(read_table(place).rows) == 2
