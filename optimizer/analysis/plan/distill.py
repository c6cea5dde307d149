"""The cheapest student of a teacher: no geometric program, so a scan with a proof.

For each size N the least tokens D(N) with which the student reaches the loss are
bracketed to 1e-12. D(N) falls in N, and every cost and every limit grows in N and in D,
so that over an interval of sizes nothing costs less than

    cost(N_low, D(N_high)),

which bounds the interval from below. Intervals whose bound is not above the best
student are halved until none is left that could hold one cheaper by more than `CLOSE`:
the scan is a proof for all sizes, not for those alone that it tried. Machines are
amounts in it, in fractions.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from itertools import pairwise

from optimizer.analysis.plan.bills import bill
from optimizer.analysis.plan.bindings import passed
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.ranges import outside
from optimizer.analysis.plan.students import Distillation, Distilled, Scanned
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass
from optimizer.world.distillation import FARTHEST, Student, Teacher

CLOSE = 1e-5  # in ln cost
MOST = 20_000  # sizes of one scan
START, END, FIRST = 1e3, 1e16, 200  # the first sizes: from, to, how many
NARROW = 60  # golden sections about the best of them
GOLDEN = (math.sqrt(5) - 1) / 2

Cost = Callable[[float, float], float]


def distil(scenario: Scenario, supervised: float | None) -> Distillation | None:
    """The best student of each teacher; None where a scenario asks for none.

    Args:
        scenario: without lists.
        supervised: lifetime cost of the plan without a teacher, or None.
    """
    words = scenario.spec.distillation
    if words is None:
        return None
    question = formulate(scenario)
    paid = words.logits == "paid"
    found = [
        _student(scenario, question, teacher, paid, supervised)
        for teacher in words.teachers
    ]
    ways = sorted(found, key=lambda way: math.inf if way.total is None else way.total)
    pays = None
    if supervised is not None and ways[0].total is not None:
        pays = ways[0].total < supervised
    return Distillation(words.logits, pays, tuple(ways))


def _student(
    scenario: Scenario,
    question: Question,
    teacher: Teacher,
    paid: bool,
    supervised: float | None,
) -> Distilled:
    surface, target = question.published, question.target or 0.0
    N, D = teacher.parameters, teacher.tokens
    student = Student(surface, surface.loss(N, D), scenario.law.extras)
    origin = Pair(N, D, D / N, student.teacher)
    logit = _forward(question) * N if paid else 0.0

    def cost(N: float, D: float) -> float:
        """The lifetime cost; infinite where a limit is broken."""
        point = question.complete({"N": N, "D": D})
        if passed((*question.limits, *question.physics), point):
            return math.inf
        return bill(question, point).total + logit * D

    def tokens(N: float) -> float:
        return student.tokens(N, target)

    reason = None
    best = None
    if student.lowest >= target:
        reason = f"no student of it goes below {student.lowest:.4f}"
    elif (best := scan(cost, tokens)) is None:
        reason = "no student of it reaches the loss within the limits"
    if best is None:
        return Distilled(origin, None, None, None, None, None, reason)
    D = tokens(best.N)
    return Distilled(
        teacher=origin,
        student=Pair(best.N, D, D / best.N, student.loss(best.N, D)),
        total=best.total,
        logits=logit * D,
        ratio=None if supervised is None else best.total / supervised,
        certificate=best.proof,
        reason=None,
        outside=tuple(outside(scenario.law, best.N, D)),
    )


def _forward(question: Question) -> float:
    """What a forward pass costs of a parameter and a token, on the training machine."""
    terms = question.bill[0].terms[question.unit]
    whole = sum(t.coefficient for t in terms if "N" in t.exponents)
    return whole / 3


@dataclass(frozen=True)
class Best:
    """The end of a scan: a size, its cost, and what is proven."""

    N: float
    total: float
    proof: Scanned


def scan(cost: Cost, tokens: Callable[[float], float]) -> Best | None:
    """The cheapest size, with a bound for all others; None where none is possible.

    Args:
        cost: of N and D, growing in both; infinite where it is not possible.
        tokens: the least D for an N, falling in it; infinite where none is enough.
    """
    step = (END / START) ** (1 / FIRST)
    sizes = [START * step**i for i in range(FIRST + 1)]
    needs = {N: tokens(N) for N in sizes}
    last = tokens(FARTHEST)
    totals = {N: cost(N, D) for N, D in needs.items() if math.isfinite(D)}
    if not totals:
        return None
    low = min(totals)

    def bounded(one: float, other: float) -> tuple[float, float, float]:
        return cost(one, needs[other]), one, other

    waiting = [
        bounded(one, other)
        for one, other in pairwise(sizes)
        if math.isfinite(needs[other])
    ]
    heapq.heapify(waiting)
    # Above the last size every cost is at least that of it on the fewest tokens.
    beyond = cost(sizes[-1], last)
    if math.isfinite(needs[START]):
        beyond = min(beyond, cost(1.0, needs[START]))  # and below the first
    while waiting and len(needs) < MOST:
        least = min(totals.values())
        bound, one, other = waiting[0]
        if bound >= least * (1 - CLOSE) or math.isinf(bound):
            break
        heapq.heappop(waiting)
        middle = math.sqrt(one * other)
        needs[middle] = tokens(middle)
        if math.isfinite(needs[middle]):
            totals[middle] = cost(middle, needs[middle])
            heapq.heappush(waiting, bounded(one, middle))
            low = min(low, middle)
        heapq.heappush(waiting, bounded(middle, other))
    best = min(totals, key=lambda N: totals[N])
    if math.isinf(totals[best]):
        return None
    N, total = _narrowed(cost, tokens, best, totals[best])
    bounds = [bound for bound, _, _ in waiting[:1]]
    floor = min([beyond, total, *bounds])
    gap = math.inf if floor <= 0 else math.log(total / floor)
    return Best(N, total, Scanned(gap, len(needs), low, sizes[-1]))


def _narrowed(
    cost: Cost, tokens: Callable[[float], float], N: float, total: float
) -> tuple[float, float]:
    """The least cost near the best size, by golden sections."""

    def at(log: float) -> float:
        D = tokens(math.exp(log))
        return cost(math.exp(log), D) if math.isfinite(D) else math.inf

    low, high = math.log(N) - 0.05, math.log(N) + 0.05
    one, other = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    left, right = at(one), at(other)
    for _ in range(NARROW):
        if left <= right:
            high, other, right = other, one, left
            one = high - GOLDEN * (high - low)
            left = at(one)
        else:
            low, one, left = one, other, right
            other = low + GOLDEN * (high - low)
            right = at(other)
    found, least = (one, left) if left <= right else (other, right)
    return (math.exp(found), least) if least < total else (N, total)
