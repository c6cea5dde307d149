"""Tokens served: as they are, and as the objective weighs them."""

from __future__ import annotations

from optimizer.analysis.plan.answer import DemandTotal
from optimizer.analysis.plan.practice import StreamTokens
from optimizer.question.asked import Question


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

    None where the objective has other terms than N·D, N and constants: with a price of
    data, attention in training, or batches to choose, no T makes 6·N·D + 2·N·T of it.
    None, too, where replicas stand: what they cost is a constant, and no token's.

    Source: 6·N·D + 2·N·T is proportional to c_train·N·D + c_serve·N exactly for it.
    """
    serving = [line for line in question.bill if line.group == "inference"]
    paid = [term for line in serving for term in line.terms.get(question.unit, ())]
    if any(not term.exponents and term.coefficient for term in paid):
        return None
    sums = {"DN": 0.0, "N": 0.0, "": 0.0}
    for term in question.cost:
        if term.coefficient == 0:
            continue
        powers = {name: power for name, power in term.exponents.items() if power != 0}
        key = "".join(sorted(powers))
        if key not in sums or any(power != 1 for power in powers.values()):
            return None
        sums[key] += term.coefficient
    return 3 * sums["N"] / sums["DN"] if sums["DN"] else None
