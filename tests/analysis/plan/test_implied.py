"""The demand that a size suits, tried: raised to it, the size is the optimum."""

import itertools
import re
from dataclasses import replace

import pytest

from optimizer.analysis.audit import audit, audit_models
from optimizer.analysis.plan.alternatives import scaled
from optimizer.analysis.plan.optimum import solve
from optimizer.question.load import load_scenario, read_scenario
from optimizer.reading.kinds import TOKENS
from optimizer.reading.quantity import read
from optimizer.report.pages.headline import headline
from optimizer.world.laws import load_law
from optimizer.world.models import load_model

BASE = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
energy: {pue: 1.2, power_fraction: 0.7, grid: 0.35 kg/kWh}
fix: {parameters: 7B}
"""
ENERGY = "energy={pue: 1.2, power_fraction: 0.7, grid: 0.35 kg/kWh}"
CHIP = "hardware: h100-sxm, mfu: {prefill: 50 %, decode: 20 %}, price: $3/h"
SERVING = {
    "flops": "{model: flops}",
    "mfu": f"{{model: mfu, {CHIP}}}",
    "roofline": f"{{model: roofline, {CHIP}, mbu: 60 %}}",
    "latency": f"{{model: roofline, {CHIP}, mbu: 60 %, weights: fp8, "
    "max_time_per_output_token: 12 ms}",
    "batch": f"{{model: roofline, {CHIP}, mbu: 60 %, batch: 16}}",
    "gaps": f"{{model: roofline, {CHIP}, mbu: 60 %, context: 64000}}",
    "measured": "{model: measured, hardware: h100-sxm, price: $3/h, weights: fp8, "
    "context: 32000}",
    "lists": f"{{model: roofline, {CHIP}, mbu: 60 %, weights: [bf16, fp8], "
    "accelerators: [1, 2, 4]}",
}
STREAM = "requests: 3M/day, input_tokens: 800, output_tokens: 300, lifetime: 2 years"
DEMAND = {
    "one": f"{{{STREAM}}}",
    "two": f"[{{name: a, {STREAM}}}, {{name: b, {STREAM}, cost_share: 40 %, "
    f"serving: {{model: mfu, {CHIP}}}}}]",
    "idle": f"{{{STREAM.replace('3M', '0')}}}",
}
CASES = [
    (serving, demand, objective)
    for serving, demand, objective in itertools.product(
        SERVING, DEMAND, ("compute", "dollars", "energy")
    )
    if serving != "flops" or objective == "compute"
]


def written(serving, demand, objective):
    return (
        f"{BASE}objective: {objective}\nserving: {SERVING[serving]}\n"
        f"demand: {DEMAND[demand]}\n"
    )


@pytest.mark.parametrize(("serving", "demand", "objective"), CASES)
def test_at_the_demand_that_a_size_suits_it_is_the_optimum(serving, demand, objective):
    text = written(serving, demand, objective)
    answer = solve(read_scenario(text, "s.yaml"))
    tokens = answer.fixed.implied_demand
    if tokens is None:
        # Across lists the best size jumps; nothing but that may hide a size.
        assert serving == "lists"
        assert "another plan of its loss is cheaper" in answer.fixed.implied_reason
        return
    assert tokens > 0
    if demand == "idle":
        free = read_scenario(text, "s.yaml", ("demand.requests=1/day",))
        factor = tokens / (1100 * 2 * 365.25)
    else:
        free = read_scenario(text, "s.yaml")
        factor = tokens / answer.demand.tokens
    here = solve(free.every(lambda one: scaled(one, factor)), whole=False)
    raised = solve(
        free.every(lambda one: unfixed(scaled(one, factor))),
        whole=False,
    )
    assert in_fractions(raised) == pytest.approx(7e9, rel=2e-4)
    # In whole batches the best size jumps, and what that saves is told.
    saved = 1 - raised.cost.total / here.cost.total
    assert answer.fixed.implied_within == pytest.approx(saved, abs=2e-7)
    if answer.fixed.implied_within == 0.0:
        assert raised.plan.parameters == pytest.approx(7e9, rel=2e-3)


@pytest.mark.parametrize("size", ["5B", "8.3B"])
@pytest.mark.parametrize("chips", [1, 8])
def test_replicas_that_stand_suit_a_size_where_they_are_full(size, chips):
    """In whole numbers the size is the optimum itself, not only near it."""
    serving = (
        f"{{model: roofline, {CHIP}, mbu: 60 %, idle_paid: true, peak_to_mean: 3, "
        f"accelerators: {chips}}}"
    )
    text = f"{BASE.replace('7B', size)}objective: dollars\nserving: {serving}\n"
    text += f"demand: {{{STREAM}}}\n"
    answer = solve(read_scenario(text, "s.yaml"))
    assert answer.fixed.implied_within == 0.0
    factor = answer.fixed.implied_demand / answer.demand.tokens
    raised = solve(unfixed(scaled(read_scenario(text, "s.yaml"), factor)), whole=False)
    assert raised.plan.parameters == pytest.approx(answer.plan.parameters, rel=1e-6)
    (machine,) = raised.serving
    assert machine.replicas == pytest.approx(machine.standing, rel=1e-6)


def test_a_size_that_whole_batches_pass_by_has_no_demand_and_says_why():
    """With two or three sequences a replica, a gap is wider than a hundredth."""
    serving = f"{{model: roofline, {CHIP}, mbu: 60 %, context: 256000}}"
    text = f"{BASE.replace('7B', '8.3B')}objective: dollars\nserving: {serving}\n"
    answer = solve(read_scenario(f"{text}demand: {{{STREAM}}}\n", "s.yaml"))
    assert answer.fixed.implied_demand is None
    assert answer.fixed.implied_reason.endswith("another plan costs 3.6 % less")


def test_a_budget_is_held_to_the_same_demand_as_the_target_of_its_loss():
    """Under a budget nothing was tried in whole numbers, and the demand was told."""
    text = written("measured", "one", "dollars")
    spent = text.replace("target: {match: {parameters: 13B}}", "budget: {cost: $1M}")
    budget = solve(read_scenario(spent, "s.yaml"))
    loss = f"target: {{loss: {budget.plan.loss!r}}}"
    target = solve(
        read_scenario(text.replace("target: {match: {parameters: 13B}}", loss), "s")
    )
    for word in ("implied_demand", "implied_within"):
        assert getattr(budget.fixed, word) == pytest.approx(
            getattr(target.fixed, word), rel=1e-6, abs=1e-7
        )
    assert target.fixed.implied_within > 1e-4


LISTED = [
    ("latency-bound-assistant", size, ()) for size in ("3B", "4.5B", "8B", "13B")
] + [
    *(("moe-api", size, ()) for size in ("1B", "3B", "8B", "20B")),
    *(("on-device-int4", size, ()) for size in ("1.7B", "3B")),
    *(("reasoning-model", size, ()) for size in ("8B", "13B", "20B")),
    *(("verified-code", size, ()) for size in ("1B", "3B", "13B")),
    ("latency-bound-assistant", "3.5B", ("objective=carbon", ENERGY)),
    ("reasoning-model", "16B", ("objective=energy", ENERGY)),
]


@pytest.mark.parametrize(("name", "size", "sets"), LISTED)
def test_with_lists_and_open_samples_brute_force_at_the_demand_agrees(
    root, name, size, sets
):
    """3B of verified code was right for 22.8T, where other samples cost less."""
    file = root / f"scenarios/{name}.yaml"
    fixed = load_scenario(file, (*sets, f"fix.parameters={size}"))
    answer = solve(fixed)
    tokens = answer.fixed.implied_demand
    if tokens is None:
        assert answer.fixed.implied_reason
    elif tokens > 0:
        factor = tokens / answer.demand.tokens
        there = scaled_all(fixed, factor)
        here, best = (solve(one, whole=False).cost.total for one in there)
        saved = 1 - best / here
        assert answer.fixed.implied_within == pytest.approx(max(saved, 0), abs=2e-7)


MODELS = ("llama-3-8b", "llama-2-7b", "qwen3-30b-a3b", "smollm3-3b", "gemma-3-1b")
PRICED = ("latency-bound-assistant", "reasoning-model", "consumer-api", "rollouts")


@pytest.mark.parametrize("name", PRICED)
def test_at_the_demand_that_suits_a_model_its_audit_finds_no_better(root, name):
    """Llama 3 8B was right for 76T within 0.78 %, and 4 % above the best there."""
    file = root / f"scenarios/{name}.yaml"
    scenario, law = load_scenario(file), load_law("besiroglu-2024-refit")
    models = [load_model(model) for model in MODELS]
    for model, row in zip(models, audit_models(models, [law], scenario), strict=True):
        tokens = row.implied_demand.tokens
        if tokens is None or tokens <= 0:
            assert tokens is not None or row.implied_demand.reason
            continue
        factor = tokens / row.demand
        there = scenario.every(lambda one, by=factor: scaled(one, by))
        (again,) = audit_models([model], [law], there)
        assert again.implied_demand.tokens == pytest.approx(tokens, rel=1e-6)
        assert again.lifetime_overhead < row.implied_demand.within / 0.99 + 2e-7


def test_a_demand_that_fills_replicas_says_so_and_is_rounded_down(root):
    """411B was printed of 411.4B; one in a thousand above takes a second replica."""
    file = root / "scenarios/latency-bound-assistant.yaml"
    fixed = load_scenario(file, ["fix.parameters=8B"])
    answer = solve(fixed)
    assert answer.fixed.implied_replicas == 1
    told = headline(answer)
    text = re.search(r"right for (\S+) served tokens, the most that one replica", told)
    tokens = read(text[1], TOKENS)
    assert 0.999 < tokens / answer.fixed.implied_demand <= 1
    for by, worse in ((1.0, 1e-3), (1.003, 0.3)):
        there = scaled_all(fixed, by * tokens / answer.demand.tokens)
        here, best = (solve(one, whole=False).cost.total for one in there)
        assert (1 - best / here > worse) == (by > 1)


def test_an_audit_tells_no_interval_where_whole_machines_leave_none():
    """`at least` some demand was told, with a limit, where a jump makes it dearer."""
    text = written("roofline", "one", "dollars").replace("fix: {parameters: 7B}\n", "")
    scenario = read_scenario(f"{text}limits: {{parameters: 7B}}\n")
    D = solve(scenario, whole=False).plan.tokens
    found = audit("x", 7e9, D, scenario.law, scenario=scenario).implied_demand
    assert found.low == found.tokens == found.high


def unfixed_all(scenario):
    return scenario.every(unfixed)


def scaled_all(fixed, factor):
    there = fixed.every(lambda one: scaled(one, factor))
    return there, unfixed_all(there)


def in_fractions(answer):
    """The size of the optimum with batches in fractions, which has no steps."""
    plan = answer.plan if answer.relaxed is None else answer.relaxed
    return plan.parameters


def unfixed(scenario):
    spec = scenario.spec.model_copy(update={"fix": None})
    return replace(scenario, spec=spec)


@pytest.mark.parametrize("serving", SERVING)
@pytest.mark.parametrize("demand", DEMAND)
def test_solve_and_audit_name_the_same_demand(serving, demand):
    text = written(serving, demand, "compute" if serving == "flops" else "dollars")
    scenario = read_scenario(text, "s.yaml")
    answer = solve(scenario)
    found = audit(
        "x", 7e9, answer.plan.tokens, scenario.law, scenario=scenario
    ).implied_demand
    if answer.fixed.implied_demand is None:
        assert found.tokens is None
    else:
        assert found.tokens == pytest.approx(answer.fixed.implied_demand, rel=1e-7)


def test_a_reasoning_model_is_right_for_what_raising_its_demand_shows(root, ask):
    """8B at about 330T served tokens, by raising the demand; it was told 8.84e16."""
    text = (root / "scenarios" / "reasoning-model.yaml").read_text()
    text = text.replace("model: measured", "model: roofline\n  mfu: 40 %\n  mbu: 60 %")
    text = text.replace("[1, 2, 4, 8]", "8")
    tokens = ask(text, "fix.parameters=8B").fixed.implied_demand
    assert tokens == pytest.approx(330e12, rel=0.05)
    free = read_scenario(text)
    factor = tokens / solve(free, whole=False).demand.tokens
    raised = solve(free.every(lambda one: scaled(one, factor)), whole=False)
    assert in_fractions(raised) == pytest.approx(8e9, rel=1e-3)


def test_no_demand_is_named_that_a_limit_forbids(ask):
    text = written("roofline", "one", "dollars").replace("3M", "100k")
    answer = ask(text)
    there = answer.fixed.implied_demand
    assert there > 3 * answer.demand.tokens
    for factor, told in ((10, True), (1.05, False)):
        wall = f"limits.total_cost=${factor * answer.cost.total:.0f}"
        assert (ask(text, wall).fixed.implied_demand is not None) == told


@pytest.mark.parametrize(
    ("text", "there"),
    [
        (written("mfu", "one", "dollars"), True),
        (written("roofline", "one", "compute"), True),
        (written("roofline", "one", "dollars"), False),
        (written("mfu", "one", "dollars") + "data: {price: $1 per million tokens}", 0),
        (
            written("mfu", "one", "dollars") + "architecture: {layers: 32, width: "
            "4096, sequence: 4096}\n",
            True,
        ),
    ],
)
def test_effective_tokens_make_the_same_plan_in_flops_or_are_not_told(ask, text, there):
    answer = ask(text.replace("fix: {parameters: 7B}\n", ""))
    tokens = answer.demand.effective_tokens
    assert (tokens is not None) == bool(there)
    if there:
        plain = f"{BASE.split('fix', maxsplit=1)[0]}demand: {{tokens: {tokens!r}}}\n"
        assert ask(plain).plan.parameters == pytest.approx(
            answer.plan.parameters, rel=1e-7
        )
