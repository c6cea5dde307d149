"""Limits on training beside its budget, where the life chooses the loss."""

import math

import numpy as np
import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.wording import amount
from optimizer.question.load import read_scenario
from optimizer.report.formats.text import render
from optimizer.report.pages.headline import headline
from optimizer.report.pages.plan import answer_blocks
from optimizer.world.laws import load_law
from tests.analysis.plan.test_lifetime import STANDING

LAW = load_law("besiroglu-2024-refit").coefficients
E, A, B, ALPHA, BETA = (LAW[x] for x in ("E", "A", "B", "alpha", "beta"))
DEMAND = 4e12
DAYS = """
law: besiroglu-2024-refit
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %%, price: $2/h, accelerators: 128}
serving: {hardware: h100-sxm, mfu: 20 %%, price: $2/h}
demand: {tokens: 4T}
budget: {%s, best_for: lifetime}
"""
RATE = 989.4e12 * 0.4 * 3600 / 2  # FLOP of training a dollar; serving half of that


def loss(N, D):
    return E + A * N**-ALPHA + B * D**-BETA


def scanned(allowed, size=math.inf):
    """The lowest loss whose cheapest plan keeps a compute, by a fine scan of both.

    Loss by loss the cheapest plan is that of a grid of sizes, as it is without caps.
    """
    N = np.geomspace(1e9, min(2e11, size), 20_001)
    best = None
    for target in np.arange(2.1, 1.98, -1e-4):
        rest = target - E - A * N**-ALPHA
        D = (B / np.where(rest > 0, rest, np.nan)) ** (1 / BETA)
        if np.isnan(D).all():
            break
        at = np.nanargmin(6 * N * D + 2 * 2 * N * DEMAND)
        if 6 * N[at] * D[at] > allowed:
            break
        best = target, N[at]
    return best


@pytest.mark.parametrize(
    ("budget", "limits", "flop"),
    [
        ("training_cost: $300k", "training_time: 30 days", 30 * 24 * 128 * 2 * RATE),
        ("training_cost: $300k", "training_compute: 2e23", 2e23),
        ("training_time: 90 days", "training_cost: $100k", 1e5 * RATE),
        ("training_time: 30 days", "training_cost: $900k", 30 * 24 * 256 * RATE),
    ],
)
def test_limits_on_training_are_caps_as_its_budget_is(budget, limits, flop):
    """A budget of $300k and 30 days chose the lowest loss, at twice the cost."""
    text = DAYS % budget
    found = solve(read_scenario(text + f"limits: {{{limits}}}\n", "s.yaml", ()))
    target, N = scanned(flop)
    assert found.plan.loss == pytest.approx(target, abs=1.01e-4)
    assert found.plan.parameters == pytest.approx(N, rel=0.02)
    assert 6 * found.plan.parameters * found.plan.tokens <= flop * (1 + 1e-6)
    alone = DAYS % f"training_compute: {flop!r}"
    one = solve(read_scenario(alone, "s.yaml", ()))
    assert found.plan.parameters == pytest.approx(one.plan.parameters, rel=1e-5)
    assert found.plan.loss == pytest.approx(one.plan.loss, rel=1e-9)
    steps, at = found.capped.steps, found.capped.chosen
    assert at > 0
    for step, other in zip(steps, one.capped.steps, strict=True):
        assert step.total == pytest.approx(other.total, rel=1e-6)
        assert step.extra == pytest.approx(other.extra, abs=1e-6)
        assert step.used == pytest.approx(other.used, rel=1e-6)
    assert all(step.extra > 1e-4 for step in steps[:at])
    (cap,) = found.capped.caps
    used = {limit.name for limit in found.limits if limit.used_up}
    assert len(used) == 1
    said = headline(found)
    assert "is best spent on a loss of" in said
    assert (cap in said) == (used == {cap})
    if used == {cap}:
        assert f"It is the lowest loss at which {cap} still allows" in said
        assert f"though {cap} sets how low that is" in unwrapped(found)


def unwrapped(found):
    return " ".join(render(answer_blocks(found)).split())


def test_machines_that_stand_use_no_cap_to_the_last_digit():
    """Of $500k they used $494k, and the memory was said to let no more be used."""
    found = solve(read_scenario(STANDING, "s.yaml", ("limits.training_cost=$500k",)))
    (cap,) = found.capped.caps
    assert not any(limit.used_up for limit in found.limits)
    said = headline(found)
    assert "since limits.training_cost of $500k lets no more be used" in said
    assert f"It is the lowest loss at which {cap} still allows" in said
    assert f"though {cap} sets how low that is" in unwrapped(found)
    small = solve(read_scenario(STANDING, "s.yaml", ("limits.parameters=5B",)))
    assert "the lowest there is within limits.parameters of 5B:" in headline(small)


def test_a_size_that_every_loss_wants_to_pass_is_no_best_spent_budget():
    """The first sentence sold the lowest loss as what the life would choose."""
    text = DAYS % "training_time: 60 days"
    found = solve(read_scenario(text + "limits: {parameters: 5B}\n", "s.yaml", ()))
    flop = 60 * 24 * 128 * 2 * RATE
    # All of the budget on 5B is the lowest loss, and the scan finds none above it.
    lowest = loss(5e9, flop / 6 / 5e9)
    assert found.plan.loss == pytest.approx(lowest, rel=1e-8)
    target, N = scanned(flop, size=5e9)
    assert target == pytest.approx(lowest, abs=1.01e-4)
    assert abs(N / 5e9 - 1) < 1e-9
    assert found.capped.chosen == 0
    said = headline(found)
    assert "best spent" not in said
    assert "the lowest there is within limits.parameters of 5B" in said
    free = found.capped.unlimited
    N = np.geomspace(1e9, 2e11, 200_001)
    rest = found.plan.loss - E - A * N**-ALPHA
    D = (B / np.where(rest > 0, rest, np.nan)) ** (1 / BETA)
    cost = (6 * N * D + 2 * 2 * N * DEMAND) / RATE
    at = np.nanargmin(cost)
    assert free.total == pytest.approx(cost[at], rel=1e-6)
    assert free.parameters == pytest.approx(N[at], rel=1e-2)
    assert free.saved == pytest.approx(1 - cost[at] / found.cost.total, rel=1e-5)
    assert amount(free.parameters, "parameters") in said
    # A size that none wants to pass changes nothing.
    loose = solve(read_scenario(text + "limits: {parameters: 90B}\n", "s.yaml", ()))
    assert loose.capped.chosen > 0
    assert loose.capped.unlimited is None
    assert "is best spent on" in headline(loose)


def test_the_lowest_loss_is_told_beside_the_cap_that_the_cheapest_plan_breaks():
    """It takes more days than the limit has, and was told as dollars of the budget."""
    text = (DAYS % "training_cost: $300k").replace(", best_for: lifetime", "")
    found = solve(
        read_scenario(text + "limits: {training_time: 30 days}\n", "s.yaml", ())
    )
    best = found.same_loss
    assert best.saved > 0.1
    assert best.cap == "limits.training_time"
    seconds = 6 * best.parameters * best.tokens / (989.4e12 * 0.4 * 128)
    assert best.needs == pytest.approx(seconds, rel=1e-6)
    assert best.needs > 30 * 86400
    assert "where limits.training_time has 30 days" in headline(found)
