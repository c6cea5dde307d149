"""The numbers behind the charts: every point computed, none drawn by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import Status
from optimizer.analysis.comparison.regret import cost_of
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.extremes import solved_near, training_compute
from optimizer.analysis.plan.touching import ended, machines
from optimizer.analysis.story.explorer import along
from optimizer.analysis.story.walls import held
from optimizer.engine.certify import UncertifiedError
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass, replace

WAYS = 2  # other ways to serve that a chart has room for
FACTORS = tuple(10 ** (step / 10 - 2) for step in range(41))  # of the demand
SIZES = 41  # points along a curve over sizes
COARSE, FINE = 200, 20  # amounts of data among which a crossing is looked for
Line = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Dot:
    """A model on a chart: its name, N and D."""

    name: str
    parameters: float
    tokens: float


@dataclass(frozen=True)
class OtherWay:
    """Buying, or a model that exists."""

    name: str


@dataclass(frozen=True)
class Running:
    """A model, or another way, that serves other demands than it was made for.

    Attributes:
        model: which.
        costs: lifetime cost at each demand of the curve.
    """

    model: Dot | OtherWay
    costs: tuple[float, ...]


@dataclass(frozen=True)
class Crossing:
    """The demand at which two models cost the same."""

    one: str
    other: str
    tokens: float
    cost: float


@dataclass(frozen=True)
class OverDemand:
    """Lifetime cost, and the best plan, over the demand.

    Attributes:
        served: tokens.
        best: cost of the best plan at each; None where there is none.
        parameters: N of it.
        tokens: D of it.
        running: models that stay what they are.
        crossings: where the plan and another of them change places.
        now: the demand of the scenario.
        unit: of the costs.
    """

    served: tuple[float, ...]
    best: tuple[float | None, ...]
    parameters: tuple[float | None, ...]
    tokens: tuple[float | None, ...]
    running: tuple[Running, ...]
    crossings: tuple[Crossing, ...]
    now: float
    unit: str


@dataclass(frozen=True)
class Overhead:
    """What a size other than the best costs, at the same loss.

    Attributes:
        sizes: N.
        training: training compute over the least, less 1.
        lifetime: lifetime cost over the least of any size, limits aside, less 1.
        floor: N that no data go below; 0 where there is none.
        critical: N at which training takes twice the least.
        dots: the plan and the training-optimal model.
        held: the limits on N and D that hold the plan where it is.
    """

    sizes: tuple[float, ...]
    training: tuple[float, ...]
    lifetime: tuple[float, ...]
    floor: float
    critical: float
    dots: tuple[Dot, ...]
    held: tuple[str, ...]


def pair(answer: Answer) -> tuple[Dot, ...]:
    """The plan and the training-optimal model of the same loss."""
    plan, best = answer.plan, answer.training_optimal
    if plan is None or best is None:
        return ()
    return (
        Dot("plan", plan.parameters, plan.tokens),
        Dot("training-optimal", best.parameters, best.tokens),
    )


def tokens_for(
    question: Question,
    sizes: Array,
    levels: Sequence[float],
    span: tuple[float, ...] = (1e3, 1e24),
) -> Array:
    """The least tokens with which each size reaches each reducible loss.

    Returns:
        `(levels, sizes)`; infinite where no data do.
    """
    if question.plain:
        surface = question.surface
        return np.array(
            [[surface.tokens_for(N, s) for N in sizes.tolist()] for s in levels]
        )
    data = np.geomspace(span[0], span[1], COARSE)
    falling = _falling(question, sizes, np.tile(data, (len(sizes), 1)))
    found = np.full((len(levels), len(sizes)), np.inf)
    for row, s in enumerate(levels):
        level = math.log(s)
        good = np.flatnonzero((falling[:, -1] < level) & (level < falling[:, 0]))
        if not good.size:
            continue
        first = (falling[good] < level).argmax(axis=1)
        near = np.geomspace(data[first - 1], data[first], FINE, axis=1)
        for place, down, at in zip(
            good, _falling(question, sizes[good], near), np.log(near), strict=True
        ):
            # Reversed, because np.interp wants its places to rise.
            log = float(np.interp(level, down[::-1], at[::-1]))
            found[row, place] = math.exp(log)
    return found


def _falling(question: Question, sizes: Array, data: Array) -> Array:
    """Ln of the least reducible loss with up to so many tokens, `(sizes, tokens)`.

    Where more tokens raise the loss again, only the way down counts.
    """
    columns = [np.repeat(sizes, data.shape[1]), data.ravel()]
    if question.unique is not None:
        columns.append(np.minimum(columns[1], question.unique))
    reached = question.log_reducible(np.log(np.stack(columns, axis=1)))
    return np.minimum.accumulate(reached.reshape(data.shape), axis=1)


def over_demand(scenario: Scenario, answer: Answer) -> OverDemand | None:
    """Costs and plans as the demand becomes another; None where it moves neither."""
    question = formulate(scenario)
    if not answer.demand.counted_tokens or question.reducible is None:
        return None
    if answer.plan is None or answer.cost is None:
        return None
    factors = FACTORS if question.plain else FACTORS[::5]
    points = along(scenario, factors)
    if points is None:
        return None
    served = tuple(answer.demand.tokens * factor for factor in factors)
    others = _other_ways(answer, factors)
    dots = pair(answer) if others else _neighbours(question, answer)
    running = (*(_running(question, dot, factors) for dot in dots), *others)
    stands = answer.relaxed is not None and answer.relaxed.replicas
    return OverDemand(
        served=served,
        best=tuple(p.cost_total for p in points),
        parameters=tuple(p.parameters for p in points),
        tokens=tuple(p.tokens for p in points),
        running=running,
        # Whole replicas cost in steps, and cross elsewhere than in fractions.
        crossings=() if stands else tuple(_crossings(served, running)),
        now=answer.demand.tokens,
        unit=question.unit,
    )


def _neighbours(question: Question, answer: Answer) -> tuple[Dot, ...]:
    """The plan, the training-optimal model, and half and twice the plan's size."""
    dots = list(pair(answer))
    if question.reducible is None:
        return tuple(dots)
    for word, factor in (("half the size", 0.5), ("twice the size", 2.0)):
        N = dots[0].parameters * factor
        D = float(tokens_for(question, np.array([N]), [question.reducible])[0, 0])
        if math.isfinite(D):
            dots.append(Dot(word, N, D))
    return tuple(dots)


def _other_ways(answer: Answer, factors: Sequence[float]) -> tuple[Running, ...]:
    """Buying and models that exist: what they cost is in proportion to the demand.

    Not where machines are whole, whose number follows the demand in steps.
    """
    if answer.relaxed is not None:
        return ()
    known = sorted((w.total, w.name) for w in answer.others if w.total)
    return tuple(
        Running(
            OtherWay(name.removeprefix("existing ")),
            tuple(total * f for f in factors),
        )
        for total, name in known[:WAYS]
    )


def _running(question: Question, dot: Dot, factors: Sequence[float]) -> Running:
    point = question.complete({"N": dot.parameters, "D": dot.tokens})
    total = cost_of(question, point)
    serving = sum(
        (line.amount(question.unit, point) or 0.0) * line.share
        for line in question.bill
        if line.group == "inference"
    )
    return Running(dot, tuple(total + (f - 1) * serving for f in factors))


def _crossings(served: Sequence[float], running: Sequence[Running]) -> list[Crossing]:
    """Where the plan and another model cost the same: both are straight lines."""
    found = []
    plan, *others = running
    first, last = served[0], served[-1]
    for other in others:
        slopes = [(r.costs[-1] - r.costs[0]) / (last - first) for r in (plan, other)]
        if slopes[0] == slopes[1]:
            continue
        start = other.costs[0] - plan.costs[0]
        tokens = first + start / (slopes[0] - slopes[1])
        if first <= tokens <= last:
            cost = plan.costs[0] + slopes[0] * (tokens - first)
            found.append(Crossing("plan", other.model.name, tokens, cost))
    return found


def _unlimited(
    scenario: Scenario, question: Question, s: float, plan: Dot
) -> dict[str, float] | None:
    """The best of any size with a reducible loss, limits aside; None if unproven.

    The plan is a good guess: few limits bind.
    """
    own = ("limits.", "budget.")
    kept = tuple(wall for wall in question.limits if not wall.name.startswith(own))
    free = replace(question, reducible=s, limits=kept, fixed={})
    program = free.program
    near = free.complete({"N": plan.parameters, "D": plan.tokens})
    try:
        if machines(free):
            _, _, solution = ended(scenario, free)
        else:
            solution = solved_near(program, near, free.start(program))
    except UncertifiedError:
        return None
    if solution.status is not Status.OPTIMAL:
        return None
    point = solution.point
    return question.complete({"N": point["N"], "D": point["D"]})


def overhead(scenario: Scenario, answer: Answer) -> Overhead | None:
    """De Vries' curve for the loss of a plan, and the lifetime cost along it."""
    critical, dots = answer.critical, pair(answer)
    if critical is None or not dots:
        return None
    question = formulate(scenario)
    s = question.reducible_at({"N": dots[0].parameters, "D": dots[0].tokens})
    first = critical.floor * 1.02 or critical.size / 2
    last = 3 * max(dot.parameters for dot in dots)
    best = _unlimited(scenario, question, s, dots[0])
    marked = [*(d.parameters for d in dots), *([] if best is None else [best["N"]])]
    # Not by np.unique, which imports all of numpy.ma.
    sizes = np.array(sorted({*np.geomspace(first, last, SIZES).tolist(), *marked}))
    tokens = tokens_for(question, sizes, [s])[0]
    least = training_compute(question, {"N": dots[1].parameters, "D": dots[1].tokens})
    rows = [
        (
            N,
            training_compute(question, {"N": N, "D": D}) / least - 1,
            cost_of(question, question.complete({"N": N, "D": D})),
        )
        for N, D in zip(sizes.tolist(), tokens.tolist(), strict=True)
        if math.isfinite(D)
    ]
    found, over, costs = zip(*rows, strict=True)
    cheapest = min(costs) if best is None else cost_of(question, best)
    return Overhead(
        sizes=found,
        training=over,
        lifetime=tuple(cost / cheapest - 1 for cost in costs),
        floor=critical.floor,
        critical=critical.size,
        dots=dots,
        held=tuple(limit.name for limit in held(question, answer)),
    )
