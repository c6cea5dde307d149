"""The live explorer as people use it: every control, in Chromium."""

import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.story.live import live
from optimizer.commands.explore import serving
from optimizer.question.load import read_scenario
from optimizer.reading.document import load_text
from optimizer.report.pages.explore import short

TEXT = """\
# A comment.
name: Two machines
law: besiroglu-2024-refit # of the page
objective: dollars
target: {match: {parameters: 13B}} # the target
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving:
  hardware: h100-sxm
  precision: fp8 # as measured
  mfu: 20 %
  price: $2/h
demand:
  - name: chat
    requests: 5M/day      # a day
    input_tokens: '800'
    output_tokens: 3e2
    lifetime: 2 years
  - {name: batch, tokens: 2T}
"""


OWN = TEXT.replace(
    "{name: batch, tokens: 2T}",
    "{name: batch, tokens: 2T, serving: {hardware: l40s, precision: fp8} } # its own",
)


@contextmanager
def served(text):
    """The address of the explorer of a scenario, while it is there."""
    with serving(live(load_text(text, "a.yaml"), Path(), ()), 0) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}/"
        found.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def address():
    with served(TEXT) as found:
        yield found


@pytest.fixture
def opened(chromium, address):
    """Opens the page; it may not complain of anything."""
    pages, errors = [], []

    def start(where=address, **options):
        page = chromium.new_page(**options)
        page.set_default_timeout(10_000)
        page.on("console", lambda said: errors.append(said.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(where)
        pages.append(page)
        return page

    yield start
    for page in pages:
        page.close()
    assert errors == []


def solved(page, move):
    """Makes a change and waits for its plan."""
    before = page.locator("body").get_attribute("data-solved") or 0
    move()
    page.wait_for_selector(f"body[data-solved]:not([data-solved='{before}'])")


def unfold(page):
    while page.locator("details:not([open])").count():
        page.locator("details:not([open]) > summary").first.click()


def test_every_control_moves_the_plan_and_back_undoes_all(opened):
    page = opened()
    start = page.locator("#now").text_content()
    unfold(page)
    sliders = page.locator("input[type=range]")
    assert sliders.count() >= 12
    solved(page, lambda: [slider.fill("50") for slider in sliders.all()])
    page.wait_for_selector("#now:not(.old)")
    assert page.locator("#now").text_content() != start
    for place in page.locator(".control").all():
        if place.locator("input[type=range]").count():
            box = place.locator("input[type=text]")
            assert box.input_value() != box.get_attribute("value")
    for select in page.locator("select").all():
        for option in select.locator("option").all_inner_texts()[:2]:
            if option != select.input_value():
                solved(page, lambda: select.select_option(option))  # noqa: B023
    solved(page, lambda: page.click("#back"))
    assert page.locator("#now").text_content() == start
    assert {slider.input_value() for slider in sliders.all()} == {"40"}
    assert page.locator(".moved").count() == 0
    for place in page.locator(".control:has([type=range])").all():
        slider, box = place.locator("[type=range]"), place.locator("[type=text]")
        assert slider.get_attribute("aria-valuetext") == box.input_value()


def test_box_and_slider_agree_and_the_optimum_moves(opened):
    page = opened()
    control = page.locator("[data-name='demand.batch.tokens']")
    box, slider = control.locator("input[type=text]"), control.locator("[type=range]")
    dot = page.locator(".curve circle")
    before = float(dot.get_attribute("cx")), page.locator(".curve .plan").text_content()
    solved(page, lambda: slider.fill("80"))
    assert box.input_value() == "20T"
    answer = solve(read_scenario(TEXT, "a.yaml", ["demand.batch.tokens=20T"]))
    assert page.locator("#now").text_content() == short(answer)
    assert page.locator(".curve .plan").text_content() != before[1]
    assert float(dot.get_attribute("cx")) != before[0]
    for text, stop in (("6.3246T", "60"), ("900T", "80"), ("2T", "40"), ("1B", "0")):
        solved(page, lambda: box.fill(text))  # noqa: B023 - at once
        assert slider.input_value() == stop, text
        assert slider.get_attribute("aria-valuetext") == text
    solved(page, lambda: box.fill("-3"))
    assert control.locator(".wrong").text_content() == "must be at least 0, got -3"
    assert "last one" in page.locator("#told").text_content()


def test_another_law_has_its_own_coefficients(opened):
    page = opened()
    page.locator("[data-group=law] > summary").click()
    alpha = page.locator("[data-name='law.alpha'] input[type=text]")
    solved(page, lambda: alpha.fill("0.36"))
    law = page.locator("[data-name=law] select")
    solved(page, lambda: law.select_option("gemstones-2025"))
    assert alpha.is_disabled()
    answer = solve(read_scenario(TEXT, "a.yaml", ["law=gemstones-2025"]))
    assert page.locator("#now").text_content() == short(answer)
    solved(page, lambda: law.select_option("besiroglu-2024-refit"))
    assert alpha.is_enabled()
    answer = solve(read_scenario(TEXT, "a.yaml", ["law.alpha=0.36"]))
    assert page.locator("#now").text_content() == short(answer)


def test_a_stream_with_machines_of_its_own_has_its_own_choices(opened):
    """Its accelerator and format move it alone; back undoes them, share keeps them."""
    with served(OWN) as where:
        page = opened(where)
        unfold(page)
        start = page.locator("#now").text_content()
        for word, value in (("hardware", "h100-sxm"), ("precision", "bf16")):
            name = f"demand.batch.serving.{word}"
            select = page.locator(f"[data-name='{name}'] select")
            first = select.input_value()
            solved(page, lambda: select.select_option(value))  # noqa: B023 - at once
            answer = solve(read_scenario(OWN, "a.yaml", [f"{name}={value}"]))
            assert page.locator("#now").text_content() == short(answer) != start
            with page.expect_download() as download:
                page.click("#share")
            meant = OWN.replace(f"{word}: {first}", f"{word}: {value}")
            if word == "precision":  # that of all machines stays
                meant = OWN.replace("l40s, precision: fp8", "l40s, precision: bf16")
            assert Path(download.value.path()).read_text() == meant
            solved(page, lambda: page.click("#back"))
            assert select.input_value() == first
            assert page.locator("#now").text_content() == start


def test_share_writes_the_file_with_its_comments(opened):
    page = opened()
    box = page.locator("[data-name='demand.batch.tokens'] input[type=text]")
    solved(page, lambda: box.fill("20T"))
    chip = page.locator("[data-name='serving.hardware'] select")
    solved(page, lambda: chip.select_option("b200"))
    kind = page.locator("[data-name='training.precision'] select")
    solved(page, lambda: kind.select_option("fp8"))
    with page.expect_download() as download:
        page.click("#share")
    meant = TEXT.replace("2T}", "20T}").replace("  hardware: h100-", "  hardware: b200")
    meant = meant.replace("b200sxm", "b200").replace("{hard", "{precision: fp8, hard")
    assert Path(download.value.path()).read_text() == meant


def test_the_answer_stays_in_view_on_a_phone(opened):
    page = opened(viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    control = page.locator("[data-name='demand.batch.tokens'] [type=range]")
    control.scroll_into_view_if_needed()
    page.mouse.wheel(0, 200)
    now = page.locator("#now")
    before = now.text_content()
    solved(page, lambda: control.fill("70"))
    assert now.text_content() != before
    place = now.bounding_box()
    assert place["y"] >= 0
    assert place["y"] + place["height"] < 740 / 3


def test_warnings_come_before_the_picture_and_every_table(opened):
    page = opened()
    box = page.locator("[data-name='demand.batch.tokens'] input[type=text]")
    solved(page, lambda: box.fill("9000T"))
    assert "warning" in page.locator("#now").text_content()
    order = page.locator("#answer :is(h3, table, figure)").all_inner_texts()
    assert order[0] == "Warnings"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_explorer_is_open_to_everybody(barriers, opened, scheme):
    """No rule of axe-core is broken, also with a mistake, on a desk and a phone."""
    for width in (1280, 390):
        size = {"width": width, "height": 800}
        page = opened(color_scheme=scheme, bypass_csp=True, viewport=size)
        unfold(page)
        box = page.locator("[data-name='demand.batch.tokens'] input[type=text]")
        for text in ("9000T", "-3"):
            solved(page, lambda: box.fill(text))  # noqa: B023 - at once
        assert barriers(page) == []
