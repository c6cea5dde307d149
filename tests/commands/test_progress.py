"""What is said to somebody who looks on: how far work is, and what was written."""

import io
import re
import sys

import pytest

from optimizer.commands import progress as told_while_working
from optimizer.commands.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Standard error as a terminal, from now on."""

    def opened():
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        return screen

    return opened


@pytest.fixture
def impatient(monkeypatch):
    """Every step is told, however quick."""
    monkeypatch.setattr(told_while_working, "QUIET", -1.0)
    monkeypatch.setattr(told_while_working, "EVERY", -1.0)


def test_the_time_left_is_that_of_the_steps_left(terminal):
    """A quarter of the steps in 5 s leaves 15 s; the first two seconds need no word."""
    screen, now = terminal(), 0.0
    with progress("solving", 8, lambda: now) as advance:
        now = 1.0
        advance(1)
        assert screen.getvalue() == ""
        now = 5.0
        advance(1)
        assert screen.getvalue().rstrip() == "\rsolving: 25%, about 15 s left".rstrip()
        now = 600.0
        advance(2)
        assert screen.getvalue().rstrip().endswith("solving: 50%, about 10 min left")
    assert screen.getvalue().endswith(" \r")  # nothing stays on the screen


def test_no_terminal_no_word(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    now = 0.0
    with progress("solving", 2, lambda: now) as advance:
        now = 100.0
        advance(1)
    assert screen.getvalue() == ""


RANGE = "{low: 1T, expected: 2T, high: 4T}"
COMMANDS = {
    "solve": (("solve", "good.yaml", "good.yaml"), "solving"),
    "sweep": (("sweep", "good.yaml", "--vary", "demand.tokens=1T,2T"), "solving"),
    "uncertainty": (
        (
            "uncertainty",
            "good.yaml",
            "--draws",
            "20",
            "--set",
            f"demand.tokens={RANGE}",
        ),
        "drawing",
    ),
    "frontier": (("frontier", "good.yaml", "--points", "5"), "following"),
    "compare": (("compare", "good.yaml", "good.yaml"), "comparing"),
    "report": (("report", "good.yaml", "--format", "markdown"), "working out"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_say_how_far_they_are(here, run, terminal, impatient, command):
    words, label = COMMANDS[command]
    screen = terminal()
    done = run(*words)
    assert done.code == 0
    assert re.search(rf"\r{label}: \d+%, about \d+ s left", screen.getvalue())
    assert screen.getvalue().endswith(" \r")
    screen = terminal()
    quiet = run("--quiet", *words)
    assert screen.getvalue() == ""
    assert quiet.out == done.out


@pytest.mark.parametrize("kind", ["tornado", "frontier", "uncertainty"])
def test_plot_says_how_far_it_is(here, run, terminal, impatient, kind):
    """Up to the last step, which is the drawing; half of a frontier is its band."""
    pytest.importorskip("vl_convert")
    screen = terminal()
    words = ("--set", f"demand.tokens={RANGE}", "-o", "chart.svg")
    assert run("plot", kind, "good.yaml", *words).code == 0
    shares = [int(s) for s in re.findall(r"\rworking out: (\d+)%", screen.getvalue())]
    assert shares == sorted(shares)
    assert 50 <= shares[-1] < 100
    assert screen.getvalue().rpartition("\r")[2].startswith("wrote chart.svg")


def test_a_file_that_is_written_is_told_with_its_size(here, run, terminal):
    screen = terminal()
    assert run("solve", "good.yaml", "-o", "plan.json").code == 0
    size = (here / "plan.json").stat().st_size
    told = re.fullmatch(r"wrote plan\.json, ([\d.]+) (KB|MB)\n", screen.getvalue())
    assert told
    factor = {"KB": 1e3, "MB": 1e6}[told[2]]
    assert float(told[1]) * factor == pytest.approx(size, rel=5e-3)
    screen = terminal()
    assert run("--quiet", "solve", "good.yaml", "-o", "plan.json").code == 0
    assert screen.getvalue() == ""
    assert run("solve", "good.yaml", "--quiet", "-o", "plan.json").code == 0
    assert screen.getvalue() == ""  # after the command as before it
