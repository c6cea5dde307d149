"""What scenarios are to each other: what differs, and a plan for not knowing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import (
    above,
    amount,
    figure,
    more,
    percent,
    ratio,
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
from optimizer.report.pages.headline import fixed_word
from optimizer.report.pages.other_ways import able, cannot, overtaken
from optimizer.report.pages.verdicts import verdicts

if TYPE_CHECKING:
    from optimizer.analysis.comparison.community_share import ShareThreshold
    from optimizer.analysis.comparison.compare import Comparison
    from optimizer.analysis.comparison.differences import Difference
    from optimizer.analysis.comparison.regret import Regret
    from optimizer.analysis.comparison.safe_plan import Robust, RobustPlan

NONE = "—"  # in a table of numbers where there is none, for a reason told below
NOTHING = 5e-4  # of a regret that no page can show


def decision(comparison: Comparison) -> Iterator[Text]:
    """What to do when it is not known which scenario will come."""
    robust = comparison.robust
    if comparison.unlike:
        yield Text(
            "These are unlike questions, and no one plan is sought for all of them: "
            f"{'; '.join(comparison.unlike)}.",
            lead=True,
        )
    if robust is None:
        return
    best, plans = robust.minimax, comparison.plans
    if best is None:
        yield Text(f"No one plan suits all of these scenarios: {robust.reason}.")
        return
    told = list(verdicts(plans, _names(plans), "in", "these scenarios"))
    start = "If it is not known which will come, train"
    optimum = "the optimum of whichever does"
    if told:
        start = "If you train, not knowing which will come, train"
        optimum = "the optimum of new models in whichever does"
    if any(plan.fixed is not None for plan in plans):
        optimum += ", given what is fixed"
    whole = ", with machines in fractions" if comparison.fractions else ""
    told.append(f"{start} {_one(best, plans)}: {_most(best.value)} {optimum}{whole}.")
    told += _decided(plans)
    if (likely := robust.expected) is not None:
        told.append(f"By their probabilities, train {_one(likely, plans)}.")
    yield Text(" ".join(told), lead=True)


def _names(plans: Sequence[Answer]) -> list[str]:
    """What scenarios are called: two of one name by their files."""
    names = [plan.scenario for plan in plans]
    return names if len({*names}) == len(names) else [plan.file for plan in plans]


def _most(ratio: float) -> str:
    """How far above an optimum a plan is at most, where a page can show it."""
    return f"at most {above(ratio - 1)}" if ratio - 1 > NOTHING else "at"


def _one(plan: RobustPlan, plans: Sequence[Answer]) -> str:
    """A plan for all; what each of them fixes is no advice."""
    fixed = {fixed_word(answer) for answer in plans}
    size, data = amount(plan.parameters, "parameters"), amount(plan.tokens, "tokens")
    size = f"the fixed {size}" if fixed == {"parameters"} else size
    return f"{size} on {'the fixed ' if fixed == {'tokens'} else ''}{data}"


def _decided(plans: Sequence[Answer]) -> Iterator[str]:
    """What the decisions of the scenarios cost, each where it comes."""
    costs = [plan.fixed.fraction for plan in plans if plan.fixed is not None]
    if not costs or max(costs) <= NOTHING:
        return
    low, high = max(min(costs), 0.0), max(costs)
    far = more(high, than=True)
    if percent(low) != percent(high):
        far = f"{percent(low) if high < 1 else more(low)} to {far}"
    yield f"What is fixed costs {far} the optimum without it."


def against_blocks(comparison: Comparison, pairs: bool = True) -> Iterator[Block]:
    """Everything that one scenario says of another.

    Args:
        comparison: of the scenarios.
        pairs: whether to say it of each pair, too.
    """
    if pairs:
        yield from _differences(comparison)
    yield from _uncounted(comparison.plans)
    if pairs and comparison.regret is not None:
        laws = {plan.law.name for plan in comparison.plans}
        what = "law holds" if len(laws) == len(comparison.plans) else "scenario comes"
        yield from _regret(comparison.regret, what)
    if comparison.students is not None:
        yield from _students(comparison.students)
    if comparison.robust is not None:
        yield from _robust(comparison.robust)
    for note in comparison.notes:
        yield Text(note, label="note")
    yield from _shares(comparison.plans, comparison.shares)
    yield from _others(comparison.plans)


def _differences(comparison: Comparison) -> Iterator[Block]:
    """One table a scenario after the first: each change alone, then the rest."""
    for answer, rows in zip(comparison.plans[1:], comparison.differences, strict=False):
        yield Heading(f"From {comparison.plans[0].scenario} to {answer.scenario}")
        if not rows:
            yield Text("Nothing differs that could move the plan.")
            continue
        columns = (
            Column("change", "left"),
            Column("", "left", wrap=True),
            *(Column(title) for title in ("parameters", "tokens", "cost")),
        )
        yield Table(columns, tuple(_difference(row) for row in rows))
        if len(rows) > 1:
            yield Text("Each change alone; the rest is what they do only together.")
        yield from (
            Text(f"{row.reason}.", label=row.path) for row in rows if row.reason
        )


def _difference(row: Difference) -> tuple[str, ...]:
    change = f"{row.before or 'nothing'} → {row.after or 'nothing'}"
    if not row.before and not row.after:
        change = GAP
    factors = (row.parameters, row.tokens, row.total)
    return row.path, change, *(_factor(factor) for factor in factors)


def _factor(factor: float | None) -> str:
    return NONE if factor is None else f"× {significant(factor)}"


def _uncounted(plans: Sequence[Answer]) -> Iterator[Block]:
    """What the plans leave out of their cost, because `cost_share` says so."""
    paid = [(p.scenario, p.parties, p.cost.unit) for p in plans if p.parties and p.cost]
    if not any(parties.community > 0 for _, parties, _ in paid):
        return
    yield Heading("What is counted")
    rows = tuple(
        (name, *(figure(v, unit) for v in (who.lab, who.community, who.social)))
        for name, who, unit in paid
    )
    yield Table(named("counted", "left to others", "in all"), rows)
    yield Text(
        "A plan is the cheapest by what it counts, as cost_share says. Whose machines "
        "they are is not in the files."
    )


def _regret(regret: Regret, what: str) -> Iterator[Block]:
    yield Heading(f"If another {what} than was planned for")
    yield _table("plan for", regret)
    yield Text(
        "Lifetime cost over that of the best plan for the scenario of the column."
    )
    yield from _missed(regret)


def _students(regret: Regret) -> Iterator[Block]:
    yield Heading("If another scenario comes than a student was planned for")
    yield _table("student for", regret)
    yield Text(
        "Lifetime cost over that of the cheapest student in the scenario of the column."
    )
    yield from _missed(regret)


def _table(what: str, regret: Regret) -> Table:
    rows = tuple(
        (name, *(NONE if entry is None else significant(entry) for entry in row))
        for name, row in zip(regret.scenarios, regret.table, strict=True)
    )
    columns = (Column(what, "left"), *named(*regret.scenarios)[1:])
    return Table(columns, rows, apart=True)


def _missed(regret: Regret) -> Iterator[Block]:
    """Why entries are missing, each reason of a plan once."""
    for name, reasons in zip(regret.scenarios, regret.reasons, strict=True):
        where: dict[str, list[str]] = {}
        for column, reason in zip(regret.scenarios, reasons, strict=True):
            if reason is not None:
                where.setdefault(reason, []).append(column)
        if len(where) == 1 and len(*where.values()) == len(regret.scenarios):
            yield Text(f"{NONE} everywhere: {next(iter(where))}.", label=name)
            continue
        for reason, columns in where.items():
            yield Text(f"{NONE} in {', '.join(columns)}: {reason}.", label=name)


def _robust(robust: Robust) -> Iterator[Block]:
    plans: list[tuple[str, RobustPlan, str]] = []
    if robust.minimax is not None:
        most = _most(robust.minimax.value)
        kept = "at the optimum" if most == "at" else most
        plans.append(("least regret", robust.minimax, kept))
    for name, plan in (
        ("least expected cost", robust.expected),
        (f"least cost of the worst {percent(robust.tail)}", robust.cvar),
    ):
        if plan is not None:
            plans.append((name, plan, figure(plan.value, plan.unit)))
    if plans:
        yield Heading("One plan for all of them")
        columns = named("size", "tokens", "tokens per parameter", "cost")
        yield Table(
            columns,
            tuple(
                (
                    name,
                    figure(plan.parameters, "parameters"),
                    figure(plan.tokens, "tokens"),
                    ratio(plan.tokens / plan.parameters),
                    kept,
                )
                for name, plan, kept in plans
            ),
        )
    if robust.minimax is not None and robust.reason:
        yield Text(f"No expected cost: {robust.reason}.")


def _shares(
    plans: Sequence[Answer], shares: Sequence[Sequence[ShareThreshold]]
) -> Iterator[Block]:
    known = [
        (answer.scenario, threshold)
        for answer, thresholds in zip(plans, shares, strict=False)
        for threshold in thresholds
    ]
    if not known:
        return
    move = percent(known[0][1].move)
    yield Heading("How much of the serving must count")
    rows = tuple(
        (
            name,
            threshold.stream,
            figure(threshold.parameters, "parameters"),
            "never" if threshold.share is None else percent(threshold.share),
        )
        for name, threshold in known
    )
    columns = (
        Column("", "left"),
        Column("stream", "left"),
        Column("size at share 0"),
        Column("moves at"),
    )
    yield Table(columns, rows)
    yield Text(
        f"The share of a stream's cost at which the best size is {move} smaller than "
        "where none of it counts."
    )


def _others(plans: Sequence[Answer]) -> Iterator[Block]:
    """Buying, or serving what exists, in each scenario."""
    rows = []
    for answer in plans:
        cost = answer.cost
        if cost is None or not answer.others:
            continue
        rows.append((answer.scenario, "train", figure(cost.total, cost.unit), GAP))
        rows += [
            (GAP, o.name, figure(o.total or 0.0, cost.unit), overtaken(o))
            for o in able(answer)
        ]
    if rows:
        yield Heading("Train, buy, or keep what exists")
        columns = (
            Column("", "left"),
            Column("", "left"),
            Column("lifetime cost"),
            Column("a new model wins"),
        )
        yield Table(columns, tuple(rows))
    for answer in plans:
        yield from cannot(answer)
