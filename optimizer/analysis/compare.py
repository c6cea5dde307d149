"""Scenarios side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from optimizer.analysis.answer import Answer
from optimizer.analysis.optimum import solve
from optimizer.scenario import Scenario


@dataclass(frozen=True)
class Comparison:
    """The answers to several scenarios, in the order in which they were asked."""

    plans: tuple[Answer, ...]


def compare(scenarios: Iterable[Scenario]) -> Comparison:
    """Solves several scenarios; an infeasible one is a column that says why."""
    return Comparison(tuple(solve(scenario) for scenario in scenarios))
