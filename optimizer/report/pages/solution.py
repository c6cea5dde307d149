"""What `solve` found for one file: a plan, one a law, or those of a portfolio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from optimizer.analysis.plan.answer import Answer
from optimizer.records import dataclass, field
from optimizer.report.formats.blocks import Block

if TYPE_CHECKING:
    from optimizer.analysis.plan.snap import Snap
    from optimizer.analysis.portfolio.joint_plan import JointPlan


@dataclass(frozen=True)
class Solved:
    """One file of `solve`, answered.

    Attributes:
        name: of the scenario or the portfolio.
        answers: one; one a law; or one a model of a portfolio.
        snaps: the rounding of each to sizes that exist, where it was asked for.
        portfolio: the portfolio; None for a scenario.
        left: laws that `--law all` leaves out, with the reasons.
    """

    name: str
    answers: tuple[Answer, ...]
    snaps: tuple[Snap | None, ...]
    portfolio: JointPlan | None = None
    left: Mapping[str, str] = field(default_factory=dict)


def solved_blocks(part: Solved, full: bool = True) -> Iterator[Block]:
    """The page of one file; a plain plan does not wait for the others' imports.

    Args:
        part: the file, answered.
        full: everything, or what fits on a screen.
    """
    if part.portfolio is not None:
        from optimizer.report.pages.portfolio import portfolio_blocks  # noqa: PLC0415

        yield from portfolio_blocks(part.portfolio, full)
    elif len(part.answers) > 1:
        from optimizer.report.pages.under_laws import laws_side_blocks  # noqa: PLC0415

        yield from laws_side_blocks(part.name, part.answers, part.snaps, part.left)
    else:
        (answer,), (snapped,) = part.answers, part.snaps
        rounded: list[Block] = []
        if snapped is not None:
            from optimizer.report.pages.snap import snap_blocks  # noqa: PLC0415

            rounded = list(snap_blocks(answer, snapped))
        if full:
            from optimizer.report.pages.plan import answer_blocks  # noqa: PLC0415

            yield from answer_blocks(answer, rounded)
        else:
            from optimizer.report.pages.short import short_blocks  # noqa: PLC0415

            yield from short_blocks(answer, rounded)


def brief(parts: Sequence[Solved]) -> list[Block]:
    """One line an answer, of all files."""
    from optimizer.report.pages.brief import brief_blocks  # noqa: PLC0415

    rows: list[tuple[str, Answer]] = []
    for part in parts:
        for answer in part.answers:
            name = answer.scenario
            if part.portfolio is not None:
                name = f"{part.name}: {name}"
            elif len(part.answers) > 1:
                law = answer.law.name
                name = law if len(parts) == 1 else f"{part.name}, {law}"
            rows.append((name, answer))
    return brief_blocks(rows)
