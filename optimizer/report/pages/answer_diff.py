"""What changed between two answers, for a terminal and for a pull request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from optimizer.analysis.comparison.answer_diff import AnswerDiff, PlanDiff
from optimizer.analysis.comparison.changed import Changed
from optimizer.analysis.plan.wording import KINDS, amount, either, figure, ratio, share
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import GAP, Block, Column, Heading, Table, Text
from optimizer.report.formats.data import plain
from optimizer.report.pages.recommendation import (
    conflict,
    lifetime_cost,
    recommendation,
)
from optimizer.report.pages.sensitivities import input_value, signed

NOTHING = "—"
UNITS = {*KINDS, "kgCO2e"}  # that bounds are written in
MODEL = ("plan.parameters", "plan.tokens")
PLAIN: Mapping[str, Callable[[float], str]] = {
    "fraction": share,
    "factor": ratio,
    "nats": "{:.4f}".format,
    "samples": significant,
}
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
    "plan.samples": "samples",
    "cheapest": "the cheapest way",
    "distillation.pays": "a teacher pays",
    "own.cost.total": "your own plan",
    "own.fraction": "your own above the optimum",
    "others.buy.total": "buying",
    "distillation.ways.0.total": "the best student",
}


def diff_blocks(found: AnswerDiff) -> list[Block]:
    """What is recommended now, then each scenario with what was asked otherwise."""
    blocks: list[Block] = [Heading("What changed", 1)]
    blocks += [Text(_together(joint), lead=True) for joint in found.portfolios]
    # That there is no joint plan says it of each of the models.
    stuck = {name for joint in found.portfolios for name in joint.models}
    stuck &= {plan.scenario for plan in found.plans if plan.recommends[1] is None}
    told = [plan for plan in found.plans if plan.scenario not in stuck]
    blocks += [Text(recommendation(plan), lead=True) for plan in told]
    if not (found.all or found.new or found.gone):
        blocks.append(Text("Neither file has an answer.", lead=True))
    for words, names in (("new", found.new), ("no longer there", found.gone)):
        if names:
            blocks.append(Text(f"{either(list(names), 'and')}.", label=words))
    for plan in found.all:
        if plan.inputs or plan.conflicts or plan.scenario not in stuck:
            blocks += _details(plan, len(found.all) > 1)
    return blocks


def _together(joint: PlanDiff) -> str:
    """Whether the models of a portfolio still have plans together, and at what cost."""
    if joint.same:
        return f"{joint.scenario}: nothing changed for all together."
    told = f"{joint.scenario}: there is no joint plan"
    if joint.now is None:
        stays = not any(one.name == "status" for one in joint.outputs)
        return f"{told}{', as before' if stays else ' now'}{conflict(joint)}."
    much = lifetime_cost(joint, joint.now, joint.change("cost.total"), "joint ")
    if any(one.name == "status" for one in joint.outputs):
        return f"{joint.scenario}: there is a joint plan now. {much}"
    return f"{joint.scenario}: {much[0].lower()}{much[1:]}"


def _details(plan: PlanDiff, several: bool) -> Iterator[Block]:
    if plan.same:
        return
    if several:
        yield Heading(plan.scenario)
    for title, rows in (("asked", plan.inputs), ("answered", plan.outputs)):
        if rows:
            yield _table(title, rows, plan.unit)
        if title == "asked" and any(None in (r.before, r.after) for r in rows):
            yield Text("Not given, or without effect on that answer.", label=NOTHING)
    for label, names in (
        ("new warnings", plan.warned),
        ("warnings that are gone", plan.calmed),
        ("limits that hold now", plan.held),
        ("limits that hold no longer", plan.freed),
        ("bounds that conflict now", plan.conflicts),
        ("bounds that conflict no longer", plan.settled),
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
                _called(one.name) if title == "answered" else one.name,
                _shown(one, one.before, unit),
                _shown(one, one.after, unit),
                _moved(one),
            )
            for one in rows
        ),
    )


def _called(name: str) -> str:
    """What a page calls a number of an answer: its place, but for other ways."""
    if name in NAMES:
        return NAMES[name]
    return name.removeprefix("others.").removesuffix(".total")


def _shown(one: Changed, value: float | str | None, cost: str) -> str:
    if value is None or isinstance(value, str):
        return value or NOTHING
    if not one.unit:
        return input_value(one.name, value)
    if one.unit in PLAIN:
        return PLAIN[one.unit](value)
    if one.unit == "cost" or one.name in MODEL:
        return figure(value, cost if one.unit == "cost" else one.unit)
    return amount(value, one.unit) if one.unit in UNITS else significant(value)


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
    return {
        "portfolios": [_plan_data(joint, "recommends") for joint in found.portfolios],
        "plans": [_plan_data(plan, "models") for plan in found.plans],
        "new": list(found.new),
        "gone": list(found.gone),
    }


def _plan_data(plan: PlanDiff, without: str) -> dict[str, object]:
    before, after = (plain(one) for one in plan.recommends)
    data: dict[str, object] = {
        **plain(plan),
        "recommends": {"before": before, "after": after},
        "inputs": [_data(one) for one in plan.inputs],
        "outputs": [_data(one) for one in plan.outputs],
        "moved": plain(plan.moved),
    }
    return {key: data[key] for key in data if key not in {"now", without}}


def _data(one: Changed) -> dict[str, object]:
    change = None if one.factor is None else one.factor - 1
    return {
        "name": one.name,
        "before": one.before,
        "after": one.after,
        "change": change,
    }
