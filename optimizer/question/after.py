"""What students and rollouts need from the other words of a scenario."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.question.scenario import Scenario
from optimizer.reading.document import Steps
from optimizer.world.distillation import CONSTANTS


def distilled(scenario: Scenario) -> Iterator[tuple[Steps, str]]:
    """What a student of a teacher cannot stand beside."""
    spec = scenario.spec
    if spec.distillation is None:
        return
    here: Steps = ("distillation",)
    if not set(CONSTANTS) <= set(scenario.law.extras):
        yield here, "needs a law with its constants; choose law: busbridge-2025"
        return
    if not spec.distillation.teachers:
        example = "{parameters: 70B, tokens: 1.4T}"
        yield (*here, "teacher"), f"is an empty list; add a teacher, e.g. {example}"
    if spec.target is None:
        yield here, "is compared at one loss; add target: {match: {parameters: 13B}}"
    if spec.fix is not None:
        yield here, "chooses size and tokens of the student; remove fix"
    if spec.data.unique_tokens is not None:
        yield here, "is not known for repeated data; remove data.unique_tokens"
    run = spec.training
    plain = run.plainly()
    if run.sparsity or run.data_efficiency != 1 or run.precision != plain.precision:
        yield here, "is of runs as the law's; remove what training says of N and D"
    if any(serving.quantization_penalty for serving in scenario.servings):
        yield here, "is not known for quantized serving; remove quantization_penalty"


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
