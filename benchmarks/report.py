"""What a report takes, against its two great imports.

    python -m benchmarks.report            # prints the table
    python -m benchmarks.report --write    # and puts it into docs/benchmarks.md

Five shipped scenarios to one HTML page, and `import cvxpy, altair`, each a whole
process with all that it starts, taken in turns so that the machine's moods hit both
alike; medians, by the clock and of the processor. It is no test: docs/benchmarks.md
shows a table with its machine.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.__main__ import ENTRY, ROOT, seconds, start
from benchmarks.pages import machine, told

ROUNDS = 3
SETS = {
    "five plain scenarios": (
        *("open-release", "open-release-community-0", "open-release-community-1"),
        *("sardana-13b-2t", "consumer-api"),
    ),
    "five scenarios with limits and prices": (
        *("open-release", "internal-use", "api-at-scale", "consumer-api"),
        "regulated-internal-assistant",
    ),
}


def processor() -> float:
    """Returns the processor time of all processes started so far that ended [s]."""
    spent = os.times()
    return spent.children_user + spent.children_system


def both(words: tuple[str, ...]) -> tuple[float, float]:
    """Runs Python with some arguments; returns clock and processor time [s]."""
    before = processor()
    taken = seconds(lambda: start(words))
    return taken, processor() - before


def measured(jobs: dict[str, tuple[str, ...]]) -> dict[str, tuple[float, float]]:
    """Returns the medians of each job, which go in turns."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for words in jobs.values():
        start(words)  # once, to fill the caches
    for _ in range(ROUNDS):
        for name, words in jobs.items():
            times[name].append(both(words))
    return {
        name: (
            statistics.median(clock for clock, _ in taken),
            statistics.median(spent for _, spent in taken),
        )
        for name, taken in times.items()
    }


def main(arguments: Sequence[str]) -> None:
    """Measures, prints, and writes where asked."""
    base = "import cvxpy, altair"
    with tempfile.TemporaryDirectory() as folder:
        jobs: dict[str, tuple[str, ...]] = {base: ("-c", base)}
        pages = {}
        for name, words in SETS.items():
            files = [str(ROOT / "scenarios" / f"{word}.yaml") for word in words]
            pages[name] = Path(folder) / f"{len(jobs)}.html"
            jobs[name] = ("-c", ENTRY, "report", *files, "-o", str(pages[name]))
        times = measured(jobs)
        sizes = {name: page.stat().st_size for name, page in pages.items()}
    clock, spent = times[base]
    rows = [
        f"{machine('cvxpy', 'altair', 'vl-convert-python')}, {ROUNDS} rounds",
        "",
        "| what | by the clock | × imports | of the processor | × imports | page |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, (taken, work) in times.items():
        page = f"{sizes[name] / 1e6:.2g} MB" if name in sizes else "–"
        rows.append(
            f"| {name} | {taken:.3g} s | {taken / clock:.3g} | {work:.3g} s | "
            f"{work / spent:.3g} | {page} |"
        )
    told("benchmarks.md", "reports", "\n".join(rows), arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
