"""Where a new model wins if replicas are whole, against bills solved one by one."""

import math

import numpy as np
import pytest

from optimizer.analysis.plan.kept import kept, stairs
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.overtaking import Bill, Stairs, overtaken
from optimizer.analysis.plan.search import least_cost
from optimizer.question.load import load_scenario
from optimizer.report.pages.headline import headline
from optimizer.report.pages.other_ways import overtaken as told_beside

STANDING = "scenarios/latency-bound-assistant.yaml"
LLAMA = "existing.model=llama-3-8b"
REQUEST = 1750 * 730.5  # tokens of a request a day, over two years
# An API that is nearer to what a new model costs than a replica is.
API = "buy={input: $0.1/M, output: $0.4/M}"


@pytest.fixture(scope="module")
def asked(root):
    def ask(tokens, *overrides):
        rate = f"demand.requests={tokens / REQUEST!r}/day"
        return load_scenario(root / STANDING, (*overrides, rate))

    return ask


def gap(asked, tokens, way):
    """Of the bills in whole replicas: positive where the new model is the dearer."""
    scenario = asked(tokens, way)
    other = tokens / 1750 * (1500 * 0.1 + 250 * 0.4) / 1e6
    if way == LLAMA:
        other = kept(scenario, scenario.existing.what).total
    return least_cost(scenario.singles) / other - 1


@pytest.mark.parametrize(
    ("way", "demands"), [(LLAMA, (2.6e11, 1.2e12, 2.6e12)), (API, (1e12, 4.3e12))]
)
def test_what_is_told_does_not_hang_on_the_demand_and_holds_on_both_sides(
    asked, way, demands
):
    """It was one of many places where the two change: 392B, 1.18T, 1.6T or 1.96T."""
    found = [solve(asked(tokens, way)).others[0] for tokens in demands]
    first, last = found[0].cheaper_below, found[0].overtaken_at
    for other in found:
        assert other.overtaken_at == pytest.approx(last, rel=1e-9)
        assert other.cheaper_below == pytest.approx(first, rel=1e-9)
    assert first < last * 0.95
    for factor in (0.05, 0.3, 0.7, 0.999):
        assert gap(asked, first * factor, way) > 0
    for factor in (1.001, 1.05, 1.22, 1.6, 3.7, 30):
        assert gap(asked, last * factor, way) < 0
    between = [gap(asked, t, way) for t in np.geomspace(first, last, 14)[1:-1].tolist()]
    assert min(between) < 0 < max(between)


def test_both_ends_are_where_a_replica_begins(asked):
    """At 391.84B one replica of the 8B is full, and a second turns the order."""
    (other,) = solve(asked(1.5e12, LLAMA)).others
    assert other.cheaper_below == pytest.approx(391.84e9, rel=1e-5)
    for at in (other.cheaper_below, other.overtaken_at):
        assert gap(asked, at * (1 - 1e-4), LLAMA) > 0
        assert gap(asked, at * (1 + 1e-4), LLAMA) < 0


def test_the_words_tell_both_ends(asked):
    answer = solve(asked(1.55e12, LLAMA))
    assert (
        "one planned for more wins above 1.61T served tokens, none below 391B, and in "
        "between whole replicas decide."
    ) in headline(answer)
    # In three digits that hold: at 1.6T and at 391.9B they would not.
    for at, side in ((1.61e12, -1), (1.6e12, 1), (391e9, 1), (392e9, -1)):
        assert gap(asked, at * (1 + 1e-6), LLAMA) * side > 0
    (other,) = answer.others
    assert told_beside(other) == "above 1.61T (in part from 391B)"


def test_a_limit_on_the_bill_moves_neither_end(asked):
    """What is left out above it hangs on the demand that is asked about."""
    free = solve(asked(1.2e12, LLAMA)).others[0]
    for tokens in (1.2e12, 1.9e12):
        held = solve(asked(tokens, LLAMA, "limits.total_cost=$380k")).others[0]
        assert held.overtaken_at == pytest.approx(free.overtaken_at, rel=1e-9)
        assert held.cheaper_below == pytest.approx(free.cheaper_below, rel=1e-9)


def test_stairs_are_the_bills_of_what_exists_at_other_demands(asked):
    scenario = asked(2e12, LLAMA)
    others = stairs(scenario, scenario.existing.what)
    for factor in (0.01, 0.19, 0.21, 1.0, 1.7, 12.3):
        there = asked(2e12 * factor, LLAMA)
        total = kept(there, there.existing.what).total
        assert min(one.cost(factor) for one in others) == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_ends_hold_on_every_demand_of_random_stairs(seed):
    """A bill and stairs drawn at random, compared on a grid of demands."""
    rng = np.random.default_rng(seed)
    models = [
        (10 ** rng.uniform(0, 2), 10 ** rng.uniform(-0.5, 0.5), rng.uniform(0.5, 5))
        for _ in range(3)
    ]  # what training costs, a replica, and how many are needed
    bills = [
        lambda f, m=m: Bill(m[0] + m[1] * up(m[2] * f), up(m[2] * f)) for m in models
    ]
    other = Stairs(rng.choice([0.0, 0.3]), ((10 ** rng.uniform(-0.5, 0.7), 2.0),))
    found = overtaken(bills, [other], served=10 ** rng.uniform(0, 3))
    grid = np.geomspace(1e-3, 1e4, 40_000)
    new = np.array([min(bill(f).total for bill in bills) for f in grid])
    wins = new < [other.cost(f) for f in grid]
    slope = min(m[1] * m[2] for m in models)
    if found.first is None:
        assert not wins.any()
        return
    assert not wins[grid < found.first].any()
    assert wins[grid > found.first * (1 + 2e-3)].any()
    if slope < other.slope * 0.99:
        assert wins[grid > found.last].all()
    if found.last:
        assert not wins[grid < found.last * (1 + 1e-3)].all()


def up(need):
    return max(math.ceil(need * (1 - 1e-9)), 1)


def test_a_new_model_that_wins_by_nothing_but_replicas_wins_nowhere_for_good():
    """Its slope is the other's, and its replica larger: the order turns for ever."""
    new = lambda f: Bill(0.5 + 3 * up(f), up(f))  # noqa: E731
    other = Stairs(0.0, ((1.0, 3.0),))
    found = overtaken([new], [other], served=1.0)
    assert found.last is None
