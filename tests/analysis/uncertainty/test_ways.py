"""Buying and keeping in every draw, against each draw priced by itself."""

import math
from dataclasses import replace

import numpy as np
import pytest

from optimizer.analysis.plan.kept import kept
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.search import least_cost
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.analysis.uncertainty.ways import keeping
from optimizer.question.formulate import formulate
from optimizer.question.load import load_scenario
from optimizer.question.vary import member
from optimizer.question.vary import plan as varied
from optimizer.report.pages.uncertainty import uncertainty_data, uncertainty_headline

SPREAD = "demand.requests={low: 300k/day, expected: 1M/day, high: 5M/day}"
DRAWS = 40


def asked(root, *overrides):
    file = root / "scenarios/buy-or-build.yaml"
    return load_scenario(file, (SPREAD, *overrides))


def alone(scenario, draws):
    """The cheapest way of each draw, solved, kept and bought one by one."""
    drawing = varied(scenario, (), draws, 0)
    buy = scenario.spec.buy
    for row in range(draws):
        one = member(drawing, row)
        question = formulate(one)
        requests = one.spec.demand.requests.expected.amount * 365.25 * 2
        ways = {"train": least_cost([one])}
        if buy is not None:
            price = (1500 * buy.input + 300 * buy.output) / 1e6
            ways["buy"] = requests * price
            if ways["buy"] > (one.spec.limits.total_cost or math.inf):
                ways["buy"] = math.inf
        if (known := one.existing) is not None:
            loss = question.published.loss(known.parameters, known.tokens)
            good = loss <= question.target
            ways["kept"] = (kept(one, known.what).total if good else None) or math.inf
        best = min(ways, key=ways.get)
        yield best if ways[best] < math.inf else None


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("buy={input: $0.05/M, output: $0.2/M}",),
        # Of a loss that draws put on both sides of the target.
        ("existing={parameters: 9B, tokens: 450B}",),
        ("serving.price={low: $1/h, expected: $2/h, high: $4/h}",),
        ("limits.total_cost=$120k",),
    ],
)
def test_each_way_is_the_cheapest_in_as_many_draws_as_one_by_one(root, overrides):
    scenario = asked(root, *overrides)
    found = uncertainty(scenario, draws=DRAWS)
    names = [way.name.split()[0].replace("existing", "kept") for way in found.ways]
    won = list(alone(scenario, DRAWS))
    assert names == ["train", "buy", "kept"]
    for name, way in zip(names, found.ways, strict=True):
        assert way.cheapest == pytest.approx(won.count(name) / DRAWS, abs=1e-12)


def test_not_to_train_is_said_first_with_how_sure_that_is(root):
    """It said what the target takes, and not a word of what costs less."""
    scenario = asked(root)
    found = uncertainty(scenario, draws=200)
    answer = solve(scenario)
    told = uncertainty_headline(found)
    train, _, keep = found.ways
    assert keep.total == answer.others[1].total < train.total == answer.cost.total
    assert keep.best
    assert not train.best
    assert told.startswith(
        "For the expected numbers, do not train: llama-2-13b, which exists, costs "
        "$100k, and reaches the target; a new model costs $114k. Training is the "
        f"cheapest in {100 * train.cheapest:.0f} % of the draws, buying in 0 % and "
        f"llama-2-13b in {100 * keep.cheapest:.0f} %. If you train: with 90 % "
        "confidence "
    )
    assert uncertainty_data(found)["ways"][2] == {
        "name": "existing llama-2-13b",
        "total": keep.total,
        "loss": keep.loss,
        "best": True,
        "cheapest": keep.cheapest,
    }


def test_where_training_is_the_cheapest_nothing_else_leads(root):
    found = uncertainty(asked(root, "demand.requests=5M/day"), draws=50)
    told = uncertainty_headline(found)
    assert told.startswith("For the expected numbers a new model costs least, $")
    assert "If you train" not in told
    plain = uncertainty(asked(root).every(without), draws=50)
    assert plain.ways == ()
    assert uncertainty_headline(plain).startswith("With 90 % confidence")


def without(scenario):
    spec = scenario.spec.model_copy(update={"buy": None, "existing": None})
    return replace(scenario, spec=spec, existing=None)


@pytest.mark.parametrize("objective", ["dollars", "energy"])
def test_machines_are_whole_as_in_the_plans_of_draws(root, objective):
    """An existing model was kept by fractions of replicas beside plans with whole ones.

    It is as dear in each draw as `solve` has it there, and wins as often.
    """
    words = (
        *(SPREAD, "existing.model=llama-3-8b", f"objective={objective}"),
        "energy={pue: 1.2, power_fraction: 70 %}",
    )
    scenario = load_scenario(root / "scenarios/latency-bound-assistant.yaml", words)
    drawing = varied(replace(scenario.singles[0], variants=()), (), DRAWS, 0)
    what, costs = scenario.existing.what, []
    for row in range(DRAWS):
        each = [member(replace(drawing, scenario=s), row) for s in scenario.singles]
        totals = [kept(one, what).total for one in each]
        costs.append(min(total or math.inf for total in totals))
    drawing = replace(drawing, scenario=scenario)
    # The model is as good as any target here, and its loss does not count.
    assert keeping(drawing, np.full(DRAWS, np.inf)) == pytest.approx(costs, rel=1e-9)
    assert math.isfinite(min(costs))
    found = uncertainty(scenario, draws=DRAWS)
    assert sum(way.cheapest for way in found.ways) == pytest.approx(1)
