"""What the comments of the shipped scenarios tell of them holds, one by one."""

from __future__ import annotations

import math

import pytest

from optimizer.algebra.program import Status
from optimizer.analysis.portfolio.joint_plan import JointPlan, solve_portfolio
from optimizer.question.portfolio_file import load_portfolio
from tests.shipped import PORTFOLIO, answer, printed


def saving(name: str, *overrides: str) -> float:
    found = answer(name, *overrides).savings
    assert found is not None
    return found.fraction


def total(name: str, *overrides: str) -> float:
    found = answer(name, *overrides).cost
    assert found is not None
    return found.total


def size(name: str, *overrides: str) -> tuple[float, float]:
    found = answer(name, *overrides).plan
    assert found is not None
    return found.parameters, found.tokens


def binding(name: str, *overrides: str) -> set[str]:
    return {limit.name for limit in answer(name, *overrides).limits if limit.binding}


def test_open_release_saves_29_percent() -> None:
    assert printed(saving("open-release"), "29e-2")


def test_own_plan_is_priced_beside_its_optimum() -> None:
    own = answer("own-plan").own
    assert own is not None
    assert own.fraction is not None
    assert printed(own.cost.total, "2.51e6")
    assert printed(own.fraction, "7.4e-2")
    (broken,) = own.breaks
    assert printed(broken.value, "1.01e6")


def test_rollouts_take_most_of_the_life() -> None:
    cost = answer("rollouts").cost
    assert cost is not None
    share = {line.name: line.share for line in cost.lines}
    assert printed(share["rollouts"], "61e-2")
    none = ("post_training.rollout_tokens=1", "post_training.trained_on=0")
    assert printed(size("rollouts", *none)[0], "6.55e9")
    assert printed(size("rollouts", *none)[1], "6.36e11")


def test_a_student_pays_only_where_its_logits_are_free() -> None:
    free = answer("distillation").distillation
    paid = answer("distillation", "distillation.logits=paid").distillation
    assert free is not None
    assert paid is not None
    assert free.pays
    assert not paid.pays
    ratio = free.ways[0].ratio
    assert ratio is not None
    assert printed(1 - ratio, "23e-2")


def test_internal_use_pays_little_for_its_limit() -> None:
    free = ("limits.parameters=100B",)
    assert binding("internal-use") == {"limits.parameters"}
    assert printed(size("internal-use", *free)[0], "9.7e9")
    extra = total("internal-use") / total("internal-use", *free) - 1
    assert printed(extra, "3e-3")


def test_api_at_scale_runs_out_of_data() -> None:
    free = ("limits.tokens=10T",)
    assert binding("api-at-scale") == {"limits.tokens"}
    assert printed(saving("api-at-scale"), "64e-2")
    assert printed(size("api-at-scale", *free)[0], "3.5e9")
    assert printed(size("api-at-scale", *free)[1], "3.5e12")
    lower = 1 - total("api-at-scale", *free) / total("api-at-scale")
    assert printed(lower, "4.5e-2")
    (limit,) = answer("api-at-scale").limits
    assert printed(-limit.elasticity, "0.16")


def test_sardana_saves_what_the_paper_prints() -> None:
    """Sardana et al. 2024: 7B on 2.1x data saves 1.7e22 FLOP, 17 %."""
    found = answer("sardana-13b-2t")
    assert found.savings is not None
    assert printed(found.savings.amount, "1.69e22")
    assert printed(found.savings.fraction, "17.4e-2")
    parameters, tokens = size("sardana-13b-2t", "demand.tokens=0")
    assert math.isclose(parameters, 13e9, rel_tol=1e-9)
    assert printed(tokens, "5.765e11")


def test_llama_3_8b_suits_190t_tokens() -> None:
    found = answer("llama-3-8b").fixed
    assert found is not None
    assert found.implied_demand is not None
    assert printed(found.implied_demand, "1.9e14")
    assert printed(found.optimum.parameters, "9.8e9")
    assert printed(found.optimum.tokens, "6.4e12")
    assert printed(found.fraction, "13e-2")
    # At that demand nothing is lost by the size.
    suited = answer("llama-3-8b", f"demand.tokens={found.implied_demand!r}").fixed
    assert suited is not None
    assert abs(suited.fraction) < 1e-9


def test_smollm3_takes_11_2t_tokens_in_its_24_days() -> None:
    """SmolLM3-3B's model card: 11.2T tokens on 384 H100 in 24 days."""
    found = answer("smollm3")
    assert found.training_run is not None
    assert found.training_run.accelerator_hours == pytest.approx(384 * 24 * 24)
    assert found.fixed is not None
    assert printed(found.fixed.extra, "9e-2")
    assert printed(found.fixed.optimum.parameters, "4.8e10")
    assert printed(found.fixed.optimum.tokens, "8.5e11")
    assert found.fixed.implied_demand is not None
    assert printed(found.fixed.implied_demand, "2.3e14")
    assert printed(size("smollm3", "training.attention=false")[1], "1.34e13")


def test_bank_waits_for_its_machines() -> None:
    name = "regulated-internal-assistant"
    assert binding(name) == {"limits.training_time"}
    assert printed(total(name), "5.0e5")
    wall = next(x for x in answer(name).limits if x.name == "limits.training_time")
    assert printed(-wall.elasticity, "0.35")
    free = (name, "limits.training_time=90 days")
    assert printed(size(*free)[0], "1.86e10")
    assert printed(size(*free)[1], "1.0e12")


def test_consumer_api_pays_more_for_output() -> None:
    found = answer("consumer-api")
    assert printed(total("consumer-api"), "1.5e6")
    price = found.unit_cost
    assert price is not None
    assert price.input is not None
    assert price.output is not None
    assert price.output / price.input == pytest.approx(5, rel=0.01)
    assert printed(found.demand.tokens, "1.8e13")
    assert found.demand.effective_tokens is not None
    assert printed(found.demand.effective_tokens, "1.12e13")
    better = ("consumer-api", "serving.mfu.decode=50 %")
    assert printed(size(*better)[0], "1.57e10")
    assert printed(size(*better)[1], "1.8e12")


def test_community_pays_for_a_plan_that_ignores_it() -> None:
    unpaid = answer("open-release-community-0").parties
    paid = answer("open-release-community-1")
    assert unpaid is not None
    assert paid.parties is not None
    assert paid.cost is not None
    assert "community-unpaid" in {
        warning.code for warning in answer("open-release-community-0").warnings
    }
    assert printed(unpaid.social, "6.5e22")
    assert printed(paid.parties.social, "5.3e22")
    assert printed(unpaid.social / paid.parties.social - 1, "22e-2")
    lines = {line.name: line.amount for line in paid.cost.lines}
    lab = lines["training"] + lines["lab"]
    assert printed(lab, "3.0e22")
    assert printed(lab / unpaid.lab - 1, "21e-2")
    assert printed(1 - lines["community"] / unpaid.community, "42e-2")


def test_phone_memory_is_the_wall() -> None:
    found = answer("on-device")
    assert binding("on-device") == {"limits.memory"}
    assert found.critical is not None
    assert printed(found.critical.training_overhead, "42e-2")
    assert printed(-found.limits[0].elasticity, "1.4")
    paid = ("on-device", "demand.cost_share=100 %")
    assert printed(size(*paid)[0], "1.6e9")
    assert printed(size(*paid)[1], "4.4e12")
    assert binding(*paid) == set()


def test_buying_is_cheaper_until_the_demand_is_twice_as_high() -> None:
    bought, kept = answer("buy-or-build").others
    assert printed(total("buy-or-build"), "66e3")
    assert printed(bought.total, "35e3")
    assert bought.overtaken_at is not None
    assert printed(bought.overtaken_at, "277e9")
    assert printed(kept.total, "10e3")
    assert kept.overtaken_at is not None
    assert printed(kept.overtaken_at, "1.6e12")
    plan = answer("buy-or-build").plan
    assert plan is not None
    assert kept.loss is not None
    assert kept.loss < plan.loss
    more = answer("buy-or-build", "demand.requests=1M/day")
    assert more.cost is not None
    assert more.cost.total < more.others[0].total


def portfolio(*overrides: str) -> JointPlan:
    return solve_portfolio(load_portfolio(PORTFOLIO, overrides))


def test_portfolio_shares_a_budget() -> None:
    found = portfolio()
    sizes = {m.scenario: m.plan for m in found.members if m.plan is not None}
    for name, parameters, tokens in (
        ("edge", "1.5e9", "161e9"),
        ("server", "4.03e9", "2.0e12"),
        ("flagship", "51.5e9", "1.77e12"),
    ):
        assert printed(sizes[name].parameters, parameters)
        assert printed(sizes[name].tokens, tokens)
    assert found.total is not None
    assert printed(found.total, "1.36e6")
    assert {wall.name for wall in found.shared if wall.binding} == {
        "shared.training_cost",
        "shared.tokens (server)",
    }
    price = next(w for w in found.shared if w.name == "shared.training_cost")
    assert printed(-price.shadow_price, "43e-2")
    alone = sum(
        m.cost.total - m.fixed.extra for m in found.members if m.cost and m.fixed
    )
    assert printed(found.total / alone - 1, "5e-3")
    rich = portfolio("shared.training_cost=$2M")
    assert rich.total is not None
    assert rich.total < found.total


def test_int4_punishes_a_model_that_read_much() -> None:
    found = answer("on-device-int4")
    assert found.choice == {"serving.weights": "fp8"}
    totals = {row.choice["serving.weights"]: row.total for row in found.alternatives}
    assert totals["int4"] is not None
    assert totals["fp8"] is not None
    assert printed(totals["int4"] / totals["fp8"], "2.0")
    parameters, tokens = size("on-device-int4", "serving.weights=int4")
    assert printed(parameters, "3.6e9")
    assert printed(tokens, "1.2e12")


def test_experts_do_not_pay_behind_an_api_as_measured() -> None:
    found = answer("moe-api")
    assert found.choice == {"experts": "1", "serving.accelerators": "1"}
    least: dict[str, float] = {}
    for row in found.alternatives:
        assert row.total is not None
        experts = row.choice["experts"]
        least[experts] = min(row.total, least.get(experts, math.inf))
    assert printed(least["32"] / total("moe-api") - 1, "28e-2")
    assert printed(least["8"] / total("moe-api") - 1, "28e-2")
    assert printed(total("moe-api"), "9.9e4")
    assert printed(found.serving[0].batch, "405")
    assert found.serving[0].bound_by == "memory"


def test_a_reasoning_model_is_all_decoding() -> None:
    found = answer("reasoning-model")
    assert found.cost is not None
    assert printed(found.cost.total, "5.69e6")
    assert printed(found.cost.training / found.cost.total, "7e-2")
    assert found.choice == {"serving.accelerators": "2"}
    assert found.serving[0].bound_by == "memory"
    assert printed(found.serving[0].batch, "51")
    totals = {r.choice["serving.accelerators"]: r.total for r in found.alternatives}
    assert totals["8"] is not None
    assert printed(totals["8"] / found.cost.total - 1, "92e-2")
    assert printed(size("reasoning-model", "demand.samples=1")[0], "1.81e10")


def test_a_language_with_little_text_is_read_again() -> None:
    found = answer("data-limited-language")
    assert found.epochs is not None
    assert printed(found.epochs, "4.6")
    plenty = total("data-limited-language", "data.unique_tokens=1T")
    assert printed(1 - plenty / total("data-limited-language"), "7e-2")
    none = answer("data-limited-language", "data.unique_tokens=10B")
    assert none.status is Status.INFEASIBLE


def test_time_bounds_the_batch_of_an_assistant() -> None:
    found = answer("latency-bound-assistant")
    assert found.choice == {"serving.weights": "int4", "serving.accelerators": "1"}
    use = found.serving[0]
    assert use.bound_by == "latency"
    assert printed(use.batch, "32")
    assert use.usage_cost is not None
    assert use.allocated_cost is not None
    assert printed(use.usage_cost, "0.20")
    assert printed(use.allocated_cost, "0.60")
    slow = total("latency-bound-assistant", "serving.max_time_per_output_token=20 ms")
    assert printed(1 - slow / total("latency-bound-assistant"), "23e-2")
    assert printed(total("latency-bound-assistant"), "4.14e5")


def test_sixty_days_spends_them_where_they_cost_nothing() -> None:
    found = answer("sixty-days")
    assert found.capped is not None
    assert found.plan is not None
    first = found.capped.steps[0]
    assert printed(found.plan.loss, "1.9845")
    assert printed(first.loss, "1.9765")
    assert printed(first.parameters, "6.98e10")
    assert printed(first.total / total("sixty-days") - 1, "67e-2")


def test_verified_code_draws_fifteen() -> None:
    found, few = (
        answer("verified-code"),
        answer("verified-code", "demand.samples.at_most=4"),
    )
    assert found.plan is not None
    assert few.plan is not None
    assert found.cost is not None
    assert few.cost is not None
    assert found.plan.samples == 15
    assert few.plan.samples == 4
    assert printed(few.plan.parameters, "1.14e10")
    assert printed(few.plan.tokens, "4.02e12")
    assert printed(few.cost.total / found.cost.total, "2.2")
