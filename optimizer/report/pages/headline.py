"""The first line of a plan, for a reader who reads nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator

from optimizer.analysis.plan.answer import (
    Answer,
    Fixed,
    LimitUsed,
    Pair,
    TrainingOptimal,
)
from optimizer.analysis.plan.wording import (
    amount,
    either,
    given,
    lifetime,
    percent,
    rounded,
)
from optimizer.reading.quantity import significant

SAME = 1e-6  # relative difference below which two models count as one


def headline(answer: Answer) -> str:
    """Says what to train, how far past Chinchilla-optimal, and what it saves."""
    plan, optimal = answer.plan, answer.training_optimal
    if plan is None or optimal is None:
        reason = answer.infeasibility.reason if answer.infeasibility else ""
        return f"There is no plan: {reason}."
    return " ".join(_sentences(answer, plan, optimal))


def fixed_word(answer: Answer) -> str | None:
    """Which of parameters and tokens was decided beforehand."""
    for move in answer.sensitivities:
        if move.input in ("fix.parameters", "fix.tokens"):
            return move.input.removeprefix("fix.")
    return None


def _sentences(answer: Answer, plan: Pair, optimal: TrainingOptimal) -> Iterator[str]:
    yield f"{_train(answer, plan)}{_how_far(answer, optimal)}."
    if answer.fixed is not None:
        yield from _decided(answer, plan, answer.fixed)
    elif _same(plan, optimal):
        why = " no served tokens are counted" if _unserved(answer) else ""
        yield "This is the training-optimal model" + (f":{why}." if why else ".")
    else:
        yield _saving(answer, optimal)


def _train(answer: Answer, plan: Pair) -> str:
    size, data = rounded(plan.parameters), amount(plan.tokens, "tokens")
    decided = fixed_word(answer) if answer.fixed else None
    train = f"train {size} parameters on {data} tokens"
    if decided == "parameters":
        size = given(plan.parameters, "parameters")
        train = f"train the {size} parameters you fixed on {data} tokens"
    elif decided == "tokens":
        data = given(plan.tokens, "tokens")
        train = f"train {size} parameters on the {data} tokens you fixed"
    budget = next((b for b in answer.limits if b.name.startswith("budget.")), None)
    if budget is None:
        return train[0].upper() + train[1:]
    word = budget.name.removeprefix("budget.").replace("_", " ")
    kind = f"{word} " if " " in word else ""
    size = given(budget.bound, budget.unit)
    return f"The {kind}budget of {size} buys a loss of {plan.loss:.4f}: {train}"


def _how_far(answer: Answer, optimal: TrainingOptimal) -> str:
    """`: 4.5 × Chinchilla-optimal for this size (2.2 × the tokens of …)`."""
    over, plan = answer.overtraining, answer.plan
    if over is None or plan is None or _same(plan, optimal):
        return ""
    joint = "," if answer.question == "budget" else ":"
    other = given(optimal.parameters, "parameters")
    if not _is_reference(answer, optimal):
        other = f"training-optimal {other}"
    return (
        f"{joint} {significant(over.factor, 2)} × Chinchilla-optimal for this size "
        f"({significant(over.tokens_ratio, 2)} × the tokens of the equally good "
        f"{other})"
    )


def _saving(answer: Answer, optimal: TrainingOptimal) -> str:
    saved, cost = answer.savings, answer.cost
    if saved is None or cost is None:
        return ""
    thing, at = lifetime(cost.unit), _at_demand(answer)
    if saved.fraction >= 0:
        return f"It saves {percent(saved.fraction)} of {thing}{at}."
    size = given(optimal.parameters, "parameters")
    walls = [w for w in answer.limits if w.binding and w.name.startswith("limits.")]
    why = ""
    if not optimal.feasible and walls:
        verb = "rule" if len(walls) > 1 else "rules"
        why = f", which {either([_wall(w) for w in walls], 'and')} {verb} out"
    return (
        f"It takes {percent(-saved.fraction)} more {thing}{at} than the "
        f"training-optimal {size}{why}."
    )


def _wall(wall: LimitUsed) -> str:
    return f"{wall.name} of {given(wall.bound, wall.unit)}"


def _decided(answer: Answer, plan: Pair, fixed: Fixed) -> Iterator[str]:
    """What the decision costs, and the demand that it would suit."""
    best = fixed.optimum
    other = f"{rounded(best.parameters)} on {amount(best.tokens, 'tokens')}"
    decided = fixed_word(answer)
    choice = given(plan.parameters, "parameters")
    if decided == "tokens":
        choice = f"{rounded(plan.parameters)} on {given(plan.tokens, 'tokens')}"
    if _same(plan, best):
        yield "That is the optimum: what you fixed costs nothing."
        return
    if answer.question == "budget":
        yield (
            f"The best size for this budget, {other} tokens, has a loss of "
            f"{best.loss:.4f}, lower by {significant(fixed.extra)}."
        )
    elif answer.cost is not None:
        yield (
            f"That takes {percent(fixed.fraction)} more {lifetime(answer.cost.unit)}"
            f"{_at_demand(answer)} than the optimum, {other} tokens."
        )
    suits, expected = fixed.implied_demand, answer.demand.tokens
    if suits is None:
        return
    you = f"you expect {given(expected, 'tokens')}" if expected else "you expect none"
    if suits > 0:
        yield f"{choice} is right for {given(suits, 'tokens')} served tokens; {you}."
    else:
        yield (
            f"No demand makes {choice} right: even a model that serves nothing "
            "should be smaller and trained on more tokens."
        )


def _at_demand(answer: Answer) -> str:
    """` at 2T served tokens`, those that count."""
    tokens, counted = answer.demand.tokens, answer.demand.counted_tokens
    if not counted:
        return ""
    part = "" if counted == tokens else f", {given(counted, 'tokens')} of them counted"
    return f" at {given(tokens, 'tokens')} served tokens{part}"


def _unserved(answer: Answer) -> bool:
    return answer.demand.counted_tokens == 0


def _same(one: Pair, other: Pair | TrainingOptimal) -> bool:
    return math.isclose(one.parameters, other.parameters, rel_tol=SAME) and (
        math.isclose(one.tokens, other.tokens, rel_tol=SAME)
    )


def _is_reference(answer: Answer, optimal: TrainingOptimal) -> bool:
    return answer.reference is not None and _same(answer.reference, optimal)
