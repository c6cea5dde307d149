"""Frontiers as blocks, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

from optimizer.analysis.frontier.frontier import Frontier
from optimizer.analysis.frontier.path import Point
from optimizer.analysis.plan.wording import (
    amount,
    extra,
    figure,
    gap_below,
    lifetime,
    model,
    more,
    nats,
)
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import (
    GAP,
    Block,
    Column,
    Heading,
    Table,
    Text,
    named,
)
from optimizer.report.formats.csv import cell
from optimizer.report.formats.data import plain
from optimizer.report.formats.loss_units import in_unit
from optimizer.report.pages.cautions import told

STEEP = 100.0  # what 1 % less loss adds to a cost at the end of what is possible
ROWS = 11  # on a page; JSON and CSV have all points
COLUMNS = ("total", "training", "serving", "parameters", "tokens")
STUDENT = ("student_parameters", "student_tokens", "student_cost", "student_ratio")
POINT = (
    *("loss", "cost_total", "cost_training", "cost_inference"),
    *("parameters", "tokens", "tokens_per_parameter"),
)


def frontier_blocks(found: Frontier) -> list[Block]:
    """The whole page of a frontier."""
    return [Heading(found.scenario, 1), *in_unit(_body(found), found.loss_unit)]


def frontier_headline(found: Frontier) -> str:
    """What a little more quality costs, and how far the frontier reaches."""
    if not found.points:
        return f"There is no frontier: {found.reason}."
    thing = lifetime(found.unit)
    first, last = found.points[0], found.points[-1]
    reach = (
        f"From {nats(first.loss)} down to {nats(last.loss)}, {thing} goes from "
        f"{amount(first.cost_total, found.unit)} to "
        f"{amount(last.cost_total, found.unit)}, and the model from "
        f"{amount(first.parameters, 'parameters')} to "
        f"{amount(last.parameters, 'parameters')} parameters."
    )
    plan = found.plan
    if plan is None:
        return f"There is no plan for the scenario's own loss. {reach}"
    what, total = (
        model(plan.parameters, plan.tokens),
        amount(plan.cost_total, found.unit),
    )
    here = f"{nats(plan.loss)} takes {what} tokens and {total}"
    if found.bought:
        here = (
            f"{nats(plan.loss)} is the loss that the budget buys, and over the life "
            f"{what} tokens are the cheapest plan of it, for {total}"
        )
    step = "No plan within the limits has 1 % less reducible loss"
    if found.further is not None:
        dearer = more(found.further / plan.cost_total - 1, f" {thing}")
        step = f"The next 1 % of reducible loss costs {dearer}"
    return f"{step}: {here}. {reach}"


def _dearer(point: Point) -> float:
    """What 1 % less reducible loss adds to the cost, by the elasticity."""
    return math.expm1(min(point.elasticity * math.log(0.99), 700.0))


def _more(point: Point) -> bool:
    """Whether a point costs more than its training and serving."""
    parts = point.cost_training + point.cost_inference
    return point.cost_total > parts * (1 + 1e-9)


def _body(found: Frontier) -> Iterator[Block]:
    yield Text(frontier_headline(found), lead=True)
    if not found.points:
        return
    unit = found.unit
    yield from told(found.warnings)
    yield Heading(f"Loss against {lifetime(unit)}{_of(unit)}")
    columns = (Column("nats per token", "left"), *named(*COLUMNS, "per 1 %")[1:])
    shown = _chosen(found.points, found.own)
    rows = tuple(
        (
            _marked(f"{point.loss:.4f}", i == found.own, found.bought),
            *_row(point, unit),
            GAP if _dearer(point) > STEEP else extra(_dearer(point)),
        )
        for i, point in shown
    )
    yield Table(columns, rows)
    yield Text(
        "Per 1 %: what a further 1 % of reducible loss adds to the total, by the slope "
        "at the point, which grows towards what is possible. "
        f"{_count(shown, found.points)}"
    )
    if any(_more(point) for point in found.points):
        yield Text("The total has also what is neither training nor serving.")
    if found.reason:
        yield Text(f"{found.reason}.", label="end")
    for note in found.notes:
        yield Text(note, label="note")
    if any(point.student is not None for point in found.points):
        yield from _students(found)
    if found.tradeoff:
        yield from _tradeoff(found)
    elif found.plan is not None:
        none = "Nothing is served"
        if found.served:
            none = "Of what is served nothing counts"
        yield Text(f"{none}, so training and serving are no trade-off.")


def _students(found: Frontier) -> Iterator[Block]:
    """The student at each loss, and where along the frontier a teacher pays."""
    yield Heading(f"With a teacher{_of(found.unit)}")
    shown = _chosen(found.points, found.own)
    columns = named("total", "over the plan", "student", "tokens", "teacher")
    columns = (Column("nats per token", "left"), *columns[1:])
    rows = [
        (
            _marked(f"{point.loss:.4f}", i == found.own, found.bought),
            *_student(point, found.unit),
        )
        for i, point in shown
    ]
    yield Table(columns, tuple(rows))
    ways = [point.student for point in found.points if point.student is not None]
    paid = [i for i, point in enumerate(found.points) if _pays(point)]
    said = "A teacher pays at none of these losses"
    if len(paid) == len(found.points):
        said = "A teacher pays at each of these losses"
    elif paid and paid[-1] - paid[0] + 1 == len(paid):
        first, last = (found.points[paid[end]].loss for end in (0, -1))
        said = f"A teacher pays from {nats(first)} down to {nats(last)}"
    elif paid:
        said = f"A teacher pays at {len(paid)} of these {len(found.points)} losses"
    proofs = [way.certificate.gap for way in ways if way.certificate is not None]
    proof = f"; no size is cheaper by more than {gap_below(max(proofs))} in ln"
    yield Text(
        f"The cheapest student of all teachers in the list. {said}"
        f"{proof if proofs else ''}."
    )


def _pays(point: Point) -> bool:
    way = point.student
    return way is not None and way.ratio is not None and way.ratio < 1


def _student(point: Point, unit: str) -> tuple[str, ...]:
    way = point.student
    if way is None or way.student is None or way.total is None:
        return (GAP,) * 5
    return (
        figure(way.total, unit).removesuffix(" FLOP"),
        GAP if way.ratio is None else significant(way.ratio),
        figure(way.student.parameters, "parameters"),
        figure(way.student.tokens, "tokens"),
        model(way.teacher.parameters, way.teacher.tokens),
    )


def _tradeoff(found: Frontier) -> Iterator[Block]:
    plan, unit = found.plan, found.unit
    if plan is None:
        return
    yield Heading(f"Training against serving at {nats(plan.loss)}{_of(unit)}")
    shown = _chosen(found.tradeoff, _own_weight(found.tradeoff))
    rows = tuple(
        (
            _marked(f"{significant(point.weight)} ×", point.weight == 1, found.bought),
            *_row(point, unit),
        )
        for _, point in shown
    )
    yield Table((Column("weight", "left"), *named(*COLUMNS)[1:]), rows)
    yield Text(
        f"Each row is the best plan if serving cost that many times as much, as it "
        f"would for that many times the demand; its costs are those at the demand of "
        f"the scenario. {_count(shown, found.tradeoff)}"
    )


def _marked(name: str, own: bool, bought: bool) -> str:
    """A row, and whether it is the scenario's: its plan, or a budget's loss."""
    return f"{name} ({'bought' if bought else 'plan'})" if own else name


def _of(unit: str) -> str:
    """Told once, so that the columns are narrow."""
    return ", in FLOP" if unit == "FLOP" else ""


def _row(point: Point, unit: str) -> tuple[str, ...]:
    costs = (point.cost_total, point.cost_training, point.cost_inference)
    return (
        *(figure(cost, unit).removesuffix(" FLOP") for cost in costs),
        figure(point.parameters, "parameters"),
        figure(point.tokens, "tokens"),
    )


def _own_weight(points: Sequence[Point]) -> int | None:
    weights = [point.weight for point in points]
    return weights.index(1.0) if 1.0 in weights else None


def _chosen(points: Sequence[Point], own: int | None) -> list[tuple[int, Point]]:
    """At most about `ROWS` points, the ends and the scenario's own among them."""
    middle = 0 if own is None else own
    step = max(-(-(len(points) - 1) // (ROWS - 1)), 1)
    kept = {0, middle, len(points) - 1, *range(middle % step, len(points), step)}
    return [(i, points[i]) for i in sorted(kept)]


def _count(shown: Sequence[object], points: Sequence[Point]) -> str:
    if len(shown) == len(points):
        return f"All {len(points)} points are shown."
    return f"{len(shown)} of {len(points)} points; --format csv and json have all."


def frontier_data(found: Frontier) -> dict[str, Any]:
    """The JSON of a frontier."""
    return {
        "scenario": found.scenario,
        "file": found.file,
        "unit": found.unit,
        "loss_unit": found.loss_unit,
        "points": [
            _data(point, *POINT, "elasticity", "student") for point in found.points
        ],
        "tradeoff": [_data(point, "weight", *POINT) for point in found.tradeoff],
        "own": found.own,
        "further": found.further,
        "reason": found.reason or None,
        "notes": list(found.notes),
        "warnings": plain(found.warnings),
    }


def _data(point: Point, *words: str) -> dict[str, Any]:
    words = (*words, "choice", "certificate")
    return {word: plain(getattr(point, word)) for word in words}


def _taught(point: Point) -> tuple[float | None, ...]:
    way = point.student
    if way is None or way.student is None:
        return (None,) * len(STUDENT)
    return way.student.parameters, way.student.tokens, way.total, way.ratio


def frontier_sheet(found: Frontier) -> str:
    """CSV: a row a point, first of loss, then of training against serving."""
    page = io.StringIO(newline="")
    sheet = csv.writer(page, lineterminator="\n")
    taught = any(point.student is not None for point in found.points)
    more = STUDENT if taught else ()
    sheet.writerow(("frontier", "weight", *POINT, "elasticity", "choice", *more))
    for name, points in (("loss", found.points), ("tradeoff", found.tradeoff)):
        for point in points:
            row = [getattr(point, word) for word in POINT]
            weight = point.weight if name == "tradeoff" else None
            slope = point.elasticity if name == "loss" else None
            choice = ", ".join(f"{k}={v}" for k, v in point.choice.items())
            cells = (name, weight, *row, slope, choice)
            if taught:
                cells += _taught(point)
            sheet.writerow([cell(value) for value in cells])
    return page.getvalue()
