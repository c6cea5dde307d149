"""What moves the cost of a student: the law, its students' constants, its teacher.

By the envelope theorem its best size need not follow a number θ of these: the
elasticity is that of the cost at this size, on the least tokens D(N) that each side of
θ asks for. Where a limit holds the student its size follows too, and nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.analysis.plan.distill import Pupils, pupils
from optimizer.analysis.plan.pointwise import amount, completed
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.sensitivity import Sensitivity, place
from optimizer.analysis.plan.students import Distillation
from optimizer.errors import InputError
from optimizer.question.formulate import formulate
from optimizer.question.inputs import changed, further_paths, named
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Steps
from optimizer.records import replace
from optimizer.world.distillation import CONSTANTS, Teacher

STEP = 1e-5  # of a number, to each side
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
    N, D = np.array([student.parameters]), np.array([student.tokens])
    if _held(those, N, D):
        return ()
    found = []
    for path, value in _paths(scenario, teacher):
        totals = []
        for factor in (1 + STEP, 1 - STEP):
            try:
                other = changed(scenario, path, lambda x, f=factor: x * f)  # type: ignore[misc]
                whose = _whose(other, scenario, teacher)
                again = pupils(other, formulate(other), whose)
            except (InputError, ValueError, ArithmeticError):
                break
            totals.append(float(again.cost(N, again.tokens(N, None))[0]))
        if len(totals) < 2 or not all(map(math.isfinite, totals)):
            continue
        moved = math.log(totals[0] / totals[1]) / math.log((1 + STEP) / (1 - STEP))
        line, source = place(scenario, path)
        name = named(scenario, path)
        found.append(Sensitivity(name, value, moved, None, None, line, source))
    return tuple(found)


def _held(those: Pupils, N: Array, D: Array) -> bool:
    """Whether a student meets a bound."""
    point = completed(those.question, {"N": N, "D": D})
    for limit in those.question.limits:
        used = sum(float(amount(term, point)[0]) for term in limit.terms)
        used += those.logits_of(limit) * float(D[0])
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
    for symbol, value in scenario.law.coefficients.items():
        yield ("law", symbol), value
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
