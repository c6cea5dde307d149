"""Fewer layers that draw the same: the engine takes its time by layers, not by rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from optimizer.report.charts.theme import INK
from optimizer.report.charts.vegalite import Spec

# What a mark looks like, unless it says so; of points, whatever all of them say.
USUAL: dict[str, dict[str, Any]] = {
    "text": {
        **{"align": "center", "dx": 0, "dy": 0, "color": INK},
        **{"fontSize": 12, "fontStyle": "normal", "fontWeight": "normal"},
    },
    "point": {},
    "circle": {},
}
OF_ALL = frozenset({"type", "clip", "filled"})  # what rows of a mark cannot differ in
WORD = "word"


def joined(chart: Spec) -> Spec:
    """A chart in which words that differ only in their looks are one layer, as points.

    It is drawn in the place of the last of them. A layer without rows goes.

    Args:
        chart: of layers and of charts below each other, its rows in place.
    """
    if "vconcat" in chart:
        return {**chart, "vconcat": [joined(part) for part in chart["vconcat"]]}
    if "layer" not in chart:
        return chart
    layers = [layer for part in chart["layer"] for layer in _flat(part)]
    kept = [layer for layer in layers if layer["data"]["values"]] or layers[:1]
    groups: list[list[Spec]] = []
    for layer in kept:
        alike = [group for group in groups if _alike(group[0], layer)]
        group = alike[0] if alike else []
        if alike:
            groups.remove(group)  # to the end
        groups.append([*group, layer])
    return {**chart, "layer": [_one(group) for group in groups]}


def _flat(part: Spec) -> Iterator[Spec]:
    """The layers of a part that is nothing but layers."""
    if part.keys() == {"layer"}:
        for layer in part["layer"]:
            yield from _flat(layer)
    else:
        yield part


def _alike(one: Spec, other: Spec) -> bool:
    """Whether one mark can show the rows of both."""
    a, b = one["mark"], other["mark"]
    kind = a["type"]
    if kind not in USUAL:
        return False
    if any(a.get(word) != b.get(word) for word in OF_ALL):
        return False
    said = USUAL[kind]
    if {*a} - {*said} != {*b} - {*said}:
        return False
    return _channels(one) == _channels(other)


def _channels(layer: Spec) -> Spec:
    """Its channels; which field has the words is no matter."""
    text = {"text": WORD} if layer["mark"]["type"] == "text" else {}
    return {**layer["encoding"], **text}


def _one(layers: Sequence[Spec]) -> Spec:
    """One layer of several that are alike; what they differ in is said by each row."""
    first = layers[0]
    if len(layers) == 1:
        return first
    said = USUAL[first["mark"]["type"]]
    looks = [{**said, **layer["mark"]} for layer in layers]
    apart = [key for key in looks[0] if any(at[key] != looks[0][key] for at in looks)]
    rows = [
        {**row, **_word(row, layer), **{f"its {key}": look[key] for key in apart}}
        for layer, look in zip(layers, looks, strict=True)
        for row in layer["data"]["values"]
    ]
    told = {key: {"expr": f"datum['its {key}']"} for key in apart}
    encoding = dict(first["encoding"])
    if "text" in encoding:
        encoding["text"] = {**encoding["text"], "field": WORD}
    mark = {**first["mark"], **told}
    return {**first, "mark": mark, "encoding": encoding, "data": {"values": rows}}


def _word(row: Spec, layer: Spec) -> Spec:
    text = layer["encoding"].get("text")
    return {} if text is None else {WORD: row[text["field"]]}
