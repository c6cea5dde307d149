"""Sentences that a reader once took home and that the numbers beside them denied."""

import math
import re
from dataclasses import replace

import pytest

from optimizer.analysis.audit import audit_models
from optimizer.analysis.comparison.compare import compare
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.question.load import load_scenario, read_scenario
from optimizer.report.formats.text import render
from optimizer.report.pages.audit import audit_sentences, audits_blocks
from optimizer.report.pages.cautions import all_warned
from optimizer.report.pages.comparison import comparison_blocks
from optimizer.report.pages.headline import headline
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.short import short_blocks
from optimizer.report.pages.uncertainty import uncertainty_blocks
from optimizer.report.pages.under_laws import spread
from optimizer.world.laws import load_law
from optimizer.world.models import load_model

PLAIN = "law: besiroglu-2024-refit\ntarget: {match: {parameters: 13B}}\n"


def flat(blocks):
    return " ".join(render(list(blocks), 100).split())


@pytest.fixture(scope="module")
def shipped(root):
    def answer(name, *overrides):
        return solve(load_scenario(root / f"scenarios/{name}.yaml", overrides))

    return answer


def test_a_limit_of_little_effect_is_not_said_to_have_none(shipped):
    """A bound that binds has a price, and so an effect."""
    answer = shipped("rollouts")
    for one in answer.limits:
        if one.elasticity:
            said = flat(answer_blocks(answer)).partition("No effect:")[2]
            assert one.name not in said.partition(".")[0]
    tiny = [replace(m, elasticity=1e-4) for m in answer.sensitivities[:1]]
    told = flat(answer_blocks(replace(answer, sensitivities=tuple(tiny))))
    assert f"Less than 0.0005 %: {tiny[0].input}." in told
    assert "No effect" not in told


def test_a_loss_that_is_never_reached_is_not_called_the_lowest(ask):
    """A size alone is limited: more and more data come near, and none get there."""
    served = PLAIN + "demand: {tokens: 2T}\n"
    open_end = ask(served, "limits.parameters=1.5B").infeasibility
    assert not open_end.nearest_reached
    assert "every loss stays above 2.1279 nats" in open_end.reason
    both = ask(served, "limits.parameters=1.5B", "limits.tokens=1T").infeasibility
    assert both.nearest_reached
    assert "the lowest loss is" in both.reason
    cheap = ask(served, "limits.training_compute=1e20").infeasibility
    assert cheap.nearest_reached


def test_a_budget_names_what_its_range_is_of(shipped):
    answer = shipped("consumer-api", "budget.training_cost=$2M")
    (wide,) = (w for w in answer.warnings if w.code == "wide-optimum")
    assert "of the lowest reducible loss" in wide.message
    assert "cost" not in wide.message


def test_the_loss_that_a_budget_chose_comes_from_no_law(shipped):
    text = flat(answer_blocks(shipped("sixty-days")))
    assert "1.98449 chosen" in text
    assert "1.98449 law" not in text


def test_the_first_paragraph_knows_a_teacher_that_pays(shipped):
    answer = shipped("distillation")
    way = answer.distillation.ways[0]
    less = round(100 * (1 - way.ratio))
    assert f"{less} % less than the same loss without a teacher" in headline(answer)
    assert "teacher" not in headline(replace(answer, distillation=None))
    dear = replace(answer.distillation, pays=False)
    assert "teacher" not in headline(replace(answer, distillation=dear))


def test_prices_at_present_value_say_so(shipped):
    """The bill over the tokens is another number where money has a time."""
    answer = shipped("regulated-internal-assistant")
    price = answer.unit_cost
    plain = answer.cost.total / answer.demand.tokens * 1e6
    assert price.present_value
    assert price.with_training > 1.1 * plain
    assert "at present value" in flat(answer_blocks(answer))
    assert "at present value" in flat(short_blocks(answer))
    other = shipped("buy-or-build")
    assert not other.unit_cost.present_value
    assert other.unit_cost.with_training == pytest.approx(
        other.cost.total / other.demand.tokens * 1e6, rel=1e-12
    )


def test_a_law_with_samples_is_shown_at_those_that_are_drawn(shipped):
    """0.02 + 0.6/√15 is the constant of the formula at 15 samples."""
    text = flat(answer_blocks(shipped("verified-code")))
    assert f"{0.02 + 0.6 * 15**-0.5:.6g} +" in text
    assert "in nats per task at 15 samples a request;" in text


def test_laws_do_not_come(ask):
    scenarios = [
        read_scenario(PLAIN + "demand: {tokens: 2T}\n", "s.yaml", [f"law={law}"])
        for law in ("besiroglu-2024-refit", "hoffmann-2022-tex")
    ]
    found = compare(scenarios)
    assert "If another law holds than was planned for" in flat(comparison_blocks(found))
    sizes = [plan.plan.parameters for plan in found.plans]
    (told,) = spread(found.plans)
    assert f"a factor of {max(sizes) / min(sizes):.2g} in size" in told
    assert "6.08B" in told  # as the table beside it has it


def test_an_audit_with_another_cache_says_so(root):
    model, law = load_model("llama-3-8b"), load_law("besiroglu-2024-refit")
    path = root / "scenarios/reasoning-model.yaml"
    (audit,) = audit_models([model], [law], load_scenario(path))
    told = " ".join(audit_sentences([audit]))
    assert audit.reshaped
    assert "with its own architecture, and that model with the scenario's" in told
    assert "that the scenario allows" not in told
    assert "of the least cost in whole machines, if it serves" in told
    bare = replace(model, architecture=None)
    (same,) = audit_models([bare], [law], load_scenario(path))
    assert not same.reshaped
    assert "architecture" not in " ".join(audit_sentences([same]))


def test_many_laws_are_a_range_in_the_first_sentence():
    model = load_model("llama-3-8b")
    names = (
        *("besiroglu-2024-refit", "hoffmann-2022-tex", "hoffmann-2022-devries"),
        *("gadre-2024-c4", "sardana-2024-250", "muennighoff-2023"),
    )
    audits = audit_models([model], [load_law(name) for name in names], None)
    first = flat(audits_blocks(audits)).partition("Warnings")[0]
    others = audits[1:]
    least = min(others, key=lambda one: one.implied_demand.tokens)
    assert f"under {least.law} to" in first
    assert "of 5 other laws" in first
    assert len(first.split()) < 40


def test_the_printed_law_is_the_one_that_was_solved(ask):
    """Of repeated data and quantized weights the line left out what they add."""
    again = ask(
        "law: muennighoff-2023\ntarget: {match: {parameters: 7B}}\n"
        "demand: {tokens: 500B}\ndata: {unique_tokens: 10B}\n",
        "target.loss=2.35",
    )
    law, N, D = again.law, again.plan.parameters, again.plan.tokens
    told, U = again.law.repetition, min(again.plan.tokens, 10e9)
    V = (law.beta * law.B / (law.alpha * law.A) * U**-law.beta) ** (-1 / law.alpha)
    seen, size = (
        low + R * low * (1 - math.exp((1 - reach / low) / R)) if reach > low else reach
        for low, reach, R in ((U, D, told.R_D), (V, N, told.R_N))
    )
    loss = law.E + law.A / size**law.alpha + law.B / seen**law.beta
    assert loss == pytest.approx(again.plan.loss, rel=1e-9)
    line = flat(answer_blocks(again)).partition("Law and proof")[2]
    assert "520.825/N'^0.35266 + 1487.72/D'^0.35266" in line
    assert "U = min(D, 10B) unique tokens" in line
    assert f"U + {told.R_D:.4g}·U·(1 − exp((1 − D/U)/{told.R_D:.4g}))" in line
    stored = ask(
        PLAIN + "demand: {tokens: 2T}\nserving: {weights: int4, "
        "precision: bf16, quantization_penalty: true}\n"
    )
    law, N, D = stored.law, stored.plan.parameters, stored.plan.tokens
    part = law.quantization
    added = part["coefficient"] * D ** part["tokens"] * N ** part["parameters"]
    loss = law.E + law.A / N**law.alpha + law.B / D**law.beta + added
    assert loss == pytest.approx(stored.plan.loss, rel=1e-9)
    assert added > 1e-4
    line = flat(answer_blocks(stored)).partition("Law and proof")[2]
    told = line.partition("·D^0.5068/N^0.3439 in nats")[0].rpartition(" + ")[2]
    assert float(told) == pytest.approx(part["coefficient"], rel=1e-5)
    # The optimum of quantized weights is none by the rule without them.
    assert stored.overtraining.optimal_factor != 1
    assert "the loss of quantization left out" in headline(stored)


def test_how_far_beyond_is_a_multiple_of_the_end(ask):
    """`N = 89.4B is 5.5 times above 16.2B`, of 5.5 × 16.2B."""
    far = ask(PLAIN + "demand: {tokens: 500T}\n")
    (told,) = [w.message for w in far.warnings if w.code == "outside-range"]
    assert "times" not in told
    for one in far.extrapolation:
        assert one.value == pytest.approx(one.factor * one.edge)
    ratio = far.plan.tokens_per_parameter
    assert (
        f"D/N = {float(f'{ratio:.3g}'):.0f} is {ratio / 341:.2g} × the most, 341"
        in told
    )
    small = ask("law: besiroglu-2024-refit\ntarget: {loss: 4}\ndemand: {tokens: 0}\n")
    (told,) = [w.message for w in small.warnings if w.code == "outside-range"]
    assert " of the least, " in told


def test_costs_that_count_a_part_are_labelled_so(root):
    """`serving compute` of 200B tokens stood below 2.2T served ones."""
    files = [root / f"scenarios/open-release-community-{i}.yaml" for i in (0, 1)]
    plans = compare([load_scenario(file) for file in files], pairs=False)
    told = flat(comparison_blocks(plans))
    assert "of them counted 200B 2.20T" in told
    assert "serving compute, counted" in told
    assert "lifetime compute, counted" in told
    unpaid = plans.plans[0]
    assert "serving community, 0 % counted 0 FLOP" in flat(answer_blocks(unpaid))
    many = flat(comparison_blocks(compare([load_scenario(files[0])] * 4, pairs=False)))
    assert "count only a part of what is served" in many
    whole = compare([load_scenario(files[1])] * 2, pairs=False)
    assert "counted" not in flat(comparison_blocks(whole))


def test_all_looser_together_is_true_of_a_loss_under_a_power(ask):
    """Each bound by the factor that is told, and the loss above E by its own."""
    text = (
        "law: openeurollm-2026\ntarget: {loss: 1.75}\ndemand: {tokens: 1T}\n"
        "limits: {parameters: 2B, tokens: 1T}\n"
    )
    answer = ask(text)
    told = re.search(
        r"by a factor ([\d.]+) \(a target above E by a factor ([\d.]+)\)",
        flat(answer_blocks(answer)),
    )
    bound, loss = map(float, told.groups())
    E = answer.law.E
    for room, plan in ((1.002, True), (0.998, False)):
        words = (
            f"target.loss={E + (1.75 - E) * loss * room!r}",
            f"limits.parameters={2e9 * bound * room!r}",
            f"limits.tokens={1e12 * bound * room!r}",
        )
        assert (ask(text, *words).plan is not None) is plan


def test_laws_that_choose_one_size_do_not_differ_by_a_factor_of_one(shipped, root):
    """`anywhere from 7B to 7B ... they differ by a factor of 1 in size`."""
    laws = [f"hoffmann-2022-{name}" for name in ("tex", "rounded", "devries")]
    plans = [shipped("on-device", f"law={law}") for law in laws]
    told = " ".join(spread(plans))
    tokens = [plan.free.tokens for plan in plans]
    assert "the best size without limits.memory is 7B, on " in told
    assert f"differ by a factor of {max(tokens) / min(tokens):.2g} in tokens." in told
    page = flat(all_warned(plans * 3, lambda answer: str(id(answer))))
    assert page.count("community-unpaid") == 1
    many = [replace(plan, scenario=f"s{i}") for i, plan in enumerate(plans * 3)]
    assert "community-unpaid: all: the serving cost" in flat(all_warned(many))
    some = [*many, replace(many[0], plan=None, warnings=())]
    assert "community-unpaid: all that have a plan: " in flat(all_warned(some))


def test_draws_without_a_plan_are_not_among_nine_of_ten(shipped, root):
    """`in nine of ten draws` stood beside `out of reach in 49 % of the draws`."""
    found = uncertainty(
        load_scenario(root / "scenarios/regulated-internal-assistant.yaml"), draws=100
    )
    assert 0 < found.unreachable < 1
    told = flat(uncertainty_blocks(found))
    assert (
        "in nine of ten draws of its error and the ranges, of those with a plan."
        in told
    )
    some = round(100 * (1 - found.unreachable))
    assert f"of the {some} of 100 draws that have one" in told


def test_an_own_plan_that_suits_no_demand_says_so(ask):
    text = "law: besiroglu-2024-refit\nplan: {parameters: PP, tokens: DD}\n"
    text += "demand: {tokens: 1T}\n"
    large = ask(text.replace("PP", "70B").replace("DD", "100B"))
    assert large.own.implied_demand < 0
    assert "No demand makes it right: even a model that serves nothing" in (
        headline(large)
    )


def test_nothing_is_saved_against_what_fits_no_machine(shipped):
    """`costs 97 % less than the 4.13B`, whose batch would be a part of a sequence."""
    answer = shipped("moe-api", "experts=32")
    best = answer.training_optimal
    assert best.unservable
    assert any(name.startswith("serving.memory") for name in best.breaks)
    for blocks in (answer_blocks(answer), short_blocks(answer)):
        told = flat(blocks)
        assert "does not fit the memory of a serving replica" in told
        assert "% less than" not in told
        assert "saved" not in told
        assert f"${best.cost.total / 1e6:.3g}M" not in told
    whole = shipped("moe-api", "experts=1")
    assert not whole.training_optimal.unservable
    assert "% less than" in headline(whole)


def test_a_number_has_the_digits_that_tell_it_from_the_one_beside(shipped):
    """It was `280 ×` over a table of 279, and 405 in fractions beside 405 whole."""
    told = flat(answer_blocks(shipped("smollm3")))
    assert "279 × the tokens that are training-optimal" in told
    assert "280" not in told
    sets = "serving.accelerators=1", "experts=1"
    machines = flat(answer_blocks(shipped("moe-api", *sets)))
    assert "In fractions the optimum has a batch of 405.4 " in machines


def test_what_is_several_times_as_much_is_not_said_to_be_above_it(shipped):
    """`above the least` had `13 ×`, of what takes 13 times the least."""
    told = flat(answer_blocks(shipped("verified-code")))
    assert " 13 × " in told
    assert "above the least" not in told


def test_what_is_fixed_is_beside_the_best_of_all_lists(shipped):
    """13B cost 56 % more than the optimum of its own choice, 96 % more than the best.

    And a range of sizes near the least cost was that of the machines of the 13B.
    """
    best = shipped("latency-bound-assistant")
    fixed = shipped("latency-bound-assistant", "fix.parameters=13B")
    assert fixed.fixed.optimum == best.plan
    extra = fixed.cost.total / best.cost.total - 1
    assert fixed.fixed.fraction == pytest.approx(extra, rel=1e-9)
    assert fixed.near_optimal == best.near_optimal
    # It is training-optimal: no more than rounding spoke of a demand.
    assert fixed.fixed.implied_demand == 0
    assert "13B is right where nothing is served" in headline(fixed)


def test_a_plan_that_is_sensible_already_is_among_the_sensible(shipped):
    answer = shipped("latency-bound-assistant", "limits.total_cost=300k")
    ways = {way.name: way for way in answer.infeasibility.relaxations}
    assert ways["limits.total_cost"].overhead < 1
    told = answer.infeasibility.reason
    assert "a target of 2.1581 nats or limits.total_cost of $414k" in told
    # The factor for all of them together is of machines in fractions.
    assert answer.infeasibility.uniform is None
