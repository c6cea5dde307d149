"""Answers in one line each, for a folder of scenarios."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import (
    figure,
    ratio,
    saved,
)
from optimizer.report.formats.blocks import GAP, Block, Column, Table, Text


def brief_blocks(named_answers: Sequence[tuple[str, Answer]]) -> list[Block]:
    """One row an answer.

    Args:
        named_answers: each with what the row is called.
    """
    columns = (
        Column("", "left", cut=True),
        *(Column(title) for title in ("size", "tokens", "factor", "lifetime", "saved")),
        Column("", "left"),
    )
    notes = ["Factor: the overtraining factor."]
    if any(a.cost is not None and a.cost.unit == "FLOP" for _, a in named_answers):
        notes.append("A lifetime without a unit is in FLOP.")
    if any(answer.warnings for _, answer in named_answers):
        notes.append("! has warnings, which solve shows without --brief.")
    if any(answer.cheaper for _, answer in named_answers):
        notes.append("§ do not train: solve shows what serves for less.")
    rows = tuple(_row(*each) for each in named_answers)
    return [Table(columns, rows), Text(" ".join(notes))]


def _row(name: str, answer: Answer) -> tuple[str, ...]:
    plan, cost, over = answer.plan, answer.cost, answer.overtraining
    doubts = ("!" if answer.warnings else GAP) + ("§" if answer.cheaper else GAP)
    if plan is None or cost is None or over is None:
        return name, "no plan", *[GAP] * 4, doubts
    return (
        name,
        figure(plan.parameters, "parameters"),
        figure(plan.tokens, "tokens"),
        ratio(over.factor),
        figure(cost.total, cost.unit).removesuffix(" FLOP"),
        GAP if answer.saved is None else saved(answer.saved.fraction),
        doubts,
    )
