"""Commands that are killed at each step of their writing: nothing is half-written.

A child runs a command and kills itself, as the system would, just before its n-th step
among files: opening, making, renaming, removing. What it leaves must be the old file or
the new one, whole, and the same command must then end as if nothing had been.
"""

import contextlib
import os
import signal
import sys

import pytest

import cli
from optimizer.commands import dataset
from tests.chance import THOROUGH

STEPS = {"open", "os.rename", "os.chmod", "os.remove", "os.mkdir", "tempfile.mkstemp"}
GOOD = "law: kaplan-2020\ntarget: {loss: 2.5}\ndemand: {tokens: 1T}\n"
RUNS = "N,D,loss\n" + "".join(
    f"{n:g},{n * r:g},{1.7 + 400 * n**-0.34 + 410 * (n * r) ** -0.28:.6f}\n"
    for n in (1e8, 3e8, 1e9, 3e9)
    for r in (5, 20, 80)
)
VARY = ["--vary", "demand.tokens=1e9:1e15:log:60"]
WRITERS = {
    "solve": ["solve", "a.yaml", "--format", "json", "-o", "out.json"],
    "sweep to CSV": ["sweep", "a.yaml", *VARY, "-o", "out.csv"],
    "sweep to Parquet": ["sweep", "a.yaml", *VARY, "-o", "out.parquet"],
    "sweep on a cluster": [
        *("sweep", "a.yaml", *VARY, "-o", "out.parquet"),
        *("--cluster", "local", "--chunk", "30"),
    ],
    "fit": ["fit", "runs.csv", "--draws", "50", "-o", "out.yaml"],
    "report": ["report", "a.yaml", "--format", "markdown", "-o", "out.md"],
    "init": ["init", "internal-use", "-o", "out.yaml", "--force"],
}


def child(line, stop=None):
    """Runs a command in a child that kills itself before a step of its own.

    Returns:
        How it ended, and how many steps it took.
    """
    counted, count = os.pipe()
    number = os.fork()
    if number == 0:
        _run(line, stop, count)
    os.close(count)
    taken = b""
    while part := os.read(counted, 4096):
        taken += part
    os.close(counted)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), len(taken)


def _run(line, stop, count):
    """The child: never returns."""
    here, taken = os.getcwd(), 0

    def step(event, values):
        nonlocal taken
        if event not in STEPS or not str(values[0]).startswith((here, ".", "out")):
            return
        if event == "open" and "r" in str(values[1]):
            return
        if taken == stop:
            os.kill(os.getpid(), signal.SIGKILL)
        taken += 1
        os.write(count, b".")

    code = 99
    with contextlib.suppress(BaseException):
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        sys.stdout, sys.stderr = map(os.fdopen, (1, 2), "ww")
        # In place of processes on this machine, which outlive a killed driver.
        dataset.connected = lambda _: contextlib.nullcontext()
        dataset.each = lambda _, work, pieces, __: ((p, work(*p)) for p in pieces)
        sys.addaudithook(step)
        code = cli.main(line)
    os._exit(code)


def left():
    """What is in the folder: name → bytes, with the parts of a data set."""
    found = {}
    for folder, _, names in os.walk("."):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[path] = file.read()
    return found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("name", WRITERS)
def test_a_killed_command_leaves_whole_files(name, tmp_path, monkeypatch):
    line = WRITERS[name]
    if ".parquet" in " ".join(line):
        pytest.importorskip("pyarrow")

    def fresh(place, old):
        folder = tmp_path / place
        folder.mkdir()
        monkeypatch.chdir(folder)
        (folder / "a.yaml").write_text(GOOD)
        (folder / "runs.csv").write_text(RUNS)
        if old and "--cluster" not in line:
            (folder / line[line.index("-o") + 1]).write_bytes(b"old")

    fresh("whole", False)
    code, steps = child(line)
    assert code == 0
    assert steps >= 2
    whole = left()
    for stop in range(steps):
        for old in (False, True) if THOROUGH else (stop % 2 == 0,):
            fresh(f"{stop}-{old}", old)
            assert child(line, stop) == (-signal.SIGKILL, stop)
            for path, held in left().items():
                if not os.path.basename(path).startswith("."):
                    assert held in (whole.get(path), b"old"), (stop, path)
            assert child(line)[0] == 0
            again = {
                path: held
                for path, held in left().items()
                if not os.path.basename(path).startswith(".")
            }
            assert again == whole, stop
