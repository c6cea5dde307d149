"""Laws side by side: what they agree in is what they choose, and told as it is."""

import re

import pytest

from optimizer.analysis.comparison.compare import compare
from optimizer.analysis.plan.optimum import solve
from optimizer.question.load import load_scenario
from optimizer.question.under_laws import in_both_forms, under_laws
from optimizer.report.formats.text import render
from optimizer.report.pages.under_laws import laws_side_blocks, spread

THREE = ("besiroglu-2024-refit", "busbridge-2025", "besiroglu-2024")


def answers(root, name, laws, *overrides):
    scenario = load_scenario(root / f"scenarios/{name}.yaml", overrides)
    return [solve(one, whole=False) for one in under_laws(scenario, laws)]


def page(found):
    return render(list(laws_side_blocks("X", found)), 80)


def billions(pattern, text):
    return [float(each) * 1e9 for each in re.search(pattern, text).groups()]


def test_laws_that_agree_are_each_in_what_is_told(root):
    """`Train 28.8B on 2.94T`: the size of one law on the tokens of the other."""
    file = root / "scenarios/sixty-days.yaml"
    found = compare(in_both_forms(load_scenario(file))).plans
    first, second = (answer.plan for answer in found)
    assert first.parameters < second.parameters
    assert first.tokens > second.tokens
    told = " ".join(spread(found))
    assert told.startswith(
        "The laws agree within 3.4 %: train 28.8B to 29.8B on 2.94T to 3.04T."
    )
    apart = max(second.parameters / first.parameters, first.tokens / second.tokens)
    assert apart - 1 == pytest.approx(0.034, abs=5e-4)
    text = page(found)
    for plan in (first, second):
        assert f"{plan.loss:.4f}" in text.split("Plans")[1]
    assert told.endswith(
        f"The budget buys a loss of {second.loss:.4f} to {first.loss:.4f}, each by its "
        "own law."
    )
    # Both were fitted to the same runs.
    assert "do not compare" not in text


def test_of_laws_near_in_size_the_range_is_told(root):
    """`The best size is 6.08B`, where one law has 6.33B."""
    found = answers(root, "open-release", THREE)
    told = " ".join(spread(found))
    low, high = billions(r"the best size is ([\d.]+)B to ([\d.]+)B, on ", told)
    sizes = [answer.plan.parameters for answer in found]
    assert low == pytest.approx(min(sizes), rel=5e-3)
    assert high == pytest.approx(max(sizes), rel=5e-3)
    assert low < high
    assert "in size" not in told


def test_a_size_that_is_fixed_is_no_agreement(root):
    """`The laws agree: train 3.08B on 11.2T`, in losses from 1.8 to 2.9."""
    found = answers(root, "smollm3", ["all"])
    losses = [answer.plan.loss for answer in found]
    assert len(found) > 20
    assert max(losses) > 1.5 * min(losses)
    text = page(found)
    told = " ".join(text.split())
    assert "agree" not in told
    assert "No law has a choice: each trains 3.08B on 11.2T tokens." in told
    rows = [line for line in text.splitlines() if "3.08B" in line and "11.2T" in line]
    shown = [float(row.split()[3]) for row in rows[-len(found) :]]
    assert shown == pytest.approx(losses, abs=5e-5)


def test_a_size_that_is_fixed_is_not_the_best(root):
    """`The best size is 4B`."""
    found = answers(root, "internal-use", THREE, "fix.parameters=4B")
    told = " ".join(spread(found))
    data = [answer.plan.tokens for answer in found]
    assert told == (
        f"The fixed 4B takes {min(data) / 1e12:.3g}T to {max(data) / 1e12:.3g}T "
        f"tokens, by the law: they differ by a factor of {max(data) / min(data):.2g}."
    )


def test_tokens_that_are_fixed_are_not_told_as_a_range(root):
    """`On 2T to 2T tokens: they differ by a factor of 8.7 in size and 1 in tokens`."""
    found = answers(root, "open-release", THREE, "fix.tokens=2T")
    told = " ".join(spread(found))
    sizes = [answer.plan.parameters for answer in found]
    assert told.startswith(
        f"The fixed 2T tokens take {min(sizes) / 1e9:.3g}B to {max(sizes) / 1e9:.3g}B "
        "parameters, by the law: they differ by a factor of "
    )
