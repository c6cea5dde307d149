"""Rounding to sizes that exist, against solving each by hand."""

import pytest

from optimizer.analysis.snap import snap
from optimizer.load import read_scenario

TEXT = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
SIZES = [("1B", 1e9), ("3B", 3e9), ("7B", 7e9), ("13B", 13e9)]


def test_each_size_is_trained_until_it_is_as_good():
    scenario = read_scenario(TEXT)
    surface = scenario.law.surface()
    s = surface.reducible(surface.loss(13e9, surface.optimal_tokens(13e9)))
    rows = {size.name: size for size in snap(scenario, SIZES).sizes}
    assert rows["1B"].tokens is None
    assert rows["1B"].fraction is None
    assert not rows["1B"].equal
    for name, N in SIZES[1:]:
        D = (surface.B / (s - surface.A * N**-surface.alpha)) ** (1 / surface.beta)
        assert rows[name].tokens == pytest.approx(D, rel=1e-9)
        assert rows[name].total == pytest.approx(6 * N * D + 2 * N * 2e12, rel=1e-9)


def test_the_best_is_the_cheapest_of_them(ask):
    found = snap(read_scenario(TEXT), SIZES)
    costs = {s.name: s.total for s in found.sizes if s.total is not None}
    assert found.best.name == min(costs, key=costs.get)
    optimum = ask(TEXT).cost.total
    assert found.best.fraction == pytest.approx(costs["7B"] / optimum - 1, rel=1e-6)


def test_equal_means_within_a_hundredth(ask):
    plan = ask(TEXT).plan.parameters
    sizes = [(f"{k}", plan * k) for k in (0.5, 0.92, 1.0, 1.08, 2)]
    equal = {s.name: s.equal for s in snap(read_scenario(TEXT), sizes).sizes}
    assert equal == {"0.5": False, "0.92": True, "1.0": True, "1.08": True, "2": False}


def test_limits_rule_sizes_out_and_what_was_fixed_is_set_aside():
    limited = read_scenario(TEXT + "limits: {parameters: 5B}\nfix: {tokens: 9T}\n")
    found = snap(limited, SIZES)
    assert found.best.name == "3B"
    assert [s.name for s in found.sizes if s.tokens is not None] == ["3B"]
    nothing = snap(read_scenario(TEXT + "limits: {tokens: 100B}\n"), SIZES)
    assert nothing.best is None


def test_under_a_budget_sizes_are_judged_by_their_loss():
    text = "law: besiroglu-2024-refit\nbudget: {training_compute: 1e23}\n"
    scenario = read_scenario(text)
    surface = scenario.law.surface()
    found = snap(scenario, SIZES)
    losses = {n: surface.loss(N, 1e23 / (6 * N)) for n, N in SIZES}
    for size in found.sizes:
        assert size.total == pytest.approx(losses[size.name], rel=1e-9)
    assert found.best.name == min(losses, key=losses.get)


def test_every_choice_of_the_scenario_is_tried_with_each_size():
    """A choice that the optimum rejects may be the best for another size."""
    text = TEXT + (
        "objective: dollars\ntraining: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
        "serving: {hardware: [h100-sxm, l4], mfu: 0.3, price: $2/h}\n"
    )
    both = snap(read_scenario(text), SIZES)
    alone = [
        snap(read_scenario(text.replace("[h100-sxm, l4]", chip)), SIZES)
        for chip in ("h100-sxm", "l4")
    ]
    for index in range(1, len(SIZES)):
        least = min(found.sizes[index].total for found in alone)
        assert both.sizes[index].total == pytest.approx(least, rel=1e-9)
