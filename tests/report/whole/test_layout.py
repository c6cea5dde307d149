"""Charts are drawn as they were laid out: nothing is cut, nothing lies on another.

The page carries its font, so this holds on a machine with any fonts or none.
"""

import pytest

WIDTHS = (390, 820, 1280)
# The words of a chart, by their boxes on the screen, and the frame that they stand in.
BOXES = """picture => {
  const box = (node) => {
    const {left, top, right, bottom} = node.getBoundingClientRect();
    return {left, top, right, bottom};
  };
  const svg = picture.querySelector("svg");
  const words = [...svg.querySelectorAll("text")].filter((node) =>
    node.textContent.trim() && getComputedStyle(node).opacity !== "0");
  return {frame: box(svg),
          words: words.map((node) => ({text: node.textContent, ...box(node)}))};
}"""


def outside(drawn):
    """The words that leave the frame of their chart, by more than half a pixel."""
    frame = drawn["frame"]
    return [
        word["text"]
        for word in drawn["words"]
        if word["left"] < frame["left"] - 0.5
        or word["top"] < frame["top"] - 0.5
        or word["right"] > frame["right"] + 0.5
        or word["bottom"] > frame["bottom"] + 0.5
    ]


def upon_another(drawn):
    """Pairs of words that lie on each other: boxes have air of their own around."""
    found = []
    for i, one in enumerate(drawn["words"]):
        for two in drawn["words"][:i]:
            wide = min(one["right"], two["right"]) - max(one["left"], two["left"])
            high = min(one["bottom"], two["bottom"]) - max(one["top"], two["top"])
            line = min(w["bottom"] - w["top"] for w in (one, two))
            if wide > 1 and high > 0.35 * line:
                found.append((two["text"], one["text"]))
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_no_word_of_a_chart_is_cut_or_lies_on_another(opened, width):
    page = opened(viewport={"width": width, "height": 900})
    page.evaluate("document.fonts.ready")
    pictures = page.locator(".picture").all()
    assert len(pictures) > 10
    for picture in pictures:
        drawn = picture.evaluate(BOXES)
        assert drawn["words"]
        assert (outside(drawn), upon_another(drawn)) == ([], [])


@pytest.mark.parametrize("width", WIDTHS)
def test_a_chart_that_wakes_up_stays_as_it_was(opened, width):
    """Within a pixel for each word: still and live are measured in one font."""
    page = opened(viewport={"width": width, "height": 900})
    for picture in page.locator(".picture").all():
        still = picture.evaluate(BOXES)
        picture.hover()
        page.wait_for_function("e => e.dataset.live", arg=picture.element_handle())
        page.mouse.move(0, 0)
        live = picture.evaluate(BOXES)
        assert (outside(live), upon_another(live)) == ([], [])
        for side in ("right", "bottom"):
            before, after = (
                drawn["frame"][side] - drawn["frame"][start]
                for drawn in (still, live)
                for start in ({"right": "left", "bottom": "top"}[side],)
            )
            assert after == pytest.approx(before, abs=1.0)


def test_the_font_is_in_the_page_and_is_what_is_seen(opened):
    page = opened()
    faces = page.evaluate(
        "Promise.all([...document.fonts].map(f => f.load()))"
        ".then(all => all.map(f => f.family + ' ' + f.weight + ' ' + f.status))"
    )
    assert faces == ["Overtrain 400 loaded", "Overtrain 700 loaded"]
    families = page.evaluate(
        """[...document.querySelectorAll(".picture text, p, td, h1")]
        .map(node => getComputedStyle(node).fontFamily.split(",")[0])"""
    )
    assert set(families) == {"Overtrain"}
