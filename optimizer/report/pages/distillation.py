"""The section on students of a teacher, beside the plan without one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.students import Distillation, Distilled
from optimizer.analysis.plan.wording import (
    either,
    figure,
    model,
    more,
    percent,
    ratio,
)
from optimizer.records import dataclass
from optimizer.report.formats.blocks import GAP, Block, Heading, Table, Text, named
from optimizer.report.pages.sensitivities import NEGLIGIBLE, stepped
from optimizer.report.pages.stretch import stretch
from optimizer.world.costs import UNITS

SHOWN = 5  # numbers that move a student's cost most
STUDENT = ("student", "tokens", "lifetime", "over the plan")


def distillation(answer: Answer) -> Iterator[Block]:
    """Whether a teacher pays, and the best student of each."""
    found = answer.distillation
    if found is None:
        return
    yield Heading("Distillation")
    yield Text(" ".join(filter(None, (pays(answer), _split(found.ways[0])))))
    rows = []
    for way in found.ways:
        name = model(way.teacher.parameters, way.teacher.tokens)
        rows.append((name, f"{way.teacher.loss:.4f}", *_student(answer, way)))
    yield Table(named("its loss", *STUDENT), tuple(rows))
    for way in found.ways:
        name = model(way.teacher.parameters, way.teacher.tokens)
        if way.reason is not None:
            yield Text(f"{name}: {way.reason}.")
        if told := stretch(way.teacher_extrapolation, answer.law.name, "It"):
            yield Text(f"{name}: as a teacher {told[0].lower()}{told[1:]}")
        for one in way.outside:
            yield Text(f"The student of {name} is outside the law's runs: {one}.")
    yield from _moves(found.ways[0])
    proofs = [way.certificate for way in found.ways if way.certificate is not None]
    if proofs:
        gap = max(proof.gap for proof in proofs)
        tried = max(proof.sizes for proof in proofs)
        yield Text(
            f"No student of any size is cheaper by more than {percent(math.expm1(gap))}"
            f": up to {tried:,} sizes were tried, each with its least tokens, and what "
            "lies between them has a bound."
        )


def _split(way: Distilled) -> str:
    """What of a student's cost is training, serving and the rest."""
    total, parts = way.total, []
    for name, part in (
        ("training", way.training),
        ("serving", way.inference),
        ("logits", way.logits),
        ("other costs", way.other),
    ):
        if part and total:
            parts.append(f"{percent(part / total)} {name}")
    return f"Its cost is {either(parts, 'and')}." if parts else ""


def _moves(best: Distilled) -> Iterator[Block]:
    """What moves the cost of the best student, most of it first."""
    ranked = sorted(best.sensitivities, key=lambda m: -abs(m.elasticity or 0.0))
    parts = [
        f"{move.input} {stepped(move.elasticity)}"
        for move in ranked[:SHOWN]
        if move.elasticity is not None and abs(move.elasticity) >= NEGLIGIBLE
    ]
    if parts:
        yield Text(
            f"What moves its cost most, as slopes per +1 %: {', '.join(parts)}. "
            "--format json has all of the law, its students and the teacher."
        )


def students(members: Sequence[Answer]) -> Iterator[Block]:
    """The best student of each model of a portfolio that has a teacher."""
    rows = []
    for answer in members:
        found = answer.distillation
        for way in found.ways[:1] if found is not None else ():
            name = model(way.teacher.parameters, way.teacher.tokens)
            rows.append((answer.scenario, name, *_student(answer, way)))
    if not rows:
        return
    yield Heading("Students")
    yield Table(named("teacher", *STUDENT), tuple(rows))
    yield Text(
        "The best student of each model, all other models as planned, within what they "
        "leave of what is shared. The joint plan is one without teachers. Machines "
        "are in fractions on both sides."
    )


def _student(answer: Answer, way: Distilled) -> tuple[str, ...]:
    """The cells of a student, under the titles `STUDENT`."""
    if way.student is None or way.total is None:
        return (GAP,) * len(STUDENT)
    return (
        figure(way.student.parameters, "parameters"),
        figure(way.student.tokens, "tokens"),
        figure(way.total, UNITS[answer.objective]),
        GAP if way.ratio is None else ratio(way.ratio),
    )


@dataclass(frozen=True)
class Taught:
    """The best student, where a teacher pays: N and D, cost, and what it saves."""

    size: tuple[float, float]
    total: float
    saved: float
    teacher: str


def student(answer: Answer) -> Taught | None:
    """The best student of a teacher that pays; None where none does."""
    found = answer.distillation
    best = found.ways[0] if found is not None and found.pays else None
    if best is None or best.student is None or best.ratio is None or not best.total:
        return None
    return Taught(
        (best.student.parameters, best.student.tokens),
        best.total,
        1 - best.ratio,
        model(best.teacher.parameters, best.teacher.tokens),
    )


def apart(answer: Answer) -> str:
    """What sets the plan apart from a student that the first sentence is about."""
    beside = student(answer) is not None and not answer.cheaper
    return " without a teacher" if beside else ""


def better(answer: Answer) -> str:
    """What a teacher saves, for the first paragraph; empty where it does not pay."""
    found, best = answer.distillation, student(answer)
    if found is None or best is None:
        return ""
    told = (
        f"Distil {model(*best.size)} tokens from a teacher of {best.teacher}: that "
        f"costs {percent(best.saved)} less than the same loss without a teacher, "
        f"{_left_out(found)}."
    )
    return " ".join((told, *_far(answer, found.ways[0])))


def instead(answer: Answer) -> str:
    """The student that reaches what no model without a teacher does; or empty."""
    found = answer.distillation
    if answer.plan is not None or found is None or not found.ways:
        return ""
    best = found.ways[0]
    if best.student is None or best.total is None:
        return ""
    told = (
        f"With one, {model(best.student.parameters, best.student.tokens)} tokens from "
        f"a teacher of {model(best.teacher.parameters, best.teacher.tokens)} meet "
        f"them, for {figure(best.total, UNITS[answer.objective])} over the life, "
        f"{_left_out(found)}."
    )
    return " ".join((told, *_far(answer, best)))


def _left_out(found: Distillation) -> str:
    """What the cost of a student counts of its teacher."""
    return (
        f"with logits that are {found.logits} and a teacher whose own training is not "
        "counted"
    )


def _far(answer: Answer, way: Distilled) -> Iterator[str]:
    """How far a teacher and its student are beyond the law's runs."""
    for who, known in (
        ("The teacher", way.teacher_extrapolation),
        ("The student", way.extrapolation),
    ):
        if told := stretch(known, answer.law.name, who):
            yield told


def pays(answer: Answer) -> str:
    """The verdict in one sentence."""
    found = answer.distillation
    if found is None or not found.ways:
        return ""
    best = found.ways[0]
    name = model(best.teacher.parameters, best.teacher.tokens)
    if best.student is None or best.ratio is None:
        return "No comparison with supervised training can be made."
    learner = model(best.student.parameters, best.student.tokens)
    verdict = "Distilling pays" if found.pays else "Distilling does not pay"
    much = more(best.ratio - 1, than=True)
    return (
        f"{verdict}: {learner} tokens from the teacher {name} takes {much} training "
        f"without one, with logits that are {found.logits}."
    )
