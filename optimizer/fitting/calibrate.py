"""The constants of serving from measured points.

Every prediction is a sum of work times constants, so that its logarithm has exact
derivatives in the logarithms of the constants. These are fitted by Levenberg and
Marquardt to time per token and tokens a second at once, with errors that count
linearly where they are large. A constant of one accelerator and format is that of all
times a factor that is drawn to one, and so is that of an engine: few points move it
little, many move it far. Efficiencies stay at or below one.

*Source*: Marquardt 1963; Gelman & Hill 2006, chapter 12, for partial pooling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.fitting.points import Point
from optimizer.records import dataclass
from optimizer.world.serving.constants import MICRO, Constants
from optimizer.world.serving.formats import family
from optimizer.world.serving.step import MOST, work

Array = NDArray[np.float64]
WORDS = (
    *("layer", "routed", "memory", "arithmetic", "link", "sequence"),
    *("prefill", "prefill_link", "interleaved"),
)
STEPS, ALL = 6, len(WORDS)
# Where a constant starts, and how far [in ln] one expects it from there. The layer of
# a mixture starts where dense models have it, for k·ℓ tells experts apart from depth.
START: Mapping[str, tuple[tuple[float, float], ...]] = {
    "dense": (
        *((65 * MICRO, 0.4), (1 * MICRO, 1.0), (1.1, 0.2), (1.3, 0.5), (3.0, 1.0)),
        *((15 * MICRO, 1.0), (1.6, 0.5), (3.0, 1.0), (0.9, 0.2)),
    ),
    "mixture": (
        *((62 * MICRO, 0.05), (4 * MICRO, 0.5), (1.1, 0.2), (1.3, 0.5), (3.0, 1.0)),
        *((15 * MICRO, 1.0), (1.6, 0.5), (3.0, 1.0), (0.9, 0.2)),
    ),
}
# How far a group's constants may lie from the common ones, in shares of CHIP or ENGINE.
WIDTH = np.array([0.4, 1.0, 0.2, 0.5, 1.0, 1.0, 0.5, 1.0, 0.2])
TIGHT = {"dense": 0.3, "mixture": 1.3}  # of the starts
SCALE = 0.2  # errors beyond 20 % count linearly
RATE = 0.5  # weight of tokens a second beside time per token
CHIP, ENGINE = 0.2, 0.1  # how far [in ln, over twice the width] a group is expected
ROUNDS = 60
LOWEST = -40.0
# Shares are at most one: their factors at least, interleaved at most.
LOW = np.array([LOWEST, LOWEST, 0, 0, 0, LOWEST, 0, 0, LOWEST])
HIGH = np.array([*[40.0] * 8, 0.0])


@dataclass(frozen=True, eq=False)
class Design:
    """Points as numbers.

    Attributes:
        work: of a step and of the prompts in it, (8, points).
        batch: sequences at once over accelerators, (points,).
        per_token: measured [s], NaN where it was not.
        rate: measured, NaN where it was not.
    """

    work: Array
    batch: Array
    per_token: Array
    rate: Array


def design(points: Sequence[Point]) -> Design:
    """Points as numbers.

    Raises:
        ValueError: a point is refused, or a chip lacks a figure.
    """
    columns, batches = [], []
    for point in points:
        if point.model is None or point.place is None:
            raise ValueError(point.refused)
        ends = point.prompt + point.output
        room = max(point.place.room(point.model, ends), 1.0)
        b = min(point.batch or MOST, room)
        mean = point.prompt + point.output / 2.0
        done = work(point.model, point.place, b, mean, point.prompt)
        prompts = [x * b / point.output for x in done.prompt]
        columns.append([*done.step, *prompts])
        batches.append(b / point.place.accelerators)
    measured = [
        [np.nan if x is None else x for x in (p.per_token, p.rate)] for p in points
    ]
    seen = np.array(measured)
    return Design(np.array(columns).T, np.array(batches), seen[:, 0], seen[:, 1])


def predict(design: Design, logs: Array) -> tuple[Array, Array]:
    """Time per token [s] and tokens a second, for ln constants (9, points)."""
    parts = np.exp(logs[:-1]) * design.work
    step, prompts = parts[:STEPS].sum(0), parts[STEPS:].sum(0)
    share = np.exp(logs[-1])
    return step + share * prompts, design.batch / (step + prompts)


@dataclass(frozen=True, eq=False)
class Fitted:
    """Constants, as logarithms of factors.

    Attributes:
        common: of all points, (9,).
        groups: for each level the differences of its groups, each (9,).
    """

    common: Array
    groups: tuple[Mapping[str, Array], ...]

    def logs(self, labels: Sequence[str]) -> Array:
        """The logarithms for one group of each level; unknown groups add nothing."""
        found = self.common.copy()
        for level, label in zip(self.groups, labels, strict=False):
            found = found + level.get(label, 0.0)
        return np.clip(found, LOW, HIGH)

    def constants(self, *labels: str) -> Constants:
        """The constants for one group of each level."""
        x = np.exp(self.logs(labels))
        layer, routed, memory, arithmetic, link, sequence = (float(v) for v in x[:6])
        return Constants(
            layer=layer,
            routed=routed,
            memory=1.0 / memory,
            arithmetic=1.0 / arithmetic,
            link=1.0 / link,
            sequence=sequence,
            prefill=1.0 / float(x[6]),
            prefill_link=1.0 / float(x[7]),
            interleaved=float(x[8]),
        )


def chip_label(point: Point) -> str:
    """The accelerator and format of a point."""
    if point.place is None:
        raise ValueError(point.refused)
    return f"{point.place.chip.key} {family(point.place.weights)}"


def calibrate(
    points: Sequence[Point],
    kind: str,
    engines: bool,
    first: Constants | None = None,
) -> Fitted:
    """Fits the constants of one kind of model.

    Args:
        points: usable ones of that kind.
        kind: `dense` or `mixture`.
        engines: whether engines have factors of their own.
        first: constants to start from, which are kept where the points say nothing.

    Raises:
        ValueError: a chip lacks a figure.
    """
    labels = [[chip_label(p) for p in points]]
    widths = [CHIP]
    if engines:
        labels.append([p.engine for p in points])
        widths.append(ENGINE)
    return _fit(design(points), labels, widths, _start(kind, first))


def telling(points: Sequence[Point], fitted: Fitted, kind: str) -> Array:
    """What the points say of each constant, over what was known before them.

    Returns:
        the curvature of the misfit over that of the start, (9,); below one a constant
        is rather the start than a measurement.
    """
    data = design(points)
    centre, weights = _start(kind, None)
    spots = np.tile(np.arange(ALL)[:, None], (1, len(points)))[None]
    _, _, curve = _linear(data, fitted.common, spots, centre, weights)
    ratio: Array = np.diag(curve) / weights - 1.0
    return ratio


def _start(kind: str, first: Constants | None) -> tuple[Array, Array]:
    """Where the logarithms of the constants start, and how firmly they stay."""
    start = np.log([value for value, _ in START[kind]])
    if first is not None:
        factors = (*first.step, *first.prompt, first.interleaved)
        start = np.log(np.maximum(factors, 1e-12))
    width = np.array([spread for _, spread in START[kind]])
    return start, (TIGHT[kind] / width) ** 2


def _fit(
    data: Design,
    labels: list[list[str]],
    widths: list[float],
    begin: tuple[Array, Array],
) -> Fitted:
    names = [sorted(set(level)) for level in labels]
    count = data.work.shape[1]
    start, firm = begin
    sizes = [ALL * len(level) for level in names]
    total = ALL + sum(sizes)
    centre = np.concatenate([start, np.zeros(total - ALL)])
    pull = [firm]
    pull += [
        np.tile((0.5 / w / WIDTH) ** 2, len(level))
        for w, level in zip(widths, names, strict=True)
    ]
    weights = np.concatenate(pull)
    # Which unknowns make up the constants of a point: the common, then a group a level.
    spots = np.tile(np.arange(ALL)[:, None], (1, count))[None]
    offset = ALL
    for level, known in zip(labels, names, strict=True):
        at = offset + ALL * np.searchsorted(known, level)
        spots = np.concatenate([spots, (at + np.arange(ALL)[:, None])[None]])
        offset += ALL * len(known)
    value = centre.copy()
    damping = 1e-2
    cost, gradient, curve = _linear(data, value, spots, centre, weights)
    for _ in range(ROUNDS):
        scaled = curve + damping * np.diag(np.diag(curve))
        move = np.linalg.solve(scaled, -gradient)
        tried = _linear(data, value + move, spots, centre, weights)
        if tried[0] < cost:
            value, damping = value + move, max(damping / 5, 1e-9)
            done = cost - tried[0] < 1e-10 * cost
            cost, gradient, curve = tried
            if done:
                break
        else:
            damping *= 5
            if damping > 1e9:
                break
    groups = []
    offset = ALL
    for known in names:
        parts = {
            name: value[offset + ALL * i : offset + ALL * (i + 1)]
            for i, name in enumerate(known)
        }
        groups.append(parts)
        offset += ALL * len(known)
    return Fitted(value[:ALL], tuple(groups))


def _linear(
    data: Design, value: Array, spots: NDArray[np.intp], centre: Array, weights: Array
) -> tuple[float, Array, Array]:
    """The cost at some constants, its half gradient, Gauss and Newton's curvature."""
    raw = value[spots].sum(0)
    logs = np.clip(raw, LOW[:, None], HIGH[:, None])
    free = (raw > LOW[:, None]) & (raw < HIGH[:, None])
    parts = np.exp(logs[:-1]) * data.work
    step, prompts = parts[:STEPS].sum(0), parts[STEPS:].sum(0)
    share = np.exp(logs[-1])
    token, cycle = step + share * prompts, step + prompts
    mixed = np.concatenate([parts[:STEPS], share * parts[STEPS:], [share * prompts]])
    slopes = [mixed / token, -np.concatenate([parts, [0 * cycle]]) / cycle]
    misses = [
        np.log(token / data.per_token),
        np.log(data.batch / cycle / data.rate),
    ]
    cost = float(weights @ (value - centre) ** 2)
    gradient = weights * (value - centre)
    curve = np.diag(weights)
    count = data.work.shape[1]
    for slope, miss, weight in zip(slopes, misses, (1.0, RATE), strict=True):
        seen = np.isfinite(miss)
        r = np.where(seen, miss, 0.0) / SCALE
        root = np.sqrt(1.0 + r * r)
        cost += float((weight * 2.0 * (root - 1.0))[seen].sum())
        w = np.where(seen, weight / root, 0.0)
        rows = np.zeros((count, len(value)))
        each = np.arange(count)
        for level in spots:
            for k in range(ALL):
                rows[each, level[k]] += (slope[k] * free[k]) / SCALE
        gradient = gradient + rows.T @ (w * r)
        curve = curve + rows.T @ (w[:, None] * rows)
    return cost, gradient, curve
