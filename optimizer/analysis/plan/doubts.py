"""What speaks against a plan: warnings, runs that never were, the law's own error."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Warning:
    """What an expert would say about the plan: a code, the reason and the cure."""

    code: str
    message: str


@dataclass(frozen=True)
class Beyond:
    """A number of the plan that lies outside the runs that its law was fitted to.

    Attributes:
        what: `parameters`, `tokens` or `tokens_per_parameter`.
        value: of the plan.
        edge: the end of the law's range that it passes.
        side: `above` or `below`.
        factor: how many times past the edge, above 1.
    """

    what: str
    value: float
    edge: float
    side: str
    factor: float


@dataclass(frozen=True)
class Chance:
    """How sure a plan is to reach its target, by the law's own error.

    Attributes:
        probability: the part of the draws in which it does.
        draws: of the law.
        seed: of their generator.
    """

    probability: float
    draws: int
    seed: int
