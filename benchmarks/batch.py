"""What a batch takes, as ratios measured in one run.

    python -m benchmarks.batch            # prints the table
    python -m benchmarks.batch --write    # and puts it into docs/speed.md

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

import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.pages import machine, told
from optimizer.algebra.posynomial import Array, Posynomial
from optimizer.algebra.program import Constraint, GeometricProgram, members
from optimizer.analysis.sweep.rows import near
from optimizer.analysis.sweep.sweep import sweep
from optimizer.engine.batch import BLOCK, compiling_pays, solve_batch, solve_block
from optimizer.engine.enclose import enclose, extended, opened
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
        f"{bare / taken:,.0f} × cvxpy's own part ({bare * 1e3:.2f} ms), "
        f"{whole / taken:,.0f} × with its certificate ({whole * 1e3:.2f} ms)"
    )


Row = tuple[str, str, str]


def singles(count: int) -> Iterator[Row]:
    """Plain scenarios, against one evaluation and against cvxpy."""
    program, evaluate = plain(count)
    solve_batch(members(program, np.arange(BLOCK)))
    evaluation = seconds(evaluate)
    taken = seconds(lambda: solve_batch(program))
    each = taken / count
    said = f"{each * 1e6:.2f} µs each: {taken / evaluation:.1f} × one numpy evaluation"
    what = f"plain scenario, {count:,} with different law, target and demand"
    yield what, f"{said} of cost and loss", "12 ×"
    single = warm(program, np.log([1e9, 2e10]))
    yield "the same against cvxpy's warm re-solve", against(each, single), "5,000 ×"


def grids(count: int) -> Iterator[Row]:
    """A loaded scenario, in the order of a grid and shuffled."""
    full, starts = loaded(count)
    size = len(starts)
    single = warm(full, starts[0])
    order = np.random.default_rng(1).permutation(size)
    terms = sum(len(p.labels) for p in opened(full))
    what = (
        "loaded scenario: two streams on a roofline with its batch, repeated data, "
        f"{len(full.constraints)} constraints, {terms} terms, {size:,} "
    )
    ways = (("in order", np.arange(size), "500 ×"), ("shuffled", order, "1,000 ×"))
    for name, rows, aim in ways:
        program, near_them = members(full, rows), starts[rows]
        few, fast = np.arange(min(BLOCK, size)), compiling_pays(size)
        solve_block(members(program, few), len(few), near_them[few], fast=fast)
        taken = seconds(lambda p=program, s=near_them: solve_batch(p, s), 1)
        each = taken / size
        yield what + name, f"{each * 1e6:.1f} µs each: {against(each, single)}", aim


def sweeps(count: int) -> Iterator[Row]:
    """How a sweep grows with its rows, in time and in memory."""
    scenario = load_scenario(SCENARIO)
    powers = [power for power in range(4, 8) if 10**power <= 10 * count]
    times, peaks = [], []
    for power in powers:
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
        times.append(f"{taken / 10**power * 1e6:.2f}")
        peaks.append(f"{peak:.0f}")
    rows = ", ".join(f"10^{power}" for power in powers)
    what = f"a row of a sweep of {rows} rows"
    yield what, f"{', '.join(times)} µs", "linear within 40 %"
    yield "peak memory of the process after each", f"{', '.join(peaks)} MB", "flat"


def whole_process(count: int) -> Iterator[Row]:
    """What the command takes, start and file included."""
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

        begun, taken = run(2), run(side)
    what = f"`overtrain sweep` of {side**2:,} rows to Parquet, by the clock"
    yield what, f"{taken:.2f} s, of which {begun:.2f} s to start", "start and 4 × solve"


def main(arguments: Sequence[str]) -> None:
    """Measures, prints, and writes where asked."""
    numbers = [int(float(word)) for word in arguments if not word.startswith("-")]
    count = numbers[0] if numbers else 1_000_000
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    optional = [name for name in ("numba",) if find_spec(name) is not None]
    lines = [
        f"{cpu}, {machine('numpy', 'cvxpy', *optional)}",
        "",
        "| what | measured | aim |",
        "| --- | --- | --- |",
    ]
    # Memory first: what follows holds all its programs at once.
    for part in (
        sweeps(count),
        singles(count),
        grids(4 * count // 10),
        whole_process(count),
    ):
        for row in part:
            lines.append(f"| {' | '.join(row)} |")
            print(lines[-1], file=sys.stderr, flush=True)
    told("speed.md", "batches", "\n".join(lines), arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
