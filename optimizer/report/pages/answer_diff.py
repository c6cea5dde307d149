"""What changed between two answers, for a terminal and for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from optimizer.analysis.comparison.answer_diff import AnswerDiff, Changed, PlanDiff
from optimizer.analysis.plan.wording import (
    amount,
    either,
    figure,
    lifetime,
    model,
    percent,
    ratio,
    share,
)
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import GAP, Block, Column, Heading, Table, Text
from optimizer.report.formats.data import plain
from optimizer.report.pages.sensitivities import input_value, signed

NOTHING = "—"
# What a page calls a number of an answer.
NAMES = {
    "plan.parameters": "parameters",
    "plan.tokens": "tokens",
    "plan.loss": "loss",
    "overtraining.factor": "overtraining factor",
    "cost.training": "training",
    "cost.inference": "serving",
    "cost.other": "other",
    "cost.total": "lifetime",
    "cost.unit": "unit of cost",
    "savings.fraction": "saved",
}


def diff_blocks(found: AnswerDiff) -> list[Block]:
    """Each scenario with what was asked otherwise, and what that did."""
    blocks: list[Block] = [Heading("What changed", 1)]
    blocks += [Text(_summary(plan), lead=True) for plan in found.plans]
    if not (found.plans or found.new or found.gone):
        blocks.append(Text("Neither file has an answer.", lead=True))
    for words, names in (("new", found.new), ("no longer there", found.gone)):
        if names:
            blocks.append(Text(f"{either(list(names), 'and')}.", label=words))
    for plan in found.plans:
        blocks += _details(plan, len(found.plans) > 1)
    return blocks


def _summary(plan: PlanDiff) -> str:
    """What to train now, and what that does to the cost."""
    if plan.same:
        return f"{plan.scenario}: nothing changed."
    if plan.now is None:
        return f"{plan.scenario}: there is no plan now."
    size, tokens, total = plan.now
    numbers = {one.name: one for one in plan.outputs}
    told = f"{plan.scenario}: train {model(size, tokens)}"
    size_before, tokens_before = (
        numbers[name].before if name in numbers else now
        for name, now in (("plan.parameters", size), ("plan.tokens", tokens))
    )
    if size_before is None or tokens_before is None:
        return f"{told}; there was no plan before."
    if (size_before, tokens_before) == (size, tokens):
        told += ", as before"
    else:
        told += f", where it was {model(float(size_before), float(tokens_before))}"
    return f"{told}. {_costs(numbers, total, plan.unit)}"


def _costs(numbers: Mapping[str, Changed], total: float, unit: str) -> str:
    """What became of the lifetime cost."""
    what = f"The {lifetime(unit)}"
    if "cost.unit" in numbers:
        return f"{what} is {amount(total, unit)}; before, another unit was counted."
    cost = numbers.get("cost.total")
    if cost is None or cost.factor is None:
        return f"{what} is {amount(total, unit)}, as before."
    word = "rises" if cost.factor > 1 else "falls"
    by = f"by {percent(abs(cost.factor - 1))}"
    if cost.factor >= 2:
        by = f"to {significant(cost.factor, 2)} × what it was"
    return f"{what} {word} {by}, to {amount(total, unit)}."


def _details(plan: PlanDiff, several: bool) -> Iterator[Block]:
    if plan.same:
        return
    if several:
        yield Heading(plan.scenario)
    for title, rows in (("asked", plan.inputs), ("answered", plan.outputs)):
        if rows:
            yield _table(title, rows, plan.unit)
    for label, names in (
        ("new warnings", plan.warned),
        ("warnings that are gone", plan.calmed),
        ("limits that hold now", plan.held),
        ("limits that hold no longer", plan.freed),
    ):
        if names:
            yield Text(f"{either(list(names), 'and')}.", label=label)


def _table(title: str, rows: Sequence[Changed], unit: str) -> Table:
    columns = (
        Column(title, "left"),
        *(Column(word) for word in ("before", "now", "change")),
    )
    return Table(
        columns,
        tuple(
            (
                NAMES.get(one.name, one.name),
                _shown(one, one.before, unit),
                _shown(one, one.after, unit),
                _moved(one),
            )
            for one in rows
        ),
    )


def _shown(one: Changed, value: float | str | None, cost: str) -> str:
    if value is None or isinstance(value, str):
        return value or NOTHING
    if not one.unit:
        return input_value(one.name, value)
    if one.unit == "fraction":
        return share(value)
    if one.unit in ("factor", "nats"):
        return ratio(value) if one.unit == "factor" else f"{value:.4f}"
    return figure(value, cost if one.unit == "cost" else one.unit)


def _moved(one: Changed) -> str:
    """The change in percent; of more than twice, and of a share, as it reads best."""
    factor = one.factor
    if factor is None or one.unit == "fraction":
        return GAP
    if factor >= 2:
        return f"{ratio(factor)} ×"
    return signed(100 * (factor - 1))


def diff_data(found: AnswerDiff) -> dict[str, object]:
    """What changed as plain data."""
    plans = [
        {
            **{key: value for key, value in plain(plan).items() if key != "now"},
            "inputs": [_data(one) for one in plan.inputs],
            "outputs": [_data(one) for one in plan.outputs],
            "moved": plain(plan.moved),
        }
        for plan in found.plans
    ]
    return {"plans": plans, "new": list(found.new), "gone": list(found.gone)}


def _data(one: Changed) -> dict[str, object]:
    change = None if one.factor is None else one.factor - 1
    return {
        "name": one.name,
        "before": one.before,
        "after": one.after,
        "change": change,
    }
