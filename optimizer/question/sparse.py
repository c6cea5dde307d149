"""Sparse experts in a scenario: what their law knows of, and what it does not."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.question.asked import Fitted
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Steps
from optimizer.world.leverage import outside
from optimizer.world.models import load_model

AGREES = 1.25  # of an activation with that of an architecture: experts are shared too


def fitted(scenario: Scenario) -> Fitted | None:
    """The compute that a plan must keep to; None where any will do."""
    sparse, span = scenario.spec.sparse, scenario.law.range.compute
    if sparse is None or sparse.dense or sparse.beyond_fit or span is None:
        return None
    return Fitted(scenario.law.name, *span)


def beyond(scenario: Scenario, N: float, D: float) -> tuple[str, ...]:
    """What of an answer its leverage was not fitted to, in words."""
    sparse, law = scenario.spec.sparse, scenario.law
    if sparse is None or sparse.dense:
        return ()
    choices = outside(law.range, sparse)
    span = law.range.compute
    found = [f"was not fitted to {choices}"] if choices else []
    if span is not None and (why := Fitted(law.name, *span).outside(N, D)):
        found.append(why)
    return tuple(found)


def unlevered(scenario: Scenario) -> Iterator[tuple[Steps, str]]:
    """What a law of leverage lacks, or says nothing of."""
    spec, law = scenario.spec, scenario.law
    if law.form != "leverage":
        return
    sparse = spec.sparse
    if sparse is None:
        yield (
            ("law",),
            f"{law.name} needs the experts: add sparse: {{activation: [100 %, 10 %], "
            "granularity: 12}, of which 100 % is the dense model",
        )
        return
    if spec.data.unique_tokens is not None:
        yield (
            ("data", "unique_tokens"),
            "is not known for sparse experts: what repeated data are worth was fitted "
            "to dense models; remove it, or take a dense law",
        )
    if spec.existing is not None:
        yield (
            ("existing",),
            "is a model with experts of its own, of which the law cannot say the "
            "loss; price it with plan: {parameters: , tokens: } in a scenario with "
            "its sparse, and compare the two",
        )
    run = spec.training
    if run.sparsity or run.precision != run.plainly().precision:
        yield (
            ("training",),
            "has formats or zeros whose loss was measured on dense models only; "
            "remove them",
        )
    if any(one.quantization_penalty for one in scenario.machines):
        yield (
            ("serving", "quantization_penalty"),
            "was fitted to dense models, not to sparse experts; remove it",
        )
    match = None if spec.target is None else spec.target.match
    model = None if match is None else match.model
    if model is not None and load_model(model).active_parameters is not None:
        yield (
            ("target", "match", "model"),
            f"is a mixture, and what {law.name} is as good as is a dense model; give "
            "one, or a loss",
        )
    shape = spec.architecture
    if shape is not None and shape.experts is not None and not sparse.dense:
        share = (shape.active_experts or 1) / shape.experts
        if not 1 / AGREES <= share / sparse.activation.real <= AGREES:
            yield (
                ("architecture",),
                f"passes {shape.active_experts or 1} of {shape.experts} experts, which "
                f"is {share:.3g}, and sparse.activation is "
                f"{sparse.activation:.3g}; let them agree",
            )
