"""An answer as blocks: from the sentence for everyone to the proof for few."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.priced import Line, Pair
from optimizer.analysis.plan.wording import (
    DEMAND,
    LEAST,
    amount,
    counted,
    figure,
    lifetime,
    line_name,
    more,
    percent,
    ratio,
    share,
)
from optimizer.reading.quantity import PRICE_TOKENS, REQUESTS, write
from optimizer.report.formats.blocks import (
    GAP,
    Block,
    Heading,
    Table,
    Text,
    facts,
    named,
)
from optimizer.report.formats.loss_units import in_unit
from optimizer.report.pages.capped import capped_blocks
from optimizer.report.pages.cautions import warned
from optimizer.report.pages.distillation import apart, distillation
from optimizer.report.pages.drawings import drawn_blocks
from optimizer.report.pages.forms import far_runs, other_form
from optimizer.report.pages.headline import headline
from optimizer.report.pages.law_line import law_line
from optimizer.report.pages.machines import choices, machines
from optimizer.report.pages.near import near_table, near_words
from optimizer.report.pages.other_ways import others
from optimizer.report.pages.own_plan import own_choice
from optimizer.report.pages.reasons import infeasible, limits, proof
from optimizer.report.pages.rollouts import rollout_rows
from optimizer.report.pages.sensitivities import moves


def answer_blocks(
    answer: Answer, rounded: Sequence[Block] = (), joint: bool = False
) -> list[Block]:
    """The whole page of one answer.

    Args:
        answer: with a plan or the reason why there is none.
        rounded: the section on sizes that exist, where it was asked for.
        joint: whether it is one of the models of a portfolio that has a joint plan.
    """
    body = in_unit(_body(answer, rounded, joint), answer.law.loss_unit)
    return [Heading(answer.scenario, 1), *body]


def _body(answer: Answer, rounded: Sequence[Block], joint: bool) -> Iterator[Block]:
    yield Text(headline(answer), lead=True)
    yield from other_form(answer)
    yield from warned(answer)
    if answer.cheaper:
        yield from others(answer)
    if answer.plan is None:
        if not answer.cheaper:
            yield from others(answer)
        yield from infeasible(answer)
        yield from demand(answer)
    else:
        yield from plan_table(answer)
        yield from _critical(answer)
        yield from drawn_blocks(answer)
        yield from rounded
        yield from bill(answer)
        yield from _other_units(answer)
        yield from demand(answer)
        yield from _dollars(answer)
        yield from machines(answer)
        yield from choices(answer)
        if not answer.cheaper:
            yield from others(answer)
        yield from distillation(answer)
        yield from capped_blocks(answer)
        yield from near_table(answer)
        yield from near_words(answer)
        yield from limits(answer)
        yield from moves(answer, joint)
    yield Heading("Law and proof")
    yield law_line(answer)
    yield from far_runs(answer)
    yield from proof(answer)


def _sizes(answer: Answer, sizes: Sequence[float]) -> Iterator[tuple[str, ...]]:
    """The rows of N; of a mixture of experts those of active and all parameters."""
    told = tuple(figure(N, "parameters") for N in sizes)
    if answer.plan is None or answer.mixture is None:
        yield ("parameters", *told)
        return
    yield ("active parameters", *told)
    if (stored := answer.mixture.stored_parameters) is not None:
        share = stored / answer.plan.parameters
        name = "all parameters, at most" if answer.mixture.at_most else "all parameters"
        yield (name, *(figure(N * share, "parameters") for N in sizes))


def plan_table(answer: Answer, full: bool = True) -> Iterator[Block]:
    """The plan beside the training-optimal model of its loss.

    Args:
        answer: with a plan.
        full: whether to say, too, how much more training it takes.
    """
    plan, best, over = answer.plan, answer.training_optimal, answer.overtraining
    critical = answer.critical
    if plan is None or best is None or over is None or critical is None:
        return
    each = best.tokens_per_parameter
    optimal = Pair(best.parameters, best.tokens, each, best.loss, best.samples)
    pairs = [(_name(answer), plan), ("training-optimal", optimal)]
    if answer.fixed is not None:
        pairs.insert(1, ("if not fixed", answer.fixed.optimum))
    blank = [GAP] * (len(pairs) - 2)
    its = over.optimal_factor
    factors = list(blank)
    if (own := answer.own) is not None:
        pairs.insert(1, ("yours", own.plan))
        blank = [GAP, *blank]
        factors = [ratio(own.overtraining), *factors]
    rows = [
        *_sizes(answer, [p.parameters for _, p in pairs]),
        ("tokens", *(figure(p.tokens, "tokens") for _, p in pairs)),
        (
            "tokens per parameter",
            *(ratio(p.tokens_per_parameter) for _, p in pairs),
        ),
        ("loss", *(f"{p.loss:.4f}" for _, p in pairs)),
        (
            "overtraining factor",
            *(ratio(over.factor), *factors),
            GAP if its is None else "1" if its == 1 else ratio(its),
        ),
    ]
    if full:
        rows.append((LEAST, ratio(1 + critical.training_overhead), *blank, "1"))
    if plan.samples is not None:
        drawn = (GAP if p.samples is None else ratio(p.samples) for _, p in pairs)
        rows.append(("samples a request", *drawn))
    if answer.epochs is not None and answer.epochs > 1:
        rows.append(
            ("epochs of the data", *(ratio(_epochs(answer, p)) for _, p in pairs))
        )
    if not best.feasible and answer.fixed is None:
        rows.append((_walls(best.breaks), "yes", *blank, "no"))
    yield Heading(f"Plan{apart(answer)}")
    yield Table(named(*(title for title, _ in pairs)), tuple(rows))


def _walls(broken: Sequence[str]) -> str:
    """What a model is not within: the budget where that is all that it breaks."""
    spent = [name.startswith("budget.") for name in broken]
    if not any(spent):
        return "within the limits"
    return "within the budget" if all(spent) else "within budget and limits"


def _name(answer: Answer) -> str:
    """What the plan is called in a column: beside the user's own, the optimum."""
    return "plan" if answer.own is None else "optimum"


def _epochs(answer: Answer, model: Pair) -> float:
    """How often a model reads the unique tokens."""
    again = answer.law.repetition
    return math.nan if again is None else model.tokens / again.unique


def _critical(answer: Answer) -> Iterator[Block]:
    critical = answer.critical
    if critical is None:
        return
    data = (
        "No data reaches it" if answer.epochs is None else "These data reach it never"
    )
    floor = f" {data} below {amount(critical.floor, 'parameters')}."
    yield Text(
        f"Critical size {amount(critical.size, 'parameters')}: below it training "
        f"takes more than twice the least compute for this loss."
        f"{floor if critical.floor else ''}"
    )


def bill(answer: Answer, full: bool = True) -> Iterator[Block]:
    """What the life costs, line by line, beside the training-optimal model.

    Args:
        answer: with a plan.
        full: whether to repeat what the first sentence says: what is saved.
    """
    cost, optimal = answer.cost, answer.training_optimal
    if cost is None or optimal is None or answer.savings is None:
        return
    unit, other = cost.unit, optimal.cost
    rows = [
        _row(answer, line, beside, unit)
        for line, beside in zip(cost.lines, other.lines, strict=True)
    ]
    # What fits no replica has no price of serving, and so no total.
    whole = GAP if optimal.unservable else figure(other.total, unit)
    rows.append(("total", figure(cost.total, unit), "100 %", whole))
    columns = [_name(answer), "share", "training-optimal"]
    if answer.own is not None:
        mine = [*(line.amount for line in answer.own.cost.lines), answer.own.cost.total]
        rows = [(*r, figure(m, unit)) for r, m in zip(rows, mine, strict=True)]
        columns.append("yours")
    saved = answer.saved
    if full and saved is not None and abs(saved.fraction) > 1e-9:
        word = "saved" if saved.amount > 0 else "more than training-optimal"
        rows.append(
            (
                *(word, figure(abs(saved.amount), unit)),
                *(_part(saved.fraction), *[GAP] * (len(columns) - 2)),
            )
        )
    yield Heading(lifetime(unit).capitalize())
    yield Table(named(*columns), tuple(rows))
    yield from own_choice(answer)


def _part(fraction: float) -> str:
    return more(-fraction) if fraction <= -1 else share(abs(fraction))


def _other_units(answer: Answer) -> Iterator[Block]:
    unit = "" if answer.cost is None else answer.cost.unit
    units = [
        (_unit_word(name), amount(value, name))
        for name, value in (answer.amounts or {}).items()
        if value is not None and name != unit
    ]
    if units:
        yield Text(
            "The same plan in other units: "
            + ", ".join(f"{word} {text}" for word, text in units)
            + "."
        )


def _row(answer: Answer, line: Line, beside: Line, unit: str) -> tuple[str, ...]:
    streams = {stream.name: stream for stream in answer.demand.streams}
    name = line.name
    if (stream := streams.get(name)) is not None:
        name = line_name(name) if name == DEMAND else f"serving {name}"
        if stream.cost_share < 1:
            name += f", {percent(stream.cost_share)} counted"
    best = answer.training_optimal
    unknown = best is not None and best.unservable and line.name != "training"
    return (
        name,
        figure(line.amount, unit),
        share(line.share) if math.isfinite(line.share) else GAP,
        GAP if unknown else figure(beside.amount, unit),
    )


def _unit_word(unit: str) -> str:
    return lifetime(unit).removeprefix("lifetime ")


def demand(answer: Answer) -> Iterator[Block]:
    """The tokens served over the life, where there is more to say than a number."""
    asked = answer.demand
    told = any(s.input_tokens is not None for s in asked.streams)
    same = asked.effective_tokens is None or math.isclose(
        asked.effective_tokens, asked.counted_tokens, rel_tol=1e-6
    )
    whole = all(s.cost_share == 1 for s in asked.streams)
    if len(asked.streams) < 2 and same and whole and not told:
        return
    yield Heading("Demand over the life")
    rows = [
        (
            s.name,
            figure(s.tokens, "tokens"),
            GAP if s.input_tokens is None else figure(s.input_tokens, "tokens"),
            GAP if s.output_tokens is None else figure(s.output_tokens, "tokens"),
            percent(s.cost_share),
        )
        for s in asked.streams
    ]
    if len(rows) > 1:
        rows.append(("in all", figure(asked.tokens, "tokens"), GAP, GAP, GAP))
    yield Table(named("tokens", "input", "output", "counted"), tuple(rows))
    if not same and asked.effective_tokens is not None:
        yield Text(
            f"At the price of training that is worth "
            f"{counted(asked.effective_tokens, 'tokens')}: the T of 6·N·D + 2·N·T."
        )


def practice(answer: Answer) -> str:
    """The heading of what a plan is in practice: the user's own is in the bill."""
    return "In practice" if answer.own is None else "The optimum in practice"


def _dollars(answer: Answer) -> Iterator[Block]:
    """Prices of a token, the training run, and what is not counted."""
    rows = []
    if (run := answer.training_run) is not None:
        hours = f"{write(run.accelerator_hours, REQUESTS)} accelerator-hours"
        time = "" if run.time is None else f", {amount(run.time, 's')}"
        rows.append(("training run", hours + time))
    rows += rollout_rows(answer)
    if (price := answer.unit_cost) is not None:
        whole = "all costs" if price.further else "training"
        parts = (
            ("input tokens", price.input),
            ("output tokens", price.output),
            ("all tokens", price.total),
            (f"with {whole}", price.with_training),
        )
        rows += [(n, write(v, PRICE_TOKENS)) for n, v in parts if v is not None]
    if (who := answer.parties) is not None and who.community > 0 and answer.cost:
        unit = answer.cost.unit
        rows += [
            ("the plan counts", amount(who.lab, unit)),
            ("it leaves to others", amount(who.community, unit)),
            ("in all", amount(who.social, unit)),
        ]
    if rows:
        yield Heading(practice(answer))
        yield facts(rows)
    if price is not None and price.present_value:
        yield Text(
            "Prices of tokens are constant ones that, paid as tokens are served, cover "
            "their cost at present value."
        )
