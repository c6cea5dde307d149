"""What stands beside the plan of each row: the user's own plan, and a student.

Both are worked out row by row, after all plans: no geometric program holds a student,
and an own plan leaves nothing to solve. Machines are amounts in a student, in
fractions; in an own plan they are as in the rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.analysis.plan.distill import distil
from optimizer.analysis.plan.own_plan import cheapest
from optimizer.errors import InputError
from optimizer.question.at_size import held_at
from optimizer.question.sampling import settled
from optimizer.question.scenario import OwnPlan, Scenario
from optimizer.question.vary import Plan, member
from optimizer.records import replace

# The columns of each, with their units; `cost` stands for that of the objective.
OWN: Mapping[str, str] = {
    "own_loss": "nats per token",
    "own_cost": "cost",
    "own_extra": "fraction",
    "own_breaks": "",
}
STUDENT: Mapping[str, str] = {
    "teacher": "",
    "student_parameters": "parameters",
    "student_tokens": "tokens",
    "student_cost": "cost",
    "student_ratio": "",
    "student_gap": "",
}


def further(scenario: Scenario) -> Mapping[str, str]:
    """The columns that a scenario asks for beside those of its plan."""
    own = {} if scenario.spec.plan is None else OWN
    student = {} if scenario.spec.distillation is None else STUDENT
    return {**own, **student}


def beside(
    plan: Plan,
    first: int,
    totals: Array,
    picked: Integers,
    whole: Array | None = None,
) -> Array:
    """The further columns of some rows, `(rows, columns)`.

    Args:
        plan: the sweep.
        first: the number of the first row.
        totals: the lifetime cost of each row's plan; NaN where there is none.
        picked: of the scenario's combinations, the one that each row takes.
        whole: the costs with machines in whole numbers, beside which the own plan has
            them whole too; None for fractions.
    """
    singles, spec = plan.scenario.singles, plan.scenario.spec
    found = []
    for row, (total, single) in enumerate(zip(totals, picked, strict=True)):
        best = float(total) if math.isfinite(total) else None
        told: list[float] = []
        if spec.plan is not None:
            own, against = _members(plan, singles, first + row), best
            if whole is not None:
                against = float(whole[row]) if math.isfinite(whole[row]) else None
            told += _own(own, against, whole is not None)
        if spec.distillation is not None:
            one = replace(plan, scenario=singles[int(single)])
            told += _student(member(one, first + row), best)
        found.append(told)
    return np.array(found, dtype=float).reshape(len(totals), -1)


def _members(
    plan: Plan, singles: Sequence[Scenario], row: int
) -> list[tuple[Scenario, OwnPlan]]:
    """Each combination of a row that can be had, with the own plan there."""
    found = []
    for single in singles:
        one = member(replace(plan, scenario=single), row)
        if one.spec.plan is not None:
            found.append((one, one.spec.plan))
    return found


def _own(
    singles: Sequence[tuple[Scenario, OwnPlan]], best: float | None, whole: bool
) -> list[float]:
    """The own plan of a row, in the combination that serves it at the least cost."""
    own = singles[0][1]
    size = {"N": own.parameters, "D": own.tokens}
    try:
        ways = [settled(held_at(one, size["N"], fix=None)[0]) for one, _ in singles]
        held = cheapest(ways, size, aimed=True, whole=whole)
    except (InputError, ValueError, ArithmeticError):
        return [math.nan] * len(OWN)
    question, total = held.question, held.cost.total
    return [
        question.surface.loss_of(question.reducible_at(held.point)),
        total,
        math.nan if best is None else total / best - 1,
        len(held.breaks) + held.misses,
    ]


def _student(scenario: Scenario, best: float | None) -> list[float]:
    """The cheapest student of a row, of the teacher that pays most."""
    none = [math.nan] * len(STUDENT)
    words = scenario.spec.distillation
    try:
        found = distil(scenario, best)
    except (InputError, ValueError, ArithmeticError):
        return none
    if found is None or words is None or (way := found.ways[0]).student is None:
        return none
    teachers = [(one.parameters, one.tokens) for one in words.teachers]
    proof = way.certificate
    return [
        1 + teachers.index((way.teacher.parameters, way.teacher.tokens)),
        way.student.parameters,
        way.student.tokens,
        math.nan if way.total is None else way.total,
        math.nan if way.ratio is None else way.ratio,
        math.nan if proof is None else proof.gap,
    ]
