"""The numbers behind the charts: every point computed, none drawn by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.analysis.comparison.regret import cost_of
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.extremes import training_optimal
from optimizer.analysis.story.explorer import along, targets_along
from optimizer.engine.certify import UncertifiedError
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.world.models import load_model, model_names

FACTORS = tuple(10 ** (step / 10 - 2) for step in range(41))  # of the demand
RATIOS = tuple(2 ** (step / 3 - 3) for step in range(19))  # of the reducible loss
NEARBY = (0.75, 0.85, 1.0, 1.2, 1.5)  # the same, where each takes its own solve
SIZES = 41  # points along a curve over sizes
LEVELS = 9  # of loss
FLOP_STEP = 10.0  # between isoFLOP lines
Line = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Dot:
    """A model on a chart: its name, N and D."""

    name: str
    parameters: float
    tokens: float


@dataclass(frozen=True)
class Contour:
    """The loss over N and D.

    Attributes:
        levels: loss → the line on which it is reached, as (N, D).
        flops: training compute → its line 6·N·D.
        training: training-optimal models of other losses.
        lifetime: lifetime-optimal plans of other losses at this demand.
        dots: the plan and the training-optimal model.
        published: models of the library within the box.
        box: N from, N to, D from, D to.
        unit: of the loss.
    """

    levels: tuple[tuple[float, Line], ...]
    flops: tuple[tuple[float, Line], ...]
    training: Line
    lifetime: Line
    dots: tuple[Dot, ...]
    published: tuple[Dot, ...]
    box: tuple[float, float, float, float]
    unit: str


@dataclass(frozen=True)
class Running:
    """A model that serves other demands than it was made for.

    Attributes:
        model: which.
        costs: lifetime cost at each demand of the curve.
    """

    model: Dot
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
        floor: N that no data go below.
        critical: N at which training takes twice the least.
        dots: the plan and the training-optimal model.
    """

    sizes: tuple[float, ...]
    training: tuple[float, ...]
    lifetime: tuple[float, ...]
    floor: float
    critical: float
    dots: tuple[Dot, ...]


def contour(scenario: Scenario, answer: Answer) -> Contour | None:
    """The loss surface about a plan."""
    dots = pair(answer)
    if not dots:
        return None
    question = formulate(scenario)
    sizes, data = ([getattr(d, w) for d in dots] for w in ("parameters", "tokens"))
    box = (min(sizes) / 8, max(sizes) * 8, min(data) / 12, max(data) * 12)
    grid = np.geomspace(box[0], box[1], SIZES)
    low, high = (
        question.reducible_at({"N": N, "D": D}) for N, D in (box[1::2], box[::2])
    )
    here = question.reducible_at({"N": sizes[0], "D": data[0]})
    levels = _levels(low, high, here)
    tokens = tokens_for(question, grid, levels, box[2:])
    lines = tuple(
        (question.surface.loss_of(s), _line(grid, np.clip(row, *box[2:])))
        for s, row in zip(levels, tokens, strict=True)
    )
    ratios = RATIOS if question.plain else NEARBY
    lifetime = targets_along(scenario, ratios) or ()
    return Contour(
        levels=lines,
        flops=_flops(box),
        training=_inside(_training_path(question, here, ratios), box),
        lifetime=_inside(
            [
                (p.parameters, p.tokens)
                for p in lifetime
                if p.parameters is not None and p.tokens is not None
            ],
            box,
        ),
        dots=dots,
        published=published(box),
        box=box,
        unit=scenario.law.loss_unit,
    )


def _training_path(
    question: Question, here: float, ratios: Sequence[float]
) -> list[tuple[float, float]]:
    """Training-optimal models of other reducible losses, those that there are."""
    found = []
    for ratio in ratios:
        try:
            best = training_optimal(question, here * ratio)
        except UncertifiedError:
            continue  # data that repeat this often reach no such loss
        found.append((best["N"], best["D"]))
    return found


def pair(answer: Answer) -> tuple[Dot, ...]:
    """The plan and the training-optimal model of the same loss."""
    plan, best = answer.plan, answer.training_optimal
    if plan is None or best is None:
        return ()
    return (
        Dot("plan", plan.parameters, plan.tokens),
        Dot("training-optimal", best.parameters, best.tokens),
    )


def _levels(low: float, high: float, here: float) -> list[float]:
    """Reducible losses evenly apart in logarithms, that of the plan among them."""
    step = (math.log(high) - math.log(low)) / (LEVELS + 1)
    below = int((math.log(here) - math.log(low)) / step)
    return [
        here * math.exp(step * k)
        for k in range(-below, LEVELS + 1)
        if low < here * math.exp(step * k) < high
    ]


def _line(xs: Array, ys: Array) -> Line:
    return tuple(zip(xs.tolist(), ys.tolist(), strict=True))


def _flops(box: tuple[float, float, float, float]) -> tuple[tuple[float, Line], ...]:
    first = math.ceil(math.log10(6 * box[0] * box[2] * 3))
    last = math.floor(math.log10(6 * box[1] * box[3] / 3))
    found = []
    for power in range(first, last + 1):
        compute = FLOP_STEP**power
        ends = (
            max(box[0], compute / 6 / box[3]),
            min(box[1], compute / 6 / box[2]),
        )
        found.append((compute, tuple((N, compute / 6 / N) for N in ends)))
    return tuple(found)


def _inside(
    points: Sequence[tuple[float, float]], box: tuple[float, float, float, float]
) -> Line:
    return tuple(
        (N, D) for N, D in points if box[0] <= N <= box[1] and box[2] <= D <= box[3]
    )


def published(box: tuple[float, float, float, float]) -> tuple[Dot, ...]:
    """Dense published models within a box of N and D."""
    models = [load_model(name) for name in model_names()]
    return tuple(
        Dot(model.title, model.parameters, model.tokens)
        for model in models
        if model.active_parameters is None
        and box[0] <= model.parameters <= box[1]
        and box[2] <= model.tokens <= box[3]
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
    data = np.geomspace(span[0], span[1], 800)
    loss = question.lossy().over(question.core)
    columns = [np.repeat(sizes, len(data)), np.tile(data, len(sizes))]
    if question.unique is not None:
        columns.append(np.minimum(columns[1], question.unique))
    logs = np.log(np.stack(columns, axis=1))
    reached = loss.log_value(logs).reshape(len(sizes), len(data))
    # Where more tokens raise the loss again, only the way down counts.
    falling = np.minimum.accumulate(reached, axis=1)
    found = np.full((len(levels), len(sizes)), np.inf)
    for row, s in enumerate(levels):
        for column, down in enumerate(falling):
            if down[-1] < math.log(s) < down[0]:
                # Reversed, because np.interp wants its places to rise.
                at = np.interp(math.log(s), down[::-1], np.log(data)[::-1])
                found[row, column] = math.exp(float(at))
    return found


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
    running = tuple(
        _running(question, dot, factors) for dot in _neighbours(question, answer)
    )
    return OverDemand(
        served=served,
        best=tuple(p.cost_total for p in points),
        parameters=tuple(p.parameters for p in points),
        tokens=tuple(p.tokens for p in points),
        running=running,
        crossings=tuple(_crossings(served, running)),
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


def overhead(scenario: Scenario, answer: Answer) -> Overhead | None:
    """De Vries' curve for the loss of a plan, and the lifetime cost along it."""
    critical, dots = answer.critical, pair(answer)
    if critical is None or not dots:
        return None
    question = formulate(scenario)
    s = question.reducible_at({"N": dots[0].parameters, "D": dots[0].tokens})
    first = critical.floor * 1.02
    last = 3 * max(dot.parameters for dot in dots)
    sizes = np.unique(
        np.append(np.geomspace(first, last, SIZES), [d.parameters for d in dots])
    )
    tokens = tokens_for(question, sizes, [s])[0]
    least = dots[1].parameters * dots[1].tokens
    rows = [
        (
            N,
            N * D / least - 1,
            cost_of(question, question.complete({"N": N, "D": D})),
        )
        for N, D in zip(sizes.tolist(), tokens.tolist(), strict=True)
        if math.isfinite(D)
    ]
    found, over, costs = zip(*rows, strict=True)
    cheapest = min(costs)
    return Overhead(
        sizes=found,
        training=over,
        lifetime=tuple(cost / cheapest - 1 for cost in costs),
        floor=critical.floor,
        critical=critical.size,
        dots=dots,
    )
