"""Tokens served: as they are, as the objective weighs them, and as a plan implies."""

from __future__ import annotations

import math
from collections.abc import Mapping

from optimizer.analysis.plan.answer import DemandTotal, StreamTokens
from optimizer.analysis.plan.bills import bill
from optimizer.question.asked import Question
from optimizer.world.costs import value

SHIFT = 1e-5  # of ln N, for a derivative: exact to ten digits


def demand_total(question: Question) -> DemandTotal:
    """Lifetime tokens of all streams, and of each."""
    lines = [line for line in question.bill if line.served is not None]
    streams = tuple(
        StreamTokens(
            name=line.name,
            tokens=line.served.tokens,
            input_tokens=line.served.input_tokens,
            output_tokens=line.served.output_tokens,
            cost_share=line.share,
        )
        for line in lines
        if line.served is not None
    )
    return DemandTotal(
        tokens=sum(stream.tokens for stream in streams),
        counted_tokens=sum(stream.tokens * stream.cost_share for stream in streams),
        effective_tokens=effective_tokens(question),
        streams=streams,
    )


def effective_tokens(question: Question) -> float | None:
    """T_eff = 3 · (what serving costs a parameter) / (what training costs N·D).

    Source: 6·N·D + 2·N·T is proportional to c_train·N·D + c_serve·N exactly for it.
    """
    unit = question.unit
    training = sum(
        t.coefficient
        for t in question.bill[0].terms.get(unit, ())
        if t.exponents == {"N": 1.0, "D": 1.0}
    )
    serving = sum(
        t.coefficient * line.share
        for line in question.bill
        if line.group == "inference"
        for t in line.terms.get(unit, ())
        if t.exponents == {"N": 1.0}
    )
    return 3 * serving / training if training else None


def implied_demand(question: Question, point: Mapping[str, float]) -> float | None:
    """The served tokens for which a point is lifetime-optimal; None if none are.

    At an optimum without limits (∂C/∂ln N)/(∂C/∂ln D) = w, and only the served
    tokens are free: T = (w·∂C/∂ln D − ∂C_rest/∂ln N) / (∂C/∂ln N of one token). In
    FLOPs that is 3·D·(w − 1).

    Returns:
        Served tokens of the scenario's mix of streams, or of a plain stream where it
        serves nothing; negative where the model is undertrained even for no demand.
    """
    w = question.weight(point)
    if w is None or not math.isfinite(w):
        return None
    training = question.bill[0].terms.get(question.unit, ())
    other = [
        t
        for line in question.bill
        if line.group == "other"
        for t in line.terms.get(question.unit, ())
    ]
    slope = {
        name: sum(
            t.exponents.get(name, 0.0) * value(t, point) for t in (*training, *other)
        )
        for name in ("N", "D")
    }
    unit, flop = (
        sum(t.coefficient for t in terms if t.exponents == {"N": 1.0, "D": 1.0})
        for terms in (training, question.bill[0].terms["FLOP"])
    )
    gain = w * slope["D"] - slope["N"]
    worth = gain / (point["N"] * unit)
    demand = demand_total(question)
    if not demand.effective_tokens:
        return worth * flop / 2  # a plain stream, for which no work is done again
    if question.replicas:
        return gain * demand.tokens / _serving_slope(question, point)
    return worth * 3 * demand.tokens / demand.effective_tokens


def _serving_slope(question: Question, point: Mapping[str, float]) -> float:
    """d(serving cost)/d ln N where the machines are set anew for each size.

    A central difference: the best batch for a size is known in closed form only
    between the bounds that hold it.
    """

    def cost(step: float) -> float:
        size = {"N": point["N"] * math.exp(step), "D": point["D"]}
        return bill(question, question.complete(size)).inference

    return (cost(SHIFT) - cost(-SHIFT)) / (2 * SHIFT)
