"""What only a process of its own can show: imports, signals and pipes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import cli

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, str(ROOT / "cli.py")]
HEAVY = ("cvxpy", "numpy", "scipy", "yaml", "tabulate")


SOLVERS = ("cvxpy", "clarabel", "numba", "scipy")


def python(code):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--help",), 0),
        (("laws",), 0),
        (("check", "scenarios/consumer-api.yaml"), 0),
        (("solve", "scenarios/internal-use.yaml"), 0),
        (("solve", "scenarios/data-limited-language.yaml"), 0),
        (("solve", "scenarios/latency-bound-assistant.yaml"), 0),
        (("solve", "scenarios/portfolio.yaml"), 0),
    ],
)
def test_our_own_engine_needs_no_library(words, code):
    """Scenarios are plain, of repeated data, of a roofline, and of several models."""
    out = python(
        f"import sys, optimizer, cli; code = cli.main({list(words)!r}); "
        f"print(code, [m for m in {SOLVERS} if m in sys.modules])"
    )
    assert out.splitlines()[-1] == f"{code} []"


@pytest.mark.skipif(sys.platform != "linux", reason="threads are told by Linux")
@pytest.mark.parametrize("asked", [None, "2"])
def test_a_command_has_one_thread_unless_more_are_asked_for(asked):
    """Others of OpenBLAS would wait in a loop, and take the time of a processor."""
    name = "OPENBLAS_NUM_THREADS"
    env = {k: v for k, v in os.environ.items() if k != name}
    told = f"(len(os.listdir('/proc/self/task')), os.environ[{name!r}])"
    words = ("solve", "scenarios/open-release.yaml")
    done = subprocess.run(
        [sys.executable, "-c", f"import os, cli; cli.main(); print({told})", *words],
        cwd=ROOT,
        env=env | ({} if asked is None else {name: asked}),
        capture_output=True,
        text=True,
        check=True,
    )
    last = done.stdout.splitlines()[-1]
    assert last == "(1, '1')" if asked is None else last.endswith(f", '{asked}')")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(option):
    out = python(
        f"import sys, cli; code = cli.main([{option!r}]); "
        f"print(code, [m for m in {HEAVY} if m in sys.modules])"
    )
    assert out.splitlines()[-1] == "0 []"
    if option == "--help":
        told = " ".join(out.split())
        assert "solve Find the plan of least lifetime cost, with its proof." in told
    else:
        assert out.startswith("overtrain ")


def test_the_api_is_lazy_and_its_results_look_good():
    out = python(
        "import sys, optimizer\n"
        f"print([m for m in {HEAVY} if m in sys.modules])\n"
        "from optimizer import compare, read_scenario, solve\n"
        "s = read_scenario('{law: kaplan-2020, target: {match: {parameters: 1B}}, "
        "demand: {tokens: 1T}}')\n"
        "answer = solve(s)\n"
        "print(str(answer)[:40].split()[0], answer._repr_html_()[:4])\n"
        "print(compare([s])._repr_markdown_()[:12])\n"
        "print(set(optimizer.__all__) <= set(dir(optimizer)))\n"
    )
    assert out.splitlines() == ["[]", "<text> <div", "# Comparison", "True"]


def test_decisions_are_in_the_api_too(tmp_path):
    (tmp_path / "family.yaml").write_text(
        "law: kaplan-2020\nmodels: [{name: a, target: {match: {parameters: 1B}}, "
        "demand: {tokens: 1T}}]\n"
    )
    out = python(
        "from optimizer import *\n"
        "model = load_model('llama-3-8b')\n"
        "law = load_law('besiroglu-2024')\n"
        "print(audit('mine', model.parameters, model.tokens, law))\n"
        f"family = solve_portfolio(load_portfolio({str(tmp_path / 'family.yaml')!r}))\n"
        "print(str(family).splitlines()[2])\n"
        "s = load_scenario('scenarios/sardana-13b-2t.yaml')\n"
        "print(snap(s, [('7B', 7e9), ('70B', 7e10)]).best.name)\n"
        "print(len(model_names()) > 30, len(under_laws(s, ['all'])) > 12)\n"
    )
    lines = out.splitlines()
    assert lines[:3:2] == [
        "mine",
        "8.03B on 15T is lifetime-optimal if it serves 190T tokens (besiroglu-2024).",
    ]
    assert lines[-3].startswith("Train a with ")
    assert lines[-2:] == ["7B", "True True"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_and_sigterm_end_with_a_word_and_nothing_written(tmp_path, stop):
    """A named pipe tells when the command reads: from there it waits for us."""
    pipe = tmp_path / "scenario.yaml"
    os.mkfifo(pipe)
    done = subprocess.Popen(
        [*COMMAND, "solve", str(pipe), "-o", str(tmp_path / "out.txt")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with open(pipe, "w"):
        done.send_signal(stop)
        out, err = done.communicate(timeout=60)
    assert done.returncode == 130
    assert out == ""
    assert err.split() == ["interrupted"]
    assert [path.name for path in tmp_path.iterdir()] == ["scenario.yaml"]


def test_a_command_under_nohup_outlives_its_terminal(monkeypatch):
    def hung_up(_arguments):
        os.kill(os.getpid(), signal.SIGHUP)
        return 0

    monkeypatch.setattr("optimizer.commands.group.run", hung_up)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert cli.main([]) == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_interrupt_that_an_import_wrapped_is_still_one(monkeypatch, capsys):
    def wrapped(_arguments):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        except KeyboardInterrupt:
            raise ImportError("numpy failed to import") from None

    before = [signal.getsignal(number) for number in cli.STOPS]
    monkeypatch.setattr("optimizer.commands.group.run", wrapped)
    assert cli.main([]) == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert [signal.getsignal(number) for number in cli.STOPS] == before


def test_a_closed_pipe_ends_quietly(here):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*COMMAND, "solve", "impossible.yaml"],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 3


def test_a_terminal_without_our_signs_still_gets_its_page(here):
    done = subprocess.run(
        [*COMMAND, "solve", "good.yaml"],
        env={**os.environ, "PYTHONIOENCODING": "iso8859-5", "NO_COLOR": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert b"4.5 ? the\nChinchilla-optimal" in done.stdout
    assert b"\x1b" not in done.stdout
