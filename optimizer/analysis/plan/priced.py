"""Records: a model, its bill, and a plan of the user's own."""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.analysis.plan.doubts import Beyond
from optimizer.records import dataclass


@dataclass(frozen=True)
class Pair:
    """A model: N parameters trained on D tokens, and its loss under the law.

    Under a law of samples also how many answers it draws a request; else None.
    """

    parameters: float
    tokens: float
    tokens_per_parameter: float
    loss: float
    samples: float | None = None


@dataclass(frozen=True)
class Line:
    """One line of the bill; share is its part of the total."""

    name: str
    amount: float
    share: float


@dataclass(frozen=True)
class Cost:
    """The lifetime cost that the objective counts, in its unit."""

    unit: str
    training: float
    inference: float
    other: float
    total: float
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Broken:
    """A limit that a plan does not keep.

    Attributes:
        name: the user's word for it.
        bound: in its unit.
        value: what the plan takes of it.
        unit: of both.
        line: where it stands.
    """

    name: str
    bound: float
    value: float
    unit: str
    line: int | None


@dataclass(frozen=True)
class Own:
    """A plan of the user's own, of which nothing is left to choose but its machines.

    Attributes:
        plan: the model and its loss.
        cost: over the life.
        amounts: the same total in each unit whose inputs are given.
        choice: of the scenario's lists, with which it is cheapest.
        breaks: the limits that it does not keep.
        misses: whether its loss is above the target.
        overtraining: its tokens over the training-optimal tokens for its size.
        extra: cost above that of the optimum; None where no plan keeps the limits.
        fraction: the same over the optimum's cost.
        implied_demand: served tokens at which it is the cheapest of its loss; with
            the three that follow as in `Fixed`.
        attention: as in `Overtraining`; `left_out` likewise.
        extrapolation: what of it lies outside the law's runs, as in `Answer`.
    """

    plan: Pair
    cost: Cost
    amounts: Mapping[str, float | None]
    choice: Mapping[str, str]
    breaks: tuple[Broken, ...]
    misses: bool
    overtraining: float
    extra: float | None
    fraction: float | None
    implied_demand: float | None
    implied_within: float | None = None
    implied_reason: str | None = None
    implied_replicas: int | None = None
    attention: bool = False
    left_out: tuple[str, ...] = ()
    extrapolation: tuple[Beyond, ...] = ()
