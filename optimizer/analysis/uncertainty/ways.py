"""Buying, or serving what exists, in every draw: how often training is the cheapest.

Each way is priced at the demand and the prices of each draw, and a model that exists
counts where its loss is no higher than that of the draw's plan. Its machines are whole,
as those of the plans of draws are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from optimizer.algebra.batch_value import Mask
from optimizer.algebra.posynomial import Array, Integers
from optimizer.analysis.plan.alternatives import bought
from optimizer.analysis.plan.answer import TOUCHING, Answer
from optimizer.analysis.plan.kept import alone, kept
from optimizer.analysis.uncertainty.machines import KEPT, Decided, priced
from optimizer.question.at_size import held_at
from optimizer.question.formulate import formulate
from optimizer.question.inputs import further_paths
from optimizer.question.sampling import left_open
from optimizer.question.scenario import Buy, Scenario
from optimizer.question.sizes import unfit
from optimizer.question.vary import Plan, parted
from optimizer.records import dataclass, replace
from optimizer.world.models import Exists, size_in

TRAIN = "train"


@dataclass(frozen=True)
class Way:
    """One way to serve the demand, training a model among them.

    Attributes:
        name: `train`, `buy`, or `existing` and its name.
        total: its lifetime cost for the expected numbers; None where it cannot.
        loss: under the law as published; None where it is not known.
        best: whether it is the cheapest for the expected numbers.
        cheapest: the part of the draws in which it is the cheapest, a model that
            exists where it is good enough, and buying as if it were.
    """

    name: str
    total: float | None
    loss: float | None
    best: bool
    cheapest: float


def ways(
    answer: Answer, drawing: Plan, results: Mapping[str, Array], valid: Mask
) -> tuple[Way, ...]:
    """Every way to serve, with the part of the draws in which it is the cheapest.

    Args:
        answer: for the expected numbers.
        drawing: the draws, of the scenario with all its lists.
        results: `cost_total` and `loss` of each draw's plan; NaN where there is none.
        valid: the draws that count.

    Returns:
        Training first; nothing where the scenario asks about no other way.
    """
    if not answer.others or not valid.any():
        return ()
    bills = [_or_infinite(results["cost_total"])]
    for other in answer.others:
        if other.name == "buy":
            bills.append(_buying(drawing))
        else:
            bills.append(keeping(drawing, _or_infinite(results["loss"])))
    each = np.array(bills)[:, valid]
    least = each.min(axis=0)
    won = (each == least) & np.isfinite(least)
    plan, cost = answer.plan, answer.cost
    train = (
        TRAIN,
        None if cost is None else cost.total,
        None if plan is None else plan.loss,
    )
    told = [train, *((other.name, other.total, other.loss) for other in answer.others)]
    return tuple(
        Way(name, total, loss, name == answer.cheapest, float(part))
        for (name, total, loss), part in zip(told, won.mean(axis=1), strict=True)
    )


def _or_infinite(numbers: Array) -> Array:
    return np.where(np.isnan(numbers), np.inf, numbers)


def _buying(drawing: Plan) -> Array:
    """What an API charges in each draw; ∞ where the limit on the bill rules it out."""
    spec = drawing.scenario.spec
    if spec.buy is None:
        return np.full(drawing.count, np.inf)
    bill = _each(drawing, partial(_bought, buy=spec.buy))
    most = spec.limits.total_cost
    return bill if most is None else np.where(bill > most, np.inf, bill)


def _bought(scenario: Scenario, buy: Buy) -> Any:
    return bought(formulate(scenario), buy)


def keeping(drawing: Plan, most: Array) -> Array:
    """What the model that exists costs by the best of the lists; ∞ where it is worse.

    Args:
        drawing: the draws.
        most: the loss of each draw's plan.
    """
    scenario = drawing.scenario
    known = scenario.existing
    if known is None:
        return np.full(drawing.count, np.inf)
    able = [one for one in scenario.singles if held_at(one, known.what, fix=None)]
    bills = [_serving(replace(drawing, scenario=one), known.what) for one in able]
    bill = np.min(bills, axis=0) if bills else np.full(drawing.count, np.inf)
    if (D := known.tokens) is None:
        return bill

    def loss(one: Scenario) -> Any:
        return formulate(one).published.loss(known.parameters, D)

    its = _each(
        replace(drawing, scenario=(able or scenario.singles)[0]), loss, law=True
    )
    return np.where(its > most * (1 + TOUCHING), np.inf, bill)


def _serving(drawing: Plan, what: Exists) -> Array:
    """What a model costs to serve in each draw; ∞ where it cannot be."""
    scenario = drawing.scenario
    if unfit(what, scenario):
        return np.full(drawing.count, np.inf)
    if left_open(scenario) is not None:
        return _each(drawing, lambda one: kept(one, what).total or np.inf)
    alike, of = _alike(drawing, law=False)
    held = replace(drawing, scenario=held_at(scenario, what, fix=None)[0])
    N = np.full(len(alike), size_in(what, scenario.law.counts))
    with np.errstate(all="ignore"):
        bill, over = priced(held, alike, Decided(), N, N, alone)
    return _or_infinite(np.where(over > KEPT, np.inf, bill))[of]


def _each(drawing: Plan, ask: Callable[[Scenario], Any], law: bool = False) -> Array:
    """A number of each draw, those that are alike asked once; ∞ where there is none.

    Args:
        drawing: of a scenario without lists.
        ask: for the number.
        law: whether it hangs on the law.
    """
    alike, of = _alike(drawing, law)
    found = np.full(len(alike), np.inf)
    with np.errstate(all="ignore"):
        for rows, told in parted(drawing, alike, ask):
            if not isinstance(told, str):
                found[rows] = np.asarray(told, dtype=float)
    return _or_infinite(found[of])


def _alike(drawing: Plan, law: bool) -> tuple[Array, Integers]:
    """Draws that differ in what counts, and of each draw which it is.

    Args:
        drawing: of a scenario without lists.
        law: whether the law counts.
    """
    columns = drawing.columns(0, drawing.count).copy()
    its = drawing.scenario.law
    published = further_paths(its)
    published |= {("law", symbol): value for symbol, value in its.coefficients.items()}
    for index, number in enumerate(drawing.numbers):
        if not law and number.path in published:
            columns[:, index] = published[number.path]
    alike, of = np.unique(columns, axis=0, return_inverse=True)
    return alike, of.reshape(-1)
