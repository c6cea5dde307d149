"""What moves an answer: every input, by how much a change of it moves the optimum."""

from __future__ import annotations

import math
from collections.abc import Iterator

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.sensitivity import Sensitivity
from optimizer.analysis.plan.wording import amount, either, lifetime
from optimizer.errors import Mark
from optimizer.reading.quantity import (
    CARBON,
    DURATION,
    FRACTION,
    MONEY,
    PARAMETERS,
    PRICE_HOUR,
    PRICE_TOKENS,
    RATE,
    REQUESTS,
    TOKENS,
    significant,
    write,
)
from optimizer.report.formats.blocks import Block, Column, Heading, Table, Text
from optimizer.report.pages.budget import sets_loss

KINDS = {
    "parameters": PARAMETERS,
    **dict.fromkeys(("tokens", "input_tokens", "output_tokens"), TOKENS),
    **dict.fromkeys(("unique_tokens", "rollout_tokens"), TOKENS),
    "trained_on": FRACTION,
    "mbu": FRACTION,
    "requests": REQUESTS,
    **dict.fromkeys(("lifetime", "start"), DURATION),
    **dict.fromkeys(("growth", "discount_rate", "price_decline"), RATE),
    **dict.fromkeys(("cost_share", "mfu", "prefill", "decode", "restart"), FRACTION),
    "power_fraction": FRACTION,
    "price": PRICE_HOUR,
    "data.price": PRICE_TOKENS,
    "fixed": MONEY,
    "grid": CARBON,
}
STEEP = 10.0  # an elasticity beyond which a whole per cent is no slope any more
NEGLIGIBLE = 5e-4  # an elasticity that three decimals of a percent cannot show
NONE = 1e-9  # and one that is rounding


def moves(answer: Answer, joint: bool = False) -> Iterator[Block]:
    """Every input by how much a change of it moves the optimum.

    Args:
        answer: any; nothing is said where it has no sensitivities.
        joint: whether they are of the cost of a portfolio, of which this is a model.
    """
    if not answer.sensitivities:
        return
    ranked = sorted(answer.sensitivities, key=_size, reverse=True)
    shown = [move for move in ranked if _size(move) >= NEGLIGIBLE]
    idle = [move for move in ranked if _size(move) < NEGLIGIBLE]
    yield Heading(f"What moves {_what(answer, joint)}")
    rows = tuple(
        (
            f"+{significant(_step(_slope(move)))} % {move.input}",
            _change(move),
            _value(answer, move),
            _from(move),
        )
        for move in shown
    )
    titles = (Column("slope per", "left"), Column(""), Column("now"))
    columns = (*titles, Column("from", "left"))
    yield Table(columns, rows)
    if joint:
        yield Text(
            "Of what models share, such as the law, it is this model's part: the whole "
            "is the sum over the models."
        )
    if any(_slope(move) >= STEEP for move in shown):
        yield Text(
            "Steep slopes are told per smaller step. They are those at the plan: "
            "costs are curved, and near the edge of what can be reached a step moves "
            "far less than its slope says."
        )
    for told, some in (
        ("Less than 0.0005 %", [move for move in idle if _size(move) > NONE]),
        (_idle(answer), [move for move in idle if _size(move) <= NONE]),
    ):
        if some:
            names = either([move.input for move in some], "and")
            yield Text(f"{told}: {names}.")


def _what(answer: Answer, joint: bool) -> str:
    """What is moved."""
    if joint:
        return "the cost of all together"
    what = "the reducible loss"
    if answer.question != "budget" and answer.cost is not None:
        what = lifetime(answer.cost.unit)
        what += " at this loss" if answer.question == "lifetime" else ""
    return what if answer.own is None else f"{what} of the optimum"


def _idle(answer: Answer) -> str:
    """What is said of inputs that move nothing."""
    if answer.question != "lifetime":
        return "No effect"
    return f"No effect at this loss, though {sets_loss(answer)} sets how low that is"


def _from(move: Sensitivity) -> str:
    """Where a number stands."""
    if told := place(Mark(move.source, move.line or 0)):
        return told
    return "law" if move.input.startswith("law.") else "chosen"


def place(mark: Mark) -> str:
    """Where a word stands; the whole of a `--set` would be as long as the row."""
    if mark.line:
        return f"line {mark.line}"
    return "--set" if mark.file.startswith("--set") else ""


def _slope(move: Sensitivity) -> float:
    """The greatest of the slopes of an input, whatever its sign."""
    sides = (move.elasticity, move.left, move.right)
    return max((abs(side) for side in sides if side is not None), default=0.0)


def _size(move: Sensitivity) -> float:
    if move.value != 0 and move.elasticity is None and move.right is None:
        return 1e9  # a step to that side leaves no plan: nothing moves more
    return _slope(move)


def _step(slope: float) -> float:
    """The per cent of an input for which a slope is told: such that it still holds."""
    return 1.0 if slope < STEEP else 10.0 ** -math.floor(math.log10(slope))


def _change(move: Sensitivity) -> str:
    step = _step(_slope(move))
    if move.elasticity is not None:
        return signed(step * move.elasticity)
    up = "no plan" if move.right is None else signed(step * move.right)
    down = "no plan" if move.left is None else signed(-step * move.left)
    return f"{up} (−{significant(step)} %: {down})"


def stepped(elasticity: float) -> str:
    """What +1 % of something does, or a smaller step where that is told: its size."""
    step = _step(abs(elasticity))
    told = signed(step * elasticity)
    return told if step == 1 else f"{told} at +{significant(step)} %"


def signed(percent: float) -> str:
    """`+0.35 %`, with a minus as wide as the plus."""
    sign = "+" if percent >= 0 else "−"
    return f"{sign}{significant(abs(percent), keep=True)} %"


def _value(answer: Answer, move: Sensitivity) -> str:
    for limit in answer.limits:
        if limit.name == move.input:
            return amount(limit.bound, limit.unit)
    return input_value(move.input, move.value)


def input_value(name: str, value: float) -> str:
    """An input of a scenario or a law with its unit, where its name tells that."""
    name = name.removesuffix(".expected")
    kind = KINDS.get(name) or KINDS.get(name.rpartition(".")[2])
    return significant(value, 6) if kind is None else write(value, kind)
