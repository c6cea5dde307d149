"""A portfolio as blocks: the joint plan, what is shared, then model by model."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.algebra.program import Status
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import (
    amount,
    either,
    extra,
    figure,
    gap_below,
    lifetime,
    model,
    more,
    ratio,
)
from optimizer.analysis.portfolio.joint_plan import JointPlan
from optimizer.reading.quantity import significant
from optimizer.records import replace
from optimizer.report.formats.blocks import GAP, Block, Heading, Table, Text, named
from optimizer.report.formats.loss_units import in_unit
from optimizer.report.pages.cautions import all_warned
from optimizer.report.pages.distillation import better, students
from optimizer.report.pages.other_ways import called, provided
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.reasons import (
    WHOLE,
    leading,
    limit_columns,
    limit_row,
    proven,
    remedies,
)

NOTHING = 5e-5  # of a cost that sharing adds, which no page can show


def portfolio_blocks(portfolio: JointPlan, full: bool = True) -> list[Block]:
    """The page of a portfolio.

    Args:
        portfolio: solved.
        full: with a page for each of its models; else what they do together.
    """
    body = in_unit(_body(portfolio, full), portfolio.loss_unit)
    return [Heading(portfolio.name, 1), *body]


def joint_blocks(portfolio: JointPlan) -> list[Block]:
    """The page of a portfolio without those of its models."""
    return portfolio_blocks(portfolio, full=False)


def _body(portfolio: JointPlan, full: bool) -> Iterator[Block]:
    yield Text(portfolio_headline(portfolio), lead=True)
    yield from all_warned(portfolio.members)
    yield Heading("Models")
    title = lifetime(portfolio.unit)
    plans = [answer.plan for answer in portfolio.members]
    drawn = any(plan is not None and plan.samples is not None for plan in plans)
    columns = named(
        *("size", "tokens", "loss", "overtraining factor"),
        *(("samples",) if drawn else ()),
        *(title, "against alone"),
    )
    yield Table(columns, tuple(_row(answer, drawn) for answer in portfolio.members))
    if portfolio.status is not Status.OPTIMAL:
        if any(answer.plan is not None for answer in portfolio.members):
            yield Text("Plans above are for each model alone, with nothing shared.")
        yield from _remedies(portfolio)
        if none := [a for a in portfolio.members if a.plan is None]:
            names = either([answer.scenario for answer in none], "and")
            yield Text(
                f"Below, what {names} would take alone, with nothing shared; together "
                "takes what stands above."
            )
        for answer in none:
            yield from answer_blocks(answer)
        return
    yield from _shared(portfolio, full)
    yield from students(portfolio.members)
    if portfolio.relaxed is not None:
        what = "Whole samples, batches" if drawn else "Whole batches"
        yield Text(
            f"{what} and replicas are the plan. In fractions the joint cost is "
            f"{amount(portfolio.relaxed, portfolio.unit)}, which no plan goes below; "
            "what moves it, and the price of limits, are those of machines in "
            "fractions, since whole ones move in steps."
        )
    proof = portfolio.certificate
    if not full:
        rest = "--full adds a page for each model."
        if proof is None:
            yield Text(rest)
            return
        gap = f"within {gap_below(proof.gap)} of the best possible"
        yield Text(f"{gap} {_proved(portfolio)}. {rest}", label="Certified")
        return
    if proof is not None:
        yield Heading("Proof")
        yield Text(proven(proof, _proved(portfolio)), label="proof")
    yield Text(
        "Below, model by model: what its own limits hold back, and what moves the "
        "cost, are about the cost of all together."
    )
    for answer in portfolio.members:
        yield from answer_blocks(_own(answer), joint=True)


def _proved(portfolio: JointPlan) -> str:
    """What the certificate is of: the cost, in the whole numbers that were chosen."""
    of = "cost of all together"
    return of if portfolio.relaxed is None else f"{of} {WHOLE}"


def _shared(portfolio: JointPlan, full: bool) -> Iterator[Block]:
    """What the shared bounds hold back; on the short page the slack ones by name."""
    walls = [w for w in portfolio.shared if full or w.binding or w.used_up]
    if portfolio.shared:
        yield Heading("Shared")
    if walls:
        yield Table(
            limit_columns("cost", used=True),
            tuple(limit_row(w, portfolio.unit) for w in walls),
        )
        yield Text("The shadow price is the slope of the joint cost at the bound.")
    if loose := [wall.name for wall in portfolio.shared if wall not in walls]:
        yield Text(f"{either(loose, 'and')}.", label="slack")


def _remedies(portfolio: JointPlan) -> Iterator[Block]:
    """The bounds in conflict with what each must give, and why, with the proof."""
    why = portfolio.infeasibility
    if why is None:
        return
    telling = [w for w in why.relaxations if w.after or w.name in why.conflict]
    outers = {answer.law.outer for answer in portfolio.members}
    yield from remedies(why, telling, outers)
    if len(telling) < len(why.relaxations):
        yield Text("No other bound makes a plan by giving way alone.")
    yield from leading(telling, portfolio.unit, len(portfolio.members))


def portfolio_headline(portfolio: JointPlan) -> str:
    """What to train, what it takes together, and what sharing costs."""
    if portfolio.status is not Status.OPTIMAL or portfolio.total is None:
        alone = [a.scenario for a in portfolio.members if a.plan is None]
        reason = portfolio.infeasibility.reason if portfolio.infeasibility else ""
        if not alone:
            return f"There is no joint plan: {reason}."
        word = "has" if len(alone) == 1 else "have"
        names = either(alone, "and")
        return f"There is no joint plan: {names} {word} none alone; {reason}."
    parts = [
        f"{a.scenario} with {model(a.plan.parameters, a.plan.tokens)}"
        for a in portfolio.members
        if a.plan is not None
    ]
    pays = [a.scenario for a in portfolio.members if better(a)]
    learnt = f" A teacher pays for {either(pays, 'and')}." if pays else ""
    return f"{_together(portfolio, parts)}{learnt}{_elsewhere(portfolio)}"


def _elsewhere(portfolio: JointPlan) -> str:
    """Which models would be cheaper not to train, after a space; or empty."""
    told = []
    for answer in portfolio.members:
        for way, least in answer.cheaper[:1]:
            mine = 0.0 if answer.cost is None else answer.cost.total
            good = f", {provided(way.name)}," if way.loss is None else ""
            told.append(
                f" But {called(way.name)} serves {answer.scenario} for "
                f"{figure(least, portfolio.unit)}{good} and its training and "
                f"serving takes {figure(mine, portfolio.unit)}: take it out of models "
                "to see what the others then need."
            )
    return "".join(told)


def _together(portfolio: JointPlan, parts: list[str]) -> str:
    """What to train, and what sharing costs."""
    dearer = sharing(portfolio)
    cost = figure(portfolio.total or 0.0, portfolio.unit)
    told = f"Train {either(parts, 'and')}: {cost} in all."
    walls = [wall.name for wall in portfolio.shared if wall.binding]
    if dearer is None or dearer < NOTHING:
        apart = portfolio.relaxed is not None and walls
        only = " but in fractions of machines" if apart else ""
        return f"{told} What they share does not hold them back{only}."
    binds = f"{either(walls, 'and')} {'bind' if len(walls) > 1 else 'binds'}"
    if not walls:
        binds = "whole machines come too dear for what they share"
    took = more(dearer, than=True)
    return f"{told} Sharing takes {took} each on its own: {binds}."


def sharing(portfolio: JointPlan) -> float | None:
    """What the shared bounds add to the cost of the models alone, as a fraction."""
    alone = 0.0
    for answer in portfolio.members:
        if answer.cost is None or answer.fixed is None:
            return None
        alone += answer.cost.total - answer.fixed.extra
    if portfolio.total is None or alone <= 0:
        return None
    return portfolio.total / alone - 1


def _own(answer: Answer) -> Answer:
    """A member as its own page shows it: its size was found, and not given."""
    moved = tuple(m for m in answer.sensitivities if not m.input.startswith("fix."))
    return replace(
        answer,
        fixed=None,
        certificate=None,
        near_optimal=(),
        sensitivities=moved,
        warnings=(),
    )


def _row(answer: Answer, drawn: bool) -> tuple[str, ...]:
    plan, cost, over = answer.plan, answer.cost, answer.overtraining
    if plan is None or cost is None or over is None:
        return answer.scenario, "no plan", *[GAP] * (5 + drawn)
    samples = GAP if plan.samples is None else significant(plan.samples)
    apart = GAP
    if answer.fixed is not None:
        apart = extra(answer.fixed.fraction if answer.fixed.fraction > NOTHING else 0.0)
    return (
        answer.scenario,
        figure(plan.parameters, "parameters"),
        figure(plan.tokens, "tokens"),
        f"{plan.loss:.4f}",
        ratio(over.factor),
        *((samples,) if drawn else ()),
        figure(cost.total, cost.unit),
        apart,
    )
