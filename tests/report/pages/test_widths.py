"""What is printed fits its terminal, and one screen, for every shipped scenario."""

from statistics import median

import pytest

from optimizer import load_portfolio, solve_portfolio
from optimizer.report.formats.text import TALLEST, render
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.portfolio import portfolio_blocks
from optimizer.report.pages.short import short_blocks
from tests.shipped import PORTFOLIO, ROOT, answer

NAMES = sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))
NAMES.remove(PORTFOLIO.stem)
SCREEN = 35  # lines that are wanted, of most
MOST = 45  # of those that warn of much, or leave much to choose


def headers(lines):
    """How many lines stand over each rule, up to a blank or another rule."""
    for place, line in enumerate(lines):
        if line.strip() and set(line) <= {"-", " "}:
            above = 0
            while place - above > 0 and lines[place - above - 1].startswith(" "):
                above += 1
            yield above


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("full", [False, True])
def test_every_line_fits_and_no_header_is_tall(name, full):
    blocks = (answer_blocks if full else short_blocks)(answer(name))
    for width in (60, 80, 120, 200):
        lines = render(blocks, width).splitlines()
        assert max(map(len, lines)) <= width
        assert all(height <= TALLEST for height in headers(lines))


def test_an_answer_is_a_screen():
    lengths = {
        name: len(render(short_blocks(answer(name)), 80).splitlines()) for name in NAMES
    }
    joint = solve_portfolio(load_portfolio(PORTFOLIO))
    together = render(portfolio_blocks(joint, full=False), 80)
    lengths[PORTFOLIO.stem] = len(together.splitlines())
    assert max(lengths.values()) <= MOST, lengths
    assert median(lengths.values()) <= SCREEN, lengths
    assert lengths["open-release"] <= SCREEN - 10
    assert lengths[PORTFOLIO.stem] <= SCREEN
