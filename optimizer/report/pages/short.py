"""An answer on one screen: what to do, how sure, what it takes, what holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import (
    amount,
    either,
    gap_below,
    lifetime,
    percent,
    picked,
)
from optimizer.reading.quantity import PRICE_TOKENS, REQUESTS, significant, write
from optimizer.report.formats.blocks import GAP, Block, Heading, Table, Text
from optimizer.report.formats.loss_units import in_unit
from optimizer.report.pages.cautions import briefly_warned
from optimizer.report.pages.distillation import better, pays
from optimizer.report.pages.forms import other_form
from optimizer.report.pages.headline import headline
from optimizer.report.pages.machines import next_best, refusals
from optimizer.report.pages.near import near_short
from optimizer.report.pages.other_ways import others, others_short
from optimizer.report.pages.plan import (
    bill,
    plan_table,
    practice,
)
from optimizer.report.pages.reasons import (
    WHOLE,
    beside_fractions,
    infeasible,
    limit_columns,
    limit_row,
)
from optimizer.world.costs import UNITS


def short_blocks(answer: Answer, rounded: Sequence[Block] = ()) -> list[Block]:
    """The page of one answer without what only its makers need.

    Args:
        answer: with a plan or the reason why there is none.
        rounded: the section on sizes that exist, where it was asked for.
    """
    body = in_unit(_body(answer, rounded), answer.law.loss_unit)
    return [Heading(answer.scenario, 1), *body]


def _body(answer: Answer, rounded: Sequence[Block]) -> Iterator[Block]:
    yield Text(headline(answer), lead=True)
    yield from others_short(answer)
    yield from other_form(answer, full=False)
    yield from briefly_warned(answer)
    if answer.cheaper:
        yield from others(answer)
    if answer.plan is None:
        yield from infeasible(answer)
    else:
        yield from _plan_and_bill(answer)
        yield from rounded
        if told := " ".join(_practice(answer)):
            yield Text(told, label=practice(answer))
        if not better(answer) and (told := pays(answer)):
            yield Text(told)
        yield from near_short(answer)
        yield from _held(answer)
    yield _end(answer)


def _plan_and_bill(answer: Answer) -> Iterator[Block]:
    """The plan and what it costs as one table, so that both are seen at once."""
    (title, plan), (_, money, *more) = (
        tuple(part(answer, full=False)) for part in (plan_table, bill)
    )
    if not (isinstance(plan, Table) and isinstance(money, Table)):
        raise TypeError("a plan and its bill are tables, each under its heading")
    unit = "" if answer.cost is None else answer.cost.unit
    *lines, (_, *total) = money.rows
    yield title
    yield _one_table(plan, Table(money.columns, (*lines, (lifetime(unit), *total))))
    yield from more


def _one_table(first: Table, second: Table) -> Table:
    """The rows of two tables, those of the second under the first's.

    Args:
        first: whose columns lead.
        second: whose other columns stand to the right of the first figures.
    """
    apart = tuple(c for c in second.columns if c not in first.columns)
    columns = (*first.columns[:2], *apart, *first.columns[2:])
    rows = (
        tuple(dict(zip(table.columns, row, strict=True)).get(c, GAP) for c in columns)
        for table in (first, second)
        for row in table.rows
    )
    return Table(columns, tuple(rows))


def _held(answer: Answer) -> Iterator[Block]:
    """The limits that hold the plan, with their prices; the others by name."""
    unit = UNITS[answer.objective] if answer.question != "budget" else "nats"
    rows = [limit_row(limit, unit) for limit in answer.limits if limit.binding]
    if rows:
        what = "it" if answer.own is None else "the optimum"
        whole = (
            "batches" if any(u.batch is not None for u in answer.serving) else "samples"
        )
        what += "" if answer.relaxed is None else f", moved in fractions of {whole}"
        yield Heading(f"Limits that hold {what}")
        what = "loss" if unit == "nats" else "cost"
        short = ((name, bound, *rest) for name, bound, _, *rest in rows)
        yield Table(limit_columns(what, used=False), tuple(short))
    loose = [limit for limit in answer.limits if not limit.binding]
    for label, those in (
        ("used up", [limit.name for limit in loose if limit.used_up]),
        ("slack", [limit.name for limit in loose if not limit.used_up]),
    ):
        if those:
            at = "" if answer.own is None else " at the optimum"
            yield Text(f"{either(those, 'and')}.", label=f"{label}{at}")


def _practice(answer: Answer) -> Iterator[str]:
    """The run, the price of a token, and the machines, a sentence each."""
    if (run := answer.training_run) is not None:
        time = "" if run.time is None else f", {amount(run.time, 's')}"
        hours = write(run.accelerator_hours, REQUESTS)
        yield f"The training run takes {hours} accelerator-hours{time}."
    if (after := answer.post_training) is not None:
        yield (
            f"Rollouts and training on them take {percent(after.share)} of the compute "
            "of pre-training."
        )
    if (price := answer.unit_cost) is not None:
        whole = price.with_training
        what = "all costs" if price.further else "training"
        more = "" if whole is None else f", with {what} {_million(whole)}"
        over = " at present value" if price.present_value else ""
        yield f"A million served tokens{over} cost {_million(price.total)}{more}."
    for use in answer.serving:
        who = f"{use.stream}: served" if len(answer.serving) > 1 else "Served"
        count = use.standing or use.replicas
        replicas = ""
        if count is not None:
            replicas = f" by {significant(count)} replica{'' if count == 1 else 's'}"
        yield (
            f"{who}{replicas} in batches of {significant(use.batch)}, bound by "
            f"{use.bound_by}."
        )
    if answer.choice:
        more = next_best(answer) + refusals(answer)
        yield f"Best of the choices: {picked(answer.choice)}{more}."


def _million(dollars: float) -> str:
    return write(dollars, PRICE_TOKENS).removesuffix("per million tokens").strip()


def _end(answer: Answer) -> Text:
    """That it is proved, and where the rest is."""
    if answer.certificate is None or answer.plan is None:
        return Text("--full adds the law and the demand.")
    gap = gap_below(answer.certificate.gap)
    what = "loss" if answer.question == "budget" else "cost"
    more = ""
    if whole := beside_fractions(answer):
        what, more = f"{what} {WHOLE}", f" {whole}"
    told = f"within {gap} of the best possible {what}.{more} --full has the rest."
    return Text(told, label="Certified")
