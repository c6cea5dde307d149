"""Why: what holds an answer, its proof, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

from optimizer.algebra.program import Certificate, Engine
from optimizer.analysis.plan.answer import Answer, LimitUsed
from optimizer.analysis.plan.infeasibility import Infeasibility, Relaxation
from optimizer.analysis.plan.reach import lowest_words, needed, owned
from optimizer.analysis.plan.wording import (
    amount,
    figure,
    nats,
    percent,
    picked,
    ratio,
    times,
    typed,
)
from optimizer.reading.quantity import significant
from optimizer.records import replace
from optimizer.report.formats.blocks import (
    GAP,
    Block,
    Column,
    Heading,
    Table,
    Text,
    named,
)
from optimizer.report.pages.sensitivities import place, signed, stepped
from optimizer.world.costs import UNITS

# What one more of a bound is: a shadow price per parameter is too small to read.
EACH = {
    "parameters": (1e9, "billion parameters"),
    "tokens": (1e9, "billion tokens"),
    "FLOP": (1e21, "1e21 FLOP"),
    "bytes": (1e9, "GB"),
    "USD": (1.0, "dollar"),
    "kWh": (1e3, "MWh"),
}
TIMES = ((1e-3, "ms"), (1.0, "s"), (3600.0, "hour"), (86400.0, "day"))
WHOLE = "with these whole numbers"


def _enough(factor: float) -> float:
    """A factor in three digits that does: never below it."""
    unit = 10.0 ** (math.floor(math.log10(factor)) - 2)
    return math.ceil(factor / unit * (1 - 1e-12)) * unit


def limits(answer: Answer) -> Iterator[Block]:
    """Each limit with what it holds back."""
    if not answer.limits:
        return
    unit, what = "nats", "loss"
    if answer.question != "budget" and answer.cost is not None:
        unit, what = answer.cost.unit, "cost"
    yield Heading("Limits" if answer.own is None else "Limits at the optimum")
    yield Table(
        limit_columns(what, used=True),
        tuple(limit_row(limit, unit) for limit in answer.limits),
    )


def limit_columns(what: str, used: bool) -> tuple[Column, ...]:
    """The columns of limits, whose prices may take two lines.

    Args:
        what: moves: cost, or loss.
        used: whether there is one for what is used of the bound.
    """
    moved = "reducible loss" if what == "loss" else what
    titles = ("bound", *(["used"] if used else []), f"{moved} at +1 %")
    return (*named(*titles), Column("shadow price", wrap=True))


def limit_row(limit: LimitUsed, unit: str) -> tuple[str, str, str, str, str]:
    """A limit with what it holds back, and the slope there."""
    used, bound = figure(limit.value, limit.unit), amount(limit.bound, limit.unit)
    if not limit.binding:
        return limit.name, bound, used, "used up" if limit.used_up else "slack", GAP
    size, each = _each(limit)
    price = limit.shadow_price * size
    text = f"{ratio(price)} nats" if unit == "nats" else figure(price, unit)
    more = limit.one_percent
    told = stepped(limit.elasticity) if more is None else signed(100 * more)
    return limit.name, bound, used, told, f"{text} per {each}"


def _each(limit: LimitUsed) -> tuple[float, str]:
    """How much of a bound a shadow price is about, so that it is a figure to read."""
    if limit.unit != "s":
        return EACH.get(limit.unit, (1.0, limit.unit))
    below = (size for size, _ in TIMES if limit.bound < 1000 * size)
    size = next(below, TIMES[-1][0])
    return size, dict(TIMES)[size]


def proof(answer: Answer) -> Iterator[Text]:
    """The certificate in words."""
    certificate = answer.certificate
    if certificate is None:
        return
    what = "loss" if answer.question == "budget" else "cost"
    told = proven(certificate, what)
    if certificate.gap == 0 and answer.fixed is not None:
        told = "what you fixed leaves nothing to choose."
    if whole := beside_fractions(answer):
        told = told.replace(f"best possible {what}", f"best possible {what} {WHOLE}")
        told += f" {whole}"
    if answer.engine is Engine.CVXPY:
        told += f" It was found by {answer.engine.meaning}."
    yield Text(told, label="proof")


def beside_fractions(answer: Answer) -> str:
    """How near a plan in whole numbers is to the bound of all; empty for others."""
    relaxed, cost = answer.relaxed, answer.cost
    if relaxed is None or cost is None or answer.plan is None:
        return ""
    if answer.question == "budget":
        above = f"has {significant(max(answer.plan.loss - relaxed.total, 0.0), 2)} nats"
    else:
        above = f"costs {percent(max(1 - relaxed.total / cost.total, 0.0))}"
    return f"No plan is better than the optimum in fractions, which {above} less."


def proven(certificate: Certificate, what: str) -> str:
    """A certificate as a sentence about the best possible cost or loss."""
    return (
        f"certified global optimum: within {significant(certificate.gap, 2)} of the "
        f"best possible {what}, in relative terms, over all plans within a factor "
        f"{significant(certificate.box, 2)} of this one. Constraints are kept to "
        f"{significant(certificate.violation, 2)}, stationarity is "
        f"{significant(certificate.stationarity, 2)}."
    )


def infeasible(answer: Answer) -> Iterator[Block]:
    """What conflicts, and the least change of each bound that restores a plan."""
    if answer.infeasibility is not None:
        ways = answer.infeasibility.relaxations
        if answer.choice:
            of = (
                "the least of them all" if answer.infeasibility.choices > 1 else "of it"
            )
            yield Text(
                f"Of the choices, the nearest to a plan is {picked(answer.choice)}; "
                f"what is needed is {of}."
            )
        yield from remedies(answer.infeasibility, ways, {answer.law.outer})
        yield from leading(ways, UNITS[answer.objective])


def leading(ways: Sequence[Relaxation], unit: str, models: int = 1) -> Iterator[Block]:
    """The plans that the changes lead to, and those that are sensible.

    Args:
        ways: out of having no plan.
        unit: of the objective.
        models: how many are planned together.
    """
    rows: list[tuple[str, ...]] = []
    for way in ways:
        if way.cost is None or way.overhead is None:
            continue
        sensible, cost = GAP, GAP
        if way.sensible is not None and way.sensible_cost is not None:
            sensible = needed(replace(way, after=way.sensible))
            cost = figure(way.sensible_cost, unit)
        took = f"{ratio(1 + way.overhead)} ×"
        rows.append(
            (owned(way.name), took, figure(way.cost, unit), sensible, cost),
        )
    if rows:
        yield Heading("What these changes lead to")
        told = (
            "Training over the least compute for that loss, and the lifetime total, "
            "of the plan that the change leaves."
        )
        if models > 1:
            told = (
                "Training over the least compute for its loss, of the model where "
                "that is most, and the lifetime total of all, for the plan that the "
                "change leaves."
            )
        columns = named("training", "total", "sensible", "total")
        if all(row[3] == GAP for row in rows):
            columns, rows = columns[:3], [row[:3] for row in rows]
        else:
            at = "training takes twice the least"
            if any(way.within_runs for way in ways):
                at = "the plan is inside the law's runs, at twice the least at most"
            told += f" At the sensible one, {at}."
        yield Table(columns, tuple(rows))
        yield Text(told)


def remedies(
    why: Infeasibility, ways: Sequence[Relaxation], outers: Collection[float]
) -> Iterator[Block]:
    """What would make a plan.

    Args:
        why: there is none.
        ways: the bounds to list.
        outers: the exponents of the laws, of which a target above E is a power.
    """
    rows = []
    for way in ways:
        now = _bound(way.before, way.unit)
        then = "no value alone" if way.after is None else needed(way)
        if way.after is not None and not typed(way.after, way.unit):
            then = f"{then}, more than any limit"
        conflict = "conflicts" if way.name in why.conflict else GAP
        where = place(way.place) or GAP
        rows.append((owned(way.name), now, then, where, conflict))
    yield Heading("What would make a plan")
    columns = (*named("now", "needed"), Column("", "left"), Column("", "left"))
    yield Table(columns, tuple(rows))
    if told := _measured(why, ways):
        yield Text(told)
    if why.accelerators is not None:
        yield Text(f"Or {why.accelerators} accelerators, which train it in time.")
    if why.uniform is not None:
        target = any(way.name.endswith("target") for way in why.relaxations)
        of_the_target = " (a target above E)" if target else ""
        if target and max(outers) != min(outers):
            of_the_target = " (of a target above E, a power of it)"
        elif target and (outer := max(outers)) != 1:
            factor = times(why.uniform**outer, 3)
            of_the_target = f" (a target above E by a factor {factor})"
        every = "all of them together"
        if len(ways) < len(why.relaxations):
            every = "every bound and target, also those that conflict with none"
        yield Text(
            f"Or {every}, each looser by a factor "
            f"{times(_enough(why.uniform), 3)}{of_the_target}."
        )
    if why.nearest_loss is not None:
        told = f"The lowest loss within the limits is {nats(why.nearest_loss)}."
        if not why.nearest_reached:
            told = f"{lowest_words(why.nearest_loss, reached=False)}."
            told = told[0].upper() + told[1:]
        yield Text(told)
    for model, loss in why.nearest_losses.items():
        if loss is not None:
            yield Text(f"The lowest loss that the rest leaves {model} is {nats(loss)}.")


def _measured(why: Infeasibility, ways: Sequence[Relaxation]) -> str:
    """What it is to conflict, and by what the smallest of several changes is."""
    told = []
    if len(why.conflict) > 1:
        told.append("No plan keeps all that conflict.")
    if sum(way.after is not None for way in ways) > 1:
        target = any(way.unit == "nats" for way in ways)
        above = ", that of a target in its loss above E" if target else ""
        told.append(f"The size of a change is its factor{above}.")
    return " ".join(told)


def _bound(value: float, unit: str) -> str:
    return nats(value) if unit == "nats" else amount(value, unit)
