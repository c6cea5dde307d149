"""`overtrain sweep` as a user has it: files, the summary, and Ctrl-C."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import duckdb
import numpy
import pandas
import polars
import pytest
from pyarrow import parquet

ROOT = Path(__file__).parents[2]
COLUMNS = [
    *("status", "parameters", "tokens", "tokens_per_parameter", "overtraining_factor"),
    *("loss", "cost_training", "cost_inference", "cost_total", "saving"),
    *("samples", "stationarity", "violation", "gap"),
]
SAMPLE = ("--set", "law=besiroglu-2024-refit", "--sample")
VARY = ("--vary", "demand.tokens=1e9:1e14:log:20", "--vary", "target.loss=1.6:2.2:3")


def test_parquet_has_the_columns_with_their_units(here, run):
    done = run("sweep", "good.yaml", *VARY, "-o", "out.parquet")
    assert done.code == 0
    table = parquet.read_table(here / "out.parquet")
    assert table.column_names == ["demand.tokens", "target.loss", *COLUMNS]
    assert table.num_rows == 60
    units = {f.name: (f.metadata or {}).get(b"unit") for f in table.schema}
    assert units["demand.tokens"] == b"tokens"
    assert units["target.loss"] == b"nats"
    assert units["cost_total"] == b"FLOP"
    assert units["saving"] == b"fraction"
    for row in table.to_pylist():
        found = row["status"] == "optimal"
        assert found == (row["target.loss"] > 1.69)
        assert row.pop("samples") is None  # the law does not ask for them
        assert all((row[name] is not None) == found for name in {*COLUMNS[1:]} & {*row})


def test_pandas_polars_and_duckdb_read_the_same_rows(here, run):
    run("sweep", "good.yaml", *VARY, "-o", "out.parquet")
    place = str(here / "out.parquet")
    rows = parquet.read_table(place).to_pylist()
    query = f"SELECT * FROM '{place}'"  # noqa: S608 - the file is the test's own
    assert duckdb.sql(query).to_arrow_table().to_pylist() == rows
    assert polars.read_parquet(place).to_dicts() == rows
    frame = pandas.read_parquet(place)
    assert frame["status"].tolist() == [row["status"] for row in rows]
    for name in COLUMNS[1:]:
        wanted = [float("nan") if row[name] is None else row[name] for row in rows]
        numpy.testing.assert_array_equal(frame[name], wanted)


def test_csv_says_the_same_as_parquet(here, run):
    run("sweep", "good.yaml", *VARY, "-o", "out.parquet")
    run("sweep", "good.yaml", *VARY, "-o", "out.csv")
    rows = list(csv.DictReader((here / "out.csv").read_text().splitlines()))
    for row, other in zip(
        rows, parquet.read_table(here / "out.parquet").to_pylist(), strict=True
    ):
        for name, value in other.items():
            if isinstance(value, str):
                assert row[name] == value
            else:
                assert (float(row[name]) if row[name] else None) == value


def test_the_summary_counts_and_certifies(here, run):
    done = run("sweep", "good.yaml", *VARY)
    assert "60 rows: 40 optimal, 20 infeasible." in done.out
    assert "Varied: demand.tokens, target.loss." in done.out
    assert "Every one is certified: stationarity ≤ " in done.out
    assert done.err == ""


def test_nothing_to_vary_is_told(here, run):
    done = run("sweep", "good.yaml")
    assert done.code == 2
    assert "nothing varies; add --vary demand.tokens=1e9:1e15:log:200" in done.err


@pytest.mark.parametrize("name", ["out.txt", "out", "out.xlsx"])
def test_the_name_says_the_format(here, run, name):
    done = run("sweep", "good.yaml", *VARY, "-o", name)
    assert done.code == 2
    assert done.err == (
        f"{name}: the name must end in one of .csv, .jsonl, .json, .parquet; or give "
        "--format\n"
    )
    assert run("sweep", "good.yaml", *VARY, "-o", name, "--format", "csv").code == 0
    assert (here / name).read_text().startswith("demand.tokens,target.loss,status,")


def test_text_formats_say_the_same_on_the_terminal_and_in_files(here, run):
    run("sweep", "good.yaml", *VARY, "-o", "out.csv")
    on_terminal = run("sweep", "good.yaml", *VARY, "-o", "-")
    assert on_terminal.out == (here / "out.csv").read_text()
    assert run("sweep", "good.yaml", *VARY, "--format", "csv").out == on_terminal.out
    rows = [
        {word: _cell(word, cell) for word, cell in row.items()}
        for row in csv.DictReader(on_terminal.out.splitlines())
    ]
    lines = run("sweep", "good.yaml", *VARY, "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == rows
    run("sweep", "good.yaml", *VARY, "-o", "out.json")
    whole = json.loads((here / "out.json").read_text())
    assert whole["rows"] == rows
    assert whole["units"]["cost_total"] == "FLOP"


def _cell(word, text):
    if word == "status":
        return text
    return float(text) if text else None


def test_laws_vary_like_numbers(here, run):
    """Each row is what solve says under that law; a law's pair comes with forms."""
    (here / "a.yaml").write_text(
        "law: besiroglu-2024-refit\ntarget: {match: {parameters: 13B}}\n"
        "demand: {tokens: 2T}\n"
    )
    vary = ("--vary", "law=forms,sardana-2024-100", "--vary", "demand.tokens=1T,5T")
    done = run("sweep", "a.yaml", *vary, "-o", "-")
    rows = list(csv.DictReader(done.out.splitlines()))
    laws = ["besiroglu-2024-refit", "chinchilla-points-coupled", "sardana-2024-100"]
    assert [row["law"] for row in rows] == [law for law in laws for _ in range(2)]
    for row in rows:
        sets = (f"law={row['law']}", f"demand.tokens={row['demand.tokens']}")
        words = [w for text in sets for w in ("--set", text)]
        told = run("solve", "a.yaml", *words, "--format", "json").out
        plan = json.loads(told)["plans"][0]["plan"]
        assert float(row["parameters"]) == pytest.approx(plan["parameters"], rel=1e-7)
    run("sweep", "a.yaml", *vary, "-o", "out.parquet")
    table = parquet.read_table(here / "out.parquet")
    assert table.column("law").to_pylist() == [row["law"] for row in rows]
    assert table.column("tokens").to_pylist() == [float(row["tokens"]) for row in rows]
    page = run("sweep", "a.yaml", *vary).out
    assert max(map(len, page.splitlines())) <= 80
    assert page.count("\n  sardana-2024-100 ") == 2
    assert len(run("sweep", "a.yaml", "--vary", "law=all", "-o", "-").out.split()) > 20


def test_words_that_do_not_fit_are_told(here, run):
    for vary, told in [
        ("law=sardana-2024-1000", "there is no law"),
        ("demand.tokns=1,2", 'did you mean "tokens"'),
        ("serving.precision=fp8,fp9", "precision"),
    ]:
        done = run("sweep", "good.yaml", "--vary", vary)
        assert done.code == 2
        assert told in done.err
    (here / "money.yaml").write_text(
        (ROOT / "scenarios" / "consumer-api.yaml").read_text()
    )
    done = run("sweep", "money.yaml", "--vary", "objective=compute,dollars")
    assert "counts FLOP and USD; sweep one objective at a time" in done.err
    done = run("sweep", "good.yaml", "--vary", "law=all", "--cluster", "local")
    assert "does not sweep words such as law" in done.err


def test_a_portfolio_is_swept(here, run):
    file = str(ROOT / "scenarios" / "portfolio.yaml")
    vary = ("--vary", "shared.training_cost=$800k,$840k,$100")
    done = run("sweep", file, *vary, "-o", "-")
    assert done.code == 0
    rows = list(csv.DictReader(done.out.splitlines()))
    assert [row["status"] for row in rows] == ["optimal", "optimal", "infeasible"]
    told = run("solve", file, "--format", "json").out  # whose bound is $840k
    whole = json.loads(told)
    assert float(rows[1]["cost_total"]) == pytest.approx(
        whole["portfolio"]["cost"]["total"], rel=1e-9
    )
    for plan in whole["plans"]:
        size = float(rows[1][f"{plan['scenario']}.parameters"])
        assert size == pytest.approx(plan["plan"]["parameters"], rel=1e-9)
    assert float(rows[0]["cost_total"]) > float(rows[1]["cost_total"])
    assert rows[2]["edge.parameters"] == ""
    grid = run("sweep", file, "--vary", "models.edge.demand.tokens=1T:3T:3", "-o", "-")
    assert [float(r.split(",")[0]) for r in grid.out.splitlines()[1:]] == [
        1e12,
        2e12,
        3e12,
    ]
    assert "one model" in run("sweep", file, "--sample", "3").err


@pytest.mark.parametrize(
    ("condition", "code", "rows"),
    [
        ("infeasible", 4, 20),
        ("plan.parameters > 1", 4, 40),
        ("cost.total > 1e40", 0, 0),
        ("plan.loss > 2.1", 4, 20),
    ],
)
def test_rows_are_gates_too(here, run, condition, code, rows):
    done = run("sweep", "good.yaml", *VARY, "--fail-on", condition, "-o", "out.csv")
    assert done.code == code
    if rows:
        assert f"--fail-on {condition} holds for {rows} rows" in done.err
    wrong = run("sweep", "good.yaml", *VARY, "--fail-on", "critical.size > 1")
    assert wrong.code == 2
    assert "rows of a sweep have no" in wrong.err


def test_parquet_without_pyarrow_names_the_extra(here, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    done = run("sweep", "good.yaml", *VARY, "-o", "out.parquet")
    assert done.code == 2
    assert "pip install '.[data]', or write a .csv" in done.err
    assert run("sweep", "good.yaml", *VARY, "-o", "out.csv").code == 0


def test_a_bad_vary_writes_nothing(here, run):
    done = run("sweep", "good.yaml", "--vary", "demand.tokens=1:2:0", "-o", "out.csv")
    assert done.code == 2
    assert sorted(path.name for path in here.iterdir()) == [
        "bad.yaml",
        "good.yaml",
        "impossible.yaml",
    ]


def test_a_sample_is_repeatable(here, run):
    (here / "good.yaml").write_text(
        "law: besiroglu-2024-refit\ntarget: {match: {parameters: 13B}}\n"
        "demand: {tokens: {low: 1T, expected: 2T, high: 4T}}\n"
    )
    for name in ("a.csv", "b.csv"):
        done = run("sweep", "good.yaml", "--sample", "50", "--seed", "9", "-o", name)
        assert done.code == 0
    assert (here / "a.csv").read_bytes() == (here / "b.csv").read_bytes()


@pytest.mark.parametrize(
    ("name", "stop"),
    [
        ("out.parquet", signal.SIGINT),
        ("out.csv", signal.SIGINT),
        ("out.csv", signal.SIGTERM),
        ("out.csv", signal.SIGHUP),  # lost all of them, and left a hidden file
    ],
)
def test_ctrl_c_and_sigterm_keep_the_rows_that_are_done(here, name, stop):
    """A billion rows take half an hour; the interrupt comes when some are done."""
    command = [
        *(sys.executable, str(ROOT / "cli.py"), "sweep", "good.yaml", "-o", name),
        *("--vary", "demand.tokens=1e9:1e14:log:100000"),
        *("--vary", "target.loss=1.8:2.2:10000", "--yes"),
    ]
    process = subprocess.Popen(
        command,
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    beside = []
    while process.poll() is None and not any(p.stat().st_size > 1e6 for p in beside):
        beside = list(here.glob(f".{name}.*"))
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    process.send_signal(stop)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in err
    if name.endswith(".csv"):
        done = (here / name).read_text().count("\n") - 1
    else:
        done = parquet.read_table(here / name).num_rows
    assert done > 8192
    assert f"{done:,} of 1,000,000,000 rows in {name}: {done:,} optimal." in out
    assert not list(here.glob(f".{name}.*"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*SAMPLE, "1000000000000000000000"), "makes 1e21 rows, and at most 1e12"),
        (
            (
                *("--vary", "demand.tokens=1e9:1e14:999999999"),
                *("--vary", "target.loss=1.8:2.2:999999999"),
            ),
            "makes 1e18 rows, and at most 1e12",
        ),
        (
            (
                *("--vary", "demand.tokens=1e9:1e14:log:100000"),
                *("--vary", "target.loss=1.8:2.2:1000"),
            ),
            "more than 10,000,000 rows start only with --yes",
        ),
    ],
)
def test_too_many_rows_are_told_before_they_start(here, run, words, told):
    done = run("sweep", "good.yaml", *words, "-o", "out.csv")
    assert done.code == 2
    assert told in done.err
    assert not (here / "out.csv").exists()


def test_many_rows_say_what_they_take(here, run):
    vary = ("--vary", "demand.tokens=1e9:1e14:log:400", "--vary")
    done = run("sweep", "good.yaml", *vary, "target.loss=1.8:2.2:300")
    assert done.code == 0
    assert done.err.startswith("120,000 rows, about ")
    assert " of work here\n" in done.err


def test_rows_that_are_solved_one_by_one_say_what_they_take(here, run, monkeypatch):
    """20,000 of a portfolio would have taken a quarter of an hour, without a word."""
    file = str(ROOT / "scenarios" / "portfolio.yaml")
    monkeypatch.setattr("optimizer.analysis.sweep.forecast.SCANS", 2)
    vary = ("--vary", "shared.training_cost=$900k,$1M,$2M", "-o", "out.csv")
    done = run("sweep", file, *vary)
    assert done.code == 0
    assert re.match(r"3 rows, about \d+ B, about .+ of work here\n", done.err)


def test_a_row_on_a_bound_has_the_bound(here, run):
    """9B is 9000000000.0 in the file, not the last digit of an exponential."""
    limit = ("--set", "limits={parameters: 9B}", "--set", "demand.tokens=1B")
    done = run(
        "sweep", "good.yaml", *limit, "--vary", "demand.tokens=1e9,2e9", "-o", "a.csv"
    )
    assert done.code == 0
    with open(here / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["parameters"]) for row in rows] == [9e9, 9e9]


def test_rows_beyond_the_runs_of_the_law_are_told_before_any_table(here, run, root):
    """They were not told at all; 341 tokens per parameter are the most of the law."""
    path = str(root / "scenarios" / "own-plan.yaml")
    done = run("sweep", path, "--vary", "target.loss=1.95:2.2:5", "-o", "out.csv")
    text = " ".join(done.out.split())
    with (here / "out.csv").open() as file:
        ratios = [
            float(row["tokens_per_parameter"])
            for row in csv.DictReader(file)
            if row["status"] == "optimal"
        ]
    told = f"{max(ratios) / 341:.0f} × the most, 341"
    assert told in text
    assert text.index("outside-range") < text.index("Optimal rows")
    inside = ("--vary", "demand.tokens=1e12:2e12:3", "-o", "in.csv")
    near = run("sweep", str(root / "scenarios" / "open-release.yaml"), *inside)
    assert "outside-range" not in near.out


def test_few_rows_are_shown_each_with_its_status(here, run):
    text = (here / "good.yaml").read_text() + "limits: {parameters: 7B, tokens: 9T}\n"
    (here / "held.yaml").write_text(text)
    done = run("sweep", "held.yaml", "--vary", "target.match.parameters=13B,70B")
    lines = [line.split() for line in done.out.splitlines()]
    (small,) = [line for line in lines if line[:1] == ["13B"]]
    (large,) = [line for line in lines if line[:1] == ["70B"]]
    assert small[1:3] == ["6.97B", "1.25T"]
    assert large == ["70B", "infeasible"]
    many = run("sweep", "held.yaml", "--vary", "target.match.parameters=2B:13B:31")
    assert "\nRows\n" in done.out
    assert "\nRows\n" not in many.out
