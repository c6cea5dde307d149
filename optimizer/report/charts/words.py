"""What each chart shows, in words: for those who cannot see it, and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.analysis.comparison.regret import Regret
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import (
    above,
    amount,
    counted,
    either,
    extra,
    lifetime,
    line_name,
    percent,
)
from optimizer.analysis.story.contour import Contour
from optimizer.analysis.story.curves import OverDemand, Overhead
from optimizer.analysis.story.timeline import Cashflow, Tornado
from optimizer.reading.quantity import significant

STRONGEST = 3


def contour(figure: Contour) -> str:
    """The surface in words."""
    plan, best = figure.dots
    losses = [loss for loss, _ in figure.levels]
    names = ", ".join(wall.name for wall in figure.walls)
    return (
        f"Loss over size and training tokens, lines of equal loss from "
        f"{max(losses):.2f} to {min(losses):.2f} {figure.unit}. The plan has "
        f"{amount(plan.parameters, 'parameters')} on {amount(plan.tokens, 'tokens')}, "
        f"the training-optimal model {amount(best.parameters, 'parameters')} on "
        f"{amount(best.tokens, 'tokens')}, with the same loss. "
        f"{len(figure.published)} published models lie in this range."
        + (
            f" Limits that hold the plan are drawn where they end: {names}."
            * bool(names)
        )
    )


def demand(figure: OverDemand) -> str:
    """Costs over the demand in words."""
    ends = [counted(figure.served[i], "tokens") for i in (0, -1)]
    told = f"{lifetime(figure.unit).capitalize()} from {ends[0]} to {ends[1]} served."
    for crossing in figure.crossings:
        cost, tokens = amount(crossing.cost, figure.unit), crossing.tokens
        told += (
            f" The plan and {_model(crossing.other)} cost the same, {cost}, at "
            f"{amount(tokens, 'tokens')}."
        )
    return told


def _model(name: str) -> str:
    if name in ("training-optimal", "half the size", "twice the size"):
        return f"the model that is {name.replace('the size', 'its size')}"
    return "buying" if name == "buy" else name


def plan(figure: OverDemand) -> str:
    """The best plan over the demand in words."""
    known = [
        (T, N, D)
        for T, N, D in zip(figure.served, figure.parameters, figure.tokens, strict=True)
        if N is not None and D is not None
    ]
    if not known:
        return "There is no plan for any of these demands."
    (T0, N0, D0), (T1, N1, D1) = known[0], known[-1]
    return (
        f"From {amount(T0, 'tokens')} to {amount(T1, 'tokens')} served the best size "
        f"goes from {amount(N0, 'parameters')} to {amount(N1, 'parameters')}, and its "
        f"training tokens from {amount(D0, 'tokens')} to {amount(D1, 'tokens')}."
    )


def split(answers: Sequence[Answer]) -> str:
    """Bills in words."""
    parts = []
    for answer in answers:
        if answer.cost is None:
            continue
        name = "The plan" if len(answers) == 1 else answer.scenario
        lines = [
            f"{line_name(line.name)} {percent(line.share)}"
            for line in answer.cost.lines
            if line.share > 0
        ]
        total = amount(answer.cost.total, answer.cost.unit)
        parts.append(f"{name} costs {total}: {either(lines, 'and')}.")
    return " ".join(parts)


def tornado(figure: Tornado) -> str:
    """The strongest swings in words."""
    told = []
    for swing in figure.swings[:STRONGEST]:
        ends = [
            "no plan" if result is None else _change(result / figure.base - 1)
            for result in swing.results
        ]
        told.append(f"{swing.input} ({ends[0]} and {ends[1]})")
    if _stated(figure):
        how = "Each number over the range that the scenario states"
    else:
        how = "Each number 20 % lower and higher"
        if any(swing.stated for swing in figure.swings):
            how += ", or over the range that the scenario states"
    return f"{how}, the plan found anew. Strongest: {either(told, 'and')}."


def _stated(figure: Tornado) -> bool:
    return bool(figure.swings) and all(swing.stated for swing in figure.swings)


def _change(fraction: float) -> str:
    return extra(fraction)


def overhead(figure: Overhead) -> str:
    """De Vries' curve in words."""
    plan_, best = figure.dots
    at = {size: i for i, size in enumerate(figure.sizes)}
    over = figure.training[at[plan_.parameters]] if plan_.parameters in at else 0.0
    size, other, doubled = (
        amount(N, "parameters")
        for N in (plan_.parameters, best.parameters, figure.critical)
    )
    below = f", and no data reach the loss below {amount(figure.floor, 'parameters')}"
    return (
        f"Training compute over the least for this loss, by size. At the plan, {size}, "
        f"it is {above(max(over, 0.0))} that of the training-optimal {other}; "
        f"it doubles at the critical size of {doubled}{below if figure.floor else ''}."
        + (f" Held by {', '.join(figure.held)}." if figure.held else "")
    )


def regret(figure: Regret) -> str:
    """The worst of the table in words."""
    worst = [
        (ratio, name, other)
        for name, row in zip(figure.scenarios, figure.table, strict=True)
        for other, ratio in zip(figure.scenarios, row, strict=True)
        if ratio is not None and name != other
    ]
    missing = sum(ratio is None for row in figure.table for ratio in row)
    told = "Cost of each plan in each scenario over that of the best plan there."
    if worst:
        ratio, name, other = max(worst)
        told += (
            f" The dearest mistake: the plan for {name} costs {significant(ratio)} "
            f"times the best where {other} comes."
        )
    if missing:
        told += (
            f" {missing} combinations have none: the plan misses the target there, "
            "breaks a limit, or the scenario asks for something else."
        )
    return told


def laws(answers: Sequence[Answer]) -> str:
    """Law against law in words."""
    parts = [
        f"{answer.law.name} {amount(answer.plan.parameters, 'parameters')} on "
        f"{amount(answer.plan.tokens, 'tokens')}"
        for answer in answers
        if answer.plan is not None
    ]
    return f"The best size and tokens by law: {either(parts, 'and')}."


def cashflow(figure: Cashflow) -> str:
    """Costs over time in words."""
    last = max(entry.month for entry in figure.months)
    plan_, best = (totals[-1] for _, totals in figure.totals)
    told = (
        f"By the end of month {last} the plan has cost {amount(plan_, figure.unit)}, "
        f"the training-optimal model {amount(best, figure.unit)}."
    )
    if figure.paid_back is not None:
        told += f" The plan is ahead from month {figure.paid_back} on."
    if figure.present:
        told += " Later dollars are discounted."
    return told


def rounded(tokens: float) -> str:
    """A demand as it is spoken of."""
    return amount(float(f"{tokens:.1e}"), "tokens")


def capped(answer: Answer) -> str:
    """Loss against cost under a budget for training, in words."""
    found, cost = answer.capped, answer.cost
    if found is None or cost is None:
        return ""
    first, plan, last = found.steps[0], found.steps[found.chosen], found.steps[-1]
    ends = [amount(step.total, cost.unit) for step in (last, plan)]
    told = (
        f"Under the budget a loss of {last.loss:.4f} takes {ends[0]} over the life, "
        f"and the plan's {plan.loss:.4f} takes {ends[1]}, no more than without the "
        "budget."
    )
    if first.extra > 0 and first is not plan:
        free = amount(first.total / (1 + first.extra), cost.unit)
        told += (
            f" The lowest, {first.loss:.4f}, takes {amount(first.total, cost.unit)}; "
            f"without the budget it would take {free}."
        )
    return told
