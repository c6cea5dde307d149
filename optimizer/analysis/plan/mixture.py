"""A model of which a token passes some parameters only, and a law of dense models."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.doubts import Warning
from optimizer.question.experts import stored_share
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass

CODES = ("dense-law",)


@dataclass(frozen=True)
class Mixture:
    """A mixture of experts: N is what a token passes.

    Attributes:
        stored_parameters: all that the plan has; None where nothing tells how many.
        at_most: whether that is a bound, as of experts of which the law alone tells.
    """

    stored_parameters: float | None
    at_most: bool = False


def mixture(scenario: Scenario, parameters: float) -> Mixture | None:
    """What a plan stores beyond its N; None of a dense model, whose N are all.

    Args:
        scenario: of one choice.
        parameters: N of the plan.
    """
    if not scenario.mixture:
        return None
    # Else it is the law's: see Law.stored_share.
    bound = scenario.told_share is None and scenario.spec.mixture is not None
    for serving in (*scenario.servings, scenario.spec.serving):
        try:
            return Mixture(parameters * stored_share(scenario, serving), bound)
        except ValueError:
            continue  # it gives no stored_per_active
    return Mixture(None)


def of_dense_runs(scenario: Scenario) -> Iterator[Warning]:
    """A law that was fitted to dense models, and a mixture planned by it."""
    law = scenario.law
    if not scenario.mixture or law.counts == "active" or scenario.spec.sparse:
        return
    yield Warning(
        "dense-law",
        f"{law.name} was fitted to dense models, and its N is taken for what a token "
        "of the mixture passes: more experts reach a lower loss than it says. A law of "
        "mixtures (ludziejewski-2025, tian-2025-leverage) counts them",
    )
