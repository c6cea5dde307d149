"""The page as people read it: in Chromium, with the network off."""

import re
from pathlib import Path

import pytest

from optimizer.analysis.plan.wording import amount
from optimizer.report.formats.glossary import WORDS

ROOT = Path(__file__).parents[3]
KINDS = 8  # charts of one scenario with a course in time and laws


def alone(page, made):
    assert page.requests == [made.as_uri()]
    assert page.complaints == []


def test_page_asks_for_nothing_and_complains_of_nothing(opened, made):
    page = opened()
    assert page.locator("h1").inner_text().startswith("Cost report")
    assert page.locator("figure svg").count() >= 2 * (KINDS - 1) + 2
    assert page.evaluate("window.evil") is None
    alone(page, made)


def test_sliders_show_what_the_engine_says(opened, made, files, ask):
    """Each stop that is tried is solved again as a user would, with --set."""
    page = opened()
    box = page.locator(".explorer").last
    assert box.is_visible()
    texts = box.locator(".value")
    for demand, target, served, size in (
        (8, 4, "1.5T", "13B"),
        (11, 2, "5T", "6.5B"),
        (0, 8, "50B", "52B"),
    ):
        for name, stop in (("demand", demand), ("target", target)):
            box.locator(f"input.{name}").fill(str(stop))
        assert box.locator("output").all_inner_texts() == [f"{served} tokens", size]
        answer = ask(
            files[1].read_text(),
            f"demand.tokens={served}",
            f"target.match.parameters={size}",
        )
        shown = texts.all_inner_texts()
        assert shown[0] == amount(answer.plan.parameters, "parameters")
        assert shown[1] == amount(answer.plan.tokens, "tokens")
        assert shown[3:6] == [
            amount(v, "USD")
            for v in (answer.cost.training, answer.cost.inference, answer.cost.total)
        ]
        assert shown[7] == f"{answer.plan.loss:.4f}"
    box.locator("button").click()
    assert box.locator("output").first.inner_text() == "500B tokens"
    alone(page, made)


def test_slider_moves_by_keyboard_and_says_where_it_is(opened):
    page = opened()
    slider = page.locator("input.demand").last
    slider.focus()
    before = slider.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowRight")
    after = slider.get_attribute("aria-valuetext")
    assert (before, after) == ("500B tokens", "750B tokens")


def test_without_scripts_everything_is_there(opened, made):
    page = opened(java_script_enabled=False)
    with_scripts = opened()
    for what in ("figure svg", "table", "figcaption", ".alternative", "pre", "h3"):
        assert page.locator(what).count() == with_scripts.locator(what).count() > 0
    assert not page.locator(".explorer").first.is_visible()
    assert page.get_by_text("this demand").count() == 2
    alone(page, made)


def test_dark_page_is_dark_and_its_charts_are_readable(opened, tmp_path):
    page = opened(color_scheme="dark", viewport={"width": 1100, "height": 900})
    page.screenshot(path=tmp_path / "dark.png", full_page=True)
    ground = colour(page, "body", "backgroundColor")
    assert max(ground) < 40
    words = page.locator(".picture svg text")
    for index in range(0, words.count(), 7):
        fill = words.nth(index).evaluate("e => getComputedStyle(e).fill")
        assert contrast(rgb(fill), ground) >= 4.5, words.nth(index).inner_html()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_to_read(opened, scheme):
    """WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for text."""
    page = opened(color_scheme=scheme)
    for what in ("p", ".made", "nav a", ".note", ".alternative", "thead th", "pre"):
        behind = page.locator(what).first.evaluate(
            """e => { while (e && getComputedStyle(e).backgroundColor.endsWith(', 0)'))
            e = e.parentElement; return getComputedStyle(e).backgroundColor; }"""
        )
        assert contrast(colour(page, what, "color"), rgb(behind)) >= 4.5, what


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_open_to_everybody(barriers, opened, scheme):
    """No rule of axe-core is broken, with the folds open, by several scenarios."""
    page = opened(color_scheme=scheme, bypass_csp=True)
    assert barriers(page) == []


def test_first_screen_is_for_who_decides(opened):
    """Folded, a scenario is one screen: what to do, how sure, what if, a picture."""
    page = opened(unfolded=False, viewport={"width": 1280, "height": 900})
    section = page.locator("section").nth(1)
    text = section.inner_text()
    for part in ("Train ", "How sure this is", "What could change it", "For the team"):
        assert part in text
    assert section.locator("figure:visible").count() == 1
    assert section.locator(".points li").count() >= 4
    for talk in ("overtrain ", "--", "target.", "demand.", "line "):
        assert talk not in text.partition("Warnings")[0]
    assert section.bounding_box()["height"] < 1.6 * 900


def test_paper_has_everything_on_few_pages(opened, tmp_path):
    """Folds open by themselves to be printed, and fold again."""
    page = opened(unfolded=False)
    for size in ("A4", "Letter"):
        printed = page.pdf(path=tmp_path / "report.pdf", format=size)
        # Side by side and two scenarios: the longest section decides.
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= 2 + 2 * 4
    assert page.locator("details.team[open]").count() == 0


def test_the_longest_scenario_is_four_pages(chromium, overtrain, tmp_path):
    """Limits, prices, a month of start, ranges and long comments: all on four."""
    path = tmp_path / "alone.html"
    file = ROOT / "scenarios" / "regulated-internal-assistant.yaml"
    assert overtrain("report", file, "-o", path).code == 0
    tab = chromium.new_context(offline=True).new_page()
    tab.goto(path.as_uri())
    for size in ("A4", "Letter"):
        printed = tab.pdf(path=tmp_path / "alone.pdf", format=size)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= 4, size
    tab.context.close()


def test_phone_scrolls_only_downward(opened, tmp_path):
    page = opened(viewport={"width": 360, "height": 740})
    page.screenshot(path=tmp_path / "phone.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_paper_cuts_no_chart_and_shows_no_slider(opened, tmp_path):
    """A4 without its margins is 718 by 1047 pixels of CSS."""
    page = opened(viewport={"width": 718, "height": 1047}, color_scheme="dark")
    page.emulate_media(media="print")
    assert not page.locator(".explorer").first.is_visible()
    assert min(colour(page, "body", "backgroundColor")) == 255
    figures = page.locator("figure")
    for index in range(figures.count()):
        figure = figures.nth(index)
        kept = figure.evaluate("e => getComputedStyle(e).breakInside")
        assert (kept, figure.bounding_box()["height"] < 1047) == ("avoid", True)
    assert len(page.pdf(path=tmp_path / "report.pdf", format="A4")) > 50_000


def test_tables_and_images_say_what_they_are(opened):
    page = opened()
    for table in page.locator("table").all():
        assert table.locator("caption").inner_text()
        assert table.locator("tbody th[scope=row]").count() > 0
        assert table.locator("thead th:not([scope=col])").count() == 0
    assert page.locator("svg[role=img]").count() == page.locator("figure").count()
    for words in page.locator(".alternative").all_inner_texts():
        assert len(words) > 30
    levels = [
        int(e.evaluate("e => e.tagName")[1]) for e in page.locator("h1,h2,h3").all()
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1


def colour(page, what, word):
    style = page.locator(what).first.evaluate(f"e => getComputedStyle(e).{word}")
    return rgb(style)


def rgb(text):
    return [int(part) for part in re.findall(r"\d+", text)[:3]]


def contrast(one, other):
    """WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(channels):
        parts = [c / 255 for c in channels]
        linear = [
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_each_word_that_is_linked_opens_at_its_term(opened, made):
    """From the first use to the sentence, which is seen and is of that word."""
    page = opened(viewport={"width": 900, "height": 700}, reduced_motion="reduce")
    links = page.locator("a.word").all()
    assert len(links) >= 8
    kinds = {name: pattern for pattern, (name, _) in WORDS.items()}
    for link in links:
        link.click()
        term = page.locator("dt:target")
        assert term.count() == 1
        box = term.bounding_box()
        assert 0 <= box["y"] < 700
        assert re.fullmatch(kinds[term.inner_text()], link.inner_text())
        assert len(term.locator("+ dd").inner_text()) > 30
    alone(page, made)


# Three places on what is seen of a line, which may go on behind its frame.
ALONG = """line => {
  const frame = (group) => {
    const box = group.querySelector("path.background").getBoundingClientRect();
    return box.width > 1 ? box : frame(group.parentElement.closest(".mark-group"));
  };
  const box = frame(line.closest(".mark-group"));
  const seen = [...Array(60).keys()].map((i) => {
    const {x, y} = line.getPointAtLength(line.getTotalLength() * i / 59);
    return new DOMPoint(x, y).matrixTransform(line.getScreenCTM());
  }).filter(({x, y}) => x >= box.left && x <= box.right && y >= box.top
    && y <= box.bottom);
  const few = seen.length < 3 ? [] : [0.2, 0.5, 0.8];
  return few.map((part) => seen[Math.floor(part * seen.length)])
    .map(({x, y}) => [x, y]);
}"""


def test_a_curve_tells_what_it_is_where_it_is_touched(opened, made):
    """All along each line of each chart: a text for each of its corners, or one."""
    page = opened(viewport={"width": 1280, "height": 900})
    tip = page.locator("#tip")
    lines = page.locator(".picture .mark-line path")
    assert lines.count() > 20
    for line in lines.all():
        told = line.get_attribute("data-tip").split("\n\n")
        corners = re.findall("[MLC]", line.get_attribute("d"))
        assert len(told) in (1, len(corners))
        line.scroll_into_view_if_needed()
        for x, y in line.evaluate(ALONG):
            page.mouse.move(x, y)
            assert tip.is_visible()
            assert ": " in tip.inner_text()
    page.mouse.move(0, 0)
    assert not tip.is_visible()
    alone(page, made)


def test_what_is_told_is_of_the_place(opened):
    """Under the tick of a demand a curve tells that demand, to a step of its points."""
    page = opened(viewport={"width": 1280, "height": 900})
    figure = page.locator("figure", has_text="Lifetime cost against demand").first
    figure.scroll_into_view_if_needed()
    plot = figure.locator(".concat_0_group").first
    middle = plot.locator(".mark-line path").first.bounding_box()
    found = 0
    for tick in plot.locator(".role-axis-label text").all():
        word = tick.text_content()
        if not re.fullmatch(r"\d+[BT]", word):
            continue
        box = tick.bounding_box()
        x = box["x"] + box["width"] / 2
        for y in range(int(middle["y"]), int(middle["y"] + middle["height"])):
            page.mouse.move(x, y)
            told = page.locator("#tip").text_content()
            if page.locator("#tip").is_visible() and "demand: " in told:
                value = re.search(r"demand: ([\d.]+)([BT])", told)
                scale = {"B": 1e9, "T": 1e12}
                said = float(value[1]) * scale[value[2]]
                assert said / (float(word[:-1]) * scale[word[-1]]) == pytest.approx(
                    1, abs=0.3
                )
                found += 1
                break
    assert found >= 3


def test_a_bar_and_a_dot_tell_their_own(opened):
    page = opened(viewport={"width": 1280, "height": 900})
    bars = page.locator("figure", has_text="What moves the cost").first
    for bar in bars.locator(".mark-rect path[data-tip]").all():
        bar.hover(force=True)
        assert page.locator("#tip").text_content() == bar.get_attribute("data-tip")
        assert "input: " in page.locator("#tip").text_content()
