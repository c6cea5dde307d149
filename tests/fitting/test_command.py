"""`overtrain fit` from the outside."""

import json
import re
import shlex
import signal
import subprocess
import sys

import pytest

import cli
from optimizer.world.laws import load_law

QUICK = ("--starts", "20", "--draws", "60")


@pytest.fixture
def here(tmp_path, monkeypatch, made):
    """An empty directory with a table of runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    surface = load_law("besiroglu-2024-refit").surface()
    runs = made.runs(surface.loss, *made.grid(6, 6), 0.003)
    rows = zip(runs.parameters, runs.tokens, runs.loss, strict=True)
    lines = [
        "parameters,tokens,loss",
        *(",".join(map(repr, map(float, r))) for r in rows),
    ]
    (tmp_path / "runs.csv").write_text("\n".join([*lines, "1e8,0,3"]) + "\n")
    return tmp_path


@pytest.fixture
def run(capsys):
    def command(*arguments):
        code = cli.main(["fit", *map(str, arguments)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def test_page_says_what_was_found_and_left_out(here, run):
    code, out, err = run("runs.csv", *QUICK, "--compare", "-o", "my-law.yaml")
    assert code == 0
    assert err == ""
    assert "36 runs give L = " in out
    assert 'line 38: tokens must be above 0, got "0": left out' in out
    assert "besiroglu-2024-refit" in out
    assert max(map(len, out.splitlines())) <= 80
    law = load_law("my-law.yaml")
    assert law.fit["left_out"] == (38,)
    assert len(law.fit["runs_sha256"]) == 64
    assert (here / "my-law.yaml").read_text().startswith("# Written by overtrain fit")


def test_the_command_in_the_file_makes_the_same_file(here, run):
    name = "my-law.yaml"
    rule = "tokens_per_parameter > 200"
    run("runs.csv", *QUICK, "--exclude", rule, "--fix", "E=1.8", "-o", name)
    first = (here / name).read_text()
    typed = shlex.split(load_law(name).fit["command"])
    assert typed[:2] == ["overtrain", "fit"]
    (here / name).unlink()
    assert run(*typed[2:])[0] == 0
    # But for the last digits, which the oldest numpy and scipy do not repeat.
    number = re.compile(r"-?\d+\.\d{6,}(?:e-?\d+)?")
    again = (here / name).read_text()
    assert number.sub("_", again) == number.sub("_", first)
    before, after = (
        [float(n) for n in number.findall(text)] for text in (first, again)
    )
    assert after == pytest.approx(before, rel=1e-6)
    assert load_law(name).fit["exclude"] == (rule,)


def test_json_is_the_same_as_a_document(here, run):
    code, out, _ = run("runs.csv", *QUICK, "--format", "json", "-o", "a.yaml")
    assert code == 0
    data = json.loads(out)
    assert data["format_version"] == 1
    told = data["fit"]
    law = load_law("a.yaml")
    assert told["law"]["coefficients"] == dict(law.coefficients)
    assert told["law"]["draws"]["alpha"] == list(law.draws["alpha"])
    assert len(told["residuals"]) == told["runs"]["used"] == 36
    assert told["runs"]["notes"][0]["line"] == 38
    assert {v["symbol"] for v in told["verdicts"]} == {"E", "alpha", "beta"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("none.csv",), "there is no such file"),
        (("runs.xlsx",), "there is no such file"),
        (("runs.csv", "-o", "law.json"), "ends in .yaml"),
        (("runs.csv", "-o", "no/law.yaml"), "there is no directory"),
        (("runs.csv", "--name", "kaplan-2020"), "built-in law"),
        (("runs.csv", "--column", "los=loss"), 'did you mean "loss"'),
        (("runs.csv", "--column", "loss"), 'needs a "="'),
        (("runs.csv", "--fix", "E=x"), "must be such as E=1.7"),
        (("runs.csv", "--fix", "e=1"), "no coefficient"),
        (("runs.csv", "--next", "soon"), "--next soon"),
        (("runs.csv", "--exclude", "loss > 0"), "no run that can be used"),
        (("runs.csv", "--form", "data-constrained"), "unique_tokens"),
    ],
)
def test_bad_input_is_told_and_writes_nothing(here, run, words, told):
    before = sorted(here.iterdir())
    code, out, err = run(*words)
    assert code == 2
    assert out == ""
    assert told in err
    assert sorted(here.iterdir()) == before


def test_interrupt_leaves_nothing_half_written(here, root):
    """Ctrl-C while the draws are made: code 130, and no file."""
    code = (
        "import os, signal, sys, cli, optimizer.fitting.fit as f\n"
        "def cut(*a, **k): os.kill(os.getpid(), signal.SIGINT)\n"
        "f.bootstrap.interval = cut\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "fit", "runs.csv", *QUICK, "-o", "a.yaml"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(root), "PATH": ""},
    )
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr.strip() == "interrupted"
    assert [p.name for p in here.iterdir()] == ["runs.csv"]


def test_published_runs_from_the_command_line(here, run, sardana):
    """Sardana et al. 2024, Table 1, D/N ≤ 500."""
    words = (
        "--column",
        "loss=Smoothed Loss",
        "--exclude",
        "tokens_per_parameter > 500",
    )
    code, out, _ = run(sardana, *words, *QUICK, "-o", "sardana.yaml")
    assert code == 0
    assert "L = 0.9457 + 17.07·N^-0.1321 + 35.81·D^-0.1577" in out
    surface = load_law("sardana.yaml").surface()
    assert surface.loss(1e9, 2e10) == pytest.approx(2.8995443638861276, rel=1e-7)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--hold-out", "nan"), "must be a number, got nan"),
        (("--fix", "E=9"), "is not below the least loss of the runs"),
    ],
)
def test_numbers_that_are_none_end_in_words(tmp_path, capsys, words, told):
    place = tmp_path / "runs.csv"
    lines = [
        f"{n:g},{n * r:g},{1.8 + 400 * n**-0.34 + 2000 * (n * r) ** -0.37:.6f}"
        for n in (1e8, 2e8, 4e8)
        for r in (5, 10, 20, 40)
    ]
    place.write_text("\n".join(["parameters,tokens,loss", *lines]) + "\n")
    assert cli.main(["fit", str(place), *words]) == 2
    assert told in capsys.readouterr().err


def test_a_tied_exponent_may_be_fixed_and_weights_must_count(tmp_path, capsys):
    rows = [
        (n, n * r, 1.8 + 40 * n**-0.3 + 60 * (n * r) ** -0.3)
        for n in (1e8, 2e8, 4e8, 8e8)
        for r in (5, 10, 20, 40)
    ]
    place = tmp_path / "runs.csv"
    lines = [",".join(map(repr, row)) for row in rows]
    place.write_text("\n".join(["parameters,tokens,loss", *lines]) + "\n")
    few = ("--draws", "50", "--starts", "20")
    assert cli.main(["fit", str(place), "--tie", "--fix", "alpha=.3", *few]) == 0
    capsys.readouterr()
    lines = [f"{line},0" for line in lines]
    place.write_text("\n".join(["parameters,tokens,loss,weight", *lines]) + "\n")
    assert cli.main(["fit", str(place), *few]) == 2
    assert "every run has a weight of 0" in capsys.readouterr().err


def test_large_tables_are_told_before_they_are_read(here, run, monkeypatch):
    monkeypatch.setattr("optimizer.commands.fit.LARGE", 1000)
    (here / "more.csv").write_text("parameters,tokens,loss\n" + "1e8,1e9,x\n" * 2000)
    code, out, err = run("more.csv")
    assert (code, out) == (2, "")
    first, second, *_ = err.splitlines()
    assert first == "20 KB of runs to read, up to 0 s"
    assert second.startswith("more.csv: ")
