"""The sentences on a plan of the user's own, beside the optimum of its loss."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.answer import Answer, Fixed
from optimizer.analysis.plan.priced import Own
from optimizer.analysis.plan.wording import (
    amount,
    brimful,
    either,
    model,
    nearly,
    past,
)
from optimizer.report.formats.blocks import Block, Text
from optimizer.report.pages.stretch import stretch

SAME = 1e-6  # of the cost, below which a plan counts as the optimum


def own_sentences(answer: Answer, compared: str) -> Iterator[str]:
    """What the user's own plan costs, what it breaks and whom it would suit.

    Args:
        answer: any; nothing is said where it has no such plan.
        compared: how its cost stands to the optimum's; empty where there is none.
    """
    own = answer.own
    if own is None:
        return
    name = model(own.plan.parameters, own.plan.tokens)
    cost = amount(own.cost.total, own.cost.unit)
    served = answer.demand.tokens
    over = f" over {amount(served, 'tokens')} served tokens" if served else ""
    if own.fraction is None:
        yield f"Your plan, {name} tokens, takes {cost}{over}."
    elif own.misses:
        yield (
            f"Your plan, {name} tokens, takes {cost}{over}, but misses the target "
            f"with a loss of {own.plan.loss:.4f}: the plan that reaches it {compared} "
            "yours."
        )
    elif abs(own.fraction) < SAME:
        yield f"Your plan, {name} tokens, is the optimum: {cost}{over}."
    else:
        reached = f" of {answer.target_loss:.4f}" if answer.target_loss else ""
        yield (
            f"Your plan, {name} tokens, takes {cost}{over}: it {compared} the least "
            f"for the loss{reached}."
        )
    yield from _breaks(own)
    factor = past(own.overtraining, own.attention, own.left_out)
    yield from _suits(own, served, factor)
    if told := stretch(own.extrapolation, answer.law.name, "It"):
        yield told


def _breaks(own: Own) -> Iterator[str]:
    broken = [
        f"{wall.name} of {amount(wall.bound, wall.unit)} (it takes "
        f"{amount(wall.value, wall.unit)})"
        for wall in own.breaks
    ]
    if broken:
        yield f"It does not keep {either(broken, 'and')}."


def _suits(own: Own, served: float, factor: str) -> Iterator[str]:
    if not (own.implied_demand or 0.0) > 0:
        yield f"It has {factor}."
    if own.implied_demand is not None or not own.breaks:
        yield from suits(own, served, f"It has {factor}, which", "it")


def suits(decided: Own | Fixed, served: float, subject: str, it: str) -> Iterator[str]:
    """For what demand a decided model is right, or why for none that is known.

    Args:
        decided: by the user.
        served: tokens that are expected.
        subject: the model, with which the sentence begins.
        it: the model elsewhere in it.
    """
    demand = decided.implied_demand
    if demand is None:
        if decided.implied_reason:
            yield f"No demand is known to make {it} right: {decided.implied_reason}."
    elif demand > 0:
        expect = f"you expect {amount(served, 'tokens') if served else 'none'}"
        tokens, full = brimful(demand, decided.implied_replicas)
        yield (
            f"{subject} is right for {tokens} served "
            f"tokens{full}{nearly(decided.implied_within)}; {expect}."
        )
    elif demand == 0:
        yield f"{subject} is right where nothing is served."
    else:
        yield (
            f"No demand makes {it} right: even a model that serves nothing should be "
            "smaller and trained on more tokens."
        )


def own_choice(answer: Answer) -> Iterator[Block]:
    """With which of the lists' choices the user's own plan is cheapest."""
    if answer.own is not None and answer.own.choice != answer.choice:
        parts = [f"{word} {value}" for word, value in answer.own.choice.items()]
        yield Text(f"Yours is cheapest with {either(parts, 'and')}.")
