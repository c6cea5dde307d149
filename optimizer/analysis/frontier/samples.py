"""Plan and cost against the samples that a request draws."""

from __future__ import annotations

from optimizer.analysis.plan.drawings import Drawing, doublings
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.over_samples import over_samples
from optimizer.analysis.plan.overtrained import left_out
from optimizer.question.formulate import formulate
from optimizer.question.sampling import knows, left_open
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass
from optimizer.world.costs import UNITS


@dataclass(frozen=True)
class OverSamples:
    """The plan for each number of samples.

    Attributes:
        scenario: its name.
        file: where it was read.
        unit: of costs.
        law: its name.
        knows: whether the law says what samples are worth.
        target_loss: to reach; None under a budget, and where it moves with samples.
        attention: whether the training-optimal tokens of its factors count it.
        left_out: of what those tokens know nothing, as in `Overtraining`.
        steps: the fewest samples first; a number without a plan is left out.
    """

    scenario: str
    file: str
    unit: str
    law: str
    knows: bool
    target_loss: float | None
    attention: bool
    left_out: tuple[str, ...]
    steps: tuple[Drawing, ...]


def frontier_over_samples(scenario: Scenario, most: int) -> OverSamples:
    """Solves a scenario for 1, 2, 4, … samples a request, and for its own best.

    Args:
        scenario: from `load_scenario`; where it leaves samples open, within its range.
        most: else the most samples.
    """
    between = left_open(scenario)
    low, high, best = 1, most, []
    if between is not None:
        low, high = between.at_least, between.at_most
        plan = solve(scenario, whole=False).plan
        best = [] if plan is None or plan.samples is None else [round(plan.samples)]
    question = formulate(scenario)
    steps = tuple(over_samples(scenario, doublings(low, high, best)))
    most_read = max((step.tokens for step in steps), default=0.0)
    return OverSamples(
        scenario=scenario.name,
        file=scenario.file,
        unit=UNITS[scenario.spec.objective],
        law=scenario.law.name,
        knows=knows(scenario),
        target_loss=question.target,
        attention=question.attention > 0,
        left_out=left_out(question, most_read),
        steps=steps,
    )
