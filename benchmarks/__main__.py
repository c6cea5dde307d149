"""What a command takes, against a bare `import cvxpy`: python -m benchmarks [--write].

Whole processes, taken in turns so that the machine's moods hit all alike; medians. It
is no test; docs/benchmarks.md shows the table with its machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.pages import machine, told

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = ROOT / "scenarios" / "open-release.yaml"
ROUNDS = 9
ENTRY = "import sys, cli; sys.exit(cli.main())"  # as the installed command does

PROCESSES: Mapping[str, tuple[str, ...]] = {
    "python, nothing imported": ("-c", "pass"),
    "import cvxpy": ("-c", "import cvxpy"),
    "overtrain --version": ("-c", ENTRY, "--version"),
    "overtrain --help": ("-c", ENTRY, "--help"),
    "overtrain check": ("-c", ENTRY, "check", str(SCENARIO)),
    "overtrain solve": ("-c", ENTRY, "solve", str(SCENARIO)),
}


def seconds(work: Callable[[], object]) -> float:
    """Returns how long one call takes [s]."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def start(words: tuple[str, ...]) -> None:
    """Runs Python with some arguments, from the top of this checkout.

    What pip installs is compiled; so is this checkout, whatever the environment says,
    for else our side alone would be compiled anew by each process.
    """
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, *words],
        cwd=ROOT,
        env=kept,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def processes() -> dict[str, float]:
    """Returns the median time of each whole process [s]."""
    times: dict[str, list[float]] = {name: [] for name in PROCESSES}
    for words in PROCESSES.values():
        start(words)  # once, to fill the caches
    for _ in range(ROUNDS):
        for name, words in PROCESSES.items():
            times[name].append(seconds(partial(start, words)))
    return {name: statistics.median(taken) for name, taken in times.items()}


def solves() -> dict[str, float]:
    """Returns the time of the first solve and the median of later ones [s].

    The later ones differ in their demand, so that nothing but the compiled program is
    shared.
    """
    import cvxpy  # noqa: F401, PLC0415 - its import is no part of a solve

    from optimizer.analysis.plan.optimum import solve as answer  # noqa: PLC0415
    from optimizer.engine.solve import solve  # noqa: PLC0415
    from optimizer.question.formulate import formulate  # noqa: PLC0415
    from optimizer.question.load import load_scenario  # noqa: PLC0415

    scenarios = [
        load_scenario(SCENARIO, (f"demand.tokens={n}T",)) for n in range(1, ROUNDS + 2)
    ]
    programs = [formulate(scenario).program for scenario in scenarios]
    first, *later = (seconds(partial(solve, p)) for p in programs)
    whole = (seconds(partial(answer, s)) for s in scenarios)
    return {
        "first solve of a program": first,
        "solve of another of the same shape": statistics.median(later),
        "whole answer, warm": statistics.median(whole),
    }


def table(times: Mapping[str, float], base: str) -> str:
    """Returns a Markdown table with each time and its ratio to one of them."""
    rows = [f"| what | median | × {base} |", "| --- | --- | --- |"]
    rows += [
        f"| {name} | {1000 * taken:.4g} ms | {taken / times[base]:.3g} |"
        for name, taken in times.items()
    ]
    return "\n".join(rows)


def main(arguments: Sequence[str]) -> None:
    """Measures, prints, and writes where asked."""
    parts = (
        f"{machine('cvxpy', 'numpy')}, {ROUNDS} rounds",
        table(processes(), "import cvxpy"),
        table(solves(), "first solve of a program"),
    )
    told("benchmarks.md", "processes", "\n\n".join(parts), arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
