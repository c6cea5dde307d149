"""The student planned for one scenario, run in another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optimizer.analysis.comparison.regret import TOUCHING, Regret
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.distill import pupils
from optimizer.analysis.plan.students import Distilled
from optimizer.analysis.plan.wording import nats
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.world.distillation import Teacher


def taught(scenarios: Sequence[Scenario], answers: Sequence[Answer]) -> Regret | None:
    """Runs every student in every scenario; None where no scenario has a teacher.

    A student keeps its teacher; its logits cost what the scenario says that it runs in.
    Machines are in fractions, as in the scans.
    """
    best = [
        None if answer.distillation is None else answer.distillation.ways[0]
        for answer in answers
    ]
    if not any(best):
        return None
    table, reasons = [], []
    for row, way in zip(answers, best, strict=True):
        cells = [
            _cell(row, way, scenario.chosen(column.choice), column, there)
            for scenario, column, there in zip(scenarios, answers, best, strict=True)
        ]
        table.append(tuple(entry for entry, _ in cells))
        reasons.append(tuple(reason for _, reason in cells))
    names = tuple(answer.scenario for answer in answers)
    return Regret(names, tuple(table), tuple(reasons))


def _cell(
    row: Answer,
    way: Distilled | None,
    scenario: Scenario,
    column: Answer,
    there: Distilled | None,
) -> tuple[float | None, str | None]:
    """One entry, or why there is none."""
    if way is None or way.student is None:
        return None, f"{row.scenario} has no student"
    if there is None or there.total is None:
        return None, f"{column.scenario} has no student to compare with"
    teacher = Teacher(parameters=way.teacher.parameters, tokens=way.teacher.tokens)
    those = pupils(scenario, formulate(scenario), teacher)
    N, D = way.student.parameters, way.student.tokens
    loss = float(those.student.loss(N, D))
    if loss > those.target * (1 + TOUCHING):
        return None, f"misses the target: {nats(loss)} against {nats(those.target)}"
    with np.errstate(all="ignore"):
        total = float(those.cost(np.array([N]), np.array([D]))[0])
    if math.isinf(total):
        return None, "breaks a limit"
    return total / there.total, None
