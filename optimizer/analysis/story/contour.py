"""The loss over N and D: lines of equal loss within a box, and the two best paths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from optimizer.algebra.batch_value import Mask
from optimizer.algebra.posynomial import Array
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.extremes import training_optimal
from optimizer.analysis.story.curves import SIZES, Dot, Line, pair, tokens_for
from optimizer.analysis.story.explorer import targets_along
from optimizer.analysis.story.walls import Wall, walls
from optimizer.engine.certify import UncertifiedError
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass, replace
from optimizer.world.models import load_model, model_names

RATIOS = tuple(2 ** (step / 3 - 3) for step in range(19))  # of the reducible loss
NEARBY = (0.75, 0.85, 1.0, 1.2, 1.5)  # the same, where each takes its own solve
LEVELS = 9  # of loss
FLOP_STEP = 10.0  # between isoFLOP lines


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
        walls: limits that hold the plan.
        box: N from, N to, D from, D to.
        unit: of the loss.
    """

    levels: tuple[tuple[float, Line], ...]
    flops: tuple[tuple[float, Line], ...]
    training: Line
    lifetime: Line
    dots: tuple[Dot, ...]
    published: tuple[Dot, ...]
    walls: tuple[Wall, ...]
    box: tuple[float, float, float, float]
    unit: str


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
    lines = _within(question, levels, [_line(grid, row) for row in tokens], box)
    ratios = RATIOS if question.plain else NEARBY
    lifetime = targets_along(scenario, ratios) or ()
    return Contour(
        levels=tuple(zip(map(question.surface.loss_of, levels), lines, strict=True)),
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
        walls=walls(question, answer, box),
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


def _within(
    question: Question,
    levels: Sequence[float],
    lines: Sequence[Line],
    box: tuple[float, float, float, float],
) -> list[Line]:
    """Lines of equal loss, falling in D, up to where they leave the box."""
    first, last = (_crossings(question, levels, D, box) for D in (box[3], box[2]))
    found = []
    for start, line, end in zip(first, lines, last, strict=True):
        kept = {N: (N, D) for N, D in (*start, *_inside(line, box), *end)}
        found.append(tuple(kept[N] for N in sorted(kept)))
    return found


def _crossings(
    question: Question,
    levels: Sequence[float],
    D: float,
    box: tuple[float, float, float, float],
) -> list[Line]:
    """Where each line of equal loss has D tokens, if that is in the box.

    By bisection, of all lines at once: many points take as long as one.
    """
    low, high = (np.full(len(levels), math.log(end)) for end in box[:2])
    question = replace(question, replicas=())  # no machine moves a loss

    def over(logs: Array) -> Mask:
        points = [question.complete({"N": math.exp(n), "D": D}) for n in logs.tolist()]
        z = np.log([[point[name] for name in question.chosen] for point in points])
        reached = map(math.exp, question.log_reducible(z).tolist())
        return np.array([s > level for s, level in zip(reached, levels, strict=True)])

    if not levels:
        return []
    there = over(low) & ~over(high)
    for _ in range(60):
        middle = (low + high) / 2
        far = over(middle)
        low, high = np.where(far, middle, low), np.where(far, high, middle)
    ends = zip(there.tolist(), high.tolist(), strict=True)
    return [((math.exp(n), D),) if inside else () for inside, n in ends]


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
    return tuple(
        dot
        for dot in _dense()
        if box[0] <= dot.parameters <= box[1] and box[2] <= dot.tokens <= box[3]
    )


@cache
def _dense() -> tuple[Dot, ...]:
    models = (load_model(name) for name in model_names())
    return tuple(
        Dot(model.title, model.parameters, model.tokens)
        for model in models
        if model.active_parameters is None
    )
