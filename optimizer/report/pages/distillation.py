"""The section on students of a teacher, beside the plan without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.students import Distilled
from optimizer.analysis.plan.wording import figure, model, more, percent, ratio
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import GAP, Block, Heading, Table, Text, named
from optimizer.report.pages.reasons import NEGLIGIBLE, signed
from optimizer.world.costs import UNITS

SHOWN = 5  # numbers that move a student's cost most
STUDENT = ("student", "tokens", "lifetime", "over the plan")


def distillation(answer: Answer) -> Iterator[Block]:
    """Whether a teacher pays, and the best student of each."""
    found = answer.distillation
    if found is None:
        return
    yield Heading("Distillation")
    yield Text(pays(answer))
    rows = []
    for way in found.ways:
        name = model(way.teacher.parameters, way.teacher.tokens)
        rows.append((name, f"{way.teacher.loss:.4f}", *_student(answer, way)))
    yield Table(named("its loss", *STUDENT), tuple(rows))
    for way in found.ways:
        name = model(way.teacher.parameters, way.teacher.tokens)
        if way.reason is not None:
            yield Text(f"{name}: {way.reason}.")
        for one in way.outside:
            yield Text(f"The student of {name} is outside the law's runs: {one}.")
    yield from _moves(found.ways[0])
    proofs = [way.certificate for way in found.ways if way.certificate is not None]
    if proofs:
        gap = max(proof.gap for proof in proofs)
        tried = max(proof.sizes for proof in proofs)
        yield Text(
            f"No size is cheaper by more than {significant(gap, 2)} in ln: the least "
            f"tokens of up to {tried:,} sizes, and bounds for all between them."
        )


def _moves(best: Distilled) -> Iterator[Block]:
    """What moves the cost of the best student, most of it first."""
    ranked = sorted(best.sensitivities, key=lambda m: -abs(m.elasticity or 0.0))
    parts = [
        f"{move.input} {signed(move.elasticity)}"
        for move in ranked[:SHOWN]
        if move.elasticity is not None and abs(move.elasticity) >= NEGLIGIBLE
    ]
    if parts:
        yield Text(
            f"Of its cost, 1 % more of each moves most: {', '.join(parts)}. --format "
            "json has all of the law, its students and the teacher."
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


def better(answer: Answer) -> str:
    """What a teacher saves, for the first paragraph; empty where it does not pay."""
    found = answer.distillation
    best = found.ways[0] if found is not None and found.pays else None
    if found is None or best is None or best.student is None or best.ratio is None:
        return ""
    teacher = model(best.teacher.parameters, best.teacher.tokens)
    student = model(best.student.parameters, best.student.tokens)
    return (
        f"Distilled from a teacher of {teacher}, {student} tokens reach the same loss "
        f"for {percent(1 - best.ratio)} less, with logits that are {found.logits} and "
        "a teacher whose own training is not counted."
    )


def pays(answer: Answer) -> str:
    """The verdict in one sentence."""
    found = answer.distillation
    if found is None or not found.ways:
        return ""
    best = found.ways[0]
    name = model(best.teacher.parameters, best.teacher.tokens)
    if best.student is None or best.ratio is None:
        return "No comparison with supervised training can be made."
    student = model(best.student.parameters, best.student.tokens)
    verdict = "Distilling pays" if found.pays else "Distilling does not pay"
    much = more(best.ratio - 1, than=True)
    return (
        f"{verdict}: {student} tokens from the teacher {name} takes {much} training "
        f"without one, with logits that are {found.logits}."
    )
