"""Measured points of serving beside what is predicted for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from optimizer.analysis.plan.wording import percent
from optimizer.fitting.points import Point, Points
from optimizer.records import dataclass, replace
from optimizer.world.serving.constants import Library, Measured
from optimizer.world.serving.formats import family
from optimizer.world.serving.step import Answer, answer

CLOSE = 0.15  # an error that counts as near
APART = 0.25  # two measurements of the same that differ by more contradict
BATCHES = (4, 8, 16, 32, 64, 128)


@dataclass(frozen=True)
class Beside:
    """A point, and what is predicted for it.

    Attributes:
        point: as it was measured.
        answer: the prediction; None where the point is refused.
        constants: those it was made with; None where it is refused.
        refused: why there is none; empty where there is one.
        notes: what was assumed.
    """

    point: Point
    answer: Answer | None = None
    constants: Measured | None = None
    refused: str = ""
    notes: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of its model."""
        return "" if self.point.model is None else self.point.model.kind

    @property
    def tpot(self) -> float | None:
        """Predicted over measured time per token, less one."""
        if self.answer is None or self.point.per_token is None:
            return None
        return self.answer.per_token / self.point.per_token - 1.0

    @property
    def throughput(self) -> float | None:
        """Predicted over measured tokens a second, less one."""
        if self.answer is None or self.point.rate is None:
            return None
        return self.answer.rate / self.point.rate - 1.0


@dataclass(frozen=True)
class Errors:
    """How far predictions are off, as shares of what was measured.

    Attributes:
        points: how many have a measurement and a prediction.
        median: of the absolute errors; None without points.
        p90: their 90th percentile.
        within_15: the share of errors of at most 15 %.
        bias: the median of the signed errors.
    """

    points: int
    median: float | None = None
    p90: float | None = None
    within_15: float | None = None
    bias: float | None = None


@dataclass(frozen=True)
class Row:
    """Errors of some points, such as those of one accelerator."""

    by: str
    value: str
    tpot: Errors
    throughput: Errors


def beside(points: Points, library: Library, engines: bool = False) -> list[Beside]:
    """A prediction for every point, in their order.

    Args:
        points: measured.
        library: of constants.
        engines: whether constants of an engine are used where there are any.
    """
    return [_one(point, library, engines) for point in points.rows]


def _one(point: Point, library: Library, engines: bool) -> Beside:
    model, place = point.model, point.place
    if model is None or place is None:
        return Beside(point, refused=point.refused)
    words = (place.chip.key, family(place.weights))
    found = library.find(model.kind, *words, point.engine if engines else "")
    notes = list(point.notes)
    if (found.accelerator, found.precision) != words:
        off = found.error if found.held_out is None else found.held_out
        notes.append(
            f"no {model.kind} model was measured on {words[0]} in {words[1]}: the "
            f"constants of {found.named} stand in, whose median error was "
            f"{percent(off)} on accelerators that were left out"
        )
    try:
        told = answer(
            model, place, found.constants, point.batch, point.prompt, point.output
        )
    except ValueError as error:
        return Beside(point, refused=str(error), notes=tuple(notes))
    if point.batch is not None and told.batch < point.batch:
        notes.append(
            f"{point.batch:.0f} sequences do not fit in memory; {told.batch:.1f} do, "
            "the others wait"
        )
    return Beside(point, told, found, notes=tuple(notes))


def errors(values: Sequence[float | None]) -> Errors:
    """How far some predictions are off."""
    seen = np.array([value for value in values if value is not None])
    if not len(seen):
        return Errors(0)
    size = np.abs(seen)
    return Errors(
        points=len(seen),
        median=float(np.median(size)),
        p90=float(np.percentile(size, 90)),
        within_15=float(np.mean(size <= CLOSE)),
        bias=float(np.median(seen)),
    )


def both(found: Sequence[Beside]) -> tuple[Errors, Errors]:
    """Errors of the time per token and of the tokens a second."""
    return errors([x.tpot for x in found]), errors([x.throughput for x in found])


def rows(found: Sequence[Beside]) -> Iterator[Row]:
    """Errors by accelerator, format, replica size, batch and constants."""
    keys: Mapping[str, Callable[[Beside], str]] = {
        "accelerator": lambda x: x.point.place.chip.key,  # type: ignore[union-attr]
        "precision": lambda x: family(x.point.place.weights),  # type: ignore[union-attr]
        "replica": lambda x: f"{x.point.place.accelerators:.0f}",  # type: ignore[union-attr]
        "batch": lambda x: _bin(x.point.batch),
    }
    usable = [x for x in found if x.answer is not None]
    for by, key in keys.items():
        named = {key(x): x.point for x in usable}
        for value in sorted(named, key=lambda text: _order(by, named[text], text)):
            yield Row(by, value, *both([x for x in usable if key(x) == value]))


def _order(by: str, point: Point, text: str) -> tuple[float, int, str]:
    """Batches stand by their size, the fullest last; all else by length and name."""
    full = point.batch is None
    size = (np.inf if full else float(point.batch or 0.0)) if by == "batch" else 0.0
    return (size, len(text), text)


def _bin(batch: float | None) -> str:
    if batch is None:
        return "the most that fits"
    above = next((b for b in BATCHES if batch <= b), None)
    return f"above {BATCHES[-1]}" if above is None else f"up to {above}"


def contradictions(points: Sequence[Point]) -> Iterator[tuple[Point, Point, float]]:
    """Pairs that measured the same, and by which factor they differ."""
    seen: dict[object, Point] = {}
    for point in points:
        same = replace(
            point, line=0, per_token=None, rate=None, first=None, notes=(), refused=""
        )
        value = point.per_token or point.rate
        if value is None:
            continue
        key = (same, point.per_token is None)
        before = seen.setdefault(repr(key), point)
        other = before.per_token if point.per_token else before.rate
        if before is not point and other:
            factor = max(value / other, other / value)
            if factor > 1 + APART:
                yield before, point, factor
