"""How amounts read: one style, whichever page they stand on."""

import re

import pytest

from optimizer.analysis.plan.wording import (
    above,
    brimful,
    extra,
    gap_below,
    more,
    saved,
    share,
)
from optimizer.report.formats.text import render
from optimizer.report.pages.plan import answer_blocks
from tests.shipped import PORTFOLIO, ROOT, answer

NAMES = sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))
NAMES.remove(PORTFOLIO.stem)


@pytest.mark.parametrize(
    ("fraction", "column", "before", "alone"),
    [
        (0.041, "+4.1 %", "4.1 % above", "4.1 % more"),
        (-0.42, "−42 %", None, "42 % less"),
        (0.99, "+99 %", "99 % above", "99 % more"),
        (1.0, "2.0 × as much", "2 ×", "2 × as much"),
        (17.4, "18 × as much", "18 ×", "18 × as much"),
        (1e-12, "0 %", None, None),
    ],
)
def test_from_twice_on_a_factor_is_told(fraction, column, before, alone):
    assert extra(fraction) == column
    assert before is None or above(fraction) == before
    assert alone is None or more(fraction) == alone


def test_what_is_lost_by_more_than_all_is_a_factor():
    assert (saved(0.29), saved(-0.42)) == (share(0.29), share(-0.42))
    assert saved(-1.4) == "costs 2.4 ×"
    assert more(1.4, " cost", than=True) == "2.4 × as much cost as"
    assert more(0.4, " cost", than=True) == "40 % more cost than"


def test_what_rounds_a_demand_is_not_what_rounds_a_proof():
    """Both had one name, and the later value stood for both."""
    # 12.3 of what a replica carries, but for the last digits of a division.
    assert brimful(123.4e9 * (1 - 1e-10), 12)[0] == "123.4B"
    assert brimful(123.4e9 * (1 - 1e-8), 12)[0] == "123.3B"
    assert gap_below(3e-11) == "1e-10"
    assert gap_below(0.0) == "1e-12"


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_a_page_have_one_style(name):
    """A true minus, exponents without a plus, no percentage of four digits."""
    page = render(answer_blocks(answer(name)), 120)
    assert not re.search(r"(?<![\w.:_-])-\d", page)
    assert not re.search(r"\de\+|\de-0|\de\d\d?\.\d", page)
    assert not re.search(r"(?<![.\d])\d{4,} %", page)
    assert not re.search(r"\d[KG] ", page)  # thousands are k
