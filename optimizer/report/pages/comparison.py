"""A comparison as blocks: one column a scenario of few, one row a scenario of many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizer.analysis.comparison.compare import Comparison
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.near_ends import near_ends
from optimizer.analysis.plan.wording import (
    either,
    extra,
    figure,
    lifetime,
    model,
    percent,
    ratio,
    saved,
    several,
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
from optimizer.report.pages.cautions import all_warned
from optimizer.report.pages.forms import form_regret
from optimizer.report.pages.futures import NONE, against_blocks, decision
from optimizer.report.pages.headline import headline
from optimizer.world.costs import UNITS

ROWS = (
    "status",
    "law",
    "served tokens",
    "of them counted",
    "parameters",
    "tokens",
    "tokens per parameter",
    "loss",
    "overtraining factor",
    "training",
    "serving",
    "other",
    "total",
    "saved",
    "fixed size costs",
    "within 1 %",
    "within 5 %",
    "held by",
    "your plan",
    "your plan costs",
    "your plan over it",
    "student",
    "student's teacher",
    "student costs",
    "student over it",
)


FEW = 3  # scenarios that stand side by side


def comparison_blocks(
    comparison: Comparison, pairs: bool = False, tabled: bool = False
) -> list[Block]:
    """The plans side by side, then what each of them says first; many as one table.

    Args:
        comparison: of the scenarios.
        pairs: whether to say of many, too, what each is to each other.
        tabled: whether every plan stands in a table already, with its warnings.
    """
    plans = comparison.plans
    if len(plans) > FEW:
        return [*_many(comparison, tabled), *against_blocks(comparison, pairs)]
    columns = [_column(plan) for plan in plans]
    laws = {plan.law.name for plan in plans}
    alike = {"law"} if len(laws) == 1 else set()
    if not any(map(_part, plans)):
        alike.add("of them counted")
    rows = tuple(
        (_row_name(name, plans), *(column.get(name, GAP) for column in columns))
        for name in ROWS
        if any(name in column for column in columns) and name not in alike
    )
    blocks: list[Block] = [
        Heading("Comparison", 1),
        *(form_regret(comparison) or decision(comparison)),
        *all_warned(plans),
        Heading("Plans"),
        Table(named(*(plan.scenario for plan in plans)), rows, apart=True),
    ]
    if len(laws) == 1:
        blocks += _under(plans)
    blocks += (_first_line(plan) for plan in plans)
    return [*blocks, *against_blocks(comparison)]


def _row_name(name: str, plans: tuple[Answer, ...]) -> str:
    """Names costs by what they are, where all plans count the same."""
    units = {plan.cost.unit for plan in plans if plan.cost is not None}
    if name not in ("training", "serving", "other", "total"):
        return name
    part = (
        ", counted" if name in ("serving", "total") and any(map(_part, plans)) else ""
    )
    if len(units) != 1:
        return f"{name}{part}"
    words = lifetime(units.pop())
    if name == "total":
        return f"{words}{part}"
    return f"{name} {words.removeprefix('lifetime ')}{part}"


def _part(plan: Answer) -> bool:
    """Whether a plan counts only a part of what is served."""
    return plan.demand.counted_tokens < plan.demand.tokens * (1 - 1e-9)


def _many(comparison: Comparison, tabled: bool) -> Iterator[Block]:
    """One row a scenario, and why one has no plan."""
    plans = comparison.plans
    units = {plan.cost.unit for plan in plans if plan.cost is not None}
    yield Heading("Comparison", 1)
    yield from form_regret(comparison) or decision(comparison)
    worst = _elsewhere(comparison)
    if tabled and not worst:
        yield from _aside(plans)
        return
    if not tabled:
        yield from all_warned(plans)
    yield Heading("Plans")
    cost = lifetime(next(iter(units))) if len(units) == 1 else "lifetime"
    columns = [
        Column("", "left", wrap=True),
        *(Column(title) for title in ("served", "size", "tokens", cost, "saved")),
        *([Column("elsewhere at most")] if worst else ()),
    ]
    rows = []
    for index, plan in enumerate(plans):
        rest = [worst[index]] if worst else []
        rows.append((plan.scenario, *_short(plan), *rest))
    yield Table(tuple(columns), tuple(rows), apart=True)
    if worst:
        yield Text(
            "Elsewhere at most: the plan's lifetime cost in another of these scenarios "
            f"over the least there; {NONE} where it misses a target or breaks a limit. "
            "--pairs says it of each pair, and what each difference does."
        )
    yield from _aside(plans)
    for plan in plans:
        if plan.infeasibility is not None:
            yield Text(f"{plan.infeasibility.reason}.", label=plan.scenario)
    if parts := [plan.scenario for plan in plans if _part(plan)]:
        verb = "counts" if len(parts) == 1 else "count"
        yield Text(f"{several(parts)} {verb} only a part of what is served.")
    if not tabled:
        yield from _under(plans)


def _aside(plans: Sequence[Answer]) -> Iterator[Block]:
    """The user's own plans and the best students, one row a scenario that has any."""
    found = [(plan.scenario, beside) for plan in plans if (beside := _beside(plan))]
    shown = [name for name in ROWS if any(name in beside for _, beside in found)]
    if not shown:
        return
    yield Heading("Beside each plan")
    rows = tuple(
        (scenario, *(beside.get(name, GAP) for name in shown))
        for scenario, beside in found
    )
    yield Table(named(*shown), rows, apart=True)


def _under(plans: Sequence[Answer]) -> Iterator[Block]:
    """Whose law is which."""
    laws: dict[str, list[str]] = {}
    for plan in plans:
        laws.setdefault(plan.law.name, []).append(plan.scenario)
    if len(laws) == 1:
        yield Text(f"All under the law {next(iter(laws))}.")
        return
    for law, names in laws.items():
        yield Text(f"{either(names, 'and')}.", label=f"under {law}")


def _elsewhere(comparison: Comparison) -> list[str]:
    """Of each plan the most that it costs elsewhere; empty where no pair is known."""
    if comparison.regret is None or len(comparison.plans) < 2:
        return []
    found = []
    for row, entries in enumerate(comparison.regret.table):
        others = [entry for place, entry in enumerate(entries) if place != row]
        known = [entry for entry in others if entry is not None]
        told = f"× {significant(max(known), keep=True)}" if known else NONE
        found.append(told if len(known) == len(others) else NONE)
    return found if any(told != NONE for told in found) else []


def _short(answer: Answer) -> tuple[str, ...]:
    """What one plan says in a row."""
    served = figure(answer.demand.tokens, "tokens")
    plan, cost, saving = answer.plan, answer.cost, answer.saved
    if plan is None or cost is None:
        return served, "no plan", GAP, GAP, GAP
    return (
        served,
        figure(plan.parameters, "parameters"),
        figure(plan.tokens, "tokens"),
        figure(cost.total, cost.unit),
        GAP if saving is None else saved(saving.fraction),
    )


def _first_line(plan: Answer) -> Text:
    return Text(headline(plan), label=plan.scenario)


def _beside(answer: Answer) -> dict[str, str]:
    """The user's own plan, and the cheapest student, each over the plan."""
    column = {}
    if (own := answer.own) is not None:
        column["your plan"] = model(own.plan.parameters, own.plan.tokens)
        column["your plan costs"] = figure(own.cost.total, own.cost.unit)
        if own.fraction is not None:
            column["your plan over it"] = extra(own.fraction)
    if answer.distillation is not None:
        way = answer.distillation.ways[0]
        if way.student is not None and way.total is not None:
            unit = UNITS[answer.objective]
            column["student"] = model(way.student.parameters, way.student.tokens)
            column["student's teacher"] = model(
                way.teacher.parameters, way.teacher.tokens
            )
            column["student costs"] = figure(way.total, unit)
        if way.ratio is not None:
            column["student over it"] = f"× {significant(way.ratio, keep=True)}"
    return column


def _column(answer: Answer) -> dict[str, str]:
    """What one plan says in each row."""
    column = {
        "status": answer.status.value,
        "law": answer.law.name,
        "served tokens": figure(answer.demand.tokens, "tokens"),
        "of them counted": figure(answer.demand.counted_tokens, "tokens"),
    }
    column |= _beside(answer)
    plan, over, cost = answer.plan, answer.overtraining, answer.cost
    if plan is None or over is None or cost is None:
        return column
    column |= {
        "parameters": figure(plan.parameters, "parameters"),
        "tokens": figure(plan.tokens, "tokens"),
        "tokens per parameter": ratio(plan.tokens_per_parameter),
        "loss": f"{plan.loss:.4f}",
        "overtraining factor": ratio(over.factor),
        "training": figure(cost.training, cost.unit),
        "serving": figure(cost.inference, cost.unit),
        "total": figure(cost.total, cost.unit),
    }
    if answer.saved is not None:
        column["saved"] = saved(answer.saved.fraction)
    if cost.other:
        column["other"] = figure(cost.other, cost.unit)
    if answer.fixed is not None and answer.question != "budget":
        column["fixed size costs"] = extra(answer.fixed.fraction)
    for near in answer.near_optimal:
        low, high = near_ends(answer, near, "parameters")
        column[f"within {percent(near.within)}"] = f"{low} to {high}"
    binding = [w.name.rpartition(".")[2] for w in answer.limits if w.binding]
    if binding:
        column["held by"] = ", ".join(binding)
    return column
