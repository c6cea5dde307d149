"""What a batch takes, as ratios measured in one run: python -m benchmarks.batch.

A million plain scenarios against one numpy evaluation of the same points and against
cvxpy's warm re-solve; a loaded scenario on repeated data, in the order of a grid and
shuffled; growth with the number of rows; and a whole `overtrain sweep` of a million
rows. cvxpy's re-solve is taken twice: its own part alone, and with the polish and the
certificate that make it an answer of the same digits.

Ratios are of processor time, all threads together, so that other work on the machine
and the number of cores change them little; whole commands are in seconds of the clock.
It is no test; docs/speed.md shows a table with its machine. With a number it takes that
many rows instead of a million.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from optimizer.algebra.posynomial import Array, Posynomial
from optimizer.algebra.program import Constraint, GeometricProgram, members
from optimizer.analysis.sweep.rows import near
from optimizer.analysis.sweep.sweep import sweep
from optimizer.engine.batch import BLOCK, cores, solve_batch
from optimizer.engine.enclose import enclose, extended
from optimizer.engine.second_opinion import _search, solve
from optimizer.question.load import load_scenario, read_scenario
from optimizer.question.vary import groups, plan

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = ROOT / "scenarios" / "open-release.yaml"
LOADED = """
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 30B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2.50/h, accelerators: 512}
serving:
  model: roofline
  hardware: h100-sxm
  precision: fp8
  mfu: {prefill: 50 %, decode: 40 %}
  mbu: 70 %
  price: $2.50/h
  accelerators: 8
  context: 4000
  max_time_per_output_token: 50 ms
  max_time_to_first_token: 2 s
demand:
  - {name: chat, requests: 5M/day, input_tokens: 800, output_tokens: 300,
     lifetime: 2 years}
  - {name: batch, requests: 1M/day, input_tokens: 3000, output_tokens: 500,
     lifetime: 2 years}
data: {unique_tokens: 1T, price: $0.01 per million tokens}
costs: {fixed: $100k}
limits: {tokens: 20T, parameters: 60B, training_time: 200 days, total_cost: $50M,
         training_cost: $30M}
"""


def seconds(
    work: Callable[[], object],
    rounds: int = 3,
    clock: Callable[[], float] = time.process_time,
) -> float:
    """Returns the least time of some calls [s], by default of the processor."""
    taken = []
    for _ in range(rounds):
        start = clock()
        work()
        taken.append(clock() - start)
    return min(taken)


def plain(count: int) -> tuple[GeometricProgram, Callable[[], object]]:
    """Random plain programs, and one evaluation of their cost and loss."""
    random = np.random.default_rng(7)
    E, A = random.uniform(1.5, 1.9, count), random.uniform(300, 600, count)
    B, alpha = random.uniform(300, 3000, count), random.uniform(0.28, 0.40, count)
    beta = random.uniform(0.25, 0.40, count)
    s = random.uniform(0.15, 0.8, count)
    T = 10 ** random.uniform(9, 15, count)
    N, D = 10 ** random.uniform(8, 11, count), 10 ** random.uniform(10, 13, count)
    exponents = np.zeros((count, 2, 2))
    exponents[:, 0, 0], exponents[:, 1, 1] = -alpha, -beta
    cost = Posynomial(
        ("N", "D"),
        np.stack([np.full(count, 6.0), 2 * T], axis=1),
        np.array([[[1.0, 1.0], [1.0, 0.0]]]),
        ("training", "tokens"),
    )
    loss = Posynomial(
        ("N", "D"), np.stack([A / s, B / s], axis=1), exponents, ("parameters", "data")
    )

    def evaluate() -> tuple[Array, Array]:
        return 6 * N * D + 2 * N * T, E + A * N**-alpha + B * D**-beta

    return GeometricProgram(cost, (Constraint("target", loss),)), evaluate


def loaded(count: int) -> tuple[GeometricProgram, Array]:
    """The loaded scenario with different demand, prices and targets, and starts."""
    scenario = read_scenario(LOADED, "loaded.yaml")
    side = round(count ** (1 / 3))
    sweeping = plan(
        scenario,
        [
            f"demand.chat.requests=1M/day:20M/day:log:{side}",
            f"serving.price=1:5:{side}",
            f"target.match.parameters=20B:40B:{side}",
        ],
    )
    columns = sweeping.columns(0, sweeping.count)
    (group,) = groups(sweeping, columns, lambda _, question: question.program)
    if group.view is None or group.question is None:
        raise SystemExit(group.problem)
    variables = group.view.variables
    return group.view, near(group.question, variables, sweeping.count)


def warm(
    program: GeometricProgram, start: Array, count: int = 60
) -> tuple[float, float]:
    """Returns the time of cvxpy for one member, and of a certified solve [s].

    Their shape is compiled already.
    """
    ones = [members(program, np.array([i])) for i in range(count)]
    outer = [enclose(one) for one in ones]
    origin = extended(ones[0], start)
    solve(ones[0], start)
    bare = (seconds(lambda one=one: _search(one, origin), 1) for one in outer)
    whole = (seconds(lambda one=one: solve(one, start), 1) for one in ones)
    return statistics.median(bare), statistics.median(whole)


def against(taken: float, times: tuple[float, float]) -> str:
    """Says how much faster a scenario is than cvxpy's re-solve of it."""
    bare, whole = times
    return (
        f"{bare / taken:,.0f} × faster than cvxpy ({bare * 1e3:.2f} ms), "
        f"{whole / taken:,.0f} × than with its certificate ({whole * 1e3:.2f} ms)"
    )


def main(count: int) -> None:
    """Prints the table."""
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    print(f"{cpu}, {cores()} cores, load {os.getloadavg()[0]:.1f}, Python", end=" ")
    print(platform.python_version(), *(f"{p} {version(p)}" for p in ("numpy", "cvxpy")))

    scenario = load_scenario(SCENARIO)
    for power in range(4, 8):
        if 10**power > 10 * count:
            break
        side = 10 ** (power // 2)
        varied = [
            f"demand.tokens=1e9:1e15:log:{side}",
            f"target.loss=1.9:2.4:{10**power // side}",
        ]
        sweeping = plan(scenario, varied)
        taken = seconds(
            lambda sweeping=sweeping: sum(1 for _ in sweep(sweeping, lambda: False)),
            max(1, 10 ** (6 - power)),
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"sweep of 1e{power} rows: {taken / 10**power * 1e6:.2f} µs a row", end=""
        )
        print(f", peak memory of the process {peak:.0f} MB")

    program, evaluate = plain(count)
    solve_batch(members(program, np.arange(BLOCK)))
    evaluation = seconds(evaluate)
    found = solve_batch(program)
    taken = seconds(lambda: solve_batch(program))
    single = warm(program, np.log([1e9, 2e10]))
    print(
        f"plain: {taken / count * 1e6:.3f} µs a scenario, {count} scenarios; "
        f"{taken / evaluation:.1f} × one evaluation ({evaluation:.3f} s); "
        f"{against(taken / count, single)}; "
        f"gap ≤ {found.gap.max():.0e}, {found.alone} alone"
    )
    full, starts = loaded(max(count // 10, 1000))
    size = len(starts)
    single = warm(full, starts[0])
    order = np.random.default_rng(1).permutation(size)
    for name, rows in (("in order", np.arange(size)), ("shuffled", order)):
        program, near_them = members(full, rows), starts[rows]
        found = solve_batch(program, near_them)
        taken = seconds(lambda p=program, s=near_them: solve_batch(p, s), 2)
        print(
            f"loaded ({len(full.variables)} variables, {len(full.constraints)} "
            f"constraints), {name}: {taken / size * 1e6:.2f} µs a scenario, {size} "
            f"scenarios; {against(taken / size, single)}; "
            f"{np.bincount(found.ended, minlength=3)} optimal, infeasible, failed; "
            f"{found.alone} alone"
        )
    whole_process(count)


def whole_process(count: int) -> None:
    """Prints what the command takes, start and file included."""
    side = round(count**0.5)
    with tempfile.TemporaryDirectory() as folder:

        def run(steps: int) -> float:
            command = [
                *(sys.executable, str(ROOT / "cli.py"), "sweep", str(SCENARIO)),
                *("--vary", f"demand.tokens=1e9:1e15:log:{steps}"),
                *("--vary", f"target.loss=1.9:2.4:{steps}"),
                *("-o", str(Path(folder) / "sweep.parquet")),
            ]
            quiet = subprocess.DEVNULL
            return seconds(
                lambda: subprocess.run(command, check=True, stdout=quiet),  # noqa: S603
                2,
                time.perf_counter,
            )

        start, taken = run(2), run(side)
    print(
        f"overtrain sweep of {side**2} rows to Parquet: {taken:.2f} s, of which", end=""
    )
    print(f" {start:.2f} s to start")


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000)
