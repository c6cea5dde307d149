"""Several models that share: against separate solves, differences, and mistakes."""

from pathlib import Path

import pytest

from optimizer.algebra.program import Status
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.question.portfolio_file import (
    is_portfolio,
    load_portfolio,
    read_portfolio,
)
from optimizer.reading.document import load_text

LAW = "law: besiroglu-2024-refit\n"
MODELS = """\
models:
  - name: edge
    target: {match: {parameters: 3B}}
    demand: {tokens: 20T}
    limits: {parameters: 3B}
  - name: server
    target: {match: {parameters: 13B}}
    demand: {tokens: 5T}
"""
DOLLARS = """\
objective: dollars
training: {hardware: h100-sxm, mfu: 0.4, price: $2/h, accelerators: 512}
serving: {hardware: h100-sxm, mfu: 0.2, price: $2/h}
"""


def portfolio(text, *overrides):
    return read_portfolio(load_text(text, "family.yaml"), Path(), overrides)


def family(text, *overrides):
    return solve_portfolio(portfolio(text, *overrides))


def test_without_shared_limits_it_is_the_separate_solves():
    joint = family(LAW + MODELS)
    found = portfolio(LAW + MODELS)
    assert passes(joint.certificate)
    for member, scenario in zip(joint.members, found.members, strict=True):
        alone = solve(scenario)
        assert member.plan.parameters == pytest.approx(alone.plan.parameters, rel=1e-7)
        assert member.plan.tokens == pytest.approx(alone.plan.tokens, rel=1e-7)
        assert member.fixed.fraction == pytest.approx(0, abs=1e-10)
    assert joint.total == pytest.approx(
        sum(solve(s).cost.total for s in found.members), rel=1e-12
    )


@pytest.mark.parametrize(
    ("word", "bound"),
    [
        ("training_compute", 4e22),
        ("tokens", 1.2e12),
        ("training_cost", 5.6e4),
        ("training_time", 2.0e5),
    ],
)
def test_a_shadow_price_is_what_one_more_unit_does(word, bound):
    """Against a central difference of the joint cost."""
    text = LAW + DOLLARS + MODELS
    unit = " s" if word == "training_time" else ""

    def at(value):
        return family(text, f"shared.{word}={value!r}{unit}")

    walls = [wall for wall in at(bound).shared if wall.binding]
    assert walls
    slope = (at(bound * 1.0005).total - at(bound * 0.9995).total) / (bound * 1e-3)
    assert sum(w.shadow_price for w in walls) == pytest.approx(slope, rel=1e-3)
    for wall in walls:
        assert wall.value == pytest.approx(bound, rel=1e-9)
        assert wall.line is None or wall.line > 0


def test_what_is_shared_adds_up_over_the_models():
    joint = family(LAW + MODELS + "shared: {training_compute: 4e22}\n")
    spent = sum(m.cost.training for m in joint.members)
    assert spent == pytest.approx(4e22, rel=1e-9)
    assert sum(m.cost.total for m in joint.members) == pytest.approx(joint.total)
    assert all(m.fixed.fraction > 1e-6 for m in joint.members)


def test_no_split_of_the_budget_is_cheaper():
    """Each model alone with its part of the compute, over some parts."""
    total = 4e22
    joint = family(LAW + MODELS + f"shared: {{training_compute: {total!r}}}\n")
    part = joint.members[0].cost.training / total
    for step in (0.98, 0.995, 1.005, 1.02):
        edge = portfolio(
            LAW + MODELS,
            f"models.edge.limits.training_compute={total * part * step!r}",
            f"models.server.limits.training_compute={total * (1 - part * step)!r}",
        )
        split = sum(solve(member).cost.total for member in edge.members)
        assert split >= joint.total * (1 - 1e-9)


def test_one_data_set_may_be_read_by_each():
    joint = family(LAW + MODELS + "shared: {tokens: 1.2T}\n")
    assert [wall.name for wall in joint.shared] == [
        "shared.tokens (edge)",
        "shared.tokens (server)",
    ]
    assert joint.members[0].plan.tokens == pytest.approx(1.2e12, rel=1e-9)
    assert sum(m.plan.tokens for m in joint.members) > 2e12


def test_common_words_stand_once_and_a_model_may_have_its_own():
    found = portfolio(
        LAW + "demand: {tokens: 1T}\ntarget: {match: {parameters: 7B}}\n"
        "models: [{name: a}, {name: b, demand: {tokens: 3T}, law: besiroglu-2024}]\n"
    )
    a, b = found.members
    assert (a.spec.demand.tokens.amount, b.spec.demand.tokens.amount) == (1e12, 3e12)
    assert (a.law.name, b.law.name) == ("besiroglu-2024-refit", "besiroglu-2024")
    assert solve_portfolio(found).status is Status.OPTIMAL


def test_a_model_goes_by_its_name_in_overrides():
    found = portfolio(LAW + MODELS, "models.server.demand.tokens=7T", "law.alpha=0.35")
    assert found.members[1].spec.demand.tokens.amount == 7e12
    assert {m.law.coefficients["alpha"] for m in found.members} == {0.35}
    swapped = portfolio(LAW + MODELS, "models.edge.target.loss=2.3")
    assert swapped.members[0].spec.target.match is None


def test_a_decided_size_or_data_is_kept():
    text = LAW + MODELS.replace("limits: {parameters: 3B}", "fix: {parameters: 1B}")
    joint = family(text + "shared: {training_compute: 4e22}\n")
    assert joint.members[0].plan.parameters == pytest.approx(1e9, rel=1e-12)
    tokens = LAW + MODELS.replace("limits: {parameters: 3B}", "fix: {tokens: 1T}")
    joint = family(tokens + "shared: {training_compute: 4e22}\n")
    assert joint.members[0].plan.tokens == pytest.approx(1e12, rel=1e-9)
    # What the decision costs is not what sharing costs.
    assert joint.members[0].fixed.fraction == pytest.approx(0, abs=1e-9)


def test_a_limit_of_its_own_may_bind_too():
    text = LAW + MODELS.replace("parameters: 3B}\n  -", "parameters: 600M}\n  -")
    joint = family(text + "shared: {training_compute: 4.2e22}\n")
    assert joint.status is Status.OPTIMAL
    assert joint.members[0].plan.parameters == pytest.approx(6e8, rel=1e-9)


def test_models_that_have_no_plan_alone_are_named():
    text = LAW + MODELS.replace("parameters: 3B}\n  -", "parameters: 10M}\n  -")
    joint = family(text)
    assert joint.status is Status.INFEASIBLE
    assert joint.conflict == ("edge",)
    assert joint.members[0].infeasibility is not None
    assert joint.members[1].status is Status.OPTIMAL


def test_bounds_that_exclude_each_other_are_named():
    joint = family(LAW + MODELS + "shared: {training_compute: 1e21}\n")
    assert joint.status is Status.INFEASIBLE
    assert joint.total is None
    assert "shared.training_compute" in joint.conflict
    assert "server: target" in joint.conflict


def problems(text, *overrides):
    with pytest.raises(InputError) as caught:
        portfolio(text, *overrides)
    return str(caught.value).splitlines()


ONE = "{name: a, target: {loss: 2.1}, demand: {tokens: 1T}}"
BAD = [
    (
        "models: 5\n",
        ["2:9: models: must be a list of models, each with a name, target and demand"],
    ),
    (
        "models: []\n",
        ["2:9: models: must be a list of models, each with a name, target and demand"],
    ),
    (
        "models: [5]\n",
        ["2:10: models[0]: must be a model: name: edge, and words of a scenario"],
    ),
    (
        "models: [{target: {loss: 2.1}, demand: {tokens: 1T}}]\n",
        ["2:10: models[0]: needs a name; add name: edge"],
    ),
    (
        'models: [{name: "a.b", target: {loss: 2.1}, demand: {tokens: 1T}}]\n',
        ['2:17: models[0].name: must be a word without . = : [ and ], got "a.b"'],
    ),
    (
        f"models: [{ONE}, {ONE}]\n",
        ['2:71: models[1].name: "a" is the name of another model; choose another'],
    ),
    (
        f"models: [{ONE}, {{name: b, budget: {{compute: 1e24}}}}]\n",
        [
            "2:64: models[1]: needs a target; a portfolio has no budget, but shared "
            "limits"
        ],
    ),
    (
        "models: [{name: a, target: {loss: -1}, demand: {tokens: 1T}}]\n",
        ["2:35: models[0].target.loss: must be above 0, got -1"],
    ),
    (
        "models: [{name: a, demand: {tokens: 1T}}]\n",
        [
            "2:10: models[0]: the scenario needs target or budget; add target: {loss: "
            "2.0}, or budget: {compute: 1e24}"
        ],
    ),
    (
        f"name: 7\nmodels: [{ONE}]\nshared: 5\n",
        [
            "2:7: name: must be text, got 7",
            "4:9: shared: must be a mapping of words to values, got 5",
        ],
    ),
    (
        f"models: [{ONE}]\nprobability: 50 %\n",
        ["3:14: probability: is of a scenario that is compared with others; remove it"],
    ),
    (
        f"models: [{ONE}]\nshared: {{tokns: 1T}}\n",
        [
            '3:10: shared.tokns: unknown word "tokns"; did you mean "tokens"? allowed: '
            "energy, tokens, total_cost, training_compute, training_cost, training_time"
        ],
    ),
    (
        f"models: [{ONE}]\nshared: {{training_time: 3 days}}\n",
        ["3:25: shared.training_time: model a: needs training: {accelerators: 384}"],
    ),
    (
        "models: [{name: a, shared: {tokens: 1T}, target: {loss: 2.1}, "
        "demand: {tokens: 1T}}]\n",
        [
            "2:20: models[0].shared: belongs to the portfolio, not to one model; move "
            "it up"
        ],
    ),
    (
        f"models: [{ONE}, {{name: b, objective: energy, target: {{loss: 2.1}}, "
        "demand: {tokens: 0}, training: {hardware: h100-sxm, mfu: 0.4}, "
        "energy: {pue: 1.2, power_fraction: 0.7}}]\n",
        ["2:9: models: must have one objective; state it once, above them"],
    ),
]


@pytest.mark.parametrize(("text", "told"), BAD, ids=range(len(BAD)))
def test_mistakes_are_told_with_their_place(text, told):
    assert problems(LAW + text) == [f"family.yaml:{line}" for line in told]


def test_too_many_models_are_refused():
    many = ", ".join(ONE.replace("name: a", f"name: a{i}") for i in range(101))
    assert problems(LAW + f"models: [{many}]\n") == [
        "family.yaml:2:9: models: must be at most 100 models, got 101"
    ]


def test_a_name_that_would_steer_a_terminal_is_refused():
    hostile = ONE.replace("name: a", 'name: "x\\e[1m"')
    (told,) = problems(LAW + f"models: [{hostile}]\n")
    assert "\x1b" not in told


def test_lists_of_choices_do_not_go_with_sharing():
    (told,) = problems(
        LAW + "training: {hardware: h100-sxm, mfu: 0.4}\n"
        "serving: {hardware: [h100-sxm, l4], mfu: 0.2}\n" + f"models: [{ONE}]\n"
    )
    assert "has lists to choose from" in told


def test_an_override_that_leads_nowhere_is_told():
    (told,) = problems(LAW + MODELS, "models.egde.demand.tokens=1")
    assert 'has no member named "egde"; did you mean "edge"?' in told


def test_which_files_are_portfolios(tmp_path):
    path = tmp_path / "family.yaml"
    path.write_text(LAW + MODELS)
    assert is_portfolio(load_text(LAW + MODELS, "x"))
    assert load_portfolio(path).name == "family"
    path.write_text(LAW + "target: {loss: 2.1}\ndemand: {tokens: 1}\n")
    with pytest.raises(InputError, match="it is a scenario"):
        load_portfolio(path)


def test_the_same_words_mean_the_same_as_in_a_scenario():
    """A portfolio of one model is that scenario."""
    one = family(LAW + f"models: [{ONE}]\n")
    alone = solve(read_scenario(LAW + "target: {loss: 2.1}\ndemand: {tokens: 1T}\n"))
    assert one.total == pytest.approx(alone.cost.total, rel=1e-12)


HELD = """\
law: besiroglu-2024-refit
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 1024}
serving: {hardware: h100-sxm, precision: fp8, mfu: 20 %, price: $2/h}
models:
  - name: edge
    target: {match: {parameters: 3B}}
    demand: {tokens: 5T, cost_share: 10 %}
    limits: {parameters: 1.5B}
  - name: flagship
    target: {match: {parameters: 70B}}
    demand: {tokens: 2T}
    limits: {parameters: 45B}
shared: {tokens: 4T, training_cost: $3M}
"""


def by_name(joint, model):
    return next(a for a in joint.members if a.scenario == model)


@pytest.mark.parametrize("shared", ["$3M", "$1.2M"])
def test_a_models_own_limit_has_its_price_in_the_joint_cost(shared):
    """From 44.5B to 45B the joint cost falls; the price of a bound was always 0."""
    text = HELD.replace("$3M", shared)
    (limit,) = by_name(family(text), "flagship").limits
    assert limit.binding
    ends = [
        family(text, f"models.flagship.limits.parameters={45e9 * factor!r}").total
        for factor in (1 - 1e-4, 1 + 1e-4)
    ]
    here = family(text).total
    slope = (ends[1] - ends[0]) / here / 2e-4
    assert slope < -0.01
    assert limit.elasticity == pytest.approx(slope, rel=1e-4)
    assert limit.shadow_price == pytest.approx(slope * here / 45e9, rel=1e-4)


@pytest.mark.parametrize(
    ("model", "input", "values"),
    [
        ("flagship", "demand.tokens", ("{!r}", 2e12)),
        ("edge", "target.match.parameters", ("{!r}", 3e9)),
        ("flagship", "limits.parameters", ("{!r}", 45e9)),
    ],
)
def test_what_moves_a_model_moves_the_joint_cost(model, input, values):
    joint = family(HELD)
    moves = {m.input: m for m in by_name(joint, model).sensitivities}
    form, value = values
    ends = [
        family(HELD, f"models.{model}.{input}={form.format(value * factor)}").total
        for factor in (1 - 1e-4, 1 + 1e-4)
    ]
    slope = (ends[1] - ends[0]) / joint.total / 2e-4
    assert moves[input].elasticity == pytest.approx(slope, rel=1e-4)


def test_within_the_limits_speaks_of_the_models_own():
    """A model without limits keeps them; one whose optimum is too large does not."""
    joint = family(HELD.replace("    limits: {parameters: 45B}\n", ""))
    assert by_name(joint, "flagship").training_optimal.feasible
    assert not by_name(joint, "edge").training_optimal.feasible
    loose = family(HELD, "models.edge.limits.parameters=30B")
    assert by_name(loose, "edge").training_optimal.feasible
