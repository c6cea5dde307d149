"""Pages for terminals: golden, never wider than asked, and inert."""

from dataclasses import replace

import pytest

from optimizer.analysis.comparison.compare import Comparison
from optimizer.report.formats.blocks import Column, Heading, Table, Text, facts, named
from optimizer.report.formats.text import render
from optimizer.report.pages.comparison import comparison_blocks
from optimizer.report.pages.plan import answer_blocks

NARROW = """\
Internal assistant

Train 6.97B parameters on 1.25T tokens.
Over 2T served tokens that costs 17 %
less than the 13B that is cheapest to
train to the same loss. It is 4.5 × the
Chinchilla-optimal tokens of its size.

Warnings
  outside-range: D is 2.5 × the most,
    500B.

Plan
                              training-
                        plan    optimal
--------------------  ------  ---------
parameters             6.97B      13.0B
tokens                 1.25T       576B
tokens per parameter     179       44.3
loss                  2.0453     2.0453
overtraining factor     4.54          1
× the least training    1.16          1

  Critical size 3.97B: below it training
  takes more than twice the least
  compute for this loss. No data reaches
  it below 1.27B.

Lifetime compute
  training
    plan: 5.22e22 FLOP
    share: 65 %
    training-optimal: 4.50e22 FLOP
  serving
    plan: 2.79e22 FLOP
    share: 35 %
    training-optimal: 5.20e22 FLOP
  total
    plan: 8.01e22 FLOP
    share: 100 %
    training-optimal: 9.70e22 FLOP
  saved
    plan: 1.69e22 FLOP
    share: 17 %

Near-optimal sizes
  within 1 %
    parameters: 6.18B to 7.92B
    tokens: 1.51T to 1.04T
    tokens per parameter: 245 to 131
  within 5 %
    parameters: 5.39B to 9.34B
    tokens: 1.93T to 830B
    tokens per parameter: 358 to 89.0

  The best plan of any size between
  takes at most that much more lifetime
  compute than the optimum.

"""

WIDE = """\
What moves lifetime compute
  slope per                                 now  from
  ----------------------------  --------  -----  ------
  +0.1 % law.alpha               +1.58 %  0.336  law
  +1 % target.match.parameters   +1.77 %    13B  line 4
  +1 % demand.tokens            +0.348 %     2T  line 6

  Steep slopes are told per smaller step. They are those at the plan: costs are
  curved, and near the edge of what can be reached a step moves far less than
  its slope says.

  No effect: law.E.

Law and proof
  law: some-law, L(N, D) = 1.69 + 406.4/N^0.336 + 410.7/D^0.283 in nats per
    token; N counts all parameters. Source: a paper.
  proof: certified global optimum: within 3.7e-15 of the best possible cost, in
    relative terms, over all plans within a factor 1e12 of this one. Constraints
    are kept to 2e-16, stationarity is 1e-16.
"""

IMPOSSIBLE = """\
Internal assistant

There is no plan: the target of 1.9000 nats cannot be reached.

What would make a plan
                         now          needed
  -------------  -----------  --------------  ------  ---------
  target         1.9000 nats     2.1697 nats  line 3  conflicts
  limits.tokens         400B  no value alone  line 5  conflicts

  No plan keeps all that conflict.

  Or all of them together, each looser by a factor 3.5 (a target above E).

  The lowest loss within the limits is 2.1697 nats.
"""


def test_golden_narrow_page(answer):
    page = render(answer_blocks(answer), 40)
    assert page.startswith(NARROW)


def test_golden_wide_page(answer):
    page = render(answer_blocks(answer), 80)
    assert page.endswith(WIDE)
    assert "  tokens per parameter     179              44.3\n" in page


def test_golden_infeasible_page(infeasible):
    assert render(answer_blocks(infeasible), 80).startswith(IMPOSSIBLE)


@pytest.mark.parametrize("columns", [30, 40, 59, 60, 61, 80, 100])
def test_no_line_is_wider_than_the_page(answer, infeasible, columns):
    pages = [answer_blocks(answer), answer_blocks(infeasible)]
    pages.append(comparison_blocks(Comparison((answer, infeasible, answer, answer))))
    for page in pages:
        lines = render(page, columns).splitlines()
        assert max(map(len, lines)) <= columns
        assert not any(line != line.rstrip() for line in lines)


def test_columns_that_stand_alone_go_below_each_other(answer):
    other = replace(answer, scenario="Another one")
    page = render(comparison_blocks(Comparison((answer, other))), 45)
    page = page[page.index("Plans") :]
    first, second = page.index("Internal assistant"), page.index("Another")
    between = page[first:second]
    assert "within 5 %" in between
    assert page[second:].count("within 5 %") == 1


def test_no_terminal_codes_unless_asked(answer):
    blocks = answer_blocks(answer)
    plain, coloured = render(blocks, 80), render(blocks, 80, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1mPlan\x1b[0m" in coloured
    assert "\x1b[33moutside-range:\x1b[0m" in coloured
    for code in ("\x1b[1m", "\x1b[33m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain


def test_names_cannot_move_the_cursor(answer):
    hostile = "x\x1b[2J\x07\r\nroot# \u202e\x9b31m"
    page = render(answer_blocks(replace(answer, scenario=hostile)), 80)
    heading = page.splitlines()[0]
    assert heading.isprintable()
    assert not {"\x1b", "\x07", "\r", "\u202e", "\x9b"} & set(page)
    cells = Table((Column(hostile), Column(hostile)), ((hostile, hostile),))
    assert not {"\x1b", "\r", "\x9b"} & set(render([cells], 80))


def test_figures_are_left_as_they_are():
    """Tabulate turns `1e5` and `0012` into numbers where it is let."""
    page = render([Table(named("a", "b"), (("x", "1e5", "0012"),))], 80)
    assert "1e5" in page
    assert "0012" in page


def test_numbers_stay_with_their_sign():
    page = render([Text("a" * 30 + " is 17 % of 4.5 × the other")], 36)
    assert " 17 %" in page
    assert "17\n" not in page
    assert "\N{NO-BREAK SPACE}" not in page


def test_prose_in_a_table_wraps_under_itself():
    page = render([facts([("source", "word " * 30)])], 60)
    assert len(page.splitlines()) > 2
    assert all(line.startswith(" " * 10) for line in page.splitlines()[1:])


def test_empty_blocks_do_no_harm():
    page = render([Heading("", 1), Text(""), Table(named("a"), ())], 80)
    assert page.split() == ["a", "-"]
