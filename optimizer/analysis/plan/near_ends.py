"""The ends of near-optimal ranges in words, and what is warned of such a range."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from optimizer.analysis.plan.answer import Answer, NearOptimal
from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.near_optimal import WITHIN
from optimizer.analysis.plan.wording import (
    amount,
    either,
    figure,
    percent,
    safely,
    unbounded,
)
from optimizer.reading.quantity import read

WIDE = 2.0


def near_ends(
    answer: Answer,
    near: NearOptimal,
    word: str,
    written: Callable[[float, str], str] = figure,
) -> tuple[str, str]:
    """Both ends of a range of sizes or tokens.

    Sizes are rounded to what lies inside; so are the tokens in whole machines, whose
    cost has steps. An end that is the optimum reads as that does.

    Args:
        answer: whose range it is.
        near: the range.
        word: `parameters` or `tokens`.
        written: how a number is, that may be rounded to either side.
    """
    first, last = getattr(near, word)
    told = written(first, word), written(last, word)
    best = answer.plan if answer.fixed is None else answer.fixed.optimum
    if best is None or (answer.relaxed is None and word != "parameters"):
        return told
    plan, rises = written(getattr(best, word), word), first <= last

    def inside(end: float, up: bool) -> str:
        return written(read(safely(end, word, up), unbounded(word)), word)

    return (
        told[0] if told[0] == plan else inside(first, rises),
        told[1] if told[1] == plan else inside(last, not rises),
    )


def wide(answer: Answer) -> Iterator[Warning]:
    """Says that sizes far apart are equal, as far as anybody knows."""
    best = "the least cost"
    if answer.question == "budget":
        best = "the lowest reducible loss"
    for near in answer.near_optimal:
        low, high = near.parameters
        if near.within != min(WITHIN) or high / low <= WIDE:
            continue
        least, most = near_ends(answer, near, "parameters", amount)
        told = f"every size from {least} to {most} is"
        if answer.relaxed is not None:  # the cost has steps
            told = f"both {least} and {most}, if not every size between, are"
        yield Warning(
            "wide-optimum",
            f"{told} within {percent(near.within)} of {best}: let other reasons choose "
            "among them",
        )


def unranged(near: Sequence[NearOptimal]) -> Iterator[Warning]:
    """Says which ranges could not be certified, of those that were sought."""
    left = sorted(set(WITHIN) - {one.within for one in near})
    if left:
        yield Warning(
            "range-unknown",
            f"the sizes within {either([percent(one) for one in left], 'and')} of the "
            "optimum could not be certified, and are left out",
        )
