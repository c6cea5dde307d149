"""A plan in practice: the price of a token, the run, what counts, the machines."""

from __future__ import annotations

import math

from optimizer.algebra.program import Certificate
from optimizer.records import dataclass


@dataclass(frozen=True)
class StreamTokens:
    """Lifetime tokens of one stream."""

    name: str
    tokens: float
    input_tokens: float | None
    output_tokens: float | None
    cost_share: float


@dataclass(frozen=True)
class UnitCost:
    """Dollars per million served tokens, in money of today.

    Attributes:
        input: of input tokens; None where the split is not known.
        output: of output tokens, likewise.
        total: of all tokens.
        with_training: with everything else of the plan spread over them; None where
            the dollars of training are not known.
        present_value: whether money over time makes it the constant price that covers
            the cost, and not the cost over the tokens.
        further: whether `with_training` has more than training and serving.
    """

    input: float | None
    output: float | None
    total: float
    with_training: float | None
    present_value: bool = False
    further: bool = False


@dataclass(frozen=True)
class TrainingRun:
    """The training run: accelerator-hours, and its length [s] where known."""

    accelerator_hours: float
    time: float | None


@dataclass(frozen=True)
class PostTrainingRun:
    """The rollouts after training, and training on them.

    Attributes:
        rollout_tokens: that are generated.
        trained_tokens: that are trained on.
        share: of the FLOP of pre-training that both take.
        generation_hours: accelerator-hours to generate them, or None.
        training_hours: accelerator-hours to train on them, or None.
    """

    rollout_tokens: float
    trained_tokens: float
    share: float
    generation_hours: float | None
    training_hours: float | None


@dataclass(frozen=True)
class Parties:
    """The plan's cost, in the objective's unit.

    Attributes:
        lab: what the plan counts, whoever runs the machines.
        community: what it leaves to others, by `cost_share`.
        social: both.
    """

    lab: float
    community: float
    social: float


@dataclass(frozen=True)
class ServingUse:
    """How one roofline machine serves at the plan.

    Attributes:
        stream: the stream, or the streams that share the machine.
        batch: sequences decoded together; of replicas that stand, those in flight.
        step_time: of one token of each [s].
        token_time: between two tokens of a sequence, with the prompts of others that
            are read between steps [s].
        replicas: that the mean load times the peak needs, each at its full batch; None
            without a lifetime.
        full_batch: the most sequences that it decodes together.
        standing: whole replicas that are paid all the time; None where work is paid.
        bound_by: `compute`, `bandwidth`, `memory`, `latency` or, of replicas that
            stand, `load`: no more sequences are in flight.
        usage_cost: of a million output tokens while it works; USD, None without price.
        allocated_cost: of the same with capacity for the peak paid all the time.
        weights: the format of stored weights.
        kv: the format of the KV cache.
        cache: bytes of one token of it.
        held: bytes of weights and cache in a replica.
    """

    stream: str
    batch: float
    step_time: float
    replicas: float | None
    bound_by: str
    usage_cost: float | None
    allocated_cost: float | None
    weights: str = ""
    kv: str = ""
    cache: float = 0.0
    held: float = 0.0
    standing: float | None = None
    token_time: float = 0.0
    full_batch: float | None = None


@dataclass(frozen=True)
class Relaxed:
    """The optimum with machines in fractions, a lower bound of every whole plan.

    Attributes:
        parameters: of its plan.
        tokens: likewise.
        total: its lifetime cost, or its loss under a budget.
        batches: of each roofline machine, as in `serving`.
        replicas: that stand, of each machine with standing capacity.
        certificate: its proof.
        samples: a request, where their number was open; else None.
        base: the total that sensitivities, and the elasticities and prices of limits,
            are of: that of whole standing replicas with batches in fractions.
    """

    parameters: float
    tokens: float
    total: float
    batches: tuple[float, ...]
    replicas: tuple[float, ...]
    certificate: Certificate | None
    samples: float | None = None
    base: float = math.nan
