"""Samples a request: the plans of fewer and of more, as blocks, JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from optimizer.analysis.frontier.samples import OverSamples
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.drawings import Drawing
from optimizer.analysis.plan.wording import (
    amount,
    extra,
    lifetime,
    rule,
    samples,
)
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import (
    Block,
    Column,
    Heading,
    Table,
    Text,
    named,
)
from optimizer.report.formats.csv import cell
from optimizer.report.formats.data import plain


def drawn_blocks(answer: Answer) -> Iterator[Block]:
    """What each number of samples would cost, where that is left open."""
    found, cost = answer.samples, answer.cost
    if found is None or cost is None:
        return
    yield Heading("Samples")
    yield drawings_table(found.steps, cost.unit, answer.question == "budget")
    yield Text(
        f"The plan draws {samples(found.number)} a request, of {found.at_least:.0f} to "
        f"{found.at_most:.0f}. In fractions {significant(found.relaxed)} would be "
        "best; ranges, sensitivities and the price of limits are of samples in "
        "fractions, since whole ones move in steps."
    )


def drawings_table(steps: Sequence[Drawing], unit: str, budget: bool = False) -> Table:
    """Plan and cost for each number of samples."""
    least = min((s.loss if budget else s.total for s in steps), default=1.0)
    last = "loss" if budget else lifetime(unit)
    rows = tuple(
        (
            significant(step.samples),
            amount(step.parameters, "parameters"),
            amount(step.tokens, "tokens"),
            significant(step.overtraining),
            f"{step.loss:.4f}" if budget else amount(step.total, unit),
            _more(step.loss if budget else step.total, least),
        )
        for step in steps
    )
    columns = ("parameters", "tokens", "overtraining factor", last, "against the least")
    return Table((Column("samples"), *named(*columns)[1:]), rows)


def _more(value: float, least: float) -> str:
    return "least" if value <= least * (1 + 1e-12) else extra(value / least - 1)


def over_samples_blocks(found: OverSamples) -> list[Block]:
    """The whole page of a frontier over samples."""
    return [Heading(found.scenario, 1), *_body(found)]


def _body(found: OverSamples) -> Iterator[Block]:
    if not found.steps:
        yield Text("No number of samples has a plan.", lead=True)
        return
    budget = found.target_loss is None
    first, last = found.steps[0], found.steps[-1]
    best = min(found.steps, key=lambda step: step.loss if budget else step.total)
    yield Text(
        f"From {samples(first.samples)} to {significant(last.samples)}, the model goes "
        f"from {amount(first.parameters, 'parameters')} to "
        f"{amount(last.parameters, 'parameters')} and its overtraining from "
        f"{significant(first.overtraining)} to {significant(last.overtraining)} × "
        f"{rule(found.attention, found.left_out)}. {_judged(found, best.samples)}",
        lead=True,
    )
    yield Heading(f"Plans for each number of samples, in {found.unit}")
    yield drawings_table(found.steps, found.unit, budget)
    yield Text(f"Each row is a certified plan. Law: {found.law}.")


def _judged(found: OverSamples, best: float) -> str:
    if found.knows:
        return (
            f"Of these, {samples(best)} a request {'is' if best == 1 else 'are'} best "
            "for the quality asked, taking a verifier that always knows the best "
            "answer and costs nothing."
        )
    return (
        f"{found.law} does not say what samples are worth: each row is the same loss "
        "of one answer, and more samples are so many more tokens."
    )


COLUMNS = ("samples", "parameters", "tokens", "overtraining", "loss", "total")


def over_samples_data(found: OverSamples) -> dict[str, Any]:
    """The document of a frontier over samples."""
    content: dict[str, Any] = plain(found)
    return content


def over_samples_sheet(found: OverSamples) -> str:
    """The steps as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for step in found.steps:
        writer.writerow([cell(getattr(step, column)) for column in COLUMNS])
    return text.getvalue()
