"""The cheapest student of a teacher: no geometric program, so a scan with a proof.

For each size N the least tokens D(N) with which the student reaches the loss are
bracketed to 1e-12. D(N) falls in N, and every cost and every limit grows in N and in D,
so that over an interval of sizes nothing costs less than

    cost(N_low, D(N_high)),

which bounds the interval from below. Intervals whose bound is not above the best
student are cut until none is left that could hold one cheaper by more than `CLOSE`:
the scan is a proof for all sizes, not for those alone that it tried. Machines are
amounts in it, in fractions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from optimizer.algebra.posynomial import Array, Term
from optimizer.analysis.plan.bills import bill
from optimizer.analysis.plan.bindings import BINDING
from optimizer.analysis.plan.pointwise import amount, completed
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.ranges import beyond, outside
from optimizer.analysis.plan.students import Distillation, Distilled, Scanned
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass, replace
from optimizer.world.distillation import Teacher
from optimizer.world.limits import Limit
from optimizer.world.student import FARTHEST, Student

CLOSE = 1e-5  # in ln cost
MOST = 20_000  # sizes of one scan
START, END, FIRST = 1e3, 1e16, 200  # the first sizes: from, to, how many
PARTS = 4  # into which an interval is cut
INSIDE = np.arange(1, PARTS)[:, None] / PARTS
NARROWER, FINE = 5, 16  # how often the best is looked for more closely, in how many
NEXT = 3  # sizes of a row from its best to the ends of the next, and one to spare

Cost = Callable[[Array, Array], Array]
Tokens = Callable[[Array, "tuple[Array, Array] | None"], Array]


def distil(
    scenario: Scenario, supervised: float | None, shared: Sequence[Limit] = ()
) -> Distillation | None:
    """The best student of each teacher; None where a scenario asks for none.

    Args:
        scenario: without lists.
        supervised: lifetime cost of the plan without a teacher, or None.
        shared: what other models leave of bounds that they share with it.
    """
    words = scenario.spec.distillation
    if words is None:
        return None
    question = formulate(scenario)
    question = replace(question, limits=(*question.limits, *shared))
    with np.errstate(all="ignore"):
        found = [
            _student(scenario, question, teacher, supervised)
            for teacher in words.teachers
        ]
    ways = sorted(found, key=lambda way: math.inf if way.total is None else way.total)
    pays = None
    if supervised is not None and ways[0].total is not None:
        pays = ways[0].total < supervised
    return Distillation(words.logits, pays, tuple(ways))


@dataclass(frozen=True, eq=False)
class Pupils:
    """The students of one teacher in a scenario.

    Attributes:
        question: of the scenario, without lists.
        student: their loss.
        forward: parameters of the teacher that each token of the student passes for
            its logits; 0 where they are free.
    """

    question: Question
    student: Student
    forward: float

    @property
    def logit(self) -> float:
        """What the logits of a token cost, in the objective's unit."""
        question = self.question
        return self.forward * _forward(question.bill[0].terms[question.unit])

    def logits_of(self, limit: Limit) -> float:
        """What the logits of a token take of a limit, in its unit."""
        word = limit.name.partition(".")[2]  # after limits, or shared
        if word.startswith("training_"):
            return self.forward * _forward(limit.terms)
        if word in ("total_cost", "energy"):
            return self.forward * _forward(self.question.bill[0].terms[limit.unit])
        return 0.0

    @property
    def target(self) -> float:
        """The loss that they have to reach."""
        return self.question.target or 0.0

    def cost(self, N: Array, D: Array) -> Array:
        """The lifetime cost; infinite where a limit is broken."""
        question, zero = self.question, np.zeros(N.shape)
        point = completed(question, {"N": N, "D": D})
        total = sum((amount(term, point) for term in question.cost), zero)
        if self.forward:
            total = total + self.logit * D
        for limit in (*question.limits, *question.physics):
            used = sum((amount(term, point) for term in limit.terms), zero)
            if self.forward:
                used = used + self.logits_of(limit) * D
            total = np.where(used > limit.bound * (1 + BINDING), np.inf, total)
        return total

    def tokens(self, N: Array, within: tuple[Array, Array] | None) -> Array:
        """The least tokens for the target, see `Student.tokens`."""
        return self.student.tokens(N, self.target, within)


def pupils(scenario: Scenario, question: Question, teacher: Teacher) -> Pupils:
    """The students of a teacher, with logits as the scenario has them."""
    surface, words = question.published, scenario.spec.distillation
    N, D = teacher.parameters, teacher.tokens
    student = Student(surface, surface.loss(N, D), scenario.law.extras)
    paid = words is not None and words.logits == "paid"
    return Pupils(question, student, N if paid else 0.0)


def _student(
    scenario: Scenario,
    question: Question,
    teacher: Teacher,
    supervised: float | None,
) -> Distilled:
    those = pupils(scenario, question, teacher)
    student, N, D = those.student, teacher.parameters, teacher.tokens
    origin = Pair(N, D, D / N, student.teacher)
    far = beyond(scenario.law, N, D)
    reason = None
    best = None
    if student.lowest >= those.target:
        reason = f"no student of it goes below {student.lowest:.4f}"
    elif (best := scan(those.cost, those.tokens)) is None:
        reason = "no student of it reaches the loss within the limits"
    if best is None:
        missing = Distilled(origin, None, None, None, None, None, reason)
        return replace(missing, teacher_extrapolation=far)
    D = best.D
    paid = bill(question, question.complete({"N": best.N, "D": D}))
    return Distilled(
        teacher=origin,
        student=Pair(best.N, D, D / best.N, float(student.loss(best.N, D))),
        total=best.total,
        logits=those.logit * D if those.forward else 0.0,
        ratio=None if supervised is None else best.total / supervised,
        certificate=best.proof,
        reason=None,
        outside=tuple(outside(scenario.law, best.N, D)),
        extrapolation=beyond(scenario.law, best.N, D),
        teacher_extrapolation=far,
        training=paid.training,
        inference=paid.inference,
        other=paid.other,
    )


def _forward(terms: Sequence[Term]) -> float:
    """Of training, what a forward pass takes for a parameter and a token."""
    whole = sum(t.coefficient for t in terms if "N" in t.exponents)
    return whole / 3


@dataclass(frozen=True)
class Best:
    """The end of a scan: a size with its tokens, the cost, and what is proven."""

    N: float
    D: float
    total: float
    proof: Scanned


def scan(cost: Cost, tokens: Tokens) -> Best | None:
    """The cheapest size, with a bound for all others; None where none is possible.

    Args:
        cost: of N and D, growing in both; infinite where it is not possible.
        tokens: the least D for an N, falling in it; infinite where none is enough. Told
            tokens between which it lies, it may be quicker.
    """
    sizes = np.geomspace(START, END, FIRST + 1)
    needs = tokens(sizes, None)
    enough = np.isfinite(needs)
    last = tokens(np.array([FARTHEST]), None)
    if not enough.any():
        return None
    totals = np.where(enough, cost(sizes, needs), np.inf)
    best = int(np.argmin(totals))
    N, D, least = sizes[best], needs[best], totals[best]
    low = sizes[enough].min()
    # Above the last size every cost is at least that of it on the fewest tokens, and
    # below the first at least that of nothing on the tokens of the first.
    floor = float(cost(sizes[-1:], last)[0])
    if enough[0]:
        floor = min(floor, float(cost(np.ones(1), needs[:1])[0]))
    spans = np.stack([sizes[:-1], sizes[1:], needs[:-1], needs[1:]])[:, enough[1:]]
    bounds = cost(spans[0], spans[3])
    tried = len(sizes)
    while tried < MOST:
        near = (bounds < least * (1 - CLOSE)) & np.isfinite(bounds)
        if not near.any():
            break
        floor = min(floor, float(np.min(bounds[~near], initial=np.inf)))
        one, other, most, few = spans[:, near]
        inside = one * (other / one) ** INSIDE  # (PARTS − 1, spans)
        within = (np.tile(few, PARTS - 1), np.tile(most, PARTS - 1))
        need = tokens(inside.ravel(), within).reshape(inside.shape)
        tried += inside.size
        enough = np.isfinite(need)
        total = np.where(enough, cost(inside, need), np.inf)
        low = np.min(inside[enough], initial=low)
        at = np.unravel_index(int(np.argmin(total)), total.shape)
        if total[at] < least:
            N, D, least = inside[at], need[at], total[at]
        ends, needs = np.stack([one, *inside, other]), np.stack([most, *need, few])
        parts = np.stack([ends[:-1], ends[1:], needs[:-1], needs[1:]]).reshape(4, -1)
        spans = parts[:, np.isfinite(parts[3])]
        bounds = cost(spans[0], spans[3])
    if not np.isfinite(least):
        return None
    N, D, least = _narrowed(cost, tokens, (float(N), float(D), float(least)))
    floor = min(floor, least, float(np.min(bounds, initial=np.inf)))
    gap = math.inf if floor <= 0 else math.log(least / floor)
    return Best(N, D, least, Scanned(gap, tried, float(low), float(sizes[-1])))


def _narrowed(
    cost: Cost, tokens: Tokens, found: tuple[float, float, float]
) -> tuple[float, float, float]:
    """The least cost near the best size: a fine row of sizes, again and again.

    The tokens of a row lie between those of its ends, which the row before has told.
    """
    width = 0.05  # in ln N, about what the first sizes leave open
    ends = tokens(found[0] * np.exp([-width, width]), None)
    for _ in range(NARROWER):
        sizes = found[0] * np.exp(np.linspace(-width, width, 2 * FINE + 1))
        few, most = (np.full(len(sizes), end) for end in (ends[1], ends[0]))
        needs = tokens(sizes, (few, most))
        totals = np.where(np.isfinite(needs), cost(sizes, needs), np.inf)
        best = int(np.argmin(totals))
        if totals[best] < found[2]:
            found = float(sizes[best]), float(needs[best]), float(totals[best])
        width *= 2 / FINE
        at = int(np.argmin(np.abs(sizes - found[0])))
        low, high = at - NEXT, at + NEXT
        if low < 0 or high >= len(sizes):
            ends = tokens(found[0] * np.exp([-width, width]), None)
        else:
            ends = needs[[low, high]]
    return found
