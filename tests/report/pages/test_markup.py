"""Markdown and HTML in which nothing of a name is markup."""

from dataclasses import replace
from html.parser import HTMLParser

from optimizer.analysis.comparison.compare import Comparison
from optimizer.report.formats import html, markdown
from optimizer.report.pages.comparison import comparison_blocks
from optimizer.report.pages.plan import answer_blocks

HOSTILE = '<img src=x onerror="alert(1)"> | **b** [x](javascript:y) `c` & \x1b[1m'


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []
        self.seen = set()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_well_formed_and_has_only_our_tags(answer):
    hostile = replace(answer, scenario=HOSTILE)
    for blocks in (
        answer_blocks(hostile),
        comparison_blocks(Comparison((hostile, answer))),
    ):
        page = html.render(blocks)
        tags = Tags()
        tags.feed(page)
        assert tags.open == []
        known = {"div", "h2", "h3", "p", "strong", "table", "thead", "tbody"}
        assert tags.seen <= known | {"tr", "th", "td"}
        assert "\x1b" not in page
    assert "6.97B parameters" in page


def test_markdown_tables_keep_their_columns(answer):
    hostile = replace(answer, scenario=HOSTILE)
    page = markdown.render(comparison_blocks(Comparison((hostile, answer))))
    table = [line for line in page.splitlines() if line.startswith("|")]
    bars = {line.replace("\\|", "").count("|") for line in table}
    assert bars == {4}
    assert "<img" not in page.replace("\\<", "")
    assert "[x](" not in page.replace("\\[", "").replace("\\]", "")


def test_markdown_page_has_the_plan(answer):
    page = markdown.render(answer_blocks(answer))
    assert page.startswith("# Internal assistant\n\n**Train 6.97B parameters on ")
    assert "| tokens per parameter | 179 | 44.3 |\n" in page
    assert "\n\n\n" not in page
