"""The lists of laws and accelerators."""

import json

from optimizer.report.formats import markdown
from optimizer.report.formats.data import write
from optimizer.report.formats.text import render
from optimizer.report.pages import library
from optimizer.world.hardware import example_price, hardware_names, load_hardware
from optimizer.world.laws import builtin_names, load_law


def test_every_law_has_a_row_and_a_page_that_fit():
    laws = [load_law(name) for name in builtin_names()]
    table = render(library.laws_blocks(laws), 80)
    for law in laws:
        assert law.name in table
        page = render(library.law_blocks(law), 80)
        assert max(map(len, page.splitlines())) <= 80
        for symbol, value in law.coefficients.items():
            assert symbol in page
            assert f"{value:.8g}" in page
        for caveat in law.caveats:
            assert caveat.split()[0] in page
        data = json.loads(write(library.law_data(law)))
        assert data["name"] == law.name
        assert data["coefficients"] == dict(law.coefficients)
        assert data["counts"] == law.counts
    assert max(map(len, table.splitlines())) <= 80


def test_the_laws_fit_on_a_screen_with_their_coefficients():
    """Besiroglu et al. 2024, arXiv 2404.10102, abstract: E 1.82, alpha 0.3478."""
    laws = [load_law(name) for name in builtin_names()]
    lines = render(library.laws_blocks(laws), 80).splitlines()
    assert len(lines) < 55
    (row,) = (line for line in lines if line.split()[:1] == ["besiroglu-2024"])
    told = "besiroglu-2024 1.82 482 2090 0.348 0.366 341"
    assert row.split() == told.split()
    assert sum(line.startswith("  law ") for line in lines) == 1


def test_advice_names_laws_that_there_are():
    words = library.ADVICE.replace(",", " ").replace(".", " ").split()
    named = [word for word in words if word.count("-") >= 1 and "-20" in word]
    assert len(named) == 3
    assert set(named) <= set(builtin_names())


def test_the_published_check_of_a_law_is_on_its_page():
    """Hoffmann et al. 2022, Table 3: 175B on 3.7T tokens."""
    page = render(library.law_blocks(load_law("hoffmann-2022-approach-1")), 80)
    assert "175B    3.7T  compute-optimal" in page


def test_every_accelerator_has_a_row_and_its_prices_their_date():
    chips = [load_hardware(name) for name in hardware_names()]
    price = example_price("h100-sxm")
    table = markdown.render(library.chips_blocks(chips, {"h100-sxm": price}))
    assert table.count(f"| ${price.value:.2f}/h |") == 1
    assert all(f"| {chip.key} |" in table for chip in chips)
    h100 = load_hardware("h100-sxm")
    page = render(library.chip_blocks(h100, price), 100)
    assert price.date in page
    assert price.provider in page
    assert h100.date in page
    data = library.chip_data(h100, price)
    assert data["example_price"]["value"] == price.value
    assert library.chip_data(h100, None)["example_price"] is None
