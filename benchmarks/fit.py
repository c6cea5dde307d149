"""What fits take: beside scipy and the package chinchilla, and of thousands of rows.

    python -m benchmarks.fit [STARTS]    # prints the tables
    python -m benchmarks.fit --write     # and puts them into docs/benchmarks.md

All get the same 240 synthetic runs and Huber's loss with δ = 1e-3 on ln L. This tool
takes Hoffmann's lattice of 4,500 starts and draws 4,000 resamples, which the others do
not offer. Scipy's L-BFGS-B gets this tool's own starts and exact gradient, a part of
them, and no resamples; the package takes 3,125 starts, five a coefficient. Without it
its row says so; fewer STARTS of it scale its time up, which its row says, too.

Tables of thousands of rows go through the whole command `overtrain fit`, a process
each. All run on one core, and what is told is the time of that core, so that the ratio
holds on a busy machine too. It is no test.
"""

from __future__ import annotations

import itertools
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import numpy as np

from benchmarks.__main__ import ENTRY
from benchmarks.pages import machine, told
from benchmarks.report import both
from optimizer.fitting.fit import Settings, fit, work
from optimizer.fitting.forms import Choice, checked, problem
from optimizer.fitting.objective import Array, evaluate, huber
from optimizer.fitting.runs import Runs
from optimizer.fitting.starts import starts
from optimizer.world.laws import load_law

RUNS, STARTS, DRAWS = 240, 4500, 4000
THEIRS = 3125
SOME = 150  # of the starts that scipy is given
LAW = "besiroglu-2024-refit"
NOISE = 0.01
DELTA = 1e-3
PLACES = 17  # sizes and tokens of the sweep
MODELS = 40  # of the checkpoints


def synthetic(seed: int = 0) -> Runs:
    """Returns runs spread like those that Hoffmann et al. published."""
    draw = np.random.default_rng(seed)
    N = np.exp(draw.uniform(np.log(5.7e7), np.log(1.6e10), RUNS))
    D = N * np.exp(draw.uniform(np.log(1), np.log(300), RUNS))
    surface = load_law(LAW).surface()
    exact = [surface.loss(n, d) for n, d in zip(N.tolist(), D.tolist(), strict=True)]
    loss = np.array(exact) * np.exp(draw.normal(0, NOISE, RUNS))
    line = tuple(range(2, RUNS + 2))
    row, weight = np.arange(RUNS), np.ones(RUNS)
    return Runs("synthetic", "", line, row, N, D, loss, None, None, weight)


def objective(runs: Runs, law: Mapping[str, float]) -> float:
    """Returns Huber's loss of a law on some runs, summed."""
    size = law["A"] * runs.parameters ** -law["alpha"]
    data = law["B"] * runs.tokens ** -law["beta"]
    fitted = law["E"] + (size + data) ** law.get("k", 1.0)
    residual = np.log(fitted) - np.log(runs.loss)
    return float(huber(residual, np.array(DELTA)).sum())


def ours(runs: Runs, form: str) -> tuple[float, float, str]:
    """Returns time of a core [s], objective and a remark."""
    settings = Settings(Choice(form), starts=STARTS, draws=DRAWS)
    start = time.process_time()
    with click.progressbar(length=work(settings), file=sys.stderr) as bar:
        found = fit(runs, settings, bar.update)
    taken = time.process_time() - start
    remark = (
        f"{found.reached} of {found.starts} starts agree, gradient "
        f"{found.stationarity:.0e}, {found.unstationary} draws not stationary"
    )
    return taken, objective(runs, found.coefficients), remark


def theirs(runs: Runs, count: int) -> tuple[float, float, str]:
    """Returns the same for the package chinchilla; NaN where it is not installed."""
    try:
        import pandas  # noqa: F401, PLC0415
        from chinchilla import Chinchilla  # noqa: PLC0415
    except ImportError as error:
        return float("nan"), float("nan"), f"not installed: {error}"
    grid = {
        "e": np.arange(-1, 1.5, 0.5).tolist(),
        "a": np.arange(5, 30, 5.0).tolist(),
        "b": np.arange(5, 30, 5.0).tolist(),
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
        start = time.process_time()
        with _some(count):
            model.fit(parallel=False)
        taken = (time.process_time() - start) * THEIRS / count
    law = {key: float(model.params[key]) for key in ("E", "A", "B", "alpha", "beta")}
    scaled = "" if count == THEIRS else f", scaled up from {count} starts"
    return taken, objective(runs, law), f"no error bars{scaled}"


def scipys(runs: Runs, count: int) -> tuple[float, float, str]:
    """Returns the same for scipy's L-BFGS-B from our starts with our gradient."""
    from scipy.optimize import minimize  # noqa: PLC0415

    choice = checked(Choice())
    asked, centre = problem(runs, choice)
    begin = starts(asked, choice, centre, STARTS)
    some = begin[:: max(1, len(begin) // count)]

    def both(z: Array) -> tuple[float, Array]:
        point = evaluate(asked, z[None], np.array([DELTA]))
        return float(point.value[0]), point.gradient[0]

    bounds = list(zip(asked.low, asked.high, strict=True))
    start = time.process_time()
    ends = [
        minimize(both, z, jac=True, method="L-BFGS-B", bounds=bounds).fun for z in some
    ]
    taken = (time.process_time() - start) * len(begin) / len(some)
    best = float(min(ends))
    near = sum(end <= best * (1 + 1e-6) for end in ends)
    scaled = f", scaled up from {len(some)} of {len(begin)} starts"
    return taken, best, f"no error bars, {near} of {len(some)} agree{scaled}"


@contextmanager
def _some(count: int) -> Iterator[None]:
    """Leaves the other package every so many of its starts, and one worker."""
    every, cores = itertools.product, os.cpu_count

    def some(*axes: object, **words: int) -> list[object]:
        points = list(every(*axes, **words))  # type: ignore[call-overload]
        return points[:: max(1, len(points) // count)][:count]

    itertools.product, os.cpu_count = some, lambda: 1  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        itertools.product, os.cpu_count = every, cores  # type: ignore[misc]


def table(rows: Sequence[Sequence[float]], file: Path, *names: str) -> None:
    """Writes runs as a table."""
    lines = [",".join(names), *(",".join(f"{v:.8g}" for v in row) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def sweep(count: int, file: Path) -> None:
    """Writes a sweep of learning rates at a few sizes, whose losses reach fivefold."""
    draw = np.random.default_rng(0)
    N = np.exp(draw.uniform(np.log(6e7), np.log(1e9), PLACES))
    D = N * np.exp(draw.uniform(np.log(10), np.log(300), PLACES))
    surface = load_law(LAW).surface()
    rows = []
    for i in range(count):
        n, d = float(N[i % PLACES]), float(D[i % PLACES])
        rate = draw.normal(0, 0.6)
        worse = 1.6 if rate > 0.8 else 0.3 * rate * rate
        loss = surface.loss(n, d) * np.exp(worse + draw.normal(0, 0.003))
        rows.append((n, d, 10 ** (rate - 3), loss))
    table(rows, file, "parameters", "tokens", "lr", "loss")


def checkpoints(count: int, file: Path) -> None:
    """Writes checkpoints of runs with an offset of their own."""
    draw = np.random.default_rng(0)
    N = np.exp(draw.uniform(np.log(6e7), np.log(3e9), MODELS))
    off = draw.normal(0, 0.004, MODELS)
    surface = load_law(LAW).surface()
    each = -(-count // MODELS)
    rows = []
    for i in range(count):
        run, step = divmod(i, each)
        n, d = float(N[run]), float(N[run] * 200 * (step + 1) / each)
        loss = surface.loss(n, d) * np.exp(off[run] + draw.normal(0, 0.001))
        rows.append((run, n, d, loss))
    table(rows, file, "run", "parameters", "tokens", "loss")


def commands() -> Iterator[str]:
    """Rows of a table: what whole commands take on many rows."""
    many = (("learning rates", sweep, 1911), ("checkpoints", checkpoints, 2920))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "runs.csv"
        for name, write, count in many:
            write(count, file)
            _, spent = both(("-c", ENTRY, "fit", str(file), "--format", "json"))
            yield f"| `fit` of {count:,} rows, {name} | {spent:.1f} s |"


def main(arguments: Sequence[str]) -> None:
    """Measures, prints, and writes where asked."""
    runs = synthetic()
    starts = [int(word) for word in arguments if word.isdigit()]
    count = starts[0] if starts else THEIRS
    rows: tuple[tuple[str, Callable[[], tuple[float, float, str]]], ...] = (
        ("additive, 4,000 draws", lambda: ours(runs, "chinchilla")),
        ("coupled, 4,000 draws", lambda: ours(runs, "coupled")),
        ("scipy's L-BFGS-B", lambda: scipys(runs, SOME)),
        ("the package chinchilla", lambda: theirs(runs, count)),
    )
    first = 0.0
    lines = [
        f"{machine('numpy', 'scipy')}; {RUNS} runs of {LAW} with {NOISE:.0%} of "
        f"scatter, {STARTS:,} starts",
        "",
        "| what | of the processor | × additive | Huber's loss, summed | remark |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, run in rows:
        taken, value, remark = run()
        first = first or taken
        if not math.isnan(taken):
            cells = f"{taken:.1f} s | {taken / first:.1f} | {value:.10e}"
        else:
            cells = "– | – | –"
        lines.append(f"| {name} | {cells} | {remark} |")
    lines += ["", "| what | of the processor |", "| --- | --- |", *commands()]
    told("benchmarks.md", "fits", "\n".join(lines), arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
