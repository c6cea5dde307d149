"""What a budget buys, in the sentences of the first paragraph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizer.analysis.plan.answer import Answer, LimitUsed
from optimizer.analysis.plan.capped import Capped, SameLoss
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.reach import called
from optimizer.analysis.plan.wording import amount, compared, either, model

SAME = 1e-6  # relative difference below which two models count as one


def bought(answer: Answer, plan: Pair, train: str) -> str:
    """The loss that a budget buys, and how; empty without a budget.

    Args:
        answer: whose budget it is.
        plan: what it buys.
        train: what to do, as a clause.
    """
    budget = next((b for b in answer.limits if b.name.startswith("budget.")), None)
    if budget is None:
        return ""
    word = budget.name.removeprefix("budget.").replace("_", " ")
    kind = f"{word} " if " " in word else ""
    spent = f"{kind}budget of {amount(budget.bound, budget.unit)}"
    rest = _unspent(answer, budget)
    loss = f"{plan.loss:.4f}"
    if answer.capped is not None and answer.capped.lowest:
        within = "" if rest else _within(_walls(answer, budget))
        return (
            f"Counting what it serves, too, the {spent} buys a loss of {loss}, the "
            f"lowest there is{within or rest}: {train}"
        )
    if answer.question == "lifetime":
        return (
            f"Counting what it serves, the {spent} is best spent on a loss of "
            f"{loss}{rest}: {train}"
        )
    if answer.same_loss is not None:
        return (
            f"Ignoring what it serves, the {spent} buys a lowest loss of "
            f"{loss}{rest}: {train}"
        )
    return f"The {spent} buys a loss of {loss}{rest}: {train}"


def _walls(answer: Answer, budget: LimitUsed) -> list[LimitUsed]:
    """The other limits that hold the plan, or its loss where the life chose that."""
    chosen = answer.question == "lifetime"
    return [
        w
        for w in answer.limits
        if w is not budget
        and (w.binding or (chosen and w.name.startswith("limits.") and w.used_up))
    ]


def _named(walls: Sequence[LimitUsed]) -> str:
    return either(
        [f"{called(w.name)} of {amount(w.bound, w.unit)}" for w in walls], "and"
    )


def _within(walls: Sequence[LimitUsed]) -> str:
    return f" within {_named(walls)}" if walls else ""


def _unspent(answer: Answer, budget: LimitUsed) -> str:
    """How much of a budget is used where another limit holds the plan; or empty."""
    walls = _walls(answer, budget)
    if budget.binding or budget.used_up or not walls:
        return ""
    verb = "lets" if len(walls) == 1 else "let"
    used = amount(budget.value, budget.unit)
    return f" with {used} of it, since {_named(walls)} {verb} no more be used"


def cheapest_of_this_loss(answer: Answer, best: SameLoss) -> Iterator[str]:
    """What the life would choose for the loss that a training budget buys."""
    cap = next(b for b in answer.limits if b.name == best.cap)
    if answer.cost is None or answer.plan is None:
        return
    if best.saved < SAME:
        yield "No other plan of this loss is cheaper over the life."
        return
    than = compared(-best.saved, answer.cost.unit)
    has = "the budget" if cap.name.startswith("budget.") else cap.name
    yield (
        f"The same loss is cheapest over the life with "
        f"{model(best.parameters, best.tokens)} tokens, which {than} that but takes "
        f"{amount(best.needs, cap.unit)} where {has} has "
        f"{amount(cap.bound, cap.unit)}. "
        "best_for: lifetime, under budget, asks for the lowest loss at which the "
        "budget allows the cheapest plan."
    )


def could_reach(answer: Answer, capped: Capped) -> Iterator[str]:
    """What a lower loss than the chosen one would cost under the same budget."""
    budget = next(b for b in answer.limits if b.name == capped.name)
    walls = _walls(answer, budget)
    if capped.lowest:
        yield from _nothing_to_weigh(answer, capped, walls)
        return
    chosen, first = capped.steps[capped.chosen], capped.steps[0]
    full = [w.name for w in walls if w.name in capped.caps]
    held = ["the budget"] if budget.used_up or not full else []
    held += full
    within = _within([w for w in walls if w.name not in capped.caps])
    yield (
        f"It is the lowest loss at which {either(held, 'and')} still "
        f"{'allows' if len(held) == 1 else 'allow'} the plan that is cheapest over its "
        f"life{within}."
    )
    if first.total <= chosen.total * (1 + SAME) or answer.cost is None:
        return
    than = compared(first.total / chosen.total - 1, answer.cost.unit)
    yield (
        f"The lowest that {'it reaches' if len(held) == 1 else 'they reach'}, "
        f"{first.loss:.4f} with {model(first.parameters, first.tokens)} tokens, {than} "
        "this."
    )


def _nothing_to_weigh(
    answer: Answer, capped: Capped, walls: Sequence[LimitUsed]
) -> Iterator[str]:
    """Why no loss is given up for the life, and what that costs."""
    inside = {0: "The", 1: "Within that limit the"}.get(len(walls), "Within those the")
    yield (
        f"{inside} cheapest plan over the life of every loss down to this one keeps "
        "the budget, so that serving gives no reason to stop before it."
    )
    best = capped.unlimited
    if best is None or answer.cost is None:
        return
    names = either([called(w.name) for w in walls], "and") or "the limits"
    cap = next(b for b in answer.limits if b.name == best.cap)
    has = "the budget" if cap.name.startswith("budget.") else cap.name
    yield (
        f"Without {names} the same loss {compared(-best.saved, answer.cost.unit)} "
        f"this, with {model(best.parameters, best.tokens)} tokens and "
        f"{amount(best.needs, cap.unit)} of {has}."
    )
