"""Constants of serving from measured points."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optimizer.analysis.serving.calibrated import calibrated
from optimizer.fitting.points import Point, Points
from optimizer.reading.document import load_text
from optimizer.report.formats.serving_file import serving_text
from optimizer.world.hardware import load_hardware
from optimizer.world.serving.constants import Constants, library, read_library
from optimizer.world.serving.served import by_name
from optimizer.world.serving.step import Place, answer

TRUE = Constants(80e-6, 5e-6, 0.8, 0.9, 0.25, 10e-6, 0.6, 0.4, 0.85)


def made(model: str, constants: Constants, sizes: tuple[int, ...]) -> list[Point]:
    """Points that obey some constants exactly."""
    served = by_name(model)
    assert served is not None
    points = []
    for g in sizes:
        for b in (4, 16, 64):
            for prompt, output in ((1000, 1000), (8000, 1000), (1000, 200)):
                place = Place(load_hardware("h100-sxm"), g, "fp8", "fp8")
                told = answer(served, place, constants, b, prompt, output)
                if told.batch < b:
                    continue
                point = Point(
                    len(points) + 2, served, place, "", prompt, output, b,
                    told.per_token, told.rate, told.first,
                )  # fmt: skip
                points.append(point)
    return points


@pytest.mark.parametrize("model", ["llama-3.1-70b", "gpt-oss-120b"])
def test_constants_that_made_the_points_are_found(model: str) -> None:
    points = made(model, TRUE, (2, 4, 8))
    found = calibrated(Points("made", "", tuple(points)), library(), "today", "made")
    entry = found.library.find(points[0].model.kind, "h100-sxm", "fp8")
    assert entry.error < 0.02
    # With one number of experts a token, what they add is part of the layer.
    chosen = points[0].model.chosen
    layer = entry.constants.layer + chosen * entry.constants.routed
    assert layer == pytest.approx(TRUE.layer + chosen * TRUE.routed, rel=0.1)
    assert entry.constants.memory == pytest.approx(TRUE.memory, rel=0.1)
    if model.startswith("llama"):
        assert entry.constants.prefill == pytest.approx(TRUE.prefill, rel=0.15)


def test_one_accelerator_tells_nothing_of_the_link() -> None:
    points = made("llama-3.1-8b", TRUE, (1,))
    found = calibrated(Points("made", "", tuple(points)), library(), "today", "made")
    assert {"link", "prefill_link"} <= set(found.unknown["dense"])
    shipped = library().find("dense", "", "").constants
    assert found.library.find("dense", "", "").constants.link == pytest.approx(
        shipped.link, rel=0.05
    )


def test_points_that_contradict_are_named() -> None:
    points = made("llama-3.1-8b", TRUE, (1,))
    twice = replace(points[0], line=99, per_token=2 * points[0].per_token)
    read = Points("made", "", (*points, twice))
    found = calibrated(read, library(), "today", "made")
    assert any("lines 2 and 99" in text and "2.00 times" in text for text in found.told)


def test_too_few_points_are_refused_with_the_reason() -> None:
    rows = (Point(2, refused='accelerator "x" is not in the library'),)
    with pytest.raises(ValueError, match='line 2: accelerator "x"'):
        calibrated(Points("made", "", rows), library(), "today", "made")


def test_file_reads_back(tmp_path: Path) -> None:
    points = made("llama-3.1-70b", TRUE, (2, 4))
    found = calibrated(Points("made", "", tuple(points)), library(), "today", "made")
    text = serving_text(found.library, found.ranges)
    back = read_library(load_text(text, "my-serving.yaml"))
    for one, other in zip(found.library.entries, back.entries, strict=True):
        mine = (*one.constants.step, *one.constants.prompt)
        theirs = (*other.constants.step, *other.constants.prompt)
        assert np.allclose(mine, theirs, rtol=1e-3)
        assert (one.kind, one.accelerator, one.points) == (
            other.kind, other.accelerator, other.points,
        )  # fmt: skip
