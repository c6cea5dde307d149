"""The first sentence on two answers: what is recommended now, and what was."""

from __future__ import annotations

from optimizer.analysis.comparison.answer_diff import PlanDiff
from optimizer.analysis.comparison.recommended import DISTIL, TRAIN, Recommended
from optimizer.analysis.comparison.saved_answer import alike
from optimizer.analysis.plan.reach import called
from optimizer.analysis.plan.wording import amount, either, lifetime, model, percent
from optimizer.reading.quantity import significant
from optimizer.report.pages.other_ways import called as way_called


def recommendation(plan: PlanDiff) -> str:
    """What to do now, what it was, and what that does to the lifetime cost."""
    if plan.same:
        return f"{plan.scenario}: nothing changed."
    before, after = plan.recommends
    if after is None:
        stays = "no plan, as before" if before is None else "no plan now"
        return f"{plan.scenario}: there is {stays}{conflict(plan)}."
    told = f"{plan.scenario}: {_do(after)}"
    if before is None:
        return f"{told}; there was no plan before."
    told += ", as before" if _one_model(before, after) else f", {_where(before, after)}"
    change = None
    if before.total and after.total is not None:
        change = after.total / before.total - 1
    if any(one.name == "cost.unit" for one in plan.outputs):
        change = None
    told += f". {lifetime_cost(plan, after.total or 0.0, change)}"
    told += _loss(plan) if after.what == TRAIN == before.what else ""
    if plan.now is None:
        taught = " without a teacher" if after.what == DISTIL else ""
        told += f" No model can be trained for it{taught}{conflict(plan)}."
    return told


def _loss(plan: PlanDiff) -> str:
    """What became of the loss, without which a cost says little."""
    for one in plan.outputs:
        if one.name == "plan.loss" and one.factor is not None:
            word = "rises" if one.factor > 1 else "falls"
            return f" The loss {word} from {one.before:.4f} to {one.after:.4f}."
    return ""


def lifetime_cost(
    plan: PlanDiff, total: float, change: float | None, joint: str = ""
) -> str:
    """What became of the lifetime cost.

    Args:
        plan: whose unit it has.
        total: as it is now.
        change: as a part of what it was; None where that says nothing.
        joint: a word before it, with its space.
    """
    what = f"The {joint}{lifetime(plan.unit)}"
    much = amount(total, plan.unit)
    if any(one.name == "cost.unit" for one in plan.outputs):
        return f"{what} is {much}; before, another unit was counted."
    if change is None:
        return f"{what} is {much}."
    if alike(change + 1, 1.0):
        return f"{what} is {much}, as before."
    if change >= 1:
        return f"{what} rises to {significant(change + 1, 2)} × what it was, to {much}."
    word = "rises" if change > 0 else "falls"
    return f"{what} {word} by {percent(abs(change))}, to {much}."


def conflict(plan: PlanDiff) -> str:
    """Which bounds leave no plan now, where they are others than before."""
    if not plan.conflicts:
        return ""
    names = either([called(name) for name in plan.conflicts], "and")
    if len(plan.conflicts) == 1:
        return f": {names} leaves none"
    return f": {names} exclude each other"


def _one_model(one: Recommended, other: Recommended) -> bool:
    """Whether both are the same to do, at whatever cost."""
    if one.what != other.what:
        return False
    sizes = [each.size or (0.0, 0.0) for each in (one, other)]
    teachers = [each.teacher or (0.0, 0.0) for each in (one, other)]
    pairs = [*zip(*sizes, strict=True), *zip(*teachers, strict=True)]
    return all(alike(*pair) for pair in pairs)


def _do(one: Recommended) -> str:
    """What is recommended, as one says what to do."""
    if one.size is None:
        return f"do not train, {_serve(one)}"
    if one.teacher is None:
        return f"{TRAIN} {model(*one.size)}"
    return f"{DISTIL} {model(*one.size)} from a teacher of {model(*one.teacher)}"


def _serve(one: Recommended) -> str:
    return "buy" if one.what == "buy" else f"serve {way_called(one.what)}"


def _where(before: Recommended, after: Recommended) -> str:
    """What was recommended, beside what is."""
    if before.size is None:
        return f"where it was to {_serve(before)}"
    if before.what != after.what:
        return f"where it was to {_do(before)}"
    told = f"where it was {model(*before.size)}"
    if before.teacher is not None and before.teacher != after.teacher:
        told += f" from {model(*before.teacher)}"
    return told
