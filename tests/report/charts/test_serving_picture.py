"""The picture of predicted against measured times per token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from optimizer.analysis.serving.beside import beside
from optimizer.fitting.points import read_points
from optimizer.report.charts.serving import predicted_beside_measured
from optimizer.world.serving.constants import library

HEAD = (
    "model,accelerator,accelerators,weights,kv,input_tokens,output_tokens,concurrency,"
    "measured_tpot_ms\n"
)


def test_every_point_with_a_time_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    rows = [
        "llama-8b,h100-sxm,1,fp8,fp8,1000,1000,8,6.5",
        "gpt-oss-120b,h200-sxm,2,fp4,fp8,1000,1000,8,5",
        "llama-8b,nobody,1,fp8,fp8,1000,1000,8,6.5",
        "llama-8b,h100-sxm,1,fp8,fp8,1000,1000,8,",
    ]
    path.write_text(HEAD + "\n".join(rows))
    found = beside(read_points(str(path)), library())
    drawn = predicted_beside_measured(found)
    sets = drawn["datasets"].values()
    points = next(rows for rows in sets if "kind" in rows[0])
    assert [row["kind"] for row in points] == ["dense models", "mixtures of experts"]
    assert [row["x"] for row in points] == [6.5, 5.0]
    assert points[0]["y"] == pytest.approx(1e3 * found[0].answer.per_token, rel=1e-4)
    assert "in the median" in drawn["description"]
    json.dumps(drawn)


def test_no_point_no_picture() -> None:
    with pytest.raises(ValueError, match="no point has"):
        predicted_beside_measured([])
