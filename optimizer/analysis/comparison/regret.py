"""The plan made for one scenario, run in another: what guessing wrong costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.rounded import whole_at
from optimizer.analysis.plan.wording import amount, nats
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.reading.loss_words import said_in
from optimizer.records import dataclass
from optimizer.world.costs import value

TOUCHING = 1e-9
Point = Mapping[str, float]


@dataclass(frozen=True)
class Regret:
    """The plan made for one scenario, run in another.

    Attributes:
        scenarios: their names, in the order of rows and columns.
        table: row: the plan; column: where it runs; its cost over the optimum there.
        reasons: in place of an entry that is None, why there is none.
    """

    scenarios: tuple[str, ...]
    table: tuple[tuple[float | None, ...], ...]
    reasons: tuple[tuple[str | None, ...], ...]


def regret(
    scenarios: Sequence[Scenario],
    answers: Sequence[Answer],
    advance: Callable[[int], object] = lambda _: None,
) -> Regret:
    """Runs every plan in every scenario.

    Args:
        scenarios: the worlds.
        answers: their plans.
        advance: told how many more pairs are done, for a progress bar.
    """
    worlds = [[(one, formulate(one)) for one in each.singles] for each in scenarios]
    table, reasons = [], []
    for row in answers:
        cells = [
            _cell(row, world, column)
            for world, column in zip(worlds, answers, strict=True)
        ]
        table.append(tuple(entry for entry, _ in cells))
        reasons.append(tuple(reason for _, reason in cells))
        advance(len(cells))
    names = tuple(answer.scenario for answer in answers)
    return Regret(names, tuple(table), tuple(reasons))


def _cell(
    row: Answer, world: Sequence[tuple[Scenario, Question]], column: Answer
) -> tuple[float | None, str | None]:
    """One entry, or why there is none; the best of the column's choices serves."""
    if row.plan is None:
        return None, f"{row.scenario} has no plan"
    if column.plan is None or column.cost is None:
        return None, f"{column.scenario} has no optimum to compare with"
    if world[0][1].reducible is None:
        what = "the lowest loss, not the lowest cost"
        if column.question == "lifetime":
            what = (
                "a loss that its budget chooses, and not for one that others could meet"
            )
        return None, f"{column.scenario} asks for {what}"
    size = {"N": row.plan.parameters, "D": row.plan.tokens}
    costs, missed = [], []
    for scenario, question in world:
        if reason := missing(question, question.complete(size)):
            missed.append(said_in(reason, column.law.loss_unit))
        else:
            _, whole = whole_at(scenario, question, size)
            costs.append(cost_of(whole, whole.complete(size)))
    return (min(costs) / column.cost.total, None) if costs else (None, missed[0])


def cost_of(question: Question, point: Point) -> float:
    """The counted lifetime cost of a model in a scenario, in its unit."""
    return sum(value(term, point) for term in question.cost)


def missing(question: Question, point: Point) -> str:
    """What a model misses in a scenario, in words; empty where it misses nothing."""
    if question.reducible is not None and question.target is not None:
        s = question.reducible_at(point)
        if s > question.reducible * (1 + TOUCHING):
            loss = question.surface.loss_of(s)
            return f"misses the target: {nats(loss)} against {nats(question.target)}"
    for limit in question.breakable:
        used = sum(value(term, point) for term in limit.terms)
        if used > limit.bound * (1 + TOUCHING):
            if not limit.unit:
                return f"breaks {limit.name}"
            return (
                f"breaks {limit.name}: {amount(used, limit.unit)} against "
                f"{amount(limit.bound, limit.unit)}"
            )
    for name, fixed in question.fixed.items():
        if abs(point[name] / fixed - 1) > TOUCHING:
            return f"differs from the fixed {name} = {fixed:.4g}"
    return ""
