"""What rollouts after training need from the other words of a scenario."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.question.scenario import Scenario
from optimizer.reading.document import Steps


def rollouts(scenario: Scenario) -> Iterator[tuple[Steps, str]]:
    """What is missing for them, each at the word that asks for it."""
    after = scenario.spec.post_training
    if after is None:
        return
    index = len(scenario.streams)
    serving, chip = scenario.serving_of(index)
    if not serving.batched:
        return
    if after.output_tokens is None:
        yield (
            ("post_training",),
            "is generated on a roofline, which needs the length of a rollout; add "
            "input_tokens: 500 and output_tokens: 8000, or serving: {model: mfu, mfu: "
            "20 %}",
        )
    given = {"mfu: 0.5": serving.mfu, "mbu: 0.7": serving.mbu}
    lacking = [word for word, value in given.items() if value is None]
    if chip is None:
        lacking.insert(0, "hardware: h100-sxm")
    if lacking:
        yield (
            scenario.serving_path(index, "model"),
            f"needs more figures for rollouts; add {', '.join(lacking)}",
        )
