"""Numbers with units: what people write, what is refused, and what is shown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.reading import quantity as q
from optimizer.reading.quantity import (
    Flow,
    OutOfBoundsError,
    read,
    read_flow,
    significant,
)
from optimizer.reading.quantity import write as shown_as

KINDS = {name: kind for name, kind in vars(q).items() if isinstance(kind, q.Kind)}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("7B", q.PARAMETERS, 7e9),
        ("7b parameters", q.PARAMETERS, 7e9),
        ("405B params", q.PARAMETERS, 4.05e11),
        (1e12, q.TOKENS, 1e12),
        ("1.0e12", q.TOKENS, 1e12),
        ("1_000_000", q.TOKENS, 1e6),
        ("2 T", q.TOKENS, 2e12),
        ("2T tokens", q.TOKENS, 2e12),
        ("2 trillion", q.TOKENS, 2e12),
        ("15 Trillion Tokens", q.TOKENS, 1.5e13),
        ("500k", q.TOKENS, 5e5),
        (".5M", q.TOKENS, 5e5),
        ("0", q.DEMAND_TOKENS, 0.0),
        ("1e24 FLOP", q.COMPUTE, 1e24),
        ("3 ZFLOP", q.COMPUTE, 3e21),
        ("1.95 nats per token", q.LOSS, 1.95),
        ("40 %", q.FRACTION, 0.4),
        ("57%", q.FRACTION, 0.57),
        (0.4, q.MFU, 0.4),
        ("8 %", q.RATE, 0.08),
        ("8 % / year", q.RATE, 0.08),
        ("-10 %", q.RATE, -0.1),
        ("50 ms", q.DURATION, 0.05),
        ("30 days", q.DURATION, 2_592_000.0),
        ("2 years", q.DURATION, 2 * 365.25 * 86400),
        ("3 months", q.WAIT, 3 * 365.25 / 12 * 86400),
        (0, q.WAIT, 0.0),
        ("$2.50/h", q.PRICE_HOUR, 2.5),
        ("2.50 $/h", q.PRICE_HOUR, 2.5),
        ("2.50 USD per GPU-hour", q.PRICE_HOUR, 2.5),
        ("$48/day", q.PRICE_HOUR, 2.0),
        ("$500k", q.MONEY, 5e5),
        ("1.5M USD", q.MONEY, 1.5e6),
        ("$0 per million tokens", q.PRICE_TOKENS, 0.0),
        ("$0.50/Mtok", q.PRICE_TOKENS, 0.5),
        ("$0.001 per thousand tokens", q.PRICE_TOKENS, 1.0),
        ("80 GB", q.BYTES, 8e10),
        ("80 GiB", q.BYTES, 80 * 2**30),
        ("3.35 TB/s", q.BANDWIDTH, 3.35e12),
        ("989 TFLOP/s", q.FLOPS, 9.89e14),
        ("989 TFLOPS", q.FLOPS, 9.89e14),
        ("1979 TOP/s", q.FLOPS, 1.979e15),
        ("0.7 kW", q.POWER, 700.0),
        ("350 g/kWh", q.CARBON, 0.35),
        ("350 g CO2e / kWh", q.CARBON, 0.35),
        ("3.6 MJ", q.ENERGY, 1.0),
        ("12 MWh", q.ENERGY, 12_000.0),
        ("384", q.COUNT, 384.0),
    ],
)
def test_reads_what_people_write(text: object, kind: q.Kind, value: float) -> None:
    assert read(text, kind) == pytest.approx(value, rel=1e-15)


def test_a_petaflop_day() -> None:
    """1e15 FLOP/s for a day. Source: Kaplan et al. 2020, section 1.3: 8.64e19."""
    assert read("1 PF-day", q.COMPUTE) == 8.64e19
    assert read("3640 PFLOP/s-days", q.COMPUTE) == pytest.approx(3.14e23, rel=2e-3)


def test_a_monthly_fall_compounds_to_the_year() -> None:
    """What falls by 2 % twelve times has fallen by 21.5 %, not by 24 %."""
    assert read("2 %/month", q.FALL) == pytest.approx(1 - 0.98**12, rel=1e-12)
    assert read("100 %/month", q.FALL) == read("100 %", q.FALL) == 1
    assert read("20 %", q.FALL) == read("20 %/year", q.FALL) == 0.2


def test_a_monthly_rate_compounds_to_the_year() -> None:
    by_hand = 1.0
    for _ in range(12):
        by_hand *= 1.05
    assert read("5 %/month", q.RATE) == pytest.approx(by_hand - 1, rel=1e-12)
    assert read("5% per month", q.RATE) == read("0.05/month", q.RATE)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (True, q.TOKENS, "must be a number of tokens such as 2T, got true"),
        (None, q.TOKENS, "must be a number of tokens such as 2T, got nothing"),
        ([1], q.TOKENS, "must be a number of tokens such as 2T, got a list"),
        ({}, q.LOSS, "must be a loss such as 1.95, got a mapping"),
        (math.nan, q.TOKENS, "must be a finite number, got nan"),
        (math.inf, q.TOKENS, "must be a number below 1e308, got inf"),
        (10**400, q.TOKENS, "must be a number below 1e308, got a number too large"),
        ("1e400", q.TOKENS, 'must be a number below 1e308, got "1e400"'),
        ("1e300T", q.TOKENS, 'must be a number below 1e308, got "1e300T"'),
        (
            "9e99 %/month",
            q.RATE,
            'must be 0, or between 1e-60 and 1e60 in size, got "9e99 %/month"',
        ),
        ("9e9999 %", q.RATE, 'must be a number below 1e308, got "9e9999 %"'),
        (5e-324, q.MFU, "must be 0, or between 1e-60 and 1e60 in size, got 5e-324"),
        (
            7e220,
            q.PARAMETERS,
            "must be 0, or between 1e-60 and 1e60 in size, got 7e+220",
        ),
        (2e-20, q.PARAMETERS, "must be at least 1, got 2e-20"),
        ("3 GB", q.PRICE_HOUR, 'must be a price such as $2.50/h, got "3 GB"'),
        ("€2/h", q.PRICE_HOUR, 'must be a price such as $2.50/h, got "€2/h"'),
        ("$5", q.TOKENS, 'must be a number of tokens such as 2T, got "$5"'),
        ("5M/day", q.TOKENS, 'must be a number of tokens such as 2T, got "5M/day"'),
        ("1,000", q.TOKENS, 'must be a number of tokens such as 2T, got "1,000"'),
        ("", q.NUMBER, 'must be a number, got ""'),
        ("٣", q.NUMBER, 'must be a number, got "٣"'),
    ],
)
def test_refuses_with_a_sentence(value: object, kind: q.Kind, message: str) -> None:
    with pytest.raises(ValueError, match=r"^must be") as caught:
        read(value, kind)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (-3, q.TOKENS, "must be at least 1, got -3"),
        (0, q.TOKENS, "must be at least 1, got 0"),
        ("1e-400", q.TOKENS, 'must be at least 1, got "1e-400"'),
        ("-$5", q.MONEY, 'must be at least 0, got "-$5"'),
        ("$-5", q.MONEY, 'must be at least 0, got "$-5"'),
        (0, q.MFU, "must be above 0, got 0"),
        ("140 %", q.FRACTION, 'must be at most 100 %, got "140 %"'),
        ("-100 %", q.RATE, 'must be above -100 %, got "-100 %"'),
        ("-1 %", q.FALL, 'must be at least 0, got "-1 %"'),
        ("101 %/month", q.FALL, 'must be at most 100 %, got "101 %/month"'),
        ("-200 %/month", q.RATE, 'must be above -100 %, got "-200 %/month"'),
        ("2000 years", q.WAIT, 'must be at most 1000 years, got "2000 years"'),
        (0.5, q.RATIO, "must be at least 1, got 0.5"),
        (2.5, q.COUNT, "must be a whole number, got 2.5"),
        (0, q.COUNT, "must be above 0, got 0"),
    ],
)
def test_says_which_bound(value: object, kind: q.Kind, message: str) -> None:
    with pytest.raises(OutOfBoundsError) as caught:
        read(value, kind)
    assert str(caught.value) == message


def test_a_percentage_without_its_sign_is_guessed_but_not_taken() -> None:
    with pytest.raises(ValueError, match=r"got 40; did you mean 40 %\?$"):
        read(40, q.FRACTION)


@pytest.mark.parametrize("text", ["80 Gb", "80 gb", "1 mW", "5m", "1 m", "2 Mb/s"])
def test_letter_case_that_changes_the_meaning_is_refused(text: str) -> None:
    for kind in (q.BYTES, q.POWER, q.TOKENS, q.DURATION, q.BANDWIDTH):
        with pytest.raises(ValueError, match="must be"):
            read(text, kind)


@pytest.mark.parametrize("kind", [q.DURATION, q.BYTES, q.POWER, q.FLOPS, q.ENERGY])
def test_a_bare_number_is_refused_where_units_differ(kind: q.Kind) -> None:
    with pytest.raises(ValueError, match="got 30; add a unit: "):
        read(30, kind)


def test_flows_tell_totals_from_rates() -> None:
    assert read_flow("2B") == Flow(2e9, None)
    assert read_flow("5M/day") == Flow(5e6, 86400.0)
    assert read_flow("5M requests per day") == read_flow("5M/day")
    assert read_flow(0) == Flow(0.0, None)
    with pytest.raises(ValueError, match='such as 2B or 5M/day, got "5M/fortnight"'):
        read_flow("5M/fortnight")
    with pytest.raises(OutOfBoundsError, match='at least 0, got "-5/day"'):
        read_flow("-5/day")


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (8.03e9, q.PARAMETERS, "8.03B"),
        (7e9, q.PARAMETERS, "7B"),
        (1.3e10, q.PARAMETERS, "13B"),
        (1.25e12, q.TOKENS, "1.25T"),
        (9.5e8, q.TOKENS, "950M"),
        (9.9996e11, q.TOKENS, "1T"),
        (9.9996e14, q.TOKENS, "1e15"),
        (1.2e18, q.TOKENS, "1.2e18"),
        (0.0, q.TOKENS, "0"),
        (2048, q.COUNT, "2048"),
        (3.2e23, q.COMPUTE, "3.2e23 FLOP"),
        (1.43e6, q.MONEY, "$1.43M"),
        (12.3, q.MONEY, "$12.30"),
        (999.996, q.MONEY, "$1k"),
        (-5.0, q.MONEY, "−$5.00"),
        (2.5, q.PRICE_HOUR, "$2.50/h"),
        (0.0021, q.PRICE_TOKENS, "$0.0021 per million tokens"),
        (24 * 86400.0, q.DURATION, "24 days"),
        (86400.0, q.DURATION, "1 day"),
        (0.05, q.DURATION, "50 ms"),
        (59.99, q.DURATION, "1 min"),
        (8e10, q.BYTES, "80 GB"),
        (9.89e14, q.FLOPS, "989 TFLOP/s"),
        (12_300.0, q.ENERGY, "12.3 MWh"),
        (0.17, q.FRACTION, "17 %"),
        (0.023, q.FRACTION, "2.3 %"),
        (0.0004, q.FRACTION, "0.04 %"),
    ],
)
def test_writes_for_people(value: float, kind: q.Kind, text: str) -> None:
    assert shown_as(value, kind) == text


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_example_is_read(name: str) -> None:
    kind = KINDS[name]
    for example in kind.example.split(" or "):
        (read_flow if kind is q.REQUESTS else read)(example, kind)


@given(st.sampled_from(sorted(KINDS)), st.floats(-9, 25))
def test_what_is_written_is_read_back(name: str, log10: float) -> None:
    """Three digits are kept: the value returns within half of the third."""
    kind, value = KINDS[name], 10.0**log10
    if kind.whole:
        value = float(min(math.ceil(value), 1e12))
    if not (kind.low <= value <= kind.high):
        return
    text = shown_as(value, kind)
    # Cents and suffixed dollars round to a cent at worst.
    slack = 0.0051 if kind.currency and value < 1 else 0.0
    assert read(text, kind) == pytest.approx(value, rel=5.01e-3, abs=slack)


@given(st.floats(-1e300, 1e300), st.integers(1, 12))
def test_significant_keeps_the_digits_asked_for(value: float, digits: int) -> None:
    text = significant(value, digits)
    assert "-" not in text.partition("e")[0]
    back = float(text.replace("−", "-"))
    assert back == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits), abs=1e-323)


def test_a_column_keeps_its_zeros_and_a_minus_is_read_back() -> None:
    numbers = (7e9, 1.2e12, 2.5e11, 999.6e9, 3.0)
    shown = [q.write(number, q.TOKENS, keep=True) for number in numbers]
    assert shown == ["7.00B", "1.20T", "250B", "1.00T", "3.00"]
    assert q.write(4e22, q.COMPUTE, keep=True) == "4.00e22 FLOP"
    assert read("−5 %", q.RATE) == read("-5 %", q.RATE) == -0.05


@given(st.text(max_size=40), st.sampled_from(sorted(KINDS)))
def test_any_text_is_read_or_refused_in_words(text: str, name: str) -> None:
    try:
        said = f"must be {read(text, KINDS[name])!r}"
    except ValueError as error:
        said = str(error)
    assert said.startswith("must be ")
    assert said not in ("must be inf", "must be nan")
