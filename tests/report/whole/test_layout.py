"""Charts are drawn as they were laid out: nothing is cut, nothing lies on another.

The page carries its font, so this holds on a machine with any fonts or none.
"""

import itertools
import math

import pytest

from optimizer.commands.plot import KINDS

# What has the chart: two scenarios of one unit, a law with a covariance, ...
PLOTTED = {
    "regret": ("open-release-community-0", "open-release-community-1"),
    "capped": ("sixty-days",),
}
WIDTHS = (390, 820, 1280)
# The words of a chart as rectangles on the screen, turned where the words are, without
# the air above and below the letters; and the frame that they stand in.
BOXES = """picture => {
  const svg = picture.querySelector("svg");
  const {left, top, right, bottom} = svg.getBoundingClientRect();
  const words = [...svg.querySelectorAll("text")].filter((node) =>
    node.textContent.trim() && getComputedStyle(node).opacity !== "0");
  const corners = (node) => {
    const {x, y, width, height} = node.getBBox(), to = node.getScreenCTM();
    const [high, low] = [y + height / 5, y + height * 4 / 5];
    return [[x, high], [x + width, high], [x + width, low], [x, low]].map(([x, y]) => {
      const at = new DOMPoint(x, y).matrixTransform(to);
      return [at.x, at.y];
    });
  };
  return {size: [right - left, bottom - top], frame: [left, top, right, bottom],
          words: words.map((node) => [node.textContent, corners(node)])};
}"""


def outside(drawn):
    """The words that leave the frame of their chart, by more than half a pixel."""
    left, top, right, bottom = drawn["frame"]
    return [
        text
        for text, corners in drawn["words"]
        if not all(
            left - 0.5 <= x <= right + 0.5 and top - 0.5 <= y <= bottom + 0.5
            for x, y in corners
        )
    ]


def upon_another(drawn):
    """Pairs of words that lie on each other, by more than a pixel."""
    return [
        (one[0], two[0])
        for one, two in itertools.combinations(drawn["words"], 2)
        if not apart(one[1], two[1]) and not apart(two[1], one[1])
    ]


def apart(one, two):
    """Whether a line along a side of the first rectangle parts it from the second."""
    for (x0, y0), (x1, y1) in itertools.pairwise(one[:3]):
        length = math.hypot(x1 - x0, y1 - y0)
        along = (x1 - x0) / length, (y1 - y0) / length
        a, b = (
            [x * along[0] + y * along[1] for x, y in corners] for corners in (one, two)
        )
        if min(max(a), max(b)) - max(min(a), min(b)) <= 1:
            return True
    return False


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


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_alone_carries_its_font_and_is_whole(
    kind, overtrain, root, chromium, tmp_path
):
    """Charts that only `plot` draws, too: a file that is opened on any machine."""
    names = PLOTTED.get(kind, ("buy-or-build",))
    files = [root / "scenarios" / f"{name}.yaml" for name in names]
    drawn = tmp_path / "chart.svg"
    done = overtrain("plot", kind, *files, "-o", drawn)
    assert done.code == 0, done.err
    context = chromium.new_context(offline=True)
    try:
        page = context.new_page()
        page.goto(drawn.as_uri())
        loaded = page.evaluate(
            "document.fonts.ready.then(() => [...document.fonts].map(f => f.status))"
        )
        seen = page.evaluate(
            f"({BOXES})({{querySelector: () => document.rootElement}})"
        )
    finally:
        context.close()
    assert loaded
    assert set(loaded) == {"loaded"}
    assert len(seen["words"]) > 3
    assert (outside(seen), upon_another(seen)) == ([], [])


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


SIDES = """() => [...document.querySelectorAll(".both")].map((row) => {
  const tall = (side) => {
    const boxes = [...row.querySelectorAll(`:scope > ${side} > *`)]
      .map((item) => item.getBoundingClientRect());
    return [Math.min(...boxes.map((box) => box.top)),
            Math.max(...boxes.map((box) => box.bottom))];
  };
  return [tall(".words"), tall(".charts"), row.parentElement.innerText.slice(0, 60)];
})"""


@pytest.mark.parametrize("width", [*WIDTHS, 1600])
def test_no_side_of_a_row_ends_a_screen_before_the_other(opened, width):
    page = opened(viewport={"width": width, "height": 900})
    rows = page.evaluate(SIDES)
    assert rows
    for words, charts, name in rows:
        if words[0] < charts[1] and charts[0] < words[1]:  # side by side
            assert abs(words[1] - charts[1]) < 900, name
    assert page.evaluate("document.documentElement.scrollWidth") <= width
