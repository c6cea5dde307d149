"""What a plan must reach: the loss surface, and the target on it.

All that an answer has of a law is in here, so that many draws of one need no more.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from optimizer.errors import InputError, Problem
from optimizer.question import sampling
from optimizer.question.asked import attended, attention
from optimizer.question.losses import made
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass
from optimizer.world.costs import CostLine
from optimizer.world.surface import Surface
from optimizer.world.training import trained


@dataclass(frozen=True, eq=False)
class Aim:
    """The target of a scenario; all None under a budget.

    Attributes:
        reducible: s, the reducible part of the loss.
        target: the loss.
        reference: N and D of the model to match.
    """

    reducible: float | None = None
    target: float | None = None
    reference: tuple[float, float] | None = None


def surfaces(scenario: Scenario) -> tuple[Surface, Surface]:
    """The loss surface of models to match, and that of the plan as it is trained.

    Raises:
        ValueError: the law has no surface.
    """
    spec = scenario.spec
    published = scenario.law.surface(spec.mixture, sampling.drawn(scenario))
    surface = trained(published, spec.training)
    if spec.sparse is not None:
        published = scenario.law.surface()  # what it is as good as is a dense model
    return published, surface


def aimed(
    scenario: Scenario,
    published: Surface,
    surface: Surface,
    training: Callable[[], CostLine],
) -> Aim:
    """What a plan must reach.

    Args:
        scenario: without lists.
        published: see `surfaces`.
        surface: likewise.
        training: what training costs.

    Raises:
        InputError: the model to match has no loss that a number can say.
    """
    spec = scenario.spec
    if spec.target is None:
        if spec.plan is None:
            return Aim()
        reducible = made(scenario, spec.plan, surface) + sampling.fewer(scenario)
        return Aim(reducible, surface.loss_of(reducible))
    # A reference is trained as the law's runs were, whatever this run does.
    reference = _reference(scenario, published, training)
    target = None
    if spec.target.loss is not None:
        target = spec.target.loss
    elif spec.target.error is not None and scenario.law.error is not None:
        target = scenario.law.error.loss(spec.target.error)
    elif spec.target.pass_rate is not None and scenario.law.passing is not None:
        k = sampling.drawn(scenario) or 1.0
        target = scenario.law.passing.loss(spec.target.pass_rate, k)
    elif reference is not None:
        # E cancels where a reference sets the quality: no rounding through L.
        N, D = reference
        reducible = published.sum(N, D) + sampling.fewer(scenario)
        target = surface.loss_of(reducible)
        if not abs(reducible) < math.inf:
            raise InputError([_unmatched(scenario)])
        return Aim(reducible, target, reference)
    if target is None:
        return Aim(reference=reference)
    return Aim(surface.reducible(target), target, reference)


def _unmatched(scenario: Scenario) -> Problem:
    """What is wrong where the model to match has no loss."""
    message = (
        "has no loss that a number can say: its law trains it best on next to no "
        "tokens; add tokens: 1T to match, or check the law's coefficients"
    )
    return Problem(scenario.place("target.match"), "target.match", message)


def _reference(
    scenario: Scenario, surface: Surface, training: Callable[[], CostLine]
) -> tuple[float, float] | None:
    """N and D of the model whose loss is the target, or None."""
    target = scenario.spec.target
    if target is None or target.match is None:
        return None
    if scenario.reference is not None:
        return scenario.reference
    match = target.match
    if match.parameters is None:
        return None
    if match.tokens is not None:
        return match.parameters, match.tokens
    N = match.parameters
    return N, attended(surface, N, attention(training().terms["FLOP"]))
