"""Runs of one law, as tables of many kinds, and the command that a refusal offers."""

import itertools
import shlex

import pytest

from optimizer.errors import InputError
from optimizer.fitting.runs import Options, read_runs

SIZES = (7e7, 1.6e8, 4.1e8, 1.4e9)
RATIOS = (10, 20, 40, 160)
RUNS = [(n, n * r) for n in SIZES for r in RATIOS]
NAMES = {7e7: "70m", 1.6e8: "160m", 4.1e8: "410m", 1.4e9: "1.4b"}


def loss(n, d):
    return 1.8 + 400 * n**-0.34 + 2000 * d**-0.37


def csv(names, row, sep=",", runs=RUNS, before=(), after=()):
    lines = [*before, sep.join(names), *after]
    lines += [sep.join(str(c) for c in row(n, d, loss(n, d))) for n, d in runs]
    return "\n".join(lines) + "\n"


def offered(said):
    """The columns and units of the command that a refusal offers."""
    line = next(x for x in said.split("\n") if "overtrain fit" in x)
    words = shlex.split(line[line.index("overtrain fit") :])
    found = {"--column": {}, "--unit": {}, "--bytes-per-token": None}
    for flag, value in itertools.pairwise(words):
        if flag in ("--column", "--unit"):
            word, _, name = value.partition("=")
            found[flag][word] = name.rstrip(".")
    return found


def read_in_two(path, **options):
    """The runs at the first command, or at the one that the refusal of it offers."""
    try:
        return read_runs(path, options=Options(**options)), False
    except InputError as error:
        said = str(error)
    found = offered(said)
    args = found["--column"], found["--unit"]
    return read_runs(path, *args, Options(**options)), True


def close(runs):
    """All runs, and their losses as the law has them."""
    assert runs.count == len(RUNS)
    for n, d, x in zip(runs.parameters, runs.tokens, runs.loss, strict=True):
        assert x == pytest.approx(loss(n, d), rel=1e-6)
    assert sorted(set(runs.parameters.round())) == pytest.approx(sorted(SIZES))
