"""The ends of near-optimal ranges in words, and what is warned of such a range."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from optimizer.analysis.plan.answer import Answer, NearOptimal
from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.near_optimal import WITHIN
from optimizer.analysis.plan.wording import either, figure, percent, safely

WIDE = 2.0


def near_ends(
    answer: Answer,
    near: NearOptimal,
    word: str,
    written: Callable[[float, str], str] = figure,
) -> tuple[str, str]:
    """Both ends of a range of sizes or tokens.

    In whole machines, whose cost has steps, they are rounded to what lies inside. An
    end that is the optimum reads as that does.

    Args:
        answer: whose range it is.
        near: the range.
        word: `parameters` or `tokens`.
        written: how a number is, that may be rounded to either side.
    """
    first, last = getattr(near, word)
    told = written(first, word), written(last, word)
    best = answer.plan if answer.fixed is None else answer.fixed.optimum
    if answer.relaxed is None or best is None:
        return told
    plan, rises = written(getattr(best, word), word), first <= last
    return (
        told[0] if told[0] == plan else safely(first, word, up=rises),
        told[1] if told[1] == plan else safely(last, word, up=not rises),
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
        least, most = (
            safely(end, "parameters", up) for end, up in ((low, True), (high, False))
        )
        told = f"every size from {least} to {most} is"
        if answer.relaxed is not None:  # the cost has steps
            least, most = near_ends(answer, near, "parameters")
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
