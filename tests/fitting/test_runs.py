"""Tables of runs: every oddity is told with its line, and nothing goes in silence."""

import json

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.fitting.rows import row_of
from optimizer.fitting.rules import read_rules
from optimizer.fitting.runs import Options, read_runs

GOOD = ["1e8,1e10,3.1", "2e8,1e10,3.0", "1e8,2e10,2.95"]


@pytest.fixture
def table(tmp_path):
    def write(*rows, head="parameters,tokens,loss", name="runs.csv"):
        path = tmp_path / name
        path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


def told(runs):
    return {note.line: (note.message, note.done) for note in runs.notes}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1e8,,3.2", "tokens is missing"),
        ("1e8", "tokens is missing; loss is missing"),
        ("1e8,1e10,0", "loss must be above 0"),
        ("1e8,-5e9,3.1", "tokens must be above 0"),
        ("inf,1e10,3.1", "parameters must be finite"),
        ("1e8,nan,3.1", "tokens must be finite"),
        ("1e8,1e400,3.1", "tokens must be a number below 1e308"),
        ("1e8,lots,3.1", "tokens must be a number of tokens"),
        ("1e8,10,3.1", "billions? Write e.g. 10B"),
        ("0.1,1e10,3.1", "billions? Write e.g. 0.1B"),
        ("100,1e10,3.1", "tokens per parameter: mixed units?"),
        ("1e11,1e6,3.1", "tokens per parameter: mixed units?"),
    ],
)
def test_a_run_that_cannot_be_used_is_left_out_by_name(table, row, message):
    runs = read_runs(table(*GOOD, row))
    assert runs.count == 3
    assert runs.read == 4
    said, done = told(runs)[5]
    assert message in said
    assert done == "left out"


def test_copies_are_left_out_and_repeats_kept(table):
    runs = read_runs(table(*GOOD, GOOD[1], "1e8,1e10,3.12"))
    assert runs.line == (2, 3, 4, 6)
    assert told(runs)[5] == ("the same run as line 3", "left out")
    assert told(runs)[6][1] == "kept, as a repeat"


def test_a_loss_that_rises_with_data_is_kept_by_name(table):
    runs = read_runs(table(*GOOD, "1e8,5e10,2.99", "1e8,6e10,2.90"))
    said, done = told(runs)[5]
    assert "above the 2.95 of line 4" in said
    assert done == "kept"
    assert 6 not in told(runs)
    assert runs.count == 5


def test_lines_count_breaks_inside_quotes(table):
    runs = read_runs(
        table('"a\nb",1e8,1e10,3.1', "c,1e8,,3", head="name,parameters,tokens,loss")
    )
    assert runs.line == (2,)
    assert list(told(runs)) == [4]


def test_compute_stands_for_either(table):
    rows = ("1e8,6e18,3.1", "200M,2e19 FLOP,3.0")
    runs = read_runs(table(*rows, head="parameters,compute,loss"))
    assert runs.tokens == pytest.approx([1e10, 2e19 / 6 / 2e8])
    runs = read_runs(table("10B,6e18,3.1", head="tokens,compute,loss"))
    assert runs.parameters == pytest.approx([1e8])


def test_compute_that_disagrees_is_told(table):
    head = "parameters,tokens,compute,loss"
    runs = read_runs(table("1e8,1e10,6e18,3", "2e8,1e10,9e19,3", head=head))
    assert told(runs)[3] == (
        "compute is 7.5 times 6 × parameters × tokens",
        "kept; its own compute for runs of one compute only",
    )


def test_units_and_names_of_columns(table):
    path = table("0.1;10;3.1", "200M;10;3.0", head="Size;Seen (B);Loss")
    names = {"parameters": "Size", "tokens": "Seen (B)"}
    runs = read_runs(path, names, {"tokens": "B", "parameters": "B"})
    assert runs.parameters == pytest.approx([1e8, 2e8])
    assert runs.tokens == pytest.approx([1e10, 1e10])


def test_json_lines_and_parquet_say_the_same(table, tmp_path):
    rows = [{"parameters": 1e8, "tokens": 1e10 * i, "loss": 3 - i / 10} for i in (1, 2)]
    rows.append({"parameters": 1e8, "tokens": None, "loss": 2.0})
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    lines = read_runs(str(path))
    assert lines.tokens.tolist() == [1e10, 2e10]
    assert told(lines)[3] == ("tokens is missing", "left out")
    arrow = pytest.importorskip("pyarrow", reason="the optional part data")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "runs.parquet")
    same = read_runs(str(tmp_path / "runs.parquet"))
    assert same.loss.tolist() == lines.loss.tolist()
    assert told(same) == told(lines)


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "runs.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"pip install '.\[data\]'"):
        read_runs(str(tmp_path / "runs.parquet"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no rows"),
        ("parameters,tokens,loss\n", "has no rows"),
        ("parameters,tokens\n1e8,1e10\n", "lacks the columns for loss"),
        ("n,loss\n1e8,3\n", "one of tokens and compute"),
        ("N,loss,loss\n1,2,3\n", "It has loss.1"),
        ("parameters,tokens,loss\n1,2,3,4\n", "4 cells under 3 columns"),
        ('parameters,tokens,loss\n1e8,"1e10,3\n', "is not a table"),
        ("parameters,tokens,loss\n1e8,10,x\n", "no run that can be used"),
    ],
)
def test_no_table(tmp_path, text, message):
    path = tmp_path / "runs.csv"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_runs(str(path))
    assert message in str(error.value)


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(b"parameters,tokens,loss\n1e8,1e10,\xff\0\n")
    with pytest.raises(InputError, match=r"runs\.csv:2:1: is not text"):
        read_runs(str(path))


def test_a_column_that_is_not_there_gets_a_suggestion(table):
    with pytest.raises(InputError, match='did you mean "loss"'):
        read_runs(table(*GOOD), {"loss": "los"})


def test_rules_leave_out_by_line(table):
    path = table(
        "a,1e8,1e10,3.1",
        "b,2e8,1e10,3.0",
        "a,1e8,9e10,2.9",
        "c,1e8,1e11,2.8",
        head="family,parameters,tokens,loss",
    )
    rules = read_rules(("family = b", "tokens_per_parameter >= 900", "tokens > 95B"))
    runs = read_runs(path, options=Options(exclude=rules))
    assert runs.line == (2,)
    assert dict(runs.excluded) == {
        "family = b": (3,),
        "tokens_per_parameter >= 900": (4, 5),
        "tokens > 95B": (),
    }


@pytest.mark.parametrize("rule", ["loss", "loss > x", "family > b", "famly = b"])
def test_rules_that_mean_nothing_are_refused(table, rule):
    head = "family,parameters,tokens,loss"
    with pytest.raises(InputError, match="--exclude"):
        read_runs(
            table("a,1e8,1e10,3.1", head=head),
            options=Options(exclude=read_rules((rule,))),
        )


def test_published_runs_are_read_whole(sardana):
    """47 runs of Sardana et al. 2024, six sizes from 151M to 6.05B."""
    runs = read_runs(sardana, {"loss": "Smoothed Loss"})
    assert runs.count == runs.read == 47
    # All that is said is by which names its columns were taken.
    assert {note.done for note in runs.notes} <= {"taken"}
    assert np.unique(runs.parameters).size == 6
    assert runs.sha256.startswith("76177d2804ec")


@pytest.fixture
def many(tmp_path, monkeypatch):
    """A way to write runs, of which 50 can be fitted, and how many were looked at."""
    monkeypatch.setattr("optimizer.fitting.runs.MOST_ROWS", 50)
    seen = []

    def looked(line, *rest):
        seen.append(line)
        return row_of(line, *rest)

    monkeypatch.setattr("optimizer.fitting.runs.row_of", looked)

    def write(rows):
        lines = [f"{n},{d},{x}" for n, d, x in rows]
        place = tmp_path / "many.csv"
        place.write_text("\n".join(["parameters,tokens,loss", *lines]))
        return str(place)

    return write, seen


def test_too_many_runs_are_refused_before_all_are_read(many):
    write, seen = many
    place = write((1e8 + i, 1e10, 3.0) for i in range(3000))
    with pytest.raises(InputError, match="over 100 runs, of which 50 can be fitted"):
        read_runs(place)
    assert len(seen) == 101


def test_copies_of_a_few_runs_are_not_too_many(many):
    write, seen = many
    runs = read_runs(write((1e8 + i % 30, 1e10, 3.0) for i in range(3000)))
    assert runs.count == 30
    assert len(seen) == 3000


def test_of_many_runs_the_best_of_each_size_may_be_few(many):
    write, _ = many
    place = write((1e8 + i % 30, 1e10, 3 - i / 1e4) for i in range(3000))
    runs = read_runs(place, options=Options(best=True))
    assert runs.count == 30
    assert runs.loss.max() == pytest.approx(3 - 0.2970)
