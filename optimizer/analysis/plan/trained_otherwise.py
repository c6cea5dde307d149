"""What is to be said of a run that is trained unlike the runs of its law."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.doubts import Warning
from optimizer.question.scenario import Scenario
from optimizer.reading.spread import expected
from optimizer.world.machines import BLOCKED
from optimizer.world.training import PASSES, capacities

CODES = ("format-constants", "format-free", "optimizer-claim")
MEASURED = 1.1  # of data efficiency, at the largest size of a fair comparison


def trained_otherwise(scenario: Scenario) -> Iterator[Warning]:
    """Where the factors of formats, zeros and optimisers come from."""
    training = scenario.spec.training
    formats = dict.fromkeys(training.format_of(word) for word in PASSES)
    for one in formats:
        if one in BLOCKED:
            known = capacities()["formats"][one]
            yield Warning(
                "format-constants",
                f"what {one} leaves of N and D was fitted to {known['range']}; whether "
                "it holds for larger ones nobody has published",
            )
        elif one == "fp4":
            yield Warning(
                "format-free",
                "training in fp4 is taken to cost no quality; mxfp4 has what was "
                "measured for it",
            )
    if training.sparsity is not None:
        known = capacities()["sparsity"]
        yield Warning(
            "format-constants",
            f"what zeros leave of N rests on {known['range']} ({known['source']})",
        )
    if expected(training.data_efficiency) > MEASURED:
        yield Warning(
            "optimizer-claim",
            "a data efficiency above 1.1 is a claim about an optimiser: against a "
            "tuned AdamW gains fell from 1.4 at 0.1B parameters to 1.1 at 1.2B (arXiv "
            "2509.02046); measure it at the size you train",
        )
