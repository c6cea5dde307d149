"""Sentences that the JSON beside them contradicted, as a reader found them."""

import re

import pytest

from optimizer import load_portfolio, solve_portfolio
from optimizer.analysis.audit import audit
from optimizer.analysis.comparison.compare import compare
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.wording import extra
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.question.load import load_scenario
from optimizer.question.under_laws import under_laws
from optimizer.records import replace
from optimizer.report.formats.text import render
from optimizer.report.pages.audit import audit_blocks, audits_blocks
from optimizer.report.pages.brief import brief_blocks
from optimizer.report.pages.comparison import comparison_blocks as compared_blocks
from optimizer.report.pages.forms import form_regret
from optimizer.report.pages.headline import headline
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.portfolio import portfolio_blocks
from optimizer.report.pages.short import short_blocks
from optimizer.report.pages.uncertainty import uncertainty_blocks, uncertainty_headline
from optimizer.report.pages.under_laws import laws_side_blocks
from optimizer.world.laws import load_law


def loaded(root, name, *overrides):
    return load_scenario(root / f"scenarios/{name}.yaml", overrides)


def test_a_student_within_the_limits_is_told_where_nothing_else_is_a_plan(root):
    tight = ("limits.training_compute=1e22", "demand.tokens=20T")
    answer = solve(loaded(root, "distillation", *tight))
    best = answer.distillation.ways[0]
    assert answer.plan is None
    assert best.training <= 1e22
    told = headline(answer)
    assert told.startswith("There is no plan without a teacher: no model meets ")
    assert "With one, 6.91B on 241B tokens from a teacher of 70B" in told
    assert "The teacher is an extrapolation" in told
    none = headline(solve(loaded(root, "distillation", "limits.parameters=1B")))
    assert "teacher" not in none


@pytest.mark.parametrize(
    ("name", "overrides", "size"),
    [("internal-use", (), 9e9), ("api-at-scale", ("limits.parameters=6B",), 4.58e9)],
)
def test_a_plan_that_reaches_the_target_under_both_forms_is_safe(
    root, name, overrides, size
):
    scenario = loaded(root, name, *overrides)
    pair = under_laws(scenario, ("besiroglu-2024-refit", "chinchilla-points-coupled"))
    found = compare(list(pair))
    told = found.forms
    assert told.safe == pytest.approx(size, rel=2e-3)
    rates = [row.ratio for row in told.regrets if row.ratio is not None]
    assert told.worst == pytest.approx(min(rates))
    first = form_regret(found)[0].text
    assert first.startswith("If it is not known which form is true")


def test_what_no_machine_serves_has_no_saving(root):
    """The 14.2B had a price at one sequence a batch, thrice too slow even so."""
    slow = "serving.max_time_per_output_token=3 ms"
    answer = solve(loaded(root, "moe-api", slow))
    told = headline(answer)
    assert answer.training_optimal.unservable
    assert "cannot be served within serving.max_time_per_output_token of 3 ms" in told
    assert answer.saved is None
    assert " % less than" not in told


def test_a_budget_that_a_limit_leaves_unspent_is_not_what_buys(root):
    answer = solve(loaded(root, "smollm3", "limits.tokens=8T"))
    told = headline(answer)
    assert (
        "with 17.1 days of it, since limits.tokens of 8T lets no more be used" in told
    )
    assert "since" not in headline(solve(loaded(root, "smollm3")))
    spent = ("budget.training_time=45 days", "limits.parameters=20B")
    assert "since" not in headline(solve(loaded(root, "sixty-days", *spent)))


def test_an_audit_says_which_limit_holds_what_it_is_compared_with(root):
    scenario = loaded(root, "internal-use")
    law = load_law("besiroglu-2024-refit")
    found = audit("8B on 15T", 8e9, 15e12, law, scenario=scenario)
    assert found.held_by == ("limits.parameters",)
    page = " ".join(render(audit_blocks(found), 80).split())
    assert "the best model of the same loss within limits.parameters, 9B" in page


def test_a_factor_of_all_bounds_names_those_that_the_table_leaves_out(root):
    tight = ("shared.training_cost=$500k", "shared.tokens=1T")
    plan = solve_portfolio(load_portfolio(root / "scenarios/portfolio.yaml", tight))
    page = " ".join(render(portfolio_blocks(plan), 80).split())
    assert "Or every bound and target, also those that conflict with none" in page


def test_a_row_of_the_laws_names_the_machine_limit_that_the_sentence_names(root):
    scenario = loaded(root, "latency-bound-assistant", "limits.total_cost=$500k")
    answers = [
        solve(one, whole=False)
        for one in under_laws(scenario, ("besiroglu-2024", "besiroglu-2024-refit"))
    ]
    page = render(list(laws_side_blocks("x", answers)), 120)
    rows = [
        line
        for line in page.splitlines()
        if line.lstrip().startswith("besiroglu-2024 ")
    ]
    rows += [line for line in page.splitlines() if "2024-refit  " in line]
    assert len(rows) == 2
    assert all("serving.max_time_per_output_token" in row for row in rows[:2])
    assert "The laws agree" not in page


LAWS = ("besiroglu-2024-refit", "sardana-2024-all", "hoffmann-2022-devries")


def beside_laws(root, *overrides):
    """The answers under three laws, and what is said of them first."""
    pairs = under_laws(loaded(root, "buy-or-build", *overrides), LAWS)
    answers = [solve(one) for one in pairs]
    text = render(list(laws_side_blocks("X", answers)), 200)
    return answers, " ".join(text.split()).removeprefix("X: law against law ")


def test_under_several_laws_it_is_said_first_under_which_not_to_train(root):
    """The page had sizes alone, where the JSON kept what exists under two of three."""
    answers, told = beside_laws(root, "demand.requests=1.2M/day")
    keep = "existing llama-2-13b"
    assert [answer.cheapest for answer in answers] == [keep, "train", keep]
    assert told.startswith(
        "Do not train under besiroglu-2024-refit and hoffmann-2022-devries: "
        "llama-2-13b, which exists, costs $120k, and reaches the target; a new model "
        "costs $122k to $166k. Under sardana-2024-all, train. If you train: across "
        "laws, the best size is anywhere from 2.48B"
    )
    answers, told = beside_laws(root, "demand.requests=100k/day")
    assert {answer.cheapest for answer in answers} == {keep}
    assert told.startswith("Do not train under any of these laws: llama-2-13b, which")
    assert "Under" not in told.split("If you train")[0].replace("under any", "")
    answers, told = beside_laws(root, "demand.requests=30M/day")
    assert {answer.cheapest for answer in answers} == {"train"}
    assert told.startswith(
        "Under none of these laws is buying or llama-2-13b as good for less: train. "
        "Across laws, the best size"
    )


def test_laws_of_other_verdicts_are_told_apart(root):
    """An API below what exists: of its loss nothing is known."""
    cheap = "buy={input: $0.01/M, output: $0.01/M}"
    answers, told = beside_laws(root, "demand.requests=1.2M/day", cheap)
    assert {answer.cheapest for answer in answers} == {"buy"}
    first = told.split("If you train")[0]
    assert first.startswith("Do not train under besiroglu-2024-refit and hoffmann")
    assert first.count("buying costs $15.8k, if what you buy is good enough") == 2
    assert first.count("llama-2-13b, which exists, costs") == 1
    assert "Do not train under sardana-2024-all: buying" in first


def test_ends_of_nine_draws_in_ten_are_not_the_farthest(root):
    """One draw in twenty lay beyond `at the farthest: D/N = 342`."""
    found = uncertainty(loaded(root, "open-release", "demand.tokens=20T"), 200, 0)
    (told,) = (one for one in found.warnings if one.code == "outside-range")
    high = found.intervals["tokens_per_parameter"].p95
    assert f"at the ends of nine draws in ten: D/N = {high:.3g}" in told.message
    assert "farthest" not in told.message


def test_a_range_in_a_warning_ends_inside_the_range(root):
    """`47B to 104B`, of a range that ends at 103.63B."""
    answer = solve(loaded(root, "sixty-days", "budget.best_for=loss"))
    (told,) = (one for one in answer.warnings if one.code == "wide-optimum")
    low, high = re.search(r"from ([\d.]+)B to ([\d.]+)B", told.message).groups()
    near = next(one for one in answer.near_optimal if one.within == 0.01)
    assert near.parameters[0] <= float(low) * 1e9 <= near.parameters[0] * 1.01
    assert near.parameters[1] * 0.99 <= float(high) * 1e9 <= near.parameters[1]


def test_draws_without_a_plan_are_counted_not_rounded_away(root):
    """`The 100 % of 1,000 draws that have one`, where one has none."""
    fixed = ("fix.parameters=13B", "target.loss=2.03")
    found = uncertainty(loaded(root, "llama-3-8b", *fixed), 1000, 0)
    none = round(found.unreachable * 1000)
    assert 0 < none < 5
    text = render(list(uncertainty_blocks(found)), 120)
    assert f"of the {1000 - none} of 1,000 draws that have one" in " ".join(
        text.split()
    )


def test_a_word_that_is_replaced_in_one_model_is_told_of_that_model(root):
    changed = ("models.flagship.target.loss=1.98", "models.edge.target.loss=2.3")
    joint = solve_portfolio(load_portfolio(root / "scenarios/portfolio.yaml", changed))
    told = {
        answer.scenario: [w for w in answer.warnings if w.code == "replaced"]
        for answer in joint.members
    }
    assert {name: len(each) for name, each in told.items()} == {
        "edge": 1,
        "server": 0,
        "flagship": 1,
    }
    page = " ".join(render(list(portfolio_blocks(joint)), 100).split())
    assert "replaced: edge and flagship." in page


def test_an_audit_of_several_models_answers_for_the_scenario(root):
    """The 270B tokens and the limit were read and left unsaid."""
    asked = loaded(root, "internal-use")
    names = ("llama-3-8b", "smollm3-3b")
    sizes = (8.03e9, 3.08e9)
    found = [
        audit(name, size, 15e12, asked.law, scenario=asked)
        for name, size in zip(names, sizes, strict=True)
    ]
    page = " ".join(render(audits_blocks(found), 120).split())
    assert "within limits.parameters" in page
    assert "at the 270B tokens of the scenario" in page
    for one in found:
        assert extra(one.lifetime_overhead) in page


def test_from_twice_on_what_is_added_is_told_as_what_it_becomes(root):
    """The price of a budget, `what it adds`, was 2.6 × where it adds 1.6 ×."""
    dear = ("budget.training_cost=$500k", "demand.requests=50M/day")
    answer = solve(loaded(root, "sixty-days", *dear))
    step = max(answer.capped.steps, key=lambda step: step.extra)
    assert step.extra > 1
    page = render(list(answer_blocks(answer)), 120)
    assert f"{1 + step.extra:.1f} × as much" in page


RULED_OUT = "other ways: llama-2-70b is ruled out, as it cannot keep serving.max_time"


def short(answer):
    return " ".join(render(short_blocks(answer), 200).split())


def test_the_default_page_says_what_rules_out_what_was_asked_about(root):
    """It was silent; and the reason was that of the first choice, at 27.1 ms."""
    answer = solve(
        loaded(root, "latency-bound-assistant", "existing.model=llama-2-70b")
    )
    told = short(answer)
    assert f"{RULED_OUT}_per_output_token of 7 ms (it takes 8.6 ms)" in told
    assert "even with serving.weights: int4, serving.accelerators: 4." in told
    taken = []
    for accelerators in (1, 2, 4):
        for weights in ("fp8", "int4"):
            alone = solve(
                loaded(
                    root,
                    "latency-bound-assistant",
                    "existing.model=llama-2-70b",
                    f"serving.accelerators={accelerators}",
                    f"serving.weights={weights}",
                )
            )
            reason = alone.others[0].reason
            taken.append(float(reason.split("it takes ")[1].split(" ms")[0]))
    assert min(taken) == 8.6
    assert max(taken) == 27.1


def test_the_default_page_says_by_how_little_what_exists_misses(root):
    """It costs a fifth, and is ruled out by a ten-thousandth of a nat."""
    few = ("serving.accelerators=1", "demand.requests=20k/day")
    asked = (*few, "existing.model=llama-3-8b")
    answer = solve(loaded(root, "reasoning-model", *asked))
    (way,) = answer.others
    assert way.total < 0.2 * answer.cost.total
    assert answer.cheapest == "train"
    assert way.loss - answer.target_loss == pytest.approx(1.1e-4, rel=0.05)
    line = "other ways: llama-3-8b costs $170k but misses the target by 0.00011 nats."
    assert line in short(answer)
    assert "other ways" not in short(solve(loaded(root, "reasoning-model", *few)))


def test_dearer_ways_have_one_line_and_cheaper_ones_their_table(root):
    dear = short(solve(loaded(root, "buy-or-build", "demand.requests=5M/day")))
    assert "other ways: buying costs $1.75M; llama-2-13b costs $500k." in dear
    cheap = short(solve(loaded(root, "buy-or-build")))
    assert "other ways" not in cheap
    assert "Other ways to serve this demand" in cheap
    none = short(solve(loaded(root, "buy-or-build", "limits.total_cost=$5k")))
    assert "buying is ruled out, as it costs $35.1k, and limits.total_cost is" in none


def test_what_a_plan_costs_more_is_not_told_as_saved(root):
    """`saved: 17 × as much`, of a plan that costs 17 times the other."""
    dear = loaded(root, "internal-use", "target.match.parameters=46.4B")
    answer = solve(dear)
    assert answer.savings.fraction == pytest.approx(-15.5, abs=0.1)
    pages = [
        compared_blocks(compare([dear, dear])),
        compared_blocks(compare([dear] * 4)),
        brief_blocks([("a", answer)]),
    ]
    for page in pages:
        told = render(page, 160)
        assert "costs 17 ×" in told.split("is cheapest to train")[0]
        assert "17 × as much" not in told.split("Over 270B")[0]


@pytest.mark.parametrize(
    ("demand", "row", "breaks"),
    [
        ("0", "within the limits", ("limits.parameters",)),
        ("5T", "within the budget", ("budget.compute",)),
        ("300B", "within budget and limits", ("budget.compute", "limits.parameters")),
    ],
)
def test_the_table_says_what_a_model_is_not_within(tmp_path, demand, row, breaks):
    """`within the budget: no`, of 8.80e21 FLOP of 1e22."""
    file = tmp_path / "a.yaml"
    file.write_text(
        "name: A\nlaw: besiroglu-2024-refit\nbudget: {compute: 1e22}\n"
        f"limits: {{parameters: 5B}}\ndemand: {{tokens: {demand}}}\n"
    )
    answer = solve(load_scenario(file))
    best = answer.training_optimal
    assert set(best.breaks) == set(breaks)
    assert (best.cost.total > 1e22) == ("budget.compute" in breaks)
    page = render(answer_blocks(answer), 120)
    assert re.findall(r"^ +(within (?:the|budget)[a-z ]*?)  +yes", page, re.M) == [row]


def test_a_part_that_rounds_to_all_is_counted(root):
    """`Out of reach in 100 % of the draws`, and then a range of those with a plan."""
    low = loaded(root, "internal-use", "target.loss=1.92")
    found = uncertainty(low, 300, 0)
    assert found.unreachable * 300 == pytest.approx(299)
    told = uncertainty_headline(found)
    assert "The target is out of reach in 299 of 300 draws, and no plan" in told
    assert told.endswith(
        "the best size is 9B in the one of 300 draws of its error that has a plan."
    )
    some = uncertainty(loaded(root, "internal-use", "target.loss=1.95"), 300, 0)
    known = round((1 - some.unreachable - some.left_out) * 300)
    assert 1 < known < 20
    told = uncertainty_headline(some)
    assert told.endswith(f"draws of its error, of the {known} of 300 with a plan.")


def test_a_plan_that_misses_its_target_in_one_draw_is_not_sure(root):
    answer = solve(loaded(root, "internal-use"))
    near = replace(answer, reached=replace(answer.reached, probability=0.999))
    assert "the target in 999 of 1,000 draws of the law's error." in headline(near)
    sure = replace(answer, reached=replace(answer.reached, probability=1.0))
    assert "the target in 100 % of 1,000 draws of the law's error." in headline(sure)
