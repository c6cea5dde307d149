"""What pages say of the form of a law."""

import pytest

from optimizer.analysis.comparison.compare import compare
from optimizer.question.load import read_scenario
from optimizer.question.under_laws import in_both_forms
from optimizer.report.formats import text
from optimizer.report.pages.comparison import comparison_blocks
from optimizer.report.pages.headline import headline
from optimizer.report.pages.plan import answer_blocks

CASE = "law: {}\ntarget: {{match: {{parameters: 13B}}}}\ndemand: {{tokens: {}}}\n"


def test_inside_the_runs_the_headline_says_nothing_of_errors(ask):
    answer = ask(CASE.format("besiroglu-2024-refit", "2T"))
    assert answer.erred is None
    assert "promised" not in headline(answer)


@pytest.mark.parametrize(
    ("law", "tokens", "said"),
    [
        (
            "sardana-2024-100",
            "2e14",
            "Fitted to those of the law's runs up to 100 tokens per parameter, its "
            "form promised a loss 5.8 % too low in the mean of the others, 15 % at most"
            ": expect to need more tokens.",
        ),
        (
            "besiroglu-2024-refit",
            "5e15",
            "Additive laws promised too low a loss, by 0.7 to 6 %, in 11 of 12 public "
            "sets of runs beyond the tokens per parameter that they were fitted to: "
            "expect to need more tokens.",
        ),
        (
            "chinchilla-points-coupled",
            "5e15",
            "Coupled laws were right to 1.7 % in 8 of 12 public sets of runs beyond "
            "the tokens per parameter that they were fitted to.",
        ),
        (
            "openeurollm-2026",
            "5e16",
            "promised a loss 0.14 % too high in the mean of the others, 0.6 % at most.",
        ),
    ],
)
def test_beyond_the_runs_the_first_paragraph_says_how_the_form_erred(
    ask, law, tokens, said
):
    answer = ask(CASE.format(law, tokens))
    assert answer.erred is not None
    assert said in headline(answer)


def flat(blocks):
    return " ".join(text.render(blocks).split())


def test_the_page_has_the_other_forms_plan_and_what_was_held_out(ask):
    page = flat(answer_blocks(ask(CASE.format("openeurollm-2026", "2T"))))
    assert (
        "the other form: openeurollm-2026-additive, an additive law of the same runs, "
        "would train 3.86B on 513B tokens to a loss of 1.9352, 3.9 × beyond its runs. "
        "That costs 53 % less than the model that is cheapest to train to it."
    ) in page
    assert (
        "far runs: fitted up to 99.4 tokens per parameter, the forms were off in the "
        "mean of the 28 runs beyond by additive −1.7 %"
    ) in page


def test_a_form_without_a_plan_says_why(ask):
    loss = "law: openeurollm-2026\ntarget: {loss: 1.4}\ndemand: {tokens: 2T}\n"
    page = flat(answer_blocks(ask(loss)))
    what = "openeurollm-2026-additive, an additive law of the same runs, has no plan"
    assert f"{what}: the target of 1.4000 nats is at or below the irre" in page
    far = flat(answer_blocks(ask(loss.replace("1.4", "0.9"))))
    assert f"{what} either." in far


def test_the_comparison_of_both_forms_leads_with_the_safe_size():
    scenario = read_scenario(CASE.format("openeurollm-2026", "2T"), "s.yaml")
    blocks = comparison_blocks(compare(in_both_forms(scenario)))
    page = flat(blocks)
    assert "build 5.78B and train until the target is met, 2.32T tokens by" in page
    assert (
        "if openeurollm-2026 is true: openeurollm-2026-additive's 3.86B needs 9.31T "
        "tokens and costs 2.55 × the best plan"
    ) in page


def test_the_comparison_of_budgets_leads_with_the_size_that_loses_least():
    budget = "law: openeurollm-2026\nbudget: {compute: 1e24}\ndemand: {tokens: 2T}\n"
    both = in_both_forms(read_scenario(budget, "s.yaml"))
    page = flat(comparison_blocks(compare(both)))
    assert "build 48.3B and train until the budget is spent: its loss is at" in page
    assert (
        "if openeurollm-2026 is true: openeurollm-2026-additive's 71.6B has 1.66T "
        "tokens for the budget and a loss 0.0158 above that of the best plan"
    ) in page
