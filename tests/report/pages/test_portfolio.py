"""Portfolios and rounded plans on a page."""

from dataclasses import replace

import pytest

from optimizer.algebra.program import Certificate, Status
from optimizer.analysis.plan.answer import Fixed, LimitUsed
from optimizer.analysis.plan.infeasibility import Infeasibility, Relaxation
from optimizer.analysis.plan.snap import Size, Snap
from optimizer.analysis.portfolio.joint_plan import JointPlan
from optimizer.errors import Mark
from optimizer.report.formats.csv import write
from optimizer.report.formats.decisions import solved
from optimizer.report.formats.text import render
from optimizer.report.pages.portfolio import portfolio_blocks, portfolio_headline
from optimizer.report.pages.snap import snap_blocks, snap_sentence


@pytest.fixture
def portfolio(answer):
    extra = answer.cost.total * 0.01
    fixed = Fixed(answer.plan, extra, 0.0101, None)
    members = tuple(
        replace(answer, scenario=name, fixed=fixed) for name in ("edge", "server")
    )
    wall = LimitUsed(
        "shared.training_compute", 1e23, 1e23, "FLOP", True, -2e-3, -0.2, -0.3, 9
    )
    return JointPlan(
        "Line-up",
        "line.yaml",
        Status.OPTIMAL,
        members,
        2 * answer.cost.total,
        "FLOP",
        (wall, replace(wall, name="shared.tokens (edge)", binding=False)),
        Certificate(1e-16, 0.0, 1e-14, 1e12),
    )


WHY = Infeasibility(
    opening="no model meets the target (server) of 2.1000 nats and shared.tokens of "
    "200B together",
    conflict=("server: target", "shared.tokens"),
    relaxations=(
        Relaxation(
            "edge: limits.parameters", 3e9, None, Mark("f.yaml", 5), "parameters"
        ),
        Relaxation("server: target", 2.1, 2.15, Mark("f.yaml", 7, 3)),
        Relaxation("shared.tokens", 2e11, None, Mark("f.yaml", 9), "tokens"),
    ),
    nearest_loss=None,
    uniform=1.5,
    certificate=Certificate(1e-16, 0.0, 1e-14, 1e12),
    nearest_losses={"server": 2.149},
)


def page(portfolio):
    return " ".join(render(portfolio_blocks(portfolio), 100).split())


def test_the_sentence_says_what_to_train_and_what_sharing_costs(portfolio):
    assert portfolio_headline(portfolio) == (
        "Train edge with 6.97B on 1.25T and server with 6.97B on 1.25T: 1.60e23 FLOP "
        "in all. Sharing takes 1 % more than each on its own: shared.training_compute "
        "binds."
    )
    free = tuple(
        replace(m, fixed=replace(m.fixed, extra=0.0, fraction=0.0))
        for m in portfolio.members
    )
    told = portfolio_headline(replace(portfolio, members=free))
    assert told.endswith("What they share does not hold them back.")


def test_models_shared_limits_and_then_each_model(portfolio):
    text = page(portfolio)
    assert "edge 6.97B 1.25T 2.0453 4.54 8.01e22 FLOP +1.0 %" in text
    assert "shared.training_compute 1e23 FLOP 1.00e23 FLOP −0.200 %" in text
    assert "shared.tokens (edge) 1e23 FLOP 1.00e23 FLOP used up" in text
    assert "best possible cost of all together" in text
    assert text.count("× the Chinchilla-optimal tokens of its size") == 2
    assert "you fixed" not in text


def test_without_a_joint_plan_the_conflict_is_named(portfolio, infeasible):
    bare = {
        "status": Status.INFEASIBLE,
        "total": None,
        "shared": (),
        "certificate": None,
    }
    clash = replace(portfolio, **bare, conflict=WHY.conflict, infeasibility=WHY)
    assert portfolio_headline(clash) == f"There is no joint plan: {WHY.reason}."
    text = page(clash)
    assert "Plans above are for each model alone" in text
    assert "target (server) 2.1000 nats 2.1500 nats line 7 conflicts" in text
    assert "shared.tokens 200B no value alone line 9 conflicts" in text
    assert "limits.parameters (edge)" not in text  # it could not help
    assert "No other bound makes a plan by giving way alone." in text
    assert "each looser by a factor 1.5" in text
    assert "The lowest loss that the rest leaves server is 2.1490 nats." in text
    stuck = replace(
        portfolio,
        **bare,
        conflict=("Internal assistant",),
        infeasibility=WHY,
        members=(infeasible, portfolio.members[1]),
    )
    text = page(stuck)
    assert "There is no joint plan: Internal assistant has none alone; no model" in text
    assert "There is no plan: the target of 1.9000 nats cannot be reached." in text


def test_json_of_a_portfolio_without_a_plan(portfolio):
    bare = replace(portfolio, status=Status.INFEASIBLE, total=None, infeasibility=WHY)
    data = solved(bare.members, (None, None), (bare,))["portfolio"]
    assert data["cost"] is None
    assert data["infeasibility"]["relaxations"][1] == {
        **{"name": "server: target", "from": 2.1, "to": 2.15, "unit": "nats"},
        **{"line": 7, "source": "f.yaml:7:3"},
        **dict.fromkeys(("cost", "training_overhead", "sensible", "sensible_cost")),
        "within_runs": False,
    }
    assert data["infeasibility"]["nearest_loss"] == {"server": 2.149}
    assert data["infeasibility"]["certificate"]["gap"] == 1e-14
    assert (
        solved(portfolio.members, (None, None), (portfolio,))["portfolio"][
            "infeasibility"
        ]
        is None
    )


def test_json_of_a_portfolio(portfolio):
    data = solved(portfolio.members, (None, None), (portfolio,))
    assert [plan["scenario"] for plan in data["plans"]] == ["edge", "server"]
    assert data["portfolio"]["models"] == ["edge", "server"]
    assert data["portfolio"]["shared"][0]["shadow_price"] == -0.3
    assert data["portfolio"]["cost"]["unit"] == "FLOP"
    assert "portfolio" not in solved(portfolio.members, (None, None), ())


SIZES = (
    Size("1B", 1e9, None, None, None, False),
    Size("7B", 7e9, 1.24e12, 8.02e22, 0.001, True),
    Size("7.5B", 7.5e9, 1.1e12, 8.05e22, 0.005, True),
    Size("13B", 13e9, 5.7e11, 9.7e22, 0.21, False),
)


def test_the_sentence_on_sizes_that_exist(answer):
    assert snap_sentence(answer, Snap(SIZES, SIZES[1])) == (
        "Of the sizes that exist take 7B: 0.1 % above the optimum. 7.5B is within 1 % "
        "too: equal, by all we know."
    )
    exact = replace(SIZES[1], fraction=1e-14)
    told = snap_sentence(answer, Snap((exact,), exact))
    assert told == "Of the sizes that exist take 7B: no dearer than the optimum."
    shaped = replace(SIZES[1], name="wide", fraction=-0.14)
    assert snap_sentence(answer, Snap((shaped,), shaped)) == (
        "Of the sizes that exist take wide: 14 % below the optimum, with its own "
        "architecture in place of the scenario's."
    )
    alone = replace(shaped, fraction=None)
    assert "with that of the scenario there is none." in snap_sentence(
        answer, Snap((alone,), alone)
    )
    none = Snap(SIZES[:1], None)
    assert snap_sentence(answer, none) == "None of these sizes reaches the target."
    budget = replace(answer, question="budget")
    assert "reducible loss is 0.1 % above" in snap_sentence(
        budget, Snap(SIZES[:2], SIZES[1])
    )


def test_the_table_of_sizes(answer):
    text = " ".join(render(list(snap_blocks(answer, Snap(SIZES, SIZES[1])))).split())
    assert "1B 1.00B cannot" in text
    assert "7B 7.00B 1.24T 8.02e22 FLOP +0.10 % equal" in text
    assert "13B 13.0B 570B 9.70e22 FLOP +21 %" in text


def test_reasons_and_notes_stand_below_the_table(answer):
    small = [
        replace(SIZES[0], name=name, reason="cannot reach the target")
        for name in ("1B", "2B")
    ]
    wide = replace(SIZES[1], name="wide", fraction=-0.14)
    blocks = snap_blocks(answer, Snap((*small, wide), wide, ("It is so",)))
    text = " ".join(render(list(blocks)).split())
    assert "wide 7.00B 1.24T 8.02e22 FLOP −14 % equal" in text
    assert text.endswith("1B and 2B cannot reach the target. It is so.")


def test_json_and_csv_of_sizes(answer):
    snapped = Snap(SIZES, SIZES[1])
    (plan,) = solved([answer], [snapped], ())["plans"]
    assert plan["snap"]["best"]["name"] == "7B"
    assert plan["snap"]["sizes"][0]["tokens"] is None
    head, one, other = write([answer, answer], [snapped, Snap(SIZES[:1], None)]).split(
        "\n"
    )[:3]
    assert head.endswith("snap_name,snap_parameters,snap_tokens,snap_fraction")
    assert one.endswith("7B,7000000000.0,1240000000000.0,0.001")
    assert other.endswith(",,,")
    assert "snap" not in write([answer])
