"""-o of every command: no input is written over, no ending means nothing."""

from importlib import import_module
from pathlib import Path

import pytest

from optimizer.commands.group import COMMANDS
from tests.commands.test_gates import DOLLARS, LAW

RUNS = "parameters,tokens,loss\n" + "".join(
    f"{n},{d},{1.8 + 400 * n**-0.34 + 2000 * d**-0.37:.6f}\n"
    for n in (1e8, 3e8, 1e9, 3e9)
    for d in (2e9, 1e10, 5e10)
)
POINTS = """\
engine,model,accelerator,accelerators,weights,kv,input_tokens,output_tokens,\
concurrency,measured_tpot_ms
""" + "".join(
    f"vllm,llama-3-8b,h100-sxm,1,bf16,bf16,1000,300,{n},{6.9 + n / 8}\n"
    for n in (1, 4, 8, 16, 32)
)
CONFIG = '{"model_type": "llama"}'
# What each command reads, and the file among it that -o must not name.
READ = {
    "solve": (["team.yaml", "--format", "json"], "team.yaml"),
    "compare": (["team.yaml", "own.yaml", "--format", "csv"], "law.yaml"),
    "report": (["team.yaml", "--format", "markdown"], "team.yaml"),
    "frontier": (["own.yaml", "--format", "csv"], "law.yaml"),
    "uncertainty": (["team.yaml", "--format", "json"], "team.yaml"),
    "audit": (
        ["llama-3-8b", "--scenario", "team.yaml", "--format", "csv"],
        "team.yaml",
    ),
    "sweep": (
        ["team.yaml", "--vary", "demand.tokens=1T,2T", "--format", "csv"],
        "team.yaml",
    ),
    "plot": (["contour", "team.yaml"], "team.yaml"),
    "fit": (["runs.csv"], "runs.csv"),
    "serving": (["points.csv", "--format", "json"], "points.csv"),
    "calibrate": (["points.csv"], "points.csv"),
    "model": (["./config.json", "--format", "json"], "config.json"),
    "laws": (["law.yaml", "--format", "json"], "law.yaml"),
    "init": (["open-release"], "team.yaml"),
    "diff": (["team.yaml", "own.yaml", "--format", "json"], "own.yaml"),
}
WRITE_ONLY = {"hardware", "schema"}  # read no file of the user


@pytest.fixture
def files(here):
    Path("team.yaml").write_text(DOLLARS)
    Path("own.yaml").write_text(DOLLARS.replace("besiroglu-2024-refit", "law.yaml"))
    Path("law.yaml").write_text(LAW)
    Path("runs.csv").write_text(RUNS)
    Path("points.csv").write_text(POINTS)
    Path("config.json").write_text(CONFIG)
    return {path: path.read_bytes() for path in Path().iterdir()}


def writes(name):
    command = import_module(f"optimizer.commands.{name}").command
    return any("--output" in option.opts for option in command.params)


def test_every_command_that_writes_is_here():
    assert {name for name in COMMANDS if writes(name)} == set(READ) | WRITE_ONLY


@pytest.mark.parametrize("name", READ)
def test_no_input_is_written_over(files, run, name):
    words, reads = READ[name]
    done = run(name, *words, "-o", reads)
    assert done.code == 2
    assert reads in done.err
    assert {path: path.read_bytes() for path in Path().iterdir()} == files


@pytest.mark.parametrize("name", [*READ, *sorted(WRITE_ONLY)])
def test_an_ending_that_means_nothing_is_refused_before_any_work(files, run, name):
    words = list(READ.get(name, ([], ""))[0])
    if "--format" in words:
        words = words[: words.index("--format")]
    done = run(name, *words, "-o", "out.docx")
    assert done.code == 2
    assert "out.docx" in done.err
    assert ".yaml" in done.err or ".json" in done.err or ".svg" in done.err
    assert {path: path.read_bytes() for path in Path().iterdir()} == files
