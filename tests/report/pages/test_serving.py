"""The page of measured points beside predicted ones."""

from __future__ import annotations

import re
from pathlib import Path

from optimizer.analysis.serving.beside import beside
from optimizer.fitting.points import read_points
from optimizer.report.formats.blocks import Heading, Text
from optimizer.report.formats.text import render
from optimizer.report.pages.serving import serving_blocks
from optimizer.world.serving.constants import library

HEAD = (
    "model,parameters_total,parameters_active,accelerator,accelerators,weights,kv,"
    "input_tokens,output_tokens,concurrency,measured_tpot_ms\n"
)


def sections(folder: Path, *rows: str) -> dict[str, list[Text]]:
    """The sentences under each heading."""
    path = folder / "points.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    found: dict[str, list[Text]] = {}
    points = beside(read_points(str(path)), library())
    for block in serving_blocks(points, library(), "points.csv"):
        if isinstance(block, Heading):
            said = found.setdefault(block.text, [])
        elif isinstance(block, Text):
            said.append(block)
    return found


def row(chip: str, weights: str = "bf16", concurrency: int = 8) -> str:
    return f"v,7e10,7e10,{chip},4,{weights},fp8,1000,1000,{concurrency},"


def test_a_note_on_one_chip_is_not_told_of_another(tmp_path: Path) -> None:
    """MI325X and MI355X differ in digits alone, and were told as one of both."""
    chips = ["mi325x"] * 3 + ["mi355x"] * 3
    assumed = sections(tmp_path, *(row(chip, "fp4") for chip in chips))["Assumed"]
    told = [text.text for text in assumed if "was measured on" in text.text]
    assert len(told) == 2
    for chip, lines in (("mi325x", "2 to 4"), ("mi355x", "5 to 7")):
        (own,) = [text for text in told if f"on {chip} in" in text]
        assert own.endswith(f"so 3 points: lines {lines}")


def test_what_is_assumed_of_two_points_alike_stands_once(tmp_path: Path) -> None:
    assumed = sections(tmp_path, row("h100", ""), row("h100", ""))["Assumed"]
    told = [text.text for text in assumed]
    assert "weights is not given; taken as bf16" in told
    assert len(told) == len(set(told))


def test_points_refused_for_one_reason_stand_together(tmp_path: Path) -> None:
    good, bad, worse = row("h100"), row("h100", "fp7"), row("h999")
    refused = sections(tmp_path, good, bad, worse, bad, bad)["Refused"]
    assert [text.label for text in refused] == ["lines 3 and 5 to 6", "line 4"]
    assert 'weights "fp7"' in refused[0].text
    assert 'accelerator "h999"' in refused[1].text


def test_shares_have_the_two_digits_of_all_pages(tmp_path: Path) -> None:
    """They had a decimal, and stood as 44.9 % beside a chart that said 45 %."""
    path = tmp_path / "points.csv"
    path.write_text(HEAD + f"{row('h100')}12\n{row('h100', concurrency=9)}19\n")
    points = beside(read_points(str(path)), library())
    page = render(serving_blocks(points, library(), "points.csv"))
    shares = re.findall(r"\S+ %", page)
    assert len(shares) > 5
    assert all(re.fullmatch(r"(\d\.\d|\d{1,3}) %", share) for share in shares)
