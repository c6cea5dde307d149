"""Standard input and output that are closed, full, or read no further."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.commands.group import COMMANDS
from tests.commands.test_every_output import POINTS, RUNS

ROOT = Path(__file__).parents[2]
SCENARIO = "scenarios/open-release.yaml"
READERS = [
    ("--help",),
    ("solve", "--help"),
    ("--version",),
    ("solve", SCENARIO),
    ("check", SCENARIO),
    ("laws",),
    ("schema",),
    ("sweep", SCENARIO, "--vary", "demand.tokens=1T,2T"),
    ("sweep", SCENARIO, "--vary", "demand.tokens=1T:9T:50", "-o", "-"),
]
PRINTS = [
    *READERS,
    ("sweep", SCENARIO, "--vary", "demand.tokens=1T,2T", "--format", "json"),
    ("solve", SCENARIO, "--format", "json"),
    ("compare", SCENARIO, SCENARIO),
    ("diff", "a.json", "a.json"),
    ("report", SCENARIO, "-o", "-"),
    ("audit", "llama-3-8b"),
    ("frontier", SCENARIO, "--points", "5"),
    ("uncertainty", SCENARIO, "--draws", "50"),
    ("init", "-o", "-"),
    ("fit", "runs.csv", "--draws", "50"),
    ("serving", "points.csv"),
    ("calibrate", "points.csv"),
    ("hardware", "h100-sxm", "--format", "json"),
    ("model", "llama-3-8b", "--format", "markdown"),
]
SILENT = {"plot", "explore"}  # they print nothing before their file or page stands
ANSWER = """{"format_version": 1, "plans": []}"""


def shell(line, *words):
    """Runs a shell line in which COMMAND stands for `overtrain` and its words."""
    command = shlex.join([sys.executable, str(ROOT / "cli.py"), *words])
    line = line.replace("COMMAND", command)
    return subprocess.run(
        ["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_reader_that_has_seen_enough_is_no_error(words):
    done = shell("COMMAND | true; exit ${PIPESTATUS[0]}", *words)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", PRINTS, ids=" ".join)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_device_is_told(words, tmp_path):
    (tmp_path / "runs.csv").write_text(RUNS)
    (tmp_path / "points.csv").write_text(POINTS)
    (tmp_path / "a.json").write_text(ANSWER)
    here = [str(tmp_path / w) if (tmp_path / w).is_file() else w for w in words]
    done = shell("COMMAND >/dev/full", *here)
    assert done.returncode == 2
    assert done.stderr.endswith(
        "<stdout>: cannot be written: No space left on device\n"
    )


def test_every_command_that_prints_is_tried():
    assert {words[0] for words in PRINTS} >= set(COMMANDS) - SILENT


@pytest.mark.parametrize(
    ("stream", "words", "code"),
    [
        (">/dev/full", ("solve", "missing.yaml"), 2),
        (">/dev/full", ("no-such-command",), 2),
        (">/dev/full", ("solve", SCENARIO, "--set", "limits.tokens=1"), 3),
        (">/dev/full", ("solve", SCENARIO, "--fail-on", "cost.total > 1"), 4),
        (">&-", ("solve", "missing.yaml"), 2),
        ("> >(true)", ("solve", "missing.yaml"), 2),
    ],
)
def test_messages_that_nobody_reads_change_no_exit_code(stream, words, code):
    """Each was exit 1: what is told on standard error had no place to go."""
    done = shell(f"COMMAND 2{stream}", *words)
    assert done.returncode == code
    assert not done.stderr
    assert "no such file" not in done.stdout  # a message is no answer


def test_closed_streams_are_told_or_do_without():
    done = shell("COMMAND <&-", "solve", "-")
    assert done.returncode == 2
    assert done.stderr == "<stdin>: there is no standard input; name a file\n"
    done = shell("COMMAND >&-", "solve", SCENARIO)
    assert (done.returncode, done.stderr) == (0, "")


def test_standard_input_stops_at_a_megabyte():
    """An endless stream is not read to its end."""
    done = shell("yes '# more' | COMMAND", "check", "-")
    assert done.returncode == 2
    assert "<stdin>" in done.stderr
