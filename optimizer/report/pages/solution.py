"""What `solve` found for one file: a plan, one a law, or those of a portfolio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from optimizer.analysis.plan.answer import Answer
from optimizer.records import dataclass
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


def solved_blocks(part: Solved) -> Iterator[Block]:
    """The page of one file; a plain plan does not wait for the others' imports."""
    if part.portfolio is not None:
        from optimizer.report.pages.portfolio import portfolio_blocks  # noqa: PLC0415

        yield from portfolio_blocks(part.portfolio)
    elif len(part.answers) > 1:
        from optimizer.report.pages.under_laws import laws_side_blocks  # noqa: PLC0415

        yield from laws_side_blocks(part.name, part.answers, part.snaps, part.left)
    else:
        from optimizer.report.pages.plan import answer_blocks  # noqa: PLC0415

        (answer,), (snapped,) = part.answers, part.snaps
        rounded: list[Block] = []
        if snapped is not None:
            from optimizer.report.pages.snap import snap_blocks  # noqa: PLC0415

            rounded = list(snap_blocks(answer, snapped))
        yield from answer_blocks(answer, rounded)
