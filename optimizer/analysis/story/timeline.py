"""What a plan costs month by month, and what moves that cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.rounded import whole_at
from optimizer.analysis.story.curves import Dot, pair
from optimizer.analysis.story.explorer import each
from optimizer.question.asked import Question
from optimizer.question.axes import quantity_at
from optimizer.question.formulate import formulate
from optimizer.question.inputs import Input, inputs, value_at
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import MONTH
from optimizer.reading.spread import Spread, ends
from optimizer.records import dataclass

MOVE = 0.2  # how far a number without a stated range is moved, to either side
MOST = 12  # bars of a tornado
FOREIGN = {"law", "distillation"}  # not the user's, or of no effect on the plan
IDLE = 5e-4  # elasticities below this move nothing that a reader could see


@dataclass(frozen=True)
class Month:
    """What one line of the bill costs in one month after the end of training."""

    month: int
    line: str
    amount: float


@dataclass(frozen=True)
class Cashflow:
    """Costs over time, as the objective counts them.

    Attributes:
        months: of the plan, line by line.
        totals: model → its cost up to the end of each month.
        first: the first month; training ends with month 0.
        paid_back: the month from which on the plan has cost less than the
            training-optimal model; None where it never or always does.
        present: whether later dollars are discounted.
        unit: of the amounts.
    """

    months: tuple[Month, ...]
    totals: tuple[tuple[str, tuple[float, ...]], ...]
    first: int
    paid_back: int | None
    present: bool
    unit: str


@dataclass(frozen=True)
class Swing:
    """One number moved to either side, the plan found anew each time.

    Attributes:
        input: its path.
        values: where it was moved to, low and high.
        results: the optimum there; None where there is no plan.
        stated: whether the scenario states this range.
    """

    input: str
    values: tuple[float, float]
    results: tuple[float | None, float | None]
    stated: bool


@dataclass(frozen=True)
class Tornado:
    """What moves the optimum most, the strongest first."""

    swings: tuple[Swing, ...]
    base: float
    unit: str


def cashflow(scenario: Scenario, answer: Answer) -> Cashflow | None:
    """Costs by month; None where no demand has a course in time."""
    question = formulate(scenario)
    served = [line.served for line in question.bill if line.served is not None]
    if not any(len(stream.course.months) > 1 for stream in served):
        return None
    dots = pair(answer)
    if not dots or not answer.demand.counted_tokens:
        return None
    first = _first(answer)
    courses = [_course(scenario, question, dot, first) for dot in dots]
    last = max(entry.month for entry in courses[0])
    totals = tuple(
        (dot.name, _summed(course, first, last))
        for dot, course in zip(dots, courses, strict=True)
    )
    ahead = [a < b for a, b in zip(totals[0][1], totals[1][1], strict=True)]
    later = [i for i in range(len(ahead)) if ahead[i] and all(ahead[i:])]
    discount, _ = scenario.spec.money.rates
    return Cashflow(
        months=tuple(courses[0]),
        totals=totals,
        first=first,
        paid_back=first + later[0] if later and later[0] > 0 else None,
        present=question.unit == "USD" and bool(discount),
        unit=question.unit,
    )


def _first(answer: Answer) -> int:
    """The month in which training starts; it ends with month 0."""
    run = answer.training_run
    if run is None or run.time is None:
        return 0
    return -min(math.ceil(run.time / MONTH) - 1, 60)


def _course(
    scenario: Scenario, question: Question, dot: Dot, first: int
) -> list[Month]:
    size = {"N": dot.parameters, "D": dot.tokens}
    # Billed in whole machines, as the answer is.
    _, question = whole_at(scenario, question, size)
    discount, decline = scenario.spec.money.rates
    factor = ((1 - decline) / (1 + discount)) ** (1 / 12)
    factor = factor if question.unit == "USD" else 1.0
    point = question.complete(size)
    found: dict[tuple[int, str], float] = {}
    for line in question.bill:
        amount = (line.amount(question.unit, point) or 0.0) * line.share
        parts = [(float(month), 1.0) for month in range(first, 1)]
        if line.served is not None:
            # A month's tokens are paid as they are served, after training.
            parts = [
                (month + 1, part * factor**month)
                for month, part in line.served.course.months
            ]
        whole = sum(part for _, part in parts)
        for month, part in parts:
            key = (math.floor(month), line.name)
            share = part / whole if whole else 0.0
            found[key] = found.get(key, 0.0) + amount * share
    return [Month(month, name, amount) for (month, name), amount in found.items()]


def _summed(course: Sequence[Month], first: int, last: int) -> tuple[float, ...]:
    spent = dict.fromkeys(range(first, last + 1), 0.0)
    for entry in course:
        spent[entry.month] += entry.amount
    totals, total = [], 0.0
    for month in sorted(spent):
        total += spent[month]
        totals.append(total)
    return tuple(totals)


def tornado(scenario: Scenario, answer: Answer) -> Tornado | None:
    """Moves each number of the scenario and finds the plan anew."""
    if answer.cost is None or answer.plan is None:
        return None
    # A budget that counts the demand has settled a loss, at which the rest moves cost.
    target = answer.question != "budget"
    base = answer.cost.total if target else answer.plan.loss
    if answer.relaxed is not None:
        base = answer.relaxed.total  # the plans beside it have machines in fractions
    idle = {
        move.input
        for move in answer.sensitivities
        if move.elasticity is not None and abs(move.elasticity) < IDLE
    }
    swings = []
    for item in inputs(scenario):
        if item.path[0] in FOREIGN or item.name in idle or item.value == 0:
            continue
        asked = _range(scenario, item)
        if asked is None:
            continue
        values, stated = asked
        points = each(scenario, item.path, values)
        low, high = (p.cost_total if target else p.loss for p in points)
        name = item.name.removesuffix(".expected")
        swings.append(Swing(name, values, (low, high), stated))
    # Without the last digits, so that equals stay in the order of the file.
    strongest = sorted(swings, key=lambda s: round(_reach(s, base), 9), reverse=True)
    return Tornado(
        tuple(strongest[:MOST]), base, answer.cost.unit if target else "nats"
    )


def _reach(swing: Swing, base: float) -> float:
    known = [abs(math.log(v / base)) for v in swing.results if v is not None and v > 0]
    if len(known) < len(swing.results):
        return math.inf  # a side without a plan moves most
    return max(known)


def _range(scenario: Scenario, item: Input) -> tuple[tuple[float, float], bool] | None:
    """The values to move a number to, and whether the scenario states them."""
    quantity = None if "hardware" in item.path else quantity_at(item.path)
    if quantity is None or quantity.kind.whole:
        return None
    if item.path[-1] == "expected":
        spread = value_at(scenario, item.path[:-1])
        if isinstance(spread, Spread):
            return ends(spread), True
    high = min(item.value * (1 + MOVE), quantity.kind.high)
    return (item.value * (1 - MOVE), high), False
