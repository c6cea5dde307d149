"""Portfolios on machines in whole numbers, within what they share as it is paid."""

import itertools
from pathlib import Path

import pytest

from optimizer.algebra.program import Status
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.engine.certify import passes
from optimizer.question.portfolio_file import read_portfolio
from optimizer.reading.document import load_text
from optimizer.report.formats.text import render
from optimizer.report.pages.portfolio import portfolio_blocks, portfolio_headline

MACHINE = "model: roofline, hardware: h100-sxm, mfu: 50 %, mbu: 60 %, price: $2/h"
TEXT = """\
name: two machines
law: besiroglu-2024-refit
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 512}
serving: {MACHINE}
models:
  - name: small
    target: {match: {parameters: 8B}}
    demand: {requests: 3M/day, input_tokens: 9000, output_tokens: 1000,
      lifetime: 1 year}
  - name: big
    target: {match: {parameters: 33B}}
    demand: {requests: 300k/day, input_tokens: 9000, output_tokens: 1000,
      lifetime: 1 year}
shared: {training_cost: $300k}
""".replace("MACHINE", MACHINE)


def joint(*overrides, whole=False):
    return solve_portfolio(read(*overrides), whole)


def read(*overrides):
    return read_portfolio(load_text(TEXT, "two.yaml"), Path(), overrides)


def test_where_nothing_is_short_it_is_the_separate_plans_in_whole_numbers():
    found = joint(whole=True)
    alone = [solve(one) for one in read().members]
    assert found.total == pytest.approx(sum(a.cost.total for a in alone), rel=1e-9)
    for member, own in zip(found.members, alone, strict=True):
        assert member.plan.parameters == pytest.approx(own.plan.parameters, rel=1e-6)
        assert member.serving[0].batch == own.serving[0].batch
        assert member.serving[0].batch % 1 == 0
    assert found.relaxed < found.total
    assert passes(found.certificate)
    told = portfolio_headline(found)
    assert told.endswith("What they share does not hold them back.")


def test_no_pair_of_batches_is_cheaper():
    """Every pair around the plan, each batch given and the joint program solved."""
    found = joint("shared.training_cost=$240k")
    batches = [member.serving[0].batch for member in found.members]
    totals = {}
    for steps in itertools.product((-1, 0, 1), repeat=2):
        given = [b + step for b, step in zip(batches, steps, strict=True)]
        words = (
            f"models.{name}.serving={{{MACHINE}, batch: {b:.0f}}}"
            for name, b in zip(("small", "big"), given, strict=True)
            if b >= 1
        )
        tried = joint("shared.training_cost=$240k", *words)
        if tried.status is Status.OPTIMAL:
            totals[steps] = tried.total
    assert min(totals.values()) == pytest.approx(found.total, rel=1e-9)
    assert totals[0, 0] == pytest.approx(found.total, rel=1e-9)
    (wall,) = found.shared
    assert wall.value == pytest.approx(240e3, rel=1e-6)


def test_what_is_shared_is_kept_as_it_is_paid():
    """Between the joint cost in fractions and in whole numbers there is no plan."""
    free = joint()
    middle = (free.relaxed + free.total) / 2
    tight = joint(f"shared.total_cost=${middle:.0f}", whole=True)
    assert tight.status is Status.INFEASIBLE
    why = tight.infeasibility
    assert why.reason.startswith("in whole batches, replicas and samples no model")
    (way,) = (w for w in why.relaxations if "total_cost" in w.name)
    assert way.after >= free.total * (1 - 1e-3)
    # Without money there would be a plan, and with more for training there is none.
    (other,) = (w for w in why.relaxations if "training_cost" in w.name)
    assert other.after is None
    assert other.name not in why.conflict
    more = joint(f"shared.total_cost=${middle:.0f}", "shared.training_cost=$9M")
    assert more.status is Status.INFEASIBLE
    wide = joint(f"shared.total_cost=${1.001 * free.total:.0f}")
    used = next(w for w in wide.shared if w.name == "shared.total_cost")
    assert used.value == pytest.approx(wide.total, rel=1e-9)
    assert used.value <= used.bound


STANDING = (
    "serving={model: roofline, hardware: h100-sxm, mfu: 50 %, mbu: 60 %, "
    "price: $2/h, idle_paid: true, peak_to_mean: 3}"
)


def test_of_many_ways_to_stand_one_is_found_where_the_first_have_no_plan():
    """Of two models with six ways each it said "no joint plan", with nothing short."""
    told = ("models.small.target.match.parameters=7B", STANDING)
    free = joint(*told, "shared.training_cost=$9M")
    alone = [solve(one) for one in read(*told).members]
    assert free.status is Status.OPTIMAL
    assert free.total <= sum(each.cost.total for each in alone) * (1 + 1e-9)
    # Where the run must be cheap, both are larger and stand on more machines at once.
    takes = sum(each.training_optimal.cost.training for each in alone)
    tight = joint(*told, f"shared.training_cost=${1.05 * takes:.0f}")
    assert tight.status is Status.OPTIMAL
    (wall,) = tight.shared
    assert wall.value <= wall.bound
    assert tight.total > free.total


def test_the_proof_is_of_the_whole_numbers_that_were_chosen():
    page = " ".join(render(portfolio_blocks(joint(whole=True)), 100).split())
    assert "best possible cost of all together with these whole numbers" in page
    assert "which no plan goes below" in page


def test_of_what_models_share_each_has_its_part():
    """The rows of law.A were each model's own, under "What moves lifetime cost"."""
    text = TEXT.replace(MACHINE, "hardware: h100-sxm, mfu: 30 %, price: $2/h")

    def plan(law, whole=False):
        again = read_portfolio(load_text(text, "two.yaml"), Path(), law)
        return solve_portfolio(again, whole)

    found = plan(("law=besiroglu-2024-refit",), whole=True)
    for name, value in (("law.A", 477.82615), ("training.mfu", 0.4)):
        told = sum(
            move.elasticity
            for member in found.members
            for move in member.sensitivities
            if move.input == name
        )
        step = 1e-4
        up, down = (
            plan((f"{name}={value * (1 + sign * step)!r}",)).total for sign in (1, -1)
        )
        assert told == pytest.approx((up / down - 1) / (2 * step), rel=1e-2)
    page = " ".join(render(portfolio_blocks(found), 100).split())
    assert page.count("What moves the cost of all together") == 2
    assert page.count("it is this model's part: the whole is the sum") == 2
