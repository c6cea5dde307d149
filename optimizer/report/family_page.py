"""A portfolio as blocks: the joint plan, what is shared, then model by model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from optimizer.analysis.answer import Answer
from optimizer.analysis.family import Family
from optimizer.analysis.wording import amount, either, percent
from optimizer.program import Status
from optimizer.quantity import significant
from optimizer.report.blocks import GAP, Block, Heading, Table, Text, named
from optimizer.report.headline import lifetime, rounded
from optimizer.report.plan import answer_blocks, figure, share
from optimizer.report.reasons import limit_row, proven, remedies

NOTHING = 5e-5  # of a cost that sharing adds, which no page can show


def family_blocks(family: Family) -> list[Block]:
    """The whole page of a portfolio."""
    return [Heading(family.name, 1), *_body(family)]


def _body(family: Family) -> Iterator[Block]:
    yield Text(family_headline(family), lead=True)
    yield Heading("Models")
    title = lifetime(family.unit)
    columns = named(
        *("size", "tokens", "loss", "overtraining factor", title, "above alone"),
    )
    yield Table(columns, tuple(_row(answer) for answer in family.members))
    if family.status is not Status.OPTIMAL:
        if any(answer.plan is not None for answer in family.members):
            yield Text("Plans above are for each model alone, with nothing shared.")
        yield from _remedies(family)
        for answer in family.members:
            if answer.plan is None:
                yield from answer_blocks(answer)
        return
    if family.shared:
        yield Heading("Shared")
        columns = named("bound", "used", "cost at +1 %", "shadow price")
        yield Table(columns, tuple(limit_row(w, family.unit) for w in family.shared))
        yield Text("The shadow price is what one more unit does to the joint cost.")
    if family.certificate is not None:
        yield Heading("Proof")
        yield Text(proven(family.certificate, "cost of all together"), label="proof")
    for answer in family.members:
        yield from answer_blocks(_own(answer))


def _remedies(family: Family) -> Iterator[Block]:
    """The bounds in conflict with what each must give, and why, with the proof."""
    why = family.infeasibility
    if why is None:
        return
    telling = [w for w in why.relaxations if w.after or w.name in why.conflict]
    yield from remedies(why, telling)
    if len(telling) < len(why.relaxations):
        yield Text("No other bound makes a plan by giving way alone.")


def family_headline(family: Family) -> str:
    """What to train, what it takes together, and what sharing costs."""
    if family.status is not Status.OPTIMAL or family.total is None:
        alone = [a.scenario for a in family.members if a.plan is None]
        reason = family.infeasibility.reason if family.infeasibility else ""
        if not alone:
            return f"There is no joint plan: {reason}."
        word = "has" if len(alone) == 1 else "have"
        names = either(alone, "and")
        return f"There is no joint plan: {names} {word} none alone; {reason}."
    parts = [
        f"{a.scenario} with {rounded(a.plan.parameters)} on "
        f"{amount(a.plan.tokens, 'tokens')}"
        for a in family.members
        if a.plan is not None
    ]
    extra = sharing(family)
    told = f"Train {either(parts, 'and')}: {figure(family.total, family.unit)} in all."
    if extra is None or extra < NOTHING:
        return f"{told} What they share does not hold them back."
    walls = [wall.name for wall in family.shared if wall.binding]
    return (
        f"{told} Sharing takes {percent(extra)} more than each on its own: "
        f"{either(walls, 'and')} {'bind' if len(walls) > 1 else 'binds'}."
    )


def sharing(family: Family) -> float | None:
    """What the shared bounds add to the cost of the models alone, as a fraction."""
    alone = 0.0
    for answer in family.members:
        if answer.cost is None or answer.fixed is None:
            return None
        alone += answer.cost.total - answer.fixed.extra
    if family.total is None or alone <= 0:
        return None
    return family.total / alone - 1


def _own(answer: Answer) -> Answer:
    """A member as its own page shows it: its size was found, and not given."""
    moved = tuple(m for m in answer.sensitivities if not m.input.startswith("fix."))
    return replace(
        answer, fixed=None, certificate=None, near_optimal=(), sensitivities=moved
    )


def _row(answer: Answer) -> tuple[str, ...]:
    plan, cost, over = answer.plan, answer.cost, answer.overtraining
    if plan is None or cost is None or over is None:
        return answer.scenario, "no plan", *[GAP] * 5
    extra = GAP
    if answer.fixed is not None:
        extra = share(answer.fixed.fraction if answer.fixed.fraction > NOTHING else 0.0)
    return (
        answer.scenario,
        amount(plan.parameters, "parameters"),
        amount(plan.tokens, "tokens"),
        f"{plan.loss:.4f}",
        significant(over.factor),
        figure(cost.total, cost.unit),
        extra,
    )
