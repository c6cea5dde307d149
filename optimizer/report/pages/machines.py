"""How a plan is served where machines are modelled, and what else was to choose."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.answer import Answer, Choice
from optimizer.analysis.plan.practice import ServingUse
from optimizer.analysis.plan.wording import (
    amount,
    either,
    figure,
    lifetime,
    more,
    percent,
    picked,
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

SAME = 1e-9  # relative difference of two totals that are one
SHOWN = 5e-4  # relative, from which a time is another one on the page


def machines(answer: Answer) -> Iterator[Block]:
    """Each serving machine of the roofline at its best batch."""
    if not answer.serving:
        return
    yield Heading("Serving machines")
    paid = any(use.allocated_cost != use.usage_cost for use in answer.serving)
    columns = (
        *named("batch", "a step takes", "replicas"),
        Column("bound by", "left"),
        Column("at work"),
        *([Column("all hours")] if paid else []),
    )
    rows = tuple(
        (
            use.stream,
            ratio(use.batch),
            figure(use.step_time, "s"),
            _replicas(use),
            use.bound_by,
            _price(use.usage_cost),
            *([_price(use.allocated_cost)] if paid else []),
        )
        for use in answer.serving
    )
    yield Table(columns, rows)
    for use in answer.serving:
        who = f"{use.stream}: " if len(answer.serving) > 1 else ""
        yield Text(
            f"{who}a replica holds {amount(use.held, 'bytes')}, with weights in "
            f"{use.weights} and a KV cache in {use.kv} of {amount(use.cache, 'bytes')} "
            f"a token.{_between(use)}{_in_flight(use)}"
        )
    yield from _relaxed(answer)
    if any(use.usage_cost is not None for use in answer.serving):
        peak = ", and with capacity for the peak paid all the time" if paid else ""
        yield Text(f"Dollars per million output tokens, while a machine works{peak}.")


def _between(use: ServingUse) -> str:
    """How long a token takes where prompts are read between the steps."""
    if use.token_time < use.step_time * (1 + SHOWN):
        return ""
    return (
        f" Between two tokens of an answer {amount(use.token_time, 's')} pass, since "
        "prompts are read between the steps."
    )


def _replicas(use: ServingUse) -> str:
    if use.replicas is None:
        return GAP
    need = significant(use.replicas)
    if use.standing is None:
        return need
    of = f"at batch {use.full_batch:.0f}" if _thin(use) else "needed"
    return f"{use.standing:.0f} ({need} {of})"


def _thin(use: ServingUse) -> bool:
    """Whether fewer sequences are in flight than a replica could decode."""
    return use.full_batch is not None and ratio(use.batch) != ratio(use.full_batch)


def _in_flight(use: ServingUse) -> str:
    """What the needed replicas are at, where those that stand have smaller batches."""
    if use.standing is None or use.replicas is None or not _thin(use):
        return ""
    have, each = ("stands has", "") if use.standing == 1 else ("stand have", " each")
    return (
        f" In batches of {use.full_batch:.0f} the peak would need "
        f"{significant(use.replicas)} replicas; the {use.standing:.0f} that {have} no "
        f"more than {use.batch:.0f} in flight{each}."
    )


def _relaxed(answer: Answer) -> Iterator[Block]:
    """The optimum with machines in fractions, beside the whole ones."""
    relaxed = answer.relaxed
    if relaxed is None or not (relaxed.batches or relaxed.replicas):
        return
    sizes = either([significant(one, 4) for one in relaxed.batches], "and")
    word = "a batch" if len(relaxed.batches) == 1 else "batches"
    parts = [f"{word} of {sizes}"] if relaxed.batches else []
    parts += [f"{significant(one)} replicas" for one in relaxed.replicas]
    kinds = {"batches": relaxed.batches, "replicas": relaxed.replicas}
    whole = [kind for kind, some in kinds.items() if some]
    total = f"a loss of {relaxed.total:.4f}"
    if answer.question != "budget" and answer.cost is not None:
        unit = answer.cost.unit
        total = f"a {lifetime(unit)} of {amount(relaxed.total, unit)}"
    of = "it"
    if (apart := relaxed.base / relaxed.total - 1) > SAME:
        of = f"whole replicas with batches in fractions, {percent(apart)} above it"
    yield Text(
        f"Whole {either(whole, 'and')} are the plan. In fractions the optimum has "
        f"{either(parts, 'and')} and {total}, with "
        f"{amount(relaxed.parameters, 'parameters')} parameters on "
        f"{amount(relaxed.tokens, 'tokens')} tokens. Sensitivities and the price of "
        f"limits are those of {of}, since whole batches move in steps."
    )


def _price(dollars: float | None) -> str:
    return GAP if dollars is None else figure(dollars, "USD")


def choices(answer: Answer) -> Iterator[Block]:
    """Every combination of the scenario's lists, the best first."""
    if not answer.alternatives:
        return
    unit = "nats" if answer.question == "budget" else ""
    if answer.question != "budget" and answer.cost is not None:
        unit = answer.cost.unit
    words = list(answer.alternatives[0].choice)
    columns = (
        *(Column(word, "left") for word in words),
        Column("loss" if unit == "nats" else "lifetime cost"),
        Column("", "left", wrap=True),
    )
    ranked = sorted(answer.alternatives, key=_rank)
    yield Heading("Choices")
    if answer.choice and answer.plan is not None:
        yield Text(f"Best with {picked(answer.choice)}{next_best(answer)}.")
    yield Table(columns, tuple(_row(row, words, unit) for row in ranked))


def next_best(answer: Answer) -> str:
    """How much more the next choice takes."""
    totals = sorted(c.total for c in answer.alternatives if c.total is not None)
    if len(totals) == 1 or answer.question == "budget":
        return ""
    above = totals[1] / totals[0] - 1
    if above < SAME:
        return "; another takes as much"
    return f"; the next takes {more(above)}"


def refusals(answer: Answer) -> str:
    """How many choices were refused, where their reasons do not stand beside."""
    refused = sum(c.status == "refused" for c in answer.alternatives)
    return f"; {refused} refused, --full says why" if refused else ""


def _rank(row: Choice) -> tuple[bool, float]:
    return row.total is None, row.total or 0.0


def _row(row: Choice, words: list[str], unit: str) -> tuple[str, ...]:
    total = GAP
    if row.total is not None:
        total = f"{row.total:.4f}" if unit == "nats" else f"{row.total:.4g}"
        if unit not in ("nats", ""):
            total = figure(row.total, unit)
    told = row.reason if row.total is None else ""
    status = row.status if row.status != "optimal" else GAP
    note = f"{status}: {told}" if told else status
    return *(row.choice.get(word, GAP) for word in words), total, note
