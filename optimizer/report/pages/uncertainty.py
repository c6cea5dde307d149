"""Uncertainty as blocks, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from optimizer.analysis.plan.wording import (
    VERBS,
    amount,
    either,
    figure,
    lifetime,
    model,
    more,
    nats,
    of_draws,
    part_of,
    percent,
    saved,
    share,
)
from optimizer.analysis.uncertainty.robust import RobustPlan
from optimizer.analysis.uncertainty.uncertainty import Expected, Uncertainty
from optimizer.reading.quantity import significant
from optimizer.records import names
from optimizer.report.formats.blocks import GAP, Block, Heading, Table, Text, named
from optimizer.report.formats.csv import cell
from optimizer.report.formats.data import plain
from optimizer.report.formats.loss_units import in_unit
from optimizer.report.pages.cautions import told as cautioned
from optimizer.report.pages.other_ways import called, provided, subject

NAMES = {
    "parameters": "parameters",
    "tokens": "tokens",
    "tokens_per_parameter": "tokens per parameter",
    "loss": "loss, nats per token",
    "cost_total": "",
    "saving": "saving",
}
BESIDE = {
    "own_cost": "your plan",
    "own_extra": "your plan over the best",
    "student_parameters": "student",
    "student_tokens": "student's tokens",
    "student_cost": "student",
    "student_ratio": "student over the plan",
}
PERCENTILES = ("p5", "p50", "p95")
FEW = 20  # draws, of which nine in ten leave none at either end
SURE = 1 - 1e-12  # a part of the draws that is all of them


def uncertainty_blocks(found: Uncertainty) -> list[Block]:
    """The whole page of an uncertainty."""
    return [Heading(found.scenario, 1), *in_unit(_body(found), found.loss_unit)]


def uncertainty_headline(found: Uncertainty) -> str:
    """The robust plan, what it costs more, and where the right size lies."""
    return " ".join(_sentences(found))


def _sentences(found: Uncertainty) -> Iterator[str]:
    told = list(_of_ways(found))
    if not told or found.ways[0].best:
        yield from (*told, *_of_plans(found))
        return
    first, *rest = _of_plans(found)
    yield from (*told, f"If you train: {first[0].lower()}{first[1:]}", *rest)


def _of_ways(found: Uncertainty) -> Iterator[str]:
    """Whether to train, for the expected numbers and in how many of the draws."""
    best = next((way for way in found.ways if way.best), None)
    if best is None or best.total is None:
        return
    new, verb = found.ways[0], VERBS.get(found.unit, ("costs", ""))[0]
    much = amount(best.total, found.unit)
    if best is new:
        yield f"For the expected numbers a new model {verb} least, {much}."
    else:
        good = provided(best.name) if best.loss is None else "and reaches the target"
        than = "" if new.total is None else f"; a new model {verb} "
        than += "" if new.total is None else amount(new.total, found.unit)
        yield (
            f"For the expected numbers, do not train: {subject(best.name)} {verb} "
            f"{much}, {good}{than}."
        )
    parts = [f"in {of_draws(new.cheapest, found.draws)}"]
    for way in found.ways[1:]:
        name = called(way.name)
        if way.name == "buy" and way.cheapest:
            name = f"{name}, {provided(way.name)},"
        parts.append(f"{name} in {part_of(way.cheapest, found.draws)}")
    yield f"Training is the cheapest {either(parts, 'and')}."


def _of_plans(found: Uncertainty) -> Iterator[str]:
    if not found.intervals:
        yield "No draw has a plan: the target is out of reach in all of them."
        return
    if not found.lawful:
        yield (
            f"The error of {found.law} is not in these numbers: it carries neither a "
            "covariance nor draws."
        )
    if found.robust is not None:
        yield _robust(found, found.robust, found.plan)
    elif found.target_loss is not None and found.unreachable:
        yield (
            "The target is out of reach in "
            f"{of_draws(found.unreachable, found.draws)}, "
            "and no plan reaches it as surely as was asked for."
        )
    yield f"If {found.law} is right, {best_size(found)}."
    if found.target_loss is None:
        loss = found.intervals["loss"]
        yield f"The budget buys a loss of {loss.p5:.4f} to {nats(loss.p95)}."
    if found.robust is not None and found.unreachable:
        out = of_draws(found.unreachable, found.draws)
        if found.plan is not None and _sure(found.plan):
            yield f"In {out} no plan keeps the limits."
        else:
            yield f"The target is out of reach in {out}."


def best_size(found: Uncertainty) -> str:
    """Where nine draws in ten put the best size, or the tokens of a fixed one."""
    drawn = [("its error", found.lawful), ("the ranges", found.ranged)]
    of = either([name for name, there in drawn if there], "and")
    size, tokens = found.intervals["parameters"], found.intervals["tokens"]
    if found.fixed:
        what = f"the fixed {amount(size.p50, 'parameters')} takes"
        low, high = (f"{amount(end, 'tokens')}" for end in (tokens.p5, tokens.p95))
        last = " tokens"
    else:
        what, last = "the best size is", ""
        low, high = amount(size.p5, "parameters"), amount(size.p95, "parameters")
    span = low if low == high else f"anywhere from {low} to {high}"
    planned, some = "", _planned(found)
    if found.unreachable:
        planned = ", of those with a plan"
    if some == 1 < found.draws:
        return (
            f"{what} {span}{last} in the one of {found.draws:,} draws of {of} that has "
            "a plan"
        )
    if some < FEW:
        planned = f", of the {some} of {found.draws:,} with a plan"
    return f"{what} {span}{last} in nine of ten draws of {of}{planned}"


def _planned(found: Uncertainty) -> int:
    """How many draws have a plan."""
    return round((1 - found.unreachable - found.left_out) * found.draws)


def _robust(found: Uncertainty, robust: RobustPlan, plan: Expected | None) -> str:
    size = amount(robust.parameters, "parameters")
    data = amount(robust.tokens, "tokens")
    thing = lifetime(found.unit)
    sure = (
        f"With {percent(robust.probability)} confidence the target takes {size} "
        f"parameters and {data} tokens"
    )
    if plan is None:
        cost = amount(robust.cost_total, found.unit)
        return f"{sure}: {cost} of {thing}."
    other = f"{model(plan.parameters, plan.tokens)}"
    if _sure(plan):
        return f"{other} tokens reach the target in every draw."
    dearer = robust.cost_total / plan.cost_total - 1
    reached = "" if plan.reached is None else of_draws(plan.reached, found.draws)
    return (
        f"{sure}: {more(dearer, f' {thing}', than=True)} the plan for the expected "
        f"numbers, {other}, which reaches it in {reached}."
    )


def _sure(plan: Expected) -> bool:
    return plan.reached is not None and plan.reached > SURE


def _body(found: Uncertainty) -> Iterator[Block]:
    yield Text(uncertainty_headline(found), lead=True)
    yield from cautioned(found.warnings)
    if found.intervals:
        yield Heading("The right plan of each draw, and single plans for all")
        robust = () if found.robust is None else ("robust",)
        columns = named(*PERCENTILES, "expected", *robust)
        of = f"{found.draws:,} draws"
        if found.unreachable:
            some = _planned(found)
            of = f"the {some:,} of {of} that {'has' if some == 1 else 'have'} one"
        yield Table(columns, tuple(row[: len(columns)] for row in _rows(found)))
        yield Text(
            f"p5, p50 and p95 are percentiles, each for itself, of the optimal plans "
            f"of {of} (seed {found.seed}). The last columns are single plans, at the "
            "expected numbers."
        )
    yield from _beside(found)
    yield Heading("What was drawn")
    yield Text(f"{', '.join(found.varied)}.")
    for note in found.notes:
        yield Text(note, label="note")
    if found.robust is None and found.reason:
        yield Text(f"There is none: {found.reason}.", label="robust plan")


def _beside(found: Uncertainty) -> Iterator[Block]:
    """The user's own plan and a student, beside the plan of each draw."""
    more = found.beside
    if more is None or not more.intervals:
        return
    yield Heading("Beside the plan of each draw")
    rows = [
        (
            BESIDE[word]
            + (", FLOP" if "cost" in word and found.unit == "FLOP" else ""),
            *(_written(getattr(ends, p), word, found.unit) for p in PERCENTILES),
        )
        for word, ends in more.intervals.items()
    ]
    yield Table(named(*PERCENTILES), tuple(rows))
    if more.pays is not None:
        yield Text(f"A teacher pays in {of_draws(more.pays, _planned(found))}.")
    if more.fails:
        yield Text(
            f"In {of_draws(more.fails, _planned(found))} your plan breaks a limit or "
            "misses the target."
        )


def _rows(found: Uncertainty) -> Iterator[tuple[str, ...]]:
    plan, robust = found.plan, found.robust
    for word, name in NAMES.items():
        ends = found.intervals[word]
        if word == "loss" and _same(ends.p5, ends.p95):
            continue
        yield (
            name or _named(found.unit),
            *(_written(getattr(ends, p), word, found.unit) for p in PERCENTILES),
            GAP if plan is None else _written(getattr(plan, word), word, found.unit),
            GAP if robust is None else _of(robust, word, found.unit),
        )
    parts = [None if one is None else one.reached for one in (plan, robust)]
    if any(part is not None for part in parts):
        reached = [GAP if p is None else part_of(p, found.draws) for p in parts]
        yield ("reaches the target", GAP, GAP, GAP, *reached)


def _named(unit: str) -> str:
    return f"{lifetime(unit)}{', FLOP' if unit == 'FLOP' else ''}"


def _same(low: float, high: float) -> bool:
    return abs(high - low) <= 1e-9 * abs(high)


def _of(robust: RobustPlan, word: str, unit: str) -> str:
    if word == "tokens_per_parameter":
        return significant(robust.tokens / robust.parameters)
    value = getattr(robust, word, None)
    return GAP if value is None else _written(value, word, unit)


def _written(value: float, word: str, unit: str) -> str:
    if word == "saving":
        return saved(value)
    if word == "own_extra":
        return share(value)
    word = word.removeprefix("student_")
    if word in ("cost_total", "cost", "own_cost"):
        return figure(value, unit).removesuffix(" FLOP")
    if word == "loss":
        return f"{value:.4f}"
    if word in ("tokens_per_parameter", "ratio"):
        return significant(value)
    return amount(value, word)


def uncertainty_data(found: Uncertainty) -> dict[str, Any]:
    """The JSON of an uncertainty; null where there is no plan."""
    content: dict[str, Any] = {
        "scenario": found.scenario,
        "law": found.law,
        "file": found.file,
        "unit": found.unit,
        "target_loss": found.target_loss,
        "draws": found.draws,
        "seed": found.seed,
        "varied": plain(found.varied),
        "unreachable": found.unreachable,
        "left_out": found.left_out,
    }
    for word in NAMES:
        content[word] = plain(found.intervals.get(word))
    content["beside"] = None
    if found.beside is not None:
        parts = {"pays": found.beside.pays, "fails": found.beside.fails}
        content["beside"] = {**plain(found.beside.intervals), **parts}
    content["ways"] = plain(found.ways)
    content["expected"] = plain(found.plan)
    content["robust"] = plain(found.robust)
    content["reason"] = found.reason or None
    content["notes"] = plain(found.notes)
    content["warnings"] = plain(found.warnings)
    return content


def uncertainty_sheet(found: Uncertainty) -> str:
    """CSV: a row a quantity, with its percentiles and what the two plans have."""
    page = io.StringIO(newline="")
    sheet = csv.writer(page, lineterminator="\n")
    sheet.writerow(("quantity", *PERCENTILES, "expected", "robust"))
    known = set(names(RobustPlan))
    for word in (*NAMES, "reached"):
        ends = found.intervals.get(word)
        plan, robust = found.plan, found.robust
        row: list[object] = [word]
        row += [None if ends is None else getattr(ends, p) for p in PERCENTILES]
        row.append(None if plan is None else getattr(plan, word))
        row.append(getattr(robust, word) if robust and word in known else None)
        sheet.writerow([cell(value) for value in row])
    more = {} if found.beside is None else found.beside.intervals
    for word, ends in more.items():
        row = [word, *(getattr(ends, p) for p in PERCENTILES), None, None]
        sheet.writerow([cell(value) for value in row])
    return page.getvalue()
