"""The sizes that cost, or lose, hardly more than the optimum: in lines, in a table."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.answer import Answer, NearOptimal
from optimizer.analysis.plan.near_ends import near_ends
from optimizer.analysis.plan.wording import lifetime, percent, ratio
from optimizer.report.formats.blocks import Block, Heading, Table, Text, named


def near_short(answer: Answer) -> Iterator[Block]:
    """The sizes that cost, or lose, hardly more, in a line or two."""
    told = []
    for near in answer.near_optimal:
        low, high = (f"{size} on {tokens}" for size, tokens in _pairs(answer, near))
        told.append((percent(near.within), f"{low} to {high}"))
    if told:
        budget = answer.question == "budget"
        what = "least reducible loss" if budget else "least cost"
        what += "" if answer.fixed is None else " with nothing fixed"
        what += "" if answer.relaxed is None else " at both ends"
        (first, most), *wider = told
        rest = "".join(f"; within {part}, {sizes}" for part, sizes in wider)
        words = f"within {first} of the {what}, {most}{rest}.{held_ends(answer)}"
        yield Text(words, label="Near-optimal sizes")


def near_table(answer: Answer) -> Iterator[Block]:
    """The sizes that cost, or lose, hardly more than the optimum."""
    if not answer.near_optimal:
        return
    rows = tuple(
        (
            percent(near.within),
            *(
                f"{one} to {other}"
                for one, other in (
                    *zip(*_pairs(answer, near), strict=True),
                    tuple(ratio(v) for v in near.tokens_per_parameter),
                )
            ),
        )
        for near in answer.near_optimal
    )
    yield Heading("Near-optimal sizes")
    yield Table(
        named("parameters", "tokens", "tokens per parameter"),
        tuple((f"within {row[0]}", *row[1:]) for row in rows),
    )


def near_words(answer: Answer) -> Iterator[Block]:
    """What the sizes of the table have in common, and which limits cut them off."""
    if not answer.near_optimal:
        return
    what = "has at most that much more reducible loss"
    if answer.question != "budget" and answer.cost is not None:
        what = f"takes at most that much more {lifetime(answer.cost.unit)}"
    free = "" if answer.fixed is None else " with nothing fixed"
    whose = "of any size between"
    if answer.relaxed is not None:
        # The cost has steps: a size just too large for a batch takes the next one.
        whose = "of both ends"
    yield Text(
        f"The best plan {whose} {what} than the optimum{free}.{held_ends(answer)}"
    )
    if answer.alternatives and answer.fixed is not None:
        yield Text("All have the same choices: others may suit more sizes.")


def _pairs(answer: Answer, near: NearOptimal) -> list[tuple[str, str]]:
    """The size and the tokens of both ends."""
    sizes, tokens = (near_ends(answer, near, w) for w in ("parameters", "tokens"))
    return list(zip(sizes, tokens, strict=True))


def held_ends(answer: Answer) -> str:
    """Which limits end the near-optimal ranges before the cost does, after a space."""
    told = []
    for side, where in enumerate(("below", "above")):
        held: dict[str, list[str]] = {}
        for near in answer.near_optimal:
            if (name := near.held_by[side]) is not None:
                held.setdefault(name, []).append(percent(near.within))
        for name, those in held.items():
            some = ""
            if len(those) < len(answer.near_optimal):
                some = f" within {those[0]}"
            told.append(f"{where}{some} by {name}")
    return f" Cut by a limit: {'; '.join(told)}." if told else ""
