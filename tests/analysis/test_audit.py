"""Audits of models that exist: identities, published statements, round trips."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.analysis.audit import audit, audit_models
from optimizer.analysis.plan.alternatives import scaled
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.snap import snap
from optimizer.question.load import load_scenario, read_scenario
from optimizer.report.pages.audit import audit_sentences
from optimizer.world.laws import builtin_names, load_law
from optimizer.world.models import load_model, model_names, size_in
from tests.chance import examples

OTHER = ("approach", "ludz", "tian")  # a line, and mixtures
LAWS = [n for n in builtin_names() if not any(word in n for word in OTHER)]
DEVRIES = load_law("hoffmann-2022-devries")
BESIROGLU = load_law("besiroglu-2024")


@given(
    st.sampled_from(LAWS),
    st.floats(7, 12).map(lambda e: 10**e),
    st.floats(0, 4).map(lambda e: 10**e),
)
@settings(max_examples=examples(80))
def test_overhead_is_a_function_of_w_alone(name, N, ratio):
    """C/C_min = ((α + βw)/(α + β))^(1/γ)·w^(−1/α), by the two budget shares."""
    law = load_law(name)
    a = audit("x", N, N * ratio, law)
    f = law.surface()
    exact = ((f.alpha + f.beta * a.w) / (f.alpha + f.beta)) ** (1 / f.gamma)
    assert a.overhead + 1 == pytest.approx(exact * a.w ** (-1 / f.alpha), rel=1e-9)
    assert a.k_N * a.k_D == pytest.approx(a.overhead + 1, rel=1e-9)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize(("N", "ratio"), [(1e9, 300), (8e9, 1875), (70e9, 100)])
def test_round_trip(name, N, ratio):
    """Solving for the audited loss and the implied demand returns the model."""
    law = load_law(name)
    a = audit("x", N, N * ratio, law)
    demand = a.implied_demand.tokens
    if demand < 0:
        pytest.skip("undertrained under this law: no demand implies it")
    b = solve(
        read_scenario(
            f"law: {name}\ntarget: {{match: {{parameters: {N!r}, "
            f"tokens: {N * ratio!r}}}}}\ndemand: {{tokens: {demand!r}}}\n"
        )
    )
    assert b.plan.parameters == pytest.approx(N, rel=1e-9)
    assert b.plan.tokens == pytest.approx(N * ratio, rel=1e-9)


def test_round_trip_in_dollars_with_costs_beyond_flops():
    text = (
        "law: besiroglu-2024-refit\nobjective: dollars\n"
        "target: {match: {parameters: 8B, tokens: 15T}}\n"
        "training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
        "serving: {hardware: l4, mfu: 0.2, price: $0.6/h}\n"
        "data: {price: $0.02 per million tokens}\ncosts: {fixed: $1M, restart: 5 %}\n"
    )
    law = load_law("besiroglu-2024-refit")
    scenario = read_scenario(text + "demand: {tokens: 1T}\n")
    a = audit("x", 8e9, 15e12, law, scenario=scenario)
    assert a.lifetime.unit == "USD"
    tokens = a.implied_demand.tokens
    b = solve(read_scenario(text + f"demand: {{tokens: {tokens!r}}}\n"))
    assert b.plan.parameters == pytest.approx(8e9, rel=1e-9)


def test_llama_3_8b_needs_enormous_demand():
    """8B on 15T tokens is lifetime-optimal for 190T served tokens under
    besiroglu-2024, and 88T under hoffmann-2022-devries."""
    for law, tokens in ((BESIROGLU, 190e12), (DEVRIES, 88e12)):
        a = audit("llama-3-8b", 8e9, 15e12, law)
        assert a.implied_demand.tokens == pytest.approx(tokens, rel=0.01)
        assert a.overtraining > 10


def test_gpt_3_was_undertrained():
    """Hoffmann et al. 2022, table 1: 175B on 300B tokens."""
    a = audit("gpt-3", 175e9, 300e9, DEVRIES)
    assert a.implied_demand.tokens < 0
    assert a.w < 1
    assert a.overtraining < 0.1


def test_the_frontier_laws_stand_beside():
    """Hoffmann et al. 2022, table 3: 175B asks 3.7T tokens by approach 1."""
    asked = {f.law: f for f in audit("gpt-3", 175e9, 300e9, DEVRIES).frontier}
    one = asked["hoffmann-2022-approach-1"]
    assert one.tokens == pytest.approx(3.7e12, rel=0.01)
    assert one.ratio == pytest.approx(300e9 / one.tokens)
    assert "hoffmann-2022-approach-2" in asked


def test_a_training_optimal_model_implies_no_demand():
    surface = DEVRIES.surface()
    a = audit("x", 1e10, surface.optimal_tokens(1e10), DEVRIES)
    assert a.implied_demand.tokens == pytest.approx(0, abs=1e3)
    assert (a.k_N, a.k_D) == (pytest.approx(1), pytest.approx(1))
    assert a.overhead == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("word", "bound", "side"), [("parameters", 8e9, "low"), ("tokens", 15e12, "high")]
)
def test_a_binding_limit_makes_the_implied_demand_an_interval(word, bound, side):
    """Any demand on the open side gives the same plan; the other side does not."""
    text = (
        "law: besiroglu-2024-refit\ntarget: {match: {parameters: 8B, tokens: 15T}}\n"
        f"limits: {{{word}: {bound!r}}}\n"
    )
    scenario = read_scenario(text + "demand: {tokens: 1T}\n")
    law = load_law("besiroglu-2024-refit")
    implied = audit("x", 8e9, 15e12, law, scenario=scenario).implied_demand
    assert getattr(implied, side) is None
    factor, other = (0.5, 2.0) if side == "low" else (2.0, 0.5)
    for times, same in ((factor, True), (other, False)):
        demand = implied.tokens * times
        plan = solve(read_scenario(text + f"demand: {{tokens: {demand!r}}}\n")).plan
        assert (abs(plan.parameters / 8e9 - 1) < 1e-7) == same


def test_a_model_that_exists_has_read_data_of_its_own(root):
    """8B on 15T was right for 5e19 tokens: as if it had read 60B of them 250 times."""
    scenario = load_scenario(root / "scenarios/data-limited-language.yaml")
    for N, D in ((8e9, 15e12), (3e9, 1e12)):
        found = audit("x", N, D, scenario.law, scenario=scenario)
        suits = found.implied_demand.tokens
        assert suits == pytest.approx(3 * D * (found.w - 1), rel=1e-6)
    there = scenario.every(lambda one: scaled(one, suits / found.demand))
    again = audit("x", N, D, scenario.law, scenario=there)
    assert again.lifetime_optimal.loss == pytest.approx(found.loss)
    assert again.lifetime_overhead < 0  # the scenario's data are too few for the best


def test_a_model_in_few_bits_is_held_against_the_best_of_the_loss_it_then_has(root):
    """It was held against a plan of the loss that it has before it is rounded."""
    file, few = root / "scenarios/on-device-int4.yaml", "serving.weights=int4"
    scenario = load_scenario(file, [few])
    found = audit("x", 3e9, 5e11, scenario.law, scenario=scenario)
    loss = found.lifetime_optimal.loss
    assert loss > found.loss + 1e-3
    sets = few, f"target={{loss: {loss!r}}}", "fix.parameters=3B"
    fixed = solve(load_scenario(file, sets), whole=False)
    assert fixed.plan.tokens == pytest.approx(5e11, rel=1e-6)
    assert found.lifetime_overhead == pytest.approx(fixed.fixed.fraction, rel=1e-6)
    told = " ".join(audit_sentences([found]))
    assert f"({loss:.4f} as its weights are stored)" in told


def test_what_a_model_serves_is_told_with_the_samples_that_it_draws(root):
    """16.1T was told, what the best plan serves with eight samples a request."""
    scenario = load_scenario(root / "scenarios/verified-code.yaml")
    found = audit("x", 8e9, 15e12, scenario.law, scenario=scenario)
    assert found.demand == pytest.approx(4e6 * 2 * 365.25 * 2000)
    serving = found.lifetime.total - 6 * 8e9 * 15e12
    assert serving == pytest.approx(2 * 8e9 * found.demand)
    told = " ".join(audit_sentences([found]))
    assert "5.84T tokens of the scenario, drawing 1 sample a request, it" in told
    assert told.endswith(
        f"drawing {found.lifetime_optimal.samples:g} samples a request."
    )


def test_every_published_model_can_be_audited():
    models = [load_model(name) for name in model_names()]
    rows = audit_models(models, [DEVRIES, BESIROGLU], None)
    assert len(rows) == 2 * len(models)
    for row in rows:
        assert row.loss > 1.69
        assert row.critical.floor < row.parameters


def test_a_mixture_of_experts_is_audited_by_its_active_parameters():
    model = load_model("deepseek-v3")
    assert size_in(model, DEVRIES.counts) == 37e9


def test_round_trip_with_a_roofline():
    """A larger model leaves room for a smaller batch: serving grows faster than N."""
    text = (
        "law: besiroglu-2024-refit\nobjective: dollars\n"
        "target: {match: {parameters: 8B, tokens: 15T}}\n"
        "training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
        "serving: {model: roofline, hardware: h100-sxm, weights: bf16, mfu: 0.5, "
        "mbu: 0.7, price: $2/h}\n"
        "demand: {tokens: %s, input_tokens: 800, output_tokens: 300, "
        "lifetime: 2 years}\n"
    )
    law = load_law("besiroglu-2024-refit")
    implied = audit(
        "x", 8e9, 15e12, law, scenario=read_scenario(text % "1T")
    ).implied_demand
    assert implied.low == implied.tokens == implied.high
    relaxed = solve(read_scenario(text % f"{implied.tokens!r}")).relaxed
    assert relaxed.parameters == pytest.approx(8e9, rel=1e-6)


def test_a_scenario_is_priced_under_the_law_that_judges():
    """Its own law and target are not used."""
    scenario = read_scenario(
        "law: kumar-2024\ntarget: {loss: 3}\ndemand: {tokens: 1T}\n"
    )
    with_it = audit("x", 8e9, 15e12, BESIROGLU, scenario=scenario)
    assert with_it.implied_demand.tokens == pytest.approx(
        audit("x", 8e9, 15e12, BESIROGLU).implied_demand.tokens, rel=1e-9
    )
    assert with_it.lifetime.total == pytest.approx(6 * 8e9 * 15e12 + 2 * 8e9 * 1e12)


def test_the_lifetime_overhead_is_against_the_best_plan_of_the_same_loss():
    text = "law: besiroglu-2024\ntarget: {match: {parameters: 8B, tokens: 15T}}\n"
    a = audit(
        *("x", 8e9, 15e12, BESIROGLU),
        scenario=read_scenario(text + "demand: {tokens: 2T}\n"),
    )
    best = solve(read_scenario(text + "demand: {tokens: 2T}\n"))
    assert a.demand == 2e12
    assert a.lifetime_optimal == best.plan
    ratio = a.lifetime.total / best.cost.total
    assert a.lifetime_overhead == pytest.approx(ratio - 1, rel=1e-12)
    walled = audit(
        *("x", 8e9, 15e12, BESIROGLU),
        scenario=read_scenario(text + "demand: {tokens: 2T}\nlimits: {tokens: 1B}\n"),
    )
    assert walled.lifetime_optimal is None
    assert walled.lifetime is None
    assert walled.cannot == "limits.tokens of 1B (it takes 15T)"


def test_where_a_model_lies_outside_the_runs_of_a_law():
    a = audit("x", 8e9, 15e12, load_law("besiroglu-2024-refit"))
    assert a.outside == ("D/N = 1880 is 5.5 × the most, 341",)
    assert audit("x", 1e9, 2e10, load_law("besiroglu-2024-refit")).outside == ()


def test_gemma_is_audited_without_the_embeddings_that_its_law_leaves_out():
    """302M of its 1,000M are embeddings: 68T served tokens, where 56T was said."""
    law = load_law("kumar-2024")
    (found,) = audit_models([load_model("gemma-3-1b")], [law], None)
    c = law.coefficients
    N, D = 698e6, 2e12
    w = c["A"] * N ** -c["alpha"] / (c["B"] * D ** -c["beta"])
    assert found.implied_demand.tokens == pytest.approx(3 * D * (w - 1), rel=1e-9)
    assert found.implied_demand.tokens == pytest.approx(68e12, rel=0.01)


def test_an_uncertain_split_is_said_with_its_size():
    model, law = load_model("chinchilla-70b"), load_law("kumar-2024")
    (found,) = audit_models([model], [law], None)
    assert "up to 524M, 0.75 % of it" in found.note


SERVED = """\
law: besiroglu-2024
objective: dollars
target: {match: {parameters: %d, tokens: %d}}
training: {hardware: h100-sxm, mfu: 40 %%, price: $2/h}
serving: {model: roofline, hardware: h100-sxm, mfu: 50 %%, mbu: 60 %%, price: $2/h}
demand: {requests: 1M/day, input_tokens: 1000, output_tokens: 300, lifetime: 1 year}
"""


@pytest.mark.parametrize("name", ["llama-3-8b", "qwen3-30b-a3b", "gpt-3-175b"])
@pytest.mark.parametrize("accelerators", [1, 2, 8])
def test_a_model_is_priced_as_snap_prices_it(name, accelerators):
    """With its own cache and all its stored weights; refused where snap says cannot."""
    model = load_model(name)
    N = size_in(model, BESIROGLU.counts)
    scenario = read_scenario(
        SERVED % (N, model.tokens), "s.yaml", (f"serving.accelerators={accelerators}",)
    )
    (row,) = audit_models([model], [BESIROGLU], scenario)
    (size,) = snap(scenario, [(name, model)]).sizes
    if size.total is None:
        assert row.lifetime is None
        suits = row.implied_demand.tokens
        assert suits is None or suits < 0
        assert "serving.memory" in row.cannot
    else:
        assert row.lifetime.total == pytest.approx(size.total, rel=1e-7)
        assert row.cannot == ""
