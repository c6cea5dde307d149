"""The section on students of a teacher, beside the plan without one."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import amount, model, more, percent
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import GAP, Block, Heading, Table, Text, named


def distillation(answer: Answer) -> Iterator[Block]:
    """Whether a teacher pays, and the best student of each."""
    found, cost = answer.distillation, answer.cost
    if found is None:
        return
    unit = "" if cost is None else cost.unit
    yield Heading("Distillation")
    yield Text(pays(answer))
    rows = []
    for way in found.ways:
        name = f"{model(way.teacher.parameters, way.teacher.tokens)}"
        student = way.student
        if student is None or way.total is None:
            rows.append((name, f"{way.teacher.loss:.4f}", *[GAP] * 4))
            continue
        rows.append(
            (
                name,
                f"{way.teacher.loss:.4f}",
                amount(student.parameters, "parameters"),
                amount(student.tokens, "tokens"),
                amount(way.total, unit) if unit else significant(way.total),
                GAP if way.ratio is None else significant(way.ratio),
            )
        )
    columns = named("its loss", "student", "tokens", "lifetime", "over the plan")
    yield Table(columns, tuple(rows))
    for way in found.ways:
        name = model(way.teacher.parameters, way.teacher.tokens)
        if way.reason is not None:
            yield Text(f"{name}: {way.reason}.")
        for one in way.outside:
            yield Text(f"The student of {name} is outside the law's runs: {one}.")
    proofs = [way.certificate for way in found.ways if way.certificate is not None]
    if proofs:
        gap = max(proof.gap for proof in proofs)
        tried = max(proof.sizes for proof in proofs)
        yield Text(
            f"No size is cheaper by more than {significant(gap, 2)} in ln: the least "
            f"tokens of up to {tried:,} sizes, and bounds for all between them."
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
        f"for {percent(1 - best.ratio)} less, with logits that are {found.logits}."
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
