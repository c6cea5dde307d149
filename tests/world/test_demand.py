"""Streams: what they fold into, and what is refused, each at its place."""

import itertools
import math

import pytest

from optimizer.errors import InputError
from optimizer.reading.document import load_text
from optimizer.reading.fields import read_model
from optimizer.reading.quantity import MONTH, YEAR
from optimizer.reading.spread import expected
from optimizer.world.demand import Stream, served


def stream(text):
    return read_model(load_text(f"{{{text}}}", "s.yaml"), Stream)


def complaint(text):
    with pytest.raises(InputError) as raised:
        stream(text)
    (problem,) = raised.value.problems
    return f"{problem.path}: {problem.message}" if problem.path else problem.message


CHAT = "requests: 2M/day, input_tokens: 700, output_tokens: 100"


def test_requests_become_tokens_over_the_life():
    """2M a day for half a year of 365.25 days: 365.25M requests of 800 tokens."""
    found = served(stream(f"{CHAT}, lifetime: 6 months"))
    assert found.tokens == pytest.approx(365.25e6 * 800, rel=1e-12)
    assert found.input_tokens == pytest.approx(365.25e6 * 700, rel=1e-12)
    assert found.output_tokens == pytest.approx(365.25e6 * 100, rel=1e-12)
    assert found.prompt == 700
    assert found.share == 1
    assert [month for month, _ in found.course.months] == [0, 1, 2, 3, 4, 5]
    assert sum(part for _, part in found.course.months) == pytest.approx(1, rel=1e-12)


def test_a_growing_stream_doubles_when_it_should():
    """100 % a year: the 13th month serves twice the first, whatever the wait."""
    grown = f"{CHAT}, lifetime: 13 months, growth: 100 %, start: 5 weeks"
    found = served(stream(grown))
    first, last = found.course.months[0], found.course.months[-1]
    assert last[1] / first[1] == pytest.approx(2, rel=1e-12)
    assert first[0] == pytest.approx(35 * 86400 / MONTH, rel=1e-12)
    assert last[0] == pytest.approx(first[0] + 12, rel=1e-12)


@pytest.mark.parametrize("growth", [0.0, 0.5, -0.6])
def test_a_month_in_part_counts_in_part(growth):
    """The sum is continuous in the lifetime, and linear within a month."""
    text = f"{CHAT}, growth: {100 * growth} %, lifetime:"
    tokens = [
        served(stream(f"{text} {months} months")).tokens
        for months in (2, 2.25, 2.5, 2.75, 3)
    ]
    steps = [b - a for a, b in itertools.pairwise(tokens)]
    assert steps == pytest.approx([steps[0]] * 4, rel=1e-9)
    first = served(stream(f"{text} 1 month")).tokens
    assert sum(steps) == pytest.approx(first * (1 + growth) ** (2 / 12), rel=1e-12)


def test_an_endless_growth_approaches_the_geometric_series():
    """Demand that shrinks by a tenth a month serves ten first months in all."""
    text = f"{CHAT}, growth: -10 %/month, lifetime: 90 years"
    first = served(stream(f"{CHAT}, lifetime: 1 month")).tokens
    assert served(stream(text)).tokens == pytest.approx(10 * first, rel=1e-9)


def test_the_price_of_the_mean_token():
    """Two months, the second at (1 − d)/(1 + r) to the twelfth; equal parts."""
    found = served(stream(f"{CHAT}, lifetime: 2 months"))
    step = (0.64 / 1.21) ** (1 / 12)
    assert found.weighted(0.21, 0.36) == pytest.approx((1 + step) / 2, rel=1e-12)
    assert found.weighted(0.0, 0.0) == pytest.approx(1, rel=1e-12)
    # A total without a lifetime is served when training ends, or at its start.
    total = served(stream("tokens: 1T, start: 1 year"))
    assert total.weighted(0.21, 0.36) == pytest.approx(0.64 / 1.21, rel=1e-12)


def test_prices_that_leave_the_numbers_are_refused():
    late = served(stream("tokens: 1T, start: 999 years"))
    assert late.weighted(0.5, 0.3) == pytest.approx((0.7 / 1.5) ** 999, rel=1e-9)
    assert late.weighted(9.0, 0.0) == 0
    with pytest.raises(ValueError, match="starts so late"):
        late.weighted(-0.9, 0.0)


def test_samples_repeat_the_answer():
    found = served(stream(f"{CHAT}, samples: 4, lifetime: 1 month"))
    assert found.output_tokens / found.input_tokens == pytest.approx(400 / 700)
    # A total with lengths is of whole requests: 700 + 4 · 100 tokens each.
    total = served(
        stream("tokens: 1.1T, input_tokens: 700, output_tokens: 100, samples: 4")
    )
    assert total.tokens == pytest.approx(1.1e12, rel=1e-12)
    assert total.input_tokens == pytest.approx(7e11, rel=1e-12)


def test_the_expected_of_a_spread_counts_and_its_order_is_by_rate():
    three = "{low: 1M/day, expected: 62M/month, high: 1B/year}"
    text = f"requests: {three}, input_tokens: 1, output_tokens: 1, lifetime: 1 month"
    assert served(stream(text)).tokens == pytest.approx(124e6, rel=1e-12)
    wrong = "{low: 1M/day, expected: 2M/month, high: 1B/year}"
    assert complaint(text.replace(three, wrong)) == (
        "requests: must have low ≤ expected ≤ high"
    )
    mixed = "{low: 1M/day, expected: 2B, high: 3B}"
    assert complaint(text.replace(three, mixed)) == (
        "requests: must have three totals or three rates"
    )
    read = stream("tokens: {low: 1T, expected: 2T, high: 3T}")
    assert expected(read.tokens).amount == 2e12
    assert "expected.high" not in complaint(
        "tokens: {low: 1T, expected: 2 GB, high: 3T}"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: idle", "has no amount; add tokens: 2T"),
        (f"{CHAT}, tokens: 3T, lifetime: 1 year", "has both tokens and requests"),
        ("requests: 1M", "has requests without their length"),
        ("requests: 1M, input_tokens: 3", "has requests without their length"),
        ("tokens: 1T, output_tokens: 3", "needs input_tokens and output_tokens"),
        (CHAT, "has a rate or a growth but no lifetime"),
        ("tokens: 1T, growth: 5 %", "has a rate or a growth but no lifetime"),
        ("requests: 1M, input_tokens: 0, output_tokens: 0", "above 0"),
        (f"{CHAT}, lifetime: 0 days", "lifetime: must be above 0"),
        (f"{CHAT}, lifetime: 1e9 years", "lifetime: must be at most 1000 years"),
        (
            f"{CHAT}, lifetime: 900 years, growth: 300 %/month",
            "growth: grows beyond any number",
        ),
        (
            "tokens: 1T, lifetime: 900 years, growth: 300 %/month",
            "growth: grows beyond any number",
        ),
        (
            "requests: 1e50/day, input_tokens: 1e20, output_tokens: 1, "
            "lifetime: 1 year",
            "serves more tokens than any number",
        ),
        ("tokens: -3", "tokens: must be at least 0, got -3"),
        ("tokens: 2T, cost_share: 120 %", "cost_share: must be at most 1"),
        ("tokens: 2T, samples: 0.5", "samples: must be at least 1"),
    ],
)
def test_demand_that_cannot_be_is_refused(text, words):
    assert words in complaint(text)


def test_the_derivative_at_a_whole_month_is_that_of_a_longer_life():
    """It gains at the next month's rate; a shorter one would lose the last's.

    Sensitivities give both sides apart: see test_sensitivity.
    """
    whole = stream(f"{CHAT}, lifetime: 1 year, growth: 200 %")
    h = 1e-30
    stepped = served(whole.model_copy(update={"lifetime": YEAR * (1 + h * 1j)}))
    derivative = stepped.tokens.imag / h / 12  # tokens a month
    first = served(stream(f"{CHAT}, lifetime: 1 month")).tokens
    sides = [first * 3 ** (m / 12) for m in (11, 12)]
    assert derivative == pytest.approx(sides[1], rel=1e-12)
    assert not math.isclose(*sides, rel_tol=1e-3)


@pytest.mark.parametrize("growth", [-0.4, 0.0, 0.8])
@pytest.mark.parametrize("months", [1, 7, 36, 41.5])
def test_the_price_of_the_mean_token_is_that_of_its_months(growth, months):
    """Σ part · factor^month over the months that are told, which are all there is."""
    text = f"{CHAT}, growth: {100 * growth} %, lifetime: {months} months, start: 1 year"
    found = served(stream(text))
    step = (0.7 / 1.1) ** (1 / 12)
    course = found.course.months
    assert len(course) == math.ceil(months)
    assert sum(part for _, part in course) == pytest.approx(1, rel=1e-13)
    mean = sum(part * step**month for month, part in course)
    assert found.weighted(0.1, 0.3) == pytest.approx(mean, rel=1e-12)
    first = served(stream(f"{CHAT}, lifetime: 1 month")).tokens
    parts = [max(min(months - m, 1), 0) * (1 + growth) ** (m / 12) for m in range(42)]
    assert found.tokens == pytest.approx(first * sum(parts), rel=1e-12)
