"""What moves the cost of a student: the law, its students' constants, its teacher.

By the envelope theorem its best size need not follow a number θ of these. With L the
loss of a student less the target, the tokens D that it needs at this size follow by

    d ln D/dθ = −(∂L/∂θ)/(∂L/∂ln D),

and the cost with them; each derivative comes by a complex step. Where a limit holds the
student its size follows too, and nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.analysis.plan.distill import Pupils, pupils
from optimizer.analysis.plan.pointwise import completed
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.sensitivity import Sensitivity, place
from optimizer.analysis.plan.students import Distillation
from optimizer.question.formulate import formulate
from optimizer.question.inputs import STEP, further_paths, named, stepped
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Steps
from optimizer.records import replace
from optimizer.world.costs import value
from optimizer.world.distillation import CONSTANTS, Teacher

HELD = 1e-6  # of a bound that counts as met


def with_moves(scenario: Scenario, found: Distillation) -> Distillation:
    """Adds to the best student what moves its cost."""
    best, words = found.ways[0], scenario.spec.distillation
    if best.student is None or words is None:
        return found
    teacher = next(
        one
        for one in words.teachers
        if (one.parameters, one.tokens)
        == (best.teacher.parameters, best.teacher.tokens)
    )
    with np.errstate(all="ignore"):
        moves = student_moves(scenario, teacher, best.student)
    first = replace(best, sensitivities=moves)
    return replace(found, ways=(first, *found.ways[1:]))


def student_moves(
    scenario: Scenario, teacher: Teacher, student: Pair
) -> tuple[Sensitivity, ...]:
    """The elasticity of a student's cost to each number that only it depends on.

    Args:
        scenario: without lists, and with teachers.
        teacher: whose student it is.
        student: the cheapest.
    """
    those = pupils(scenario, formulate(scenario), teacher)
    size = {"N": np.array([student.parameters]), "D": np.array([student.tokens])}
    whole = completed(those.question, size)
    if _held(those, whole):
        return ()
    point: dict[str, Any] = {name: float(array[0]) for name, array in whole.items()}
    more = {**point, "D": point["D"] * (1 + STEP * 1j)}
    total = _cost(those, point).real
    of_tokens = _cost(those, more).imag
    fall = _missed(those, more).imag
    found = []
    for path, number in _paths(scenario, teacher):
        other = stepped(scenario, path)
        again = pupils(other, formulate(other), _whose(other, scenario, teacher))
        tokens = -_missed(again, point).imag / fall
        moved = (_cost(again, point).imag / STEP + of_tokens / STEP * tokens) / total
        if math.isfinite(moved):
            line, source = place(scenario, path)
            name = named(scenario, path)
            found.append(Sensitivity(name, number, moved, None, None, line, source))
    return tuple(found)


def _cost(those: Pupils, point: Mapping[str, Any]) -> complex:
    """The lifetime cost, limits aside."""
    total = sum(value(term, point) for term in those.question.cost)
    return complex(total + those.logit * point["D"])


def _missed(those: Pupils, point: Mapping[str, Any]) -> complex:
    """The loss of a student above the target."""
    return complex(those.student.loss(point["N"], point["D"]) - those.target)


def _held(those: Pupils, point: Mapping[str, Array]) -> bool:
    """Whether a student meets a bound."""
    at = {name: float(each[0]) for name, each in point.items()}
    for limit in those.question.limits:
        used = sum(value(term, at) for term in limit.terms)
        used += those.logits_of(limit) * at["D"]
        if used > limit.bound * (1 - HELD):
            return True
    return False


def _paths(scenario: Scenario, teacher: Teacher) -> Iterator[tuple[Steps, float]]:
    """The numbers of the teacher, of the law, and of its students."""
    words = scenario.spec.distillation
    if words is not None:
        place: Steps = ("distillation", "teacher")
        if isinstance(words.teacher, tuple):
            place = (*place, words.teachers.index(teacher))
        yield (*place, "parameters"), teacher.parameters
        yield (*place, "tokens"), teacher.tokens
    for symbol, number in scenario.law.coefficients.items():
        yield ("law", symbol), number
    further = further_paths(scenario.law)
    for symbol in CONSTANTS:
        path: Steps = ("law", "extras", symbol)
        yield path, further[path]


def _whose(moved: Scenario, scenario: Scenario, teacher: Teacher) -> Teacher:
    """The same teacher of a scenario in which a number moved."""
    before, after = scenario.spec.distillation, moved.spec.distillation
    if before is None or after is None:
        return teacher
    return after.teachers[before.teachers.index(teacher)]
