"""Runs made from a known law, and the way to a table of published ones."""

from types import SimpleNamespace

import numpy as np
import pytest

from optimizer.fitting.runs import Runs

SARDANA = "sardana-2024-training-runs.csv"


def grid(sizes=8, ratios=8, low=5e7, high=1e10, span=(3, 300)):
    """N and D of every size at every ratio."""
    N = np.geomspace(low, high, sizes)
    ratio = np.geomspace(*span, ratios)
    return (N[:, None] * np.ones(ratios)).ravel(), np.outer(N, ratio).ravel()


def runs_of(loss, N, D, noise=0.0, seed=0, **columns):
    """Runs whose loss is a function of N and D, with scatter in its logarithm."""
    draw = np.random.default_rng(seed)
    exact = np.array([loss(n, d) for n, d in zip(N.tolist(), D.tolist(), strict=True)])
    return Runs(
        file="made.csv",
        sha256="",
        line=tuple(range(2, N.size + 2)),
        row=np.arange(N.size),
        parameters=N,
        tokens=D,
        loss=exact * np.exp(draw.normal(0, noise, N.size)),
        unique=columns.get("unique"),
        error=columns.get("error"),
        weight=columns.get("weight", np.ones(N.size)),
    )


@pytest.fixture(scope="session")
def made():
    """`grid` and `runs`, as functions."""
    return SimpleNamespace(grid=grid, runs=runs_of)


@pytest.fixture(scope="session")
def sardana(shared):
    """The path of the runs of Sardana et al. 2024, or a skip with the reason."""
    return str(shared / "data" / SARDANA)
