"""Audits as blocks: was the model right, and for what demand?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from optimizer.analysis.audit import Audit, Implied
from optimizer.analysis.plan.wording import (
    LEAST,
    MANY,
    amount,
    brimful,
    either,
    extra,
    figure,
    lifetime,
    model,
    more,
    nearly,
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
from optimizer.report.pages.under_laws import laws_left_out

FEW = 3  # other laws whose demands a sentence bears
EVEN = 1e-6  # |w − 1| below which a model is training-optimal
AGAINST = "against the best"


def audits_blocks(
    audits: Sequence[Audit], told: str = "", left: Mapping[str, str] | None = None
) -> list[Block]:
    """The page of some audits: of one model in full, of several in a table.

    Args:
        audits: model by model, each under every law.
        told: how the laws were chosen, where nobody chose them.
        left: laws that `all` leaves out, with the reasons.
    """
    models: dict[str, list[Audit]] = {}
    for audit in audits:
        models.setdefault(audit.name, []).append(audit)
    pages = _one if len(models) == 1 else _several
    blocks = list(pages(models))
    if told:
        blocks.append(Text(told))
    return [*blocks, *laws_left_out(left or {})]


def audit_blocks(audit: Audit) -> list[Block]:
    """The page of one model under one law."""
    return audits_blocks([audit])


def _one(models: Mapping[str, Sequence[Audit]]) -> Iterator[Block]:
    ((name, audits),) = models.items()
    first = audits[0]
    yield Heading(name, 1)
    yield Text(" ".join(audit_sentences(audits)), lead=True)
    yield from _outside(audits)
    columns = [_column(audit) for audit in audits]
    rows = tuple(
        (word, *(column.get(word, GAP) for column in columns)) for word in columns[0]
    )
    yield Heading("What each law says")
    yield Table(named(*(audit.law for audit in audits)), rows, apart=True)
    yield Text(
        "k_N and k_D are the model's parameters and tokens over those of the training-"
        "optimal model of the same loss; w is what parameters still give over what "
        "tokens still give, 1 at the training optimum of 6·N·D."
    )
    if any(audit.attention for audit in audits):
        yield Text("Training compute counts attention, as the scenario asks.")
    if first.frontier:
        yield Heading("What laws without a loss surface ask of this size")
        yield Table(
            named("tokens", "the model had"),
            tuple(
                (f.law, amount(f.tokens, "tokens"), f"{significant(f.ratio)} ×")
                for f in first.frontier
            ),
        )
    if first.note:
        yield Text(f"{first.note}.", label="note")


def _outside(audits: Sequence[Audit]) -> Iterator[Block]:
    """Where the model is an extrapolation of a law, before any table."""
    told = [audit for audit in audits if audit.outside]
    if told or any(audit.warnings for audit in audits):
        yield Heading("Warnings")
    yield from _said({audit.law: [audit] for audit in audits})
    for audit in told:
        message = f"the model lies outside the runs of {audit.law}: "
        yield Text(f"{message}{'; '.join(audit.outside)}.", label="outside-range")


def _said(laws: Mapping[str, Sequence[Audit]]) -> Iterator[Text]:
    """What laws say of themselves, once each."""
    for audits in laws.values():
        for one in audits[0].warnings:
            yield Text(f"{one.message.rstrip('.')}.", label=one.code)


def audit_sentences(audits: Sequence[Audit]) -> Iterator[str]:
    """For what demand a model is right, under the first law and by the others."""
    first, *others = audits
    this = f"{_size(first)} on {amount(first.tokens, 'tokens')}"
    beside = "".join(f"; {_phrase(a.implied_demand)} under {a.law}" for a in others)
    if len(others) > FEW:
        beside = f"; {_range(others)}"
    if len({_phrase(a.implied_demand) for a in audits}) == 1 and others:
        beside = ", and under the other laws too"
    where = f"({first.law}{beside})"
    suits, best = first.implied_demand, first.training_optimal
    near = nearly(suits.within)
    if undertrained(suits):
        less = first.overhead / (1 + first.overhead)
        yield (
            f"{this} is undertrained {where}: even to serve nothing, "
            f"{model(best.parameters, best.tokens)} reaches "
            f"the same loss with {percent(less)} less training compute."
        )
    elif suits.tokens is None:
        why = f": {suits.reason}" if suits.reason else ""
        yield f"No demand is known to make {this} lifetime-optimal {where}{why}."
    elif abs(first.w - 1) < EVEN and first.lifetime is None:
        yield f"{this} is training-optimal: right if it serves nothing {where}."
    else:
        full = "" if suits.tokens is None else brimful(suits.tokens, suits.replicas)[1]
        yield (
            f"{this} is lifetime-optimal{near and f'{near},'} if it serves "
            f"{_phrase(suits)} tokens{full} {where}."
        )
    if first.demand is not None:
        yield from _under_scenario(first, first.demand)


def _range(audits: Sequence[Audit]) -> str:
    """The demands of many laws by the least and the greatest of them."""
    known = [(a.implied_demand.tokens, a) for a in audits]
    told = sorted(
        ((tokens, a) for tokens, a in known if tokens is not None),
        key=lambda pair: pair[0],
    )
    none = len(known) - len(told)
    without = f", and none by {none}" if none else ""
    if not told:
        return f"none under {len(audits)} other laws"
    ends = (told[0][1], told[-1][1])
    low, high = (f"{_phrase(a.implied_demand)} under {a.law}" for a in ends)
    return f"from {low} to {high}, of {len(audits)} other laws{without}"


def _under_scenario(audit: Audit, demand: float) -> Iterator[str]:
    best, above = audit.lifetime_optimal, audit.lifetime_overhead
    if audit.cannot:
        yield f"The scenario has no price for it: it cannot keep {audit.cannot}."
        if best is not None:
            return
    served = amount(demand, "tokens") if demand else "no"
    if best is None or above is None or audit.lifetime is None:
        yield (
            f"The limits of the scenario, which serves {served} tokens, leave no plan "
            "of this loss."
        )
        return
    thing = lifetime(audit.lifetime.unit)
    if abs(above) < EVEN:
        yield f"At the {served} tokens of the scenario nothing of its loss is cheaper."
        return
    within = "" if above > 0 or audit.reshaped else " that the scenario allows"
    if audit.held_by:
        within = f" within {either(list(audit.held_by), 'and')}"
    loss, stored = f"{best.loss:.4f}", ""
    if loss != f"{audit.loss:.4f}":
        stored = f" ({loss} as its weights are stored)"
    yield (
        f"At the {served} tokens of the scenario{_drawing(audit.samples)} it takes "
        f"{more(above, f' {thing}', than=True)} the best model of the same "
        f"loss{stored}{within}, "
        f"{model(best.parameters, best.tokens)}{_drawing(best.samples).rstrip(',')}."
    )
    if audit.reshaped:
        yield (
            "It is priced with its own architecture, and that model with the "
            "scenario's."
        )


def _drawing(samples: float | None) -> str:
    """How many samples a request are drawn; empty where nothing depends on it."""
    if samples is None:
        return ""
    return f", drawing {samples:g} sample{'' if samples == 1 else 's'} a request,"


def undertrained(suits: Implied) -> bool:
    """Whether even no demand at all is too much for so few tokens."""
    below = suits.tokens is not None and suits.tokens < 0
    return below and suits.high is not None and abs(suits.high) > EVEN


def _phrase(suits: Implied) -> str:
    """The implied demand, an interval where a limit binds: `190T`, `at least 2T`."""
    if suits.tokens is None:
        return "none"
    if undertrained(suits):
        return "undertrained"
    low, high = suits.low, suits.high
    if suits.replicas is not None:
        return brimful(suits.tokens, suits.replicas)[0]
    if high is None:
        return f"at least {_tokens(low)}" if low is not None and low > 0 else "any"
    return f"at most {_tokens(high)}" if low is None else _tokens(high)


def _tokens(tokens: float) -> str:
    return amount(float(f"{tokens:.1e}"), "tokens") if tokens > 1 else "0"


def _size(audit: Audit) -> str:
    return amount(float(f"{audit.parameters:.2e}"), "parameters")


def _column(audit: Audit) -> dict[str, str]:
    """What one law says of a model, row by row."""
    best = audit.training_optimal
    column = {
        "suits a demand of": _phrase(audit.implied_demand),
        "overtraining factor": ratio(audit.overtraining),
        LEAST: ratio(1 + audit.overhead),
        "loss": f"{audit.loss:.4f}",
        "k_N": ratio(audit.k_N),
        "k_D": ratio(audit.k_D),
        "w": ratio(audit.w),
        "critical size": figure(audit.critical.size, "parameters"),
        "floor": figure(audit.critical.floor, "parameters"),
        "training-optimal parameters": figure(best.parameters, "parameters"),
        "training-optimal tokens": figure(best.tokens, "tokens"),
    }
    if audit.lifetime is not None:
        cost = audit.lifetime
        column[lifetime(cost.unit)] = figure(cost.total, cost.unit)
    if audit.lifetime_optimal is not None and audit.lifetime_overhead is not None:
        plan = audit.lifetime_optimal
        column["best parameters"] = figure(plan.parameters, "parameters")
        column["best tokens"] = figure(plan.tokens, "tokens")
        column[AGAINST] = extra(audit.lifetime_overhead)
    return column


def _several(models: Mapping[str, Sequence[Audit]]) -> Iterator[Block]:
    """A table a law, one row a model; notes once."""
    laws: dict[str, list[Audit]] = {}
    for audits in models.values():
        for audit in audits:
            laws.setdefault(audit.law, []).append(audit)
    yield Heading("Audit of published models" if len(models) > 2 else "Audit", 1)
    yield Text(" ".join(_summary(laws)), lead=True)
    yield from _beyond(laws)
    for law, rows in laws.items():
        yield Heading(law)
        asked = [AGAINST] if rows[0].demand is not None else []
        columns = (
            Column("model", "left"),
            *(Column(t) for t in ("size", "tokens", "overtraining factor")),
            *(Column(t) for t in (LEAST, *asked, "suits")),
        )
        yield Table(columns, tuple(_row(audit) for audit in rows))
        yield from _against(rows)
    notes: dict[str, list[str]] = {}
    for name, audits in models.items():
        if audits[0].note:
            notes.setdefault(audits[0].note, []).append(name)
    if notes:
        yield Heading("Notes")
    for note, names in notes.items():
        yield Text(f"{note}.", label=", ".join(names))


def _beyond(laws: Mapping[str, Sequence[Audit]]) -> Iterator[Block]:
    """Which models are extrapolations of each law, before any table."""
    found = {law: [a for a in rows if a.outside] for law, rows in laws.items()}
    said = tuple(_said(laws))
    if said or any(found.values()):
        yield Heading("Warnings")
    yield from said
    for law, audits in found.items():
        if not audits:
            continue
        told = f"{len(audits)} of {len(laws[law])} models"
        if len(audits) <= MANY:
            told = either([f"{a.name} ({'; '.join(a.outside)})" for a in audits], "and")
        lie = "lies" if len(audits) == 1 else "lie"
        yield Text(
            f"{told} {lie} outside the runs of {law}, where its loss is an "
            "extrapolation.",
            label="outside-range",
        )


def _summary(laws: Mapping[str, Sequence[Audit]]) -> Iterator[str]:
    """How many models are undertrained, and how many suit no demand that is known."""
    total = len(next(iter(laws.values())))
    less = {law: [undertrained(a.implied_demand) for a in laws[law]] for law in laws}
    none = {law: [a.implied_demand.tokens is None for a in laws[law]] for law in laws}
    if not any(map(any, (*less.values(), *none.values()))):
        yield f"The {total} models suit the served tokens in the last column."
        return
    yield (
        f"Undertrained, even to serve nothing, are {_counts(less)}, of {total} models."
    )
    if any(map(any, none.values())):
        yield f"No demand is known to suit {_counts(none)}."
    if not all(
        a or b for law in laws for a, b in zip(less[law], none[law], strict=True)
    ):
        yield "The others suit the served tokens in the last column."


def _counts(told: Mapping[str, Sequence[bool]]) -> str:
    """Of how many models something is told, law by law."""
    parts = [f"{sum(each) or 'none'} under {law}" for law, each in told.items()]
    return either(parts, "and")


def _row(audit: Audit) -> tuple[str, ...]:
    return (
        audit.name,
        figure(audit.parameters, "parameters"),
        figure(audit.tokens, "tokens"),
        ratio(audit.overtraining),
        ratio(1 + audit.overhead),
        *([] if audit.demand is None else [_over(audit)]),
        _phrase(audit.implied_demand),
    )


def _over(audit: Audit) -> str:
    """What a model costs in the scenario over the best of the same loss."""
    if audit.cannot:
        return "none"
    above = audit.lifetime_overhead
    return "no plan" if above is None else extra(above)


def _against(audits: Sequence[Audit]) -> Iterator[Text]:
    """What the models are held against, where a scenario is given."""
    demand = audits[0].demand
    cost = next((a.lifetime for a in audits if a.lifetime is not None), None)
    if demand is None or cost is None:
        return
    held: dict[tuple[str, ...], list[str]] = {}
    for audit in audits:
        if audit.held_by:
            held.setdefault(audit.held_by, []).append(audit.name)
    limits = "".join(
        f"; of {either(names, 'and')} within {either(list(walls), 'and')}"
        for walls, names in held.items()
    )
    served = amount(demand, "tokens") if demand else "no"
    for audit in audits:
        if audit.cannot:
            yield Text(f"{audit.name} cannot keep {audit.cannot}.")
    yield Text(
        f"Against the best: {lifetime(cost.unit)} at the {served} tokens of the "
        f"scenario, over that of the best model of the same loss{limits}."
    )
