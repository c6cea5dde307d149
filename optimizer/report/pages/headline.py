"""The first paragraph of a plan, for a reader who reads nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator

from optimizer.analysis.plan.answer import (
    Alternative,
    Answer,
    Fixed,
    TrainingOptimal,
)
from optimizer.analysis.plan.priced import Cost, Pair
from optimizer.analysis.plan.reach import called
from optimizer.analysis.plan.wording import (
    VERBS,
    amount,
    compared,
    either,
    model,
    of_draws,
    past,
    samples,
)
from optimizer.reading.quantity import significant
from optimizer.report.pages.budget import (
    SAME,
    bought,
    cheapest_of_this_loss,
    could_reach,
)
from optimizer.report.pages.distillation import better, instead
from optimizer.report.pages.forms import form_trust
from optimizer.report.pages.other_ways import provided, subject, wins
from optimizer.report.pages.own_plan import own_sentences, suits
from optimizer.report.pages.stretch import stretch
from optimizer.world.costs import UNITS


def headline(answer: Answer) -> str:
    """Says what to do, against what that saves how much, and how sure it is."""
    plan, optimal = answer.plan, answer.training_optimal
    if plan is None or optimal is None:
        reason = answer.infeasibility.reason if answer.infeasibility else ""
        taught = instead(answer)
        told = f"There is no plan{' without a teacher' if taught else ''}: {reason}."
        mine = own_sentences(answer, "")
        return " ".join(filter(None, (*mine, told, taught, *_instead(answer))))
    return " ".join((*steps(answer), *trust(answer)))


def steps(answer: Answer) -> tuple[str, ...]:
    """What to do and what it saves, sentence by sentence; empty without a plan."""
    plan, optimal = answer.plan, answer.training_optimal
    if plan is None or optimal is None:
        return ()
    mine = own_sentences(answer, _beside_own(answer))
    told = _sentences(answer, plan, optimal)
    learnt = better(answer)
    if not learnt:
        return (*mine, *told)
    if answer.cheaper or answer.own is not None:
        return (*mine, *told, learnt)
    return (learnt, *told)


def _instead(answer: Answer) -> Iterator[str]:
    """What serves the demand where no model can be trained for it."""
    unit = UNITS[answer.objective]
    verb, thing = VERBS.get(unit, ("costs", ""))
    for way, total in answer.cheaper:
        much = f"{amount(total, unit)}{thing and ' of' + thing}"
        good = provided(way.name)
        if way.loss is not None:
            good = f"and its loss of {way.loss:.4f} is "
            good += f"{_as_good(answer, way.loss, than=True)} you ask"
        yield f"Without training, {subject(way.name)} {verb} {much}, {good}."


def _beside_own(answer: Answer) -> str:
    """How the user's own plan stands to the optimum, or that to a plan that misses."""
    own, cost = answer.own, answer.cost
    if own is None or own.fraction is None or cost is None:
        return ""
    fraction = own.fraction
    if own.misses:
        fraction = cost.total / own.cost.total - 1
    return compared(fraction, cost.unit)


def fixed_word(answer: Answer) -> str | None:
    """Which of parameters and tokens was decided beforehand."""
    for move in answer.sensitivities:
        if move.input in ("fix.parameters", "fix.tokens"):
            return move.input.removeprefix("fix.")
    return None


def trust(answer: Answer) -> Iterator[str]:
    """How far the law is stretched, and how surely the plan reaches its target."""
    what = "This" if answer.own is None else "The optimum"
    if told := stretch(answer.extrapolation, answer.law.name, what):
        yield told
    yield from form_trust(answer)
    if answer.reached is not None:
        what = "plan" if answer.own is None else "optimum"
        chance, draws = answer.reached.probability, answer.reached.draws
        yield (
            f"The {what} reaches the target in "
            f"{of_draws(chance, draws, f'{draws:,} draws')} of the law's error."
        )


def _sentences(answer: Answer, plan: Pair, optimal: TrainingOptimal) -> Iterator[str]:
    told, ways = _train(answer, plan), answer.cheaper
    if ways and answer.cost is not None:
        yield _do_not_train(answer, ways, answer.cost)
        told = f"If you train, {told[0].lower()}{told[1:]}"
    if answer.own is not None:
        told = f"The optimum: {told[0].lower()}{told[1:]}"
    elif better(answer) and not ways:
        told = f"Without a teacher, {told[0].lower()}{told[1:]}"
    over = answer.overtraining
    far = "" if over is None else past(over.factor, over.attention, over.left_out)
    if answer.fixed is not None:
        yield f"{told}, {far}."
        yield from _decided(answer, plan, answer.fixed)
        yield from _suits(answer, plan, answer.fixed)
    elif answer.same_loss is not None:
        yield f"{told}."
        yield from cheapest_of_this_loss(answer, answer.same_loss)
    elif answer.capped is not None:
        yield f"{told}."
        yield from could_reach(answer, answer.capped)
        yield f"The plan is {far}."
    elif _same(plan, optimal):
        none = answer.demand.counted_tokens == 0
        why = ": no served tokens are counted" if none else ""
        yield f"{told}. This is the training-optimal model{why}."
    elif model(plan.parameters, plan.tokens) == model(
        optimal.parameters, optimal.tokens
    ):
        yield f"{told}. To three digits this is the training-optimal model."
    else:
        yield f"{told}."
        yield from _saving(answer, optimal)
        yield f"{'The plan' if optimal.unservable else 'It'} is {far}."


def _do_not_train(
    answer: Answer, ways: list[tuple[Alternative, float]], cost: Cost
) -> str:
    """The verdict where other ways are cheaper, with their losses where known."""
    verb, thing = VERBS.get(cost.unit, ("costs", ""))
    parts = []
    for way, total in ways:
        does = f"{verb} {amount(total, cost.unit)}"
        good = provided(way.name)
        if way.loss is not None:
            good = f"and its loss of {way.loss:.4f} is {_as_good(answer, way.loss)}"
        parts.append(f"{subject(way.name)} {does}, {good}")
    where = _over(answer)
    first = f"{where[0].lower()}{where[1:]} " if where else ""
    return (
        f"Do not train: {first}{'; '.join(parts)}. A new model {verb} "
        f"{amount(cost.total, cost.unit)}{thing and ' of' + thing}; "
        f"{wins([way for way, _ in ways])}."
    )


def _as_good(answer: Answer, loss: float, than: bool = False) -> str:
    """How a loss stands to the plan's, or the target's: `0.074 better`.

    Args:
        answer: whose plan or target it is set beside.
        loss: no worse.
        than: whether `than` or `as` follows.
    """
    aim = answer.target_loss if answer.plan is None else answer.plan.loss
    if aim is None or f"{loss:.4f}" == f"{aim:.4f}":
        return f"as good{' as' if than else ''}"
    return f"{significant(aim - loss, 2)} better{' than' if than else ''}"


def _train(answer: Answer, plan: Pair) -> str:
    size, data = amount(plan.parameters, "parameters"), amount(plan.tokens, "tokens")
    decided = fixed_word(answer) if answer.fixed else None
    what, stored = "parameters", ""
    if (mixture := answer.mixture) is not None:
        what = "active parameters"
        if mixture.stored_parameters is not None:
            most = "at most " if mixture.at_most else ""
            all_ = amount(mixture.stored_parameters, "parameters")
            stored = f", {most}{all_} in all,"
    train = f"train {size} {what}{stored} on {data} tokens"
    if decided == "parameters":
        train = f"train the {size} {what} you fixed{stored} on {data} tokens"
    elif decided == "tokens":
        train = f"train {size} {what}{stored} on the {data} tokens you fixed"
    if plan.samples is not None:
        train += f" and draw {samples(plan.samples)} a request"
    return bought(answer, plan, train) or train[0].upper() + train[1:]


def _saving(answer: Answer, optimal: TrainingOptimal) -> Iterator[str]:
    """Against the training-optimal model, and what rules that one out."""
    saved, cost = answer.savings, answer.cost
    if saved is None or cost is None:
        return
    size, bounds = amount(optimal.parameters, "parameters"), []
    also = " with as many samples" if optimal.samples else ""
    also += " with the same choices" if answer.choice else ""
    for name in optimal.breaks:
        wall = next((w for w in answer.limits if w.name == name), None)
        bound = "" if wall is None else f" of {amount(wall.bound, wall.unit)}"
        bounds.append(f"{called(name)}{bound}")
    if optimal.unservable:
        cannot = f"cannot be served within {either(bounds, 'and')}"
        if any(name.startswith("serving.memory") for name in optimal.breaks):
            cannot = "does not fit the memory of a serving replica"
        yield f"The {size} that is cheapest to train to the same loss{also} {cannot}."
        return
    verb = "rule" if len(bounds) > 1 else "rules"
    why = f", which {either(bounds, 'and')} {verb} out" if bounds else ""
    yield (
        f"{_that(answer)} {compared(-saved.fraction, cost.unit)} the {size} that is "
        f"cheapest to train to the same loss{also}{why}."
    )


def _decided(answer: Answer, plan: Pair, fixed: Fixed) -> Iterator[str]:
    """What the decision costs."""
    best = fixed.optimum
    other = model(best.parameters, best.tokens)
    if _same(plan, best):
        yield "That is the optimum: what you fixed costs nothing."
        return
    if answer.question == "budget":
        yield (
            f"The best size for this budget, {other} tokens, has a loss of "
            f"{best.loss:.4f}, lower by {significant(fixed.extra)}."
        )
    elif answer.cost is not None:
        much = compared(fixed.fraction, answer.cost.unit)
        yield f"{_that(answer)} {much} the optimum, {other} tokens."
    if told := stretch(fixed.extrapolation, answer.law.name, "That optimum"):
        yield told


def _suits(answer: Answer, plan: Pair, fixed: Fixed) -> Iterator[str]:
    """The demand that a decision would be right for."""
    if _same(plan, fixed.optimum):
        return
    choice = amount(plan.parameters, "parameters")
    if fixed_word(answer) == "tokens":
        choice = model(plan.parameters, plan.tokens)
    yield from suits(fixed, answer.demand.tokens, choice, choice)


def _that(answer: Answer) -> str:
    """`Over 2T served tokens that`, or `That` where none are counted."""
    where = _over(answer)
    return f"{where} that" if where else "That"


def _over(answer: Answer) -> str:
    """`Over 2T served tokens`, and how many of them are counted."""
    tokens, counted = answer.demand.tokens, answer.demand.counted_tokens
    if not counted:
        return ""
    part = ""
    if counted != tokens:
        part = f", {amount(counted, 'tokens')} of them counted,"
    return f"Over {amount(tokens, 'tokens')} served tokens{part}"


def _same(one: Pair, other: Pair | TrainingOptimal) -> bool:
    return math.isclose(one.parameters, other.parameters, rel_tol=SAME) and (
        math.isclose(one.tokens, other.tokens, rel_tol=SAME)
    )
