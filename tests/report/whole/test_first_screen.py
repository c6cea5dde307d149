"""Reports of one scenario and of several with a portfolio, as who decides sees them."""

import re
from pathlib import Path

import pytest

ONE = ("regulated-internal-assistant",)  # the longest of the shipped ones
SEVERAL = ("open-release", "buy-or-build", "portfolio")
TALK = re.compile(r"--\w|\bovertrain [a-z]|=NAME")  # what one types


@pytest.fixture(scope="module")
def page_of(overtrain, root, tmp_path_factory, chromium):
    """Opens a report of some shipped scenarios, made once each."""
    made: dict[tuple[str, ...], Path] = {}
    contexts = []

    def opened(names, **options):
        if names not in made:
            path = tmp_path_factory.mktemp("first") / "report.html"
            files = [root / "scenarios" / f"{name}.yaml" for name in names]
            done = overtrain("report", *files, "-o", path)
            assert done.code == 0, done.err
            made[names] = path
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(made[names].as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


def unfold(page):
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")


def test_one_scenario_is_decided_on_the_first_screen(page_of):
    """Headline, numbers, doubts, changes and picture stand within 1,280 by 900."""
    page = page_of(ONE, viewport={"width": 1280, "height": 900})
    for what in (".lead", ".tiles", ".points >> nth=1", "figure >> nth=0"):
        box = page.locator(what).first.bounding_box()
        assert box["y"] + box["height"] < 900 * 1.2, what
    assert page.locator("section").first.locator("figure:visible").count() == 1


@pytest.mark.parametrize("names", [ONE, SEVERAL], ids=["one", "several"])
def test_nothing_is_said_that_one_would_have_to_type(page_of, names):
    """But for the files themselves and the command that made the page."""
    page = page_of(names)
    unfold(page)
    page.evaluate("document.querySelectorAll('pre').forEach(e => e.remove())")
    assert TALK.findall(page.locator("main").inner_text()) == []
    alone = "for the first alone" in page.locator("main").inner_text()
    assert alone == (names is SEVERAL)


def test_what_to_do_has_every_scenario_and_every_portfolio(page_of):
    page = page_of(SEVERAL)
    rows = page.locator("section").first.locator("table").first.locator("tbody tr")
    told = {row.locator("th").inner_text(): row.inner_text() for row in rows.all()}
    assert set(told) == {"Open release", "Buy or build", "Portfolio"}
    assert "train its 3 models" in told["Portfolio"]
    assert "29 % of training-optimal" in told["Open release"].replace("\xa0", " ")
    # A chance is that of a new model, which this one advises against.
    assert "draws" in told["Open release"]
    assert "keep llama-2-13b" in told["Buy or build"]
    assert "draws" not in told["Buy or build"]


def test_a_portfolio_is_decided_on_one_screen_too(page_of):
    page = page_of(SEVERAL, viewport={"width": 1280, "height": 900})
    section = page.locator("section").filter(has=page.locator("h2", has_text="Portf"))
    text = section.inner_text()
    for part in ("$1.36M", "edge", "How sure this is", "The limit on training cost"):
        assert part in text
    assert section.locator("figure:visible").count() == 1
    top = section.bounding_box()["y"]
    for what in (".tiles", ".points >> nth=1", "figure >> nth=0"):
        box = section.locator(what).bounding_box()
        assert box["y"] + box["height"] - top < 900, what


@pytest.mark.parametrize("names", [ONE, SEVERAL], ids=["one", "several"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_open_to_everybody(barriers, page_of, names, scheme):
    page = page_of(names, color_scheme=scheme, bypass_csp=True)
    unfold(page)
    assert barriers(page) == []


def test_on_a_phone_the_decision_needs_no_scrolling_sideways(page_of):
    page = page_of(SEVERAL, viewport={"width": 390, "height": 844})
    table = page.locator("section").first.locator(".scroll").first
    widths = table.evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert widths[0] <= widths[1]


@pytest.mark.parametrize("size", ["A4", "Letter"])
def test_a_scenario_is_four_pages_of_paper(page_of, tmp_path, size):
    page = page_of(ONE)
    rest = "document.querySelectorAll('section + section').forEach(e => e.remove())"
    page.evaluate(rest)
    printed = page.pdf(path=tmp_path / "report.pdf", format=size)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= 4


@pytest.mark.parametrize(
    "name", ["consumer-api", "latency-bound-assistant", "reasoning-model"]
)
def test_a_report_is_four_pages_with_its_words(page_of, tmp_path, name):
    """On the shorter paper, what stands at its end included."""
    page = page_of((name,))
    printed = page.pdf(path=tmp_path / "report.pdf", format="Letter")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= 4


def test_axes_write_percentages_as_the_page_does(page_of):
    page = page_of(ONE)
    words = page.locator("figure svg text").all_text_contents()
    assert [word for word in words if re.search(r"\d%", word)] == []
    assert any(re.search(r"\d %", word) for word in words)
