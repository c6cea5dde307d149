"""Standard input and output that are closed, full, or read no further."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCENARIO = "scenarios/open-release.yaml"
COMMANDS = [
    ("--help",),
    ("solve", "--help"),
    ("--version",),
    ("solve", SCENARIO),
    ("check", SCENARIO),
    ("laws",),
    ("schema",),
    ("sweep", SCENARIO, "--vary", "demand.tokens=1T,2T"),
]


def shell(line, *words):
    """Runs a shell line in which COMMAND stands for `overtrain` and its words."""
    command = shlex.join([sys.executable, str(ROOT / "cli.py"), *words])
    line = line.replace("COMMAND", command)
    return subprocess.run(
        ["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_reader_that_has_seen_enough_is_no_error(words):
    done = shell("COMMAND | true; exit ${PIPESTATUS[0]}", *words)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_device_is_told(words):
    done = shell("COMMAND >/dev/full", *words)
    assert done.returncode == 2
    assert done.stderr == "<stdout>: cannot be written: No space left on device\n"


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
