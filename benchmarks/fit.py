"""Fitting 240 synthetic runs, beside the package chinchilla: python -m benchmarks.fit.

Both get the same runs, Hoffmann's lattice of 4,500 starts and Huber's loss with δ =
1e-3 on ln L; this tool also draws 4,000 resamples, which the other does not offer. It
is no test: it prints a table. The other package is not needed; without it its row says
so.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np

from optimizer.fitting.fit import Settings, fit, work
from optimizer.fitting.objective import huber
from optimizer.fitting.runs import Runs
from optimizer.world.laws import load_law

RUNS, STARTS, DRAWS = 240, 4500, 4000
LAW = "besiroglu-2024-refit"
NOISE = 0.01
DELTA = 1e-3


def synthetic(seed: int = 0) -> Runs:
    """Returns runs spread like those that Hoffmann et al. published."""
    draw = np.random.default_rng(seed)
    N = np.exp(draw.uniform(np.log(5.7e7), np.log(1.6e10), RUNS))
    D = N * np.exp(draw.uniform(np.log(1), np.log(300), RUNS))
    surface = load_law(LAW).surface()
    exact = [surface.loss(n, d) for n, d in zip(N.tolist(), D.tolist(), strict=True)]
    loss = np.array(exact) * np.exp(draw.normal(0, NOISE, RUNS))
    line = tuple(range(2, RUNS + 2))
    return Runs("synthetic", "", line, N, D, loss, None, None, np.ones(RUNS))


def objective(runs: Runs, law: Mapping[str, float]) -> float:
    """Returns Huber's loss of a law on some runs, summed."""
    size = law["A"] * runs.parameters ** -law["alpha"]
    data = law["B"] * runs.tokens ** -law["beta"]
    residual = np.log(law["E"] + size + data) - np.log(runs.loss)
    return float(huber(residual, np.array(DELTA)).sum())


def ours(runs: Runs) -> tuple[float, float, str]:
    """Returns time [s], objective and a remark."""
    settings = Settings(starts=STARTS, draws=DRAWS)
    start = time.perf_counter()
    with click.progressbar(length=work(settings), file=sys.stderr) as bar:
        found = fit(runs, settings, bar.update)
    taken = time.perf_counter() - start
    remark = (
        f"{found.reached} of {found.starts} starts agree, gradient "
        f"{found.stationarity:.0e}, {found.unstationary} draws not stationary"
    )
    return taken, objective(runs, found.coefficients), remark


def theirs(runs: Runs) -> tuple[float, float, str]:
    """Returns the same for the package chinchilla; NaN where it is not installed."""
    try:
        import pandas  # noqa: F401, PLC0415
        from chinchilla import Chinchilla  # noqa: PLC0415
    except ImportError as error:
        return float("nan"), float("nan"), f"not installed: {error}"
    grid = {
        "e": np.arange(-1, 1.5, 0.5).tolist(),
        "a": np.arange(0, 30, 5.0).tolist(),
        "b": np.arange(0, 30, 5.0).tolist(),
        "alpha": np.arange(0, 2.5, 0.5).tolist(),
        "beta": np.arange(0, 2.5, 0.5).tolist(),
    }
    with tempfile.TemporaryDirectory() as folder:
        table = ["C,N,D,loss"]
        rows = zip(runs.compute, runs.parameters, runs.tokens, runs.loss, strict=True)
        table += [",".join(f"{value:.17g}" for value in row) for row in rows]
        Path(folder, "df.csv").write_text("\n".join(table) + "\n", encoding="utf-8")
        model = Chinchilla(
            folder,
            param_grid=grid,
            seed_ranges={"C": (1e18, 1e22), "N_to_D": (1, 300)},
            loss_fn=lambda true, fitted: huber(
                np.log(fitted) - np.log(true), np.array(DELTA)
            ),
        )
        start = time.perf_counter()
        model.fit(parallel=True)
        taken = time.perf_counter() - start
    law = {key: float(model.params[key]) for key in ("E", "A", "B", "alpha", "beta")}
    return taken, objective(runs, law), "no error bars"


def main() -> None:
    """Prints the table."""
    runs = synthetic()
    print(f"{RUNS} runs of {LAW} with {NOISE:.0%} of scatter, {STARTS} starts")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    for name, run in (("overtrain, with 4,000 draws", ours), ("chinchilla", theirs)):
        taken, value, remark = run(runs)
        print(f"{name:28} {taken:8.1f} s  objective {value:.9e}  {remark}")


if __name__ == "__main__":
    main()
