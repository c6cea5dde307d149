"""Plans for many scenarios rest on the few that decide, and are those for all."""

import numpy as np
import pytest

from optimizer import read_scenario, solve
from optimizer.analysis.comparison import safe_plan


@pytest.fixture(scope="module")
def futures():
    """Thirty futures of one model: demand, target and limits drawn apart."""
    draw = np.random.default_rng(7)
    found = []
    for index in range(30):
        demand, parameters = 10 ** draw.uniform(10, 14), 10 ** draw.uniform(9.5, 10.2)
        text = (
            f"name: future {index}\nlaw: besiroglu-2024-refit\n"
            f"target: {{match: {{parameters: {parameters}}}}}\n"
            f"demand: {{tokens: {demand}}}\n"
        )
        if index % 7 == 0:
            text += f"limits: {{tokens: {10 ** draw.uniform(12.8, 13.5)}}}\n"
        found.append(read_scenario(text, f"{index}.yaml"))
    return found, [solve(one) for one in found]


def test_a_few_decide_for_all(futures, monkeypatch):
    """The same plans as from one program that holds all thirty at once."""
    weights = [1 / 30] * 30
    few = safe_plan.robust(*futures, weights)
    monkeypatch.setattr(safe_plan, "TOGETHER", 100)
    whole = safe_plan.robust(*futures, weights)
    for word in ("minimax", "expected", "cvar"):
        one, other = getattr(few, word), getattr(whole, word)
        assert one.value == pytest.approx(other.value, rel=1e-8)
        assert one.parameters == pytest.approx(other.parameters, rel=1e-3)


def test_a_scenario_that_nothing_suits_is_found_late(futures):
    """Its limit excludes the others' targets, and it comes last."""
    scenarios, answers = futures
    odd = read_scenario(
        "name: odd\nlaw: besiroglu-2024-refit\ntarget: {loss: 3}\n"
        "demand: {tokens: 1T}\nlimits: {parameters: 500M}\n",
        "odd.yaml",
    )
    told = safe_plan.robust([*scenarios, odd], [*answers, solve(odd)])
    assert told.minimax is None
    assert "no plan meets all targets and limits together" in told.reason
