"""The JSON of decisions: comparisons, audits, portfolios and rounded plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from optimizer.analysis.plan.answer import Answer
from optimizer.report.formats.data import infeasibility, plain, plan

if TYPE_CHECKING:
    from optimizer.analysis.audit import Audit
    from optimizer.analysis.comparison.compare import Comparison
    from optimizer.analysis.comparison.safe_plan import RobustPlan
    from optimizer.analysis.plan.snap import Snap
    from optimizer.analysis.portfolio.joint_plan import JointPlan


def solved(
    answers: Sequence[Answer],
    snaps: Sequence[Snap | None],
    portfolios: Sequence[JointPlan],
) -> dict[str, Any]:
    """What `solve` answers.

    Args:
        answers: every plan, those of a portfolio's models among them.
        snaps: the rounding of each plan, where it was asked for.
        portfolios: the portfolio, if one was given.
    """
    content: dict[str, Any] = {
        "plans": [
            plan(answer, snapped)
            for answer, snapped in zip(answers, snaps, strict=True)
        ]
    }
    for portfolio in portfolios:
        content["portfolio"] = _portfolio(portfolio)
    return content


def _portfolio(portfolio: JointPlan) -> dict[str, Any]:
    return {
        "name": portfolio.name,
        "file": portfolio.file,
        "status": portfolio.status.value,
        "models": [answer.scenario for answer in portfolio.members],
        "cost": None
        if portfolio.total is None
        else {"unit": portfolio.unit, "total": portfolio.total},
        "shared": plain(portfolio.shared),
        "certificate": plain(portfolio.certificate),
        "relaxed": portfolio.relaxed,
        "conflict": plain(portfolio.conflict),
        "infeasibility": plain(
            infeasibility(portfolio.infeasibility, portfolio.loss_unit)
        ),
    }


def compared(comparison: Comparison) -> dict[str, Any]:
    """What `compare` answers: the plans, and what they are to each other."""
    regret, robust = comparison.regret, comparison.robust
    names = [answer.scenario for answer in comparison.plans]
    content: dict[str, Any] = {"plans": [plan(a) for a in comparison.plans]}
    content["differences"] = [
        {"scenario": name, "changes": plain(rows)}
        for name, rows in zip(names[1:], comparison.differences, strict=False)
    ]
    content["regret"] = plain(regret)
    content["students"] = plain(comparison.students)
    content["minimax"] = content["expected"] = content["cvar"] = None
    content["reason"] = None
    content["unlike"] = list(comparison.unlike)
    content["notes"] = list(comparison.notes)
    if robust is not None:
        content["minimax"] = _robust(robust.minimax, "regret")
        content["expected"] = _robust(robust.expected, "cost")
        content["cvar"] = _robust(robust.cvar, "cost", tail=robust.tail)
        content["reason"] = robust.reason or None
    content["forms"] = plain(comparison.forms)
    content["shares"] = [
        {"scenario": name, "thresholds": plain(rows)}
        for name, rows in zip(names, comparison.shares, strict=False)
    ]
    return content


def _robust(
    best: RobustPlan | None, word: str, **rest: float
) -> Mapping[str, Any] | None:
    if best is None:
        return None
    found: dict[str, Any] = {
        "parameters": best.parameters,
        "tokens": best.tokens,
        word: best.value,
    }
    if word == "cost":
        found["unit"] = best.unit
    return {**found, **rest, "certificate": plain(best.certificate)}


def audited(audits: Sequence[Audit]) -> dict[str, Any]:
    """What `audit` answers."""
    return {"audits": plain(tuple(audits))}
