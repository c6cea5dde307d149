"""What a budget buys, in the sentences of the first paragraph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizer.analysis.plan.answer import Answer, LimitUsed
from optimizer.analysis.plan.capped import Capped, SameLoss
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.reach import called
from optimizer.analysis.plan.wording import amount, compared, either, model

SAME = 1e-6  # relative difference below which two models count as one
FULL = 0.999  # of a bound, from which it counts as used


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
        within = f",{rest}" if rest else _within(_walls(answer, budget))
        return (
            f"Counting what it serves, too, the {spent} buys a loss of {loss}, the "
            f"lowest there is{within}: {train}"
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
    """The limits that hold the plan beside a budget, first the cap that sets its loss.

    Where the life chose the loss it is set by the fullest cap of training, which may be
    a limit. In whole machines nothing is used to the last digit.
    """
    found = answer.capped
    if found is None:
        return [w for w in answer.limits if w.binding and w is not budget]
    caps = [w for w in answer.limits if w is budget or w.name in found.caps]
    fullest = max(caps, key=lambda w: w.value / w.bound)
    sets = fullest is not budget and (
        not found.lowest or fullest.value > FULL * fullest.bound
    )
    return [
        *([fullest] if sets else []),
        *(w for w in answer.limits if w not in caps and _holds(w)),
    ]


def sets_loss(answer: Answer) -> str:
    """What decides how low the loss is that the life chose."""
    budget = next((b for b in answer.limits if b.name.startswith("budget.")), None)
    found = answer.capped
    if budget is None or found is None:
        return "the budget"
    walls = _walls(answer, budget)
    if walls and walls[0].name in found.caps:
        return walls[0].name
    full = budget.value > FULL * budget.bound
    return "the budget" if full or not found.lowest else "what is used up"


def _holds(wall: LimitUsed) -> bool:
    """Whether a limit that is no cap holds a plan, or the loss of it."""
    if wall.binding:
        return wall.elasticity < -SAME
    return wall.name.startswith("limits.") and wall.used_up


def _named(walls: Sequence[LimitUsed]) -> str:
    return either(
        [f"{called(w.name)} of {amount(w.bound, w.unit)}" for w in walls], "and"
    )


def _within(walls: Sequence[LimitUsed]) -> str:
    return f" within {_named(walls)}" if walls else ""


def _unspent(answer: Answer, budget: LimitUsed) -> str:
    """How much of a budget is used where another limit holds the plan; or empty."""
    walls, found = _walls(answer, budget), answer.capped
    if budget.binding or budget.value > FULL * budget.bound:
        return ""
    if found is not None and not found.lowest:
        walls = [w for w in walls if w.name in found.caps]
    if not walls:
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
    cap = full[0] if full else "the budget"
    within = _within([w for w in walls if w.name not in capped.caps])
    yield (
        f"It is the lowest loss at which {cap} still allows the plan that is cheapest "
        f"over its life{within}."
    )
    if first.total <= chosen.total * (1 + SAME) or answer.cost is None:
        return
    than = compared(first.total / chosen.total - 1, answer.cost.unit)
    yield (
        f"The lowest that it reaches, {first.loss:.4f} with "
        f"{model(first.parameters, first.tokens)} tokens, {than} this."
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
    limits = [w.name for w in walls if w.name.startswith("limits.")]
    names = either(limits, "and") or "the limits"
    cap = next(b for b in answer.limits if b.name == best.cap)
    has = "the budget" if cap.name.startswith("budget.") else cap.name
    yield (
        f"Without {names} the same loss {compared(-best.saved, answer.cost.unit)} "
        f"this, with {model(best.parameters, best.tokens)} tokens and "
        f"{amount(best.needs, cap.unit)} of {has}."
    )
