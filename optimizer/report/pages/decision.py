"""The first screen of a report, for who decides: what to do, how sure, what if."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from itertools import islice

from optimizer.analysis.plan.answer import Answer, LimitUsed
from optimizer.analysis.plan.chance import unasked
from optimizer.analysis.plan.near_ends import near_ends
from optimizer.analysis.plan.rounded import fractions
from optimizer.analysis.plan.wording import (
    amount,
    compared,
    figure,
    lifetime,
    model,
    more,
    of_draws,
    percent,
)
from optimizer.analysis.story.case import Case
from optimizer.analysis.story.timeline import MOVE, Swing
from optimizer.analysis.story.what_if import TARGET, WhatIf
from optimizer.reading.quantity import PRICE_TOKENS, REQUESTS, write
from optimizer.report.charts.catalogue import chart_of
from optimizer.report.formats.blocks import GAP, Text
from optimizer.report.formats.elements import Chart, Points, Rich, Tile, Tiles
from optimizer.report.pages.cautions import warned
from optimizer.report.pages.distillation import apart, student
from optimizer.report.pages.headline import fixed_word, headline, steps, trust
from optimizer.report.pages.other_ways import called, wins
from optimizer.report.pages.reasons import infeasible
from optimizer.report.pages.uncertainty import best_size
from optimizer.report.pages.under_laws import at_limits
from optimizer.world.hardware import load_hardware

# For those to whom FLOP say nothing: a chip that many know, and a share of its peak
# that well-kept training runs reach.
CHIP, MFU = "h100-sxm", 0.4
# Curves over the demand first: it is what nobody knows.
PICTURES = ("demand", "plan", "split")
WIDE = 5  # tiles that stand beside each other on a desk
MOST = 3  # things that could change the decision
SEEN = 5e-3  # changes below this change nothing
# Numbers of a scenario as a reader calls them who never saw the file.
# The demand has a sentence of its own.
SPOKEN = {
    "demand.input_tokens": "prompts are",
    "demand.output_tokens": "answers are",
    "demand.lifetime": "the service lasts",
    "training.mfu": "training uses the chips",
    "serving.mfu": "serving uses the chips",
    "training.price": "training hours cost",
    "serving.price": "serving hours cost",
    TARGET: "the model to match is",
}
MORE = {
    **dict.fromkeys(
        ("demand.input_tokens", "demand.output_tokens"), ("longer", "shorter")
    ),
    "demand.lifetime": ("longer", "shorter"),
    **dict.fromkeys(("training.mfu", "serving.mfu"), ("better", "worse")),
    TARGET: ("larger", "smaller"),
}


def decision_blocks(case: Case) -> Iterator[Rich]:
    """What to do, what it costs, how sure that is, and what could change it."""
    answer = case.answer
    if answer.plan is None:
        yield Text(headline(answer), lead=True)
        yield from warned(answer)
        yield from infeasible(answer)
        return
    first, *rest = steps(answer)
    yield Text(first, lead=True)
    if rest:
        yield Text(" ".join(rest))
    yield from tiles(answer)
    if sure := tuple(_sure(case)):
        yield Points("How sure this is", sure)
    if changes := tuple(islice(_changes(case), MOST)):
        it = f"the plan{apart(answer)}" if apart(answer) else "it"
        yield Points(f"What could change {it}", changes)
    drawn = tuple(picture(case))
    yield from drawn
    if any(chart.kind != "split" for chart in drawn) and fractions(case.scenario):
        yield Text(f"{fractions(case.scenario)}.", label="the chart")
    yield from warned(answer)


def decision_row(answer: Answer) -> tuple[str, ...]:
    """The decision as a row: scenario, what to do, cost, what it saves, how sure."""
    if answer.plan is None or answer.cost is None:
        return answer.scenario, "no plan", GAP, GAP, GAP
    told = f"train {model(answer.plan.parameters, answer.plan.tokens)} tokens"
    total, saved = answer.cost.total, GAP
    sure = answer.reached
    for way, least in answer.cheaper[:1]:
        sure = None  # that is of a new model
        told = "buy" if way.name == "buy" else f"keep {way.name[len('existing ') :]}"
        total = least
        saved = f"{percent(1 - least / answer.cost.total)} of a new model"
    if not answer.cheaper and (best := student(answer)) is not None:
        sure = None  # that is of one without a teacher
        told, total = f"distil {model(*best.size)} tokens", best.total
        saved = f"{percent(best.saved)} of one without a teacher"
    if not saved and answer.saved is not None and answer.saved.fraction >= SEEN:
        saved = f"{percent(answer.saved.fraction)} of training-optimal"
    chance = GAP
    if sure is not None:
        chance = f"in {of_draws(sure.probability, sure.draws, 'draws')}"
    return answer.scenario, told, figure(total, answer.cost.unit), saved, chance


def picture(case: Case) -> Iterator[Chart]:
    """The one chart of the first screen."""
    drawn = (chart_of(kind, case) for kind in PICTURES)
    yield from islice((chart for chart in drawn if chart is not None), 1)


def tiles(answer: Answer) -> Iterator[Tiles]:
    """The numbers to see at a glance, each with its range where that is known."""
    plan, cost = answer.plan, answer.cost
    if plan is None or cost is None:
        return
    near = answer.near_optimal[0] if answer.near_optimal else None
    held = near is not None and answer.fixed is None
    ranges = {}
    for word in ("parameters", "tokens"):
        ranges[word] = GAP
        if near is not None and held:
            ends = near_ends(answer, near, word, amount)
            low, high = ends if word == "parameters" else reversed(ends)
            told = f"are within {percent(near.within)}"
            if answer.relaxed is not None:  # the cost has steps
                told = f"{told} at both ends"
            ranges[word] = f"{low} to {high} {told}"
    size = "parameters" if answer.mixture is None else "active parameters"
    shown = [
        *_cheapest(answer, cost.unit),
        Tile(
            f"{size}{apart(answer)}",
            amount(plan.parameters, "parameters"),
            ranges["parameters"],
        ),
        Tile(
            f"training tokens{apart(answer)}",
            amount(plan.tokens, "tokens"),
            ranges["tokens"],
        ),
        Tile(_total(answer, cost.unit), *priced(answer)),
    ]
    if (run := answer.training_run) is not None:
        hours, unit = write(run.accelerator_hours, REQUESTS), "accelerator-hours"
        if run.time is not None:
            hours, unit = amount(run.time, "s"), f"{hours} {unit}"
        shown.append(Tile("training takes", hours, unit))
    price = answer.unit_cost
    if price is not None and price.with_training is not None and len(shown) < WIDE:
        whole, alone = (_dollars(v) for v in (price.with_training, price.total))
        over = ", at present value" if price.present_value else ""
        shown.append(
            Tile("a million tokens", whole, f"{alone} for serving alone{over}")
        )
    yield Tiles(tuple(shown))


def priced(answer: Answer) -> tuple[str, str]:
    """The lifetime cost in units that its reader knows, and what that is in.

    Without prices, hours of a named chip stand for FLOP, as an example.
    """
    cost, saved = answer.cost, answer.saved
    if cost is None:
        return GAP, GAP
    than = ""
    if saved is not None and abs(saved.fraction) >= SEEN:
        than = f"{more(-saved.fraction, than=True)} training-optimal"
    total = amount(cost.total, cost.unit)
    if cost.unit != "FLOP":
        return total, than
    chip = load_hardware(CHIP)
    hours = cost.total / (MFU * chip.peak("bf16") * 3600)
    told = f"{total}, for example on one {chip.name} at {percent(MFU)} of its peak"
    return f"{write(hours, REQUESTS)} hours", "; ".join(filter(None, (told, than)))


def _cheapest(answer: Answer, unit: str) -> Iterator[Tile]:
    """The way to take, where that is not to train."""
    for way, total in answer.cheaper[:1]:
        loss = "if it is good enough" if way.loss is None else f"loss {way.loss:.4f}"
        name = way.name.removeprefix("existing ")
        yield Tile(f"do not train: {name}", amount(total, unit), loss)
    best = None if answer.cheaper else student(answer)
    if best is not None:
        name = f"distil {model(*best.size)} tokens"
        yield Tile(name, amount(best.total, unit), f"from a teacher of {best.teacher}")


def _total(answer: Answer, unit: str) -> str:
    """What the plan's cost is called, beside something cheaper."""
    if answer.cheaper:
        return f"its {lifetime(unit)}"
    return f"{lifetime(unit)}{apart(answer)}"


def _dollars(value: float) -> str:
    return write(value, PRICE_TOKENS).partition(" ")[0]


def _sure(case: Case) -> Iterator[str]:
    """The doubts: past the runs, the law's own error, the choice of law and form."""
    answer = case.answer
    yield from trust(answer)
    if answer.reached is None:
        yield from _unsure(case)
    drawn = case.uncertainty
    if drawn is not None and drawn.lawful and drawn.intervals:
        yield f"If {drawn.law} is right, {best_size(drawn)}."
    if fixed_word(answer) != "parameters":
        yield from _other_laws(case)


def _unsure(case: Case) -> Iterator[str]:
    """Why it is not told how surely the plan reaches its target."""
    answer, drawn = case.answer, case.uncertainty
    law, name = case.scenario.law, case.answer.law.name
    if law.covariance is None and law.draws is None:
        yield f"The error of {name} is not known, and is in none of these numbers."
    elif answer.question != "target":
        if drawn is None or not drawn.lawful:
            yield f"The error of {name} is in none of these numbers."
    elif answer.reference == answer.plan:
        yield (
            "The plan is the very model to match, and as good as that whatever the "
            f"error of {name}."
        )
    elif why := unasked(case.scenario.chosen(answer.choice)):
        yield f"How surely the plan reaches the target is not known: {why}."


def _other_laws(case: Case) -> Iterator[str]:
    """The sizes that other laws ask for, and that of the law of another form."""
    others = [
        (other.plan.parameters, other.law.name, held)
        for other, held in zip(case.laws, at_limits(case.laws), strict=True)
        if other.plan is not None and other.law.name != case.answer.law.name
    ]
    parts = []
    if others:
        low, high = (amount(end[0], "parameters") for end in (min(others), max(others)))
        held = [of for *_, of in others]
        told = f"{low}{', at a limit' if all(held) else ''}"
        if low != high or any(held) != all(held):
            ends = (
                f"{size} ({law}{', at a limit' if of else ''})"
                for size, (_, law, of) in ((low, min(others)), (high, max(others)))
            )
            told = f"from {' to '.join(ends)}"
        elif len(others) == 1:
            told = f"{low} ({others[0][1]}{', at a limit' if held[0] else ''})"
        parts.append(f"other laws for the same question would train {told}")
    form = case.answer.other_form
    if form is not None and form.parameters is not None:
        size = amount(form.parameters, "parameters")
        parts.append(f"of another form, {form.law} would train {size}")
    if parts:
        told = "; ".join(parts)
        yield f"{told[0].upper()}{told[1:]}."


def _changes(case: Case) -> Iterator[str]:
    """What could change the decision, the most telling first."""
    answer = case.answer
    if answer.question == "lifetime" and answer.plan is not None:
        yield f"All of these keep the loss of {answer.plan.loss:.4f} that was chosen."
    asked = case.what_if
    yield from _other_demand(asked)
    for way, _ in answer.cheaper[:1]:
        told = wins([way]).replace("one planned for more", "a new model", 1)
        yield f"Beside {called(way.name)}, {told}."
    yield from map(wall_sentence, answer.held_by[:1])
    if asked is not None:
        for swing in sorted(asked.swings, key=partial(_little, asked.base)):
            yield from _moved(swing, asked.base, asked.unit)


def _little(base: float, swing: Swing) -> tuple[bool, float]:
    """By what is told last; of the others the most telling comes first."""
    ends = [math.inf if one is None else abs(one / base - 1) for one in swing.results]
    # What is decided moves most, and is the last that a reader wonders about.
    return swing.input == TARGET, -round(max(ends), 9)


def _other_demand(asked: WhatIf | None) -> Iterator[str]:
    """The plans of half and of twice the demand."""
    parts = []
    for other in () if asked is None else asked.demands:
        plan = "there is no plan"
        if (pair := other.plan) is not None:
            plan = f"the plan is {model(pair.parameters, pair.tokens)} tokens"
        word = "twice" if other.factor > 1 else "half"
        parts.append(f"for {word} the demand {plan}")
    if parts:
        told = "; ".join(parts)
        yield f"{told[0].upper()}{told[1:]}."


def wall_sentence(wall: LimitUsed) -> str:
    """A limit that holds the plan, and the most that a tenth more of it would save.

    In logarithms the optimum is convex in a bound, so that its slope promises too much.
    """
    word = wall.name.removeprefix("limits.").removeprefix("shared.").replace("_", " ")
    what = f"The limit on {word}, {amount(wall.bound, wall.unit)}, holds the plan"
    saved = 1 - 1.1**wall.elasticity
    if saved < SEEN:
        return f"{what}, and costs next to nothing."
    return f"{what}: a tenth more of it would save at most about {percent(saved)}."


def _moved(swing: Swing, base: float, unit: str) -> Iterator[str]:
    """One number, and what either end of its range does to the optimum."""
    subject = SPOKEN[swing.input]
    words = MORE.get(swing.input, ("more", "less"))[::-1]
    now = swing.values[0] / (1 - MOVE)
    sides = []
    for value, result, word in zip(swing.values, swing.results, words, strict=True):
        far = f"{percent(abs(value / now - 1))} {word}"
        if swing.stated:
            far = f"as far {'down' if value < now else 'up'} as stated"
        change = "there is no plan"
        if result is not None:
            fraction = result / base - 1
            if abs(fraction) < SEEN:
                continue
            change = f"the loss is {result:.4f}"
            if unit != "nats":
                change = f"the plan {compared(fraction, unit)} now"
        sides.append(f"if {subject} {far}, {change}")
    if sides:
        told = "; ".join(sides)
        yield f"{told[0].upper()}{told[1:]}."
