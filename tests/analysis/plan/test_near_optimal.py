"""Ranges of size around a plan that stands in a corner of its limits."""

import numpy as np
import pytest

from optimizer.engine import solve as engine
from optimizer.world.laws import load_law

PLAIN = """\
law: hoffmann-2022-devries
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
# Walls of N, D and the cost, each tight enough to hold the plan.
WALLS = {
    "parameters": ("5B", lambda N, D: N / 5e9),
    "tokens": ("800B", lambda N, D: D / 800e9),
    "training_compute": ("5.1e22", lambda N, D: 6 * N * D / 5.1e22),
}


@pytest.mark.parametrize("word", WALLS)
def test_ends_in_a_corner_are_where_cost_or_wall_says(word, ask):
    """Against a fine grid along the loss surface."""
    text, used = WALLS[word]
    answer = ask(PLAIN, f"limits.{word}={text}")
    assert answer.limits[0].binding
    law = load_law("hoffmann-2022-devries").surface()
    sizes = np.geomspace(answer.plan.parameters / 3, answer.plan.parameters * 3, 200001)
    tokens = np.array([law.tokens_for(N, answer.target_loss - law.E) for N in sizes])
    costs = 6 * sizes * tokens + 2 * sizes * 2e12
    inside = np.isfinite(tokens) & (used(sizes, tokens) <= 1 + 1e-9)
    for near in answer.near_optimal:
        cheap = inside & (costs <= answer.cost.total * (1 + near.within))
        ends = sizes[cheap].min(), sizes[cheap].max()
        assert near.parameters == pytest.approx(ends, rel=3e-5)
        data = [law.tokens_for(N, answer.target_loss - law.E) for N in near.parameters]
        assert near.tokens == pytest.approx(data, rel=1e-8)


@pytest.mark.parametrize("word", WALLS)
def test_corner_needs_no_second_search(word, ask, monkeypatch):
    searches = []
    find = engine.own.find

    def counted(*arguments):
        searches.append(arguments)
        return find(*arguments)

    monkeypatch.setattr(engine.own, "find", counted)
    assert len(ask(PLAIN, f"limits.{word}={WALLS[word][0]}").near_optimal) == 2
    assert not searches
