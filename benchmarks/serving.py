"""What the measured model of serving costs beside the roofline.

`python -m benchmarks.serving`. The same scenario under both, taken in turns, by the
time of the processor; medians, and the median ratio of a turn: of one solve with its
certificate, and of a sweep of as many rows as a block has. A mixture of experts solves
several programs, one for each monomial that stands for what a batch reads, and is told
apart. It is no test: it prints a table.
"""

from __future__ import annotations

import statistics
import sys
from functools import partial

from benchmarks.batch import seconds
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.sweep.sweep import rows
from optimizer.engine import batch
from optimizer.question.load import read_scenario
from optimizer.question.scenario import Scenario
from optimizer.question.vary import plan

ROUNDS = 21
ROOFLINE, MEASURED = "roofline, mfu: 0.5, mbu: 0.7", "measured"
TEXT = """
law: besiroglu-2024-refit
objective: dollars
target: {{match: {{parameters: 13B}}}}
demand: {{requests: 5M/day, input_tokens: 1000, output_tokens: 500, lifetime: 2 years}}
training: {{hardware: h100-sxm, mfu: 0.4, price: $2/h}}
architecture: {{layers: 40, width: 5120, kv_heads: 8, head_size: 128{more}}}
serving: {{model: {model}, hardware: h200-sxm, precision: fp8, price: $2/h,
          accelerators: 4, max_time_per_output_token: 25 ms}}
"""
EXPERTS = ", parameters: {total: 100B, active: 10B}, experts: 128, active_experts: 8"


def scenario(model: str, more: str = "") -> Scenario:
    """The scenario under a model of serving."""
    return read_scenario(TEXT.format(model=model, more=more))


def alone(one: Scenario) -> object:
    """A certified plan in whole batches, with all that is said of it."""
    return solve(one)


def swept(one: Scenario) -> object:
    """A block of a sweep over the lengths of prompts."""
    lengths = f"demand.input_tokens=100:4000:{batch.BLOCK}"
    return rows(plan(one, [lengths]), 0, batch.BLOCK)


def main() -> None:
    """Prints the ratios."""
    ways = {
        "dense": (scenario(ROOFLINE), scenario(MEASURED)),
        "mixture": (scenario(ROOFLINE, EXPERTS), scenario(MEASURED, EXPERTS)),
    }
    works = {"one solve": alone, f"{batch.BLOCK} rows": swept}
    for word, work in works.items():
        for kind, pair in ways.items():
            times: list[list[float]] = [[], []]
            for place in (0, 1):
                work(pair[place])  # once, to fill the caches
            for _ in range(ROUNDS):
                for place in (0, 1):
                    times[place].append(seconds(partial(work, pair[place]), 1))
            old, new = (statistics.median(found) for found in times)
            ratio = statistics.median(b / a for a, b in zip(*times, strict=True))
            sys.stdout.write(
                f"{word}, {kind}: roofline {1e3 * old:.1f} ms, measured "
                f"{1e3 * new:.1f} ms, {ratio:.2f} ×\n"
            )


if __name__ == "__main__":
    main()
