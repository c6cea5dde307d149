"""Plans for several futures of a mixture under measured serving, beside a scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from optimizer.analysis.comparison.regret import cost_of, missing
from optimizer.analysis.comparison.safe_plan import robust
from optimizer.analysis.plan.optimum import solve
from optimizer.question.formulate import formulate
from optimizer.question.load import load_scenario

MOE = Path(__file__).parents[3] / "scenarios" / "moe-api.yaml"
SETS = ["limits.parameters=1B", "experts=32", "serving.accelerators=1"]
PARTS = (0.3, 0.4, 0.3)


def test_safe_plans_are_the_best_of_a_scan_over_sizes():
    """Each size with its best batch and the experts that this reads in truth."""
    futures = [
        load_scenario(MOE, [*SETS, f"demand.requests={many}/day"])
        for many in ("1M", "5M", "20M")
    ]
    answers = [solve(future) for future in futures]
    found = robust(futures, answers, PARTS)
    optima = np.array([answer.relaxed.total for answer in answers])
    questions = [formulate(future) for future in futures]
    surface, s = questions[0].surface, questions[0].reducible
    regrets, means = [], []
    for N in np.geomspace(3e8, 1e9, 800):
        left = s - surface.A * N**-surface.alpha
        if left <= 0:
            continue
        size = {"N": N, "D": (surface.B / left) ** (1 / surface.beta)}
        points = [question.complete(size) for question in questions]
        pairs = list(zip(questions, points, strict=True))
        if any(missing(question, point) for question, point in pairs):
            continue
        costs = np.array([cost_of(question, point) for question, point in pairs])
        regrets.append(max(costs / optima))
        means.append(costs @ PARTS)
    assert found.minimax.value == pytest.approx(min(regrets), rel=5e-4)
    assert found.minimax.value <= min(regrets) * (1 + 1e-9)
    assert found.expected.value == pytest.approx(min(means), rel=1e-5)
    assert found.expected.value <= min(means) * (1 + 1e-9)
