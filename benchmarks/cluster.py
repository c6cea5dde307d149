"""Two workers of a local Dask cluster against one: python -m benchmarks.cluster.

One thread each, plain scenarios, the cluster started before the clock. It is no test;
docs/cluster.md shows a result with its machine. With a number it takes about that many
rows instead of ten million.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from optimizer.analysis.sweep.cluster import connected, each
from optimizer.commands.dataset import BLOCKS, part
from optimizer.engine.batch import BLOCK
from optimizer.question.load import load_scenario
from optimizer.question.vary import plan

SCENARIO = Path(__file__).resolve().parents[1] / "scenarios" / "open-release.yaml"


def seconds(workers: int, count: int) -> float:
    """Returns how long a sweep takes on so many workers [s]."""
    sweep = plan(
        load_scenario(SCENARIO),
        [
            f"demand.tokens=1e9:1e15:log:{count // 1000}",
            "target.match.parameters=1B:100B:log:1000",
        ],
    )
    chunk = BLOCKS * BLOCK
    pieces = [
        (sweep, None, start, min(start + chunk, sweep.count))
        for start in range(0, sweep.count, chunk)
    ]
    with connected("local", workers) as client:
        list(each(client, part, pieces[:workers], lambda: False))  # imports
        start = time.perf_counter()
        done = sum(
            found.summary.done for _, found in each(client, part, pieces, lambda: False)
        )
        taken = time.perf_counter() - start
    if done != sweep.count:
        raise SystemExit(f"{done} of {sweep.count} rows")
    return taken


def main(count: int) -> None:
    """Prints the ratio."""
    one, two = seconds(1, count), seconds(2, count)
    print(
        f"{count:,} rows: one worker {one:.1f} s, two {two:.1f} s, "
        f"{one / two:.2f} × (load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores)"
    )


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000)
