"""The words of each mark, in the picture itself: no library is needed to show them."""

from __future__ import annotations

from typing import Any

from optimizer.report.charts.vegalite import Spec

APART = ("color", "detail", "strokeDash")  # channels that part rows into lines
NEXT = "\n\n"  # between the words of two points


def tipped(chart: Spec) -> Spec:
    """A chart whose SVG has the words of each mark as its label.

    A line has those of all its points, in their order and with an empty line between
    them; once, where they say the same.

    Args:
        chart: finished, with channels `tooltip`.
    """
    rows = {n: [dict(row) for row in kept] for n, kept in chart["datasets"].items()}
    marks = {key: node for key, node in chart.items() if key != "datasets"}
    return {**_told(marks, rows), "datasets": rows}


def _told(node: Any, rows: dict[str, list[Spec]]) -> Any:
    if isinstance(node, list):
        return [_told(member, rows) for member in node]
    if not isinstance(node, dict):
        return node
    encoding = node.get("encoding", {})
    if "mark" not in node or "tooltip" not in encoding:
        return {key: _told(member, rows) for key, member in node.items()}
    own = rows[node["data"]["name"]]
    words = f"tip {len(own[0]) if own else 0}"  # of this mark alone
    for row in own:
        row[words] = _words(row, encoding["tooltip"])
    if node["mark"]["type"] == "line":
        _joined(own, words, encoding)
    shown = {key: encoding[key] for key in encoding if key != "tooltip"}
    shown["description"] = {"value": {"expr": f"datum['{words}'] || ''"}}
    return {**node, "mark": {**node["mark"], "aria": True}, "encoding": shown}


def _words(row: Spec, fields: list[Spec]) -> str:
    """A line for each field that says something."""
    told = (
        (field.get("title", field["field"]), " ".join(str(row[field["field"]]).split()))
        for field in fields
    )
    return "\n".join(f"{name}: {value}" for name, value in told if value)


def _joined(rows: list[Spec], words: str, encoding: Spec) -> None:
    """Gives the words of a line to its first point, which speaks for all of it."""
    names = [encoding[channel]["field"] for channel in APART if channel in encoding]
    along = encoding["order" if "order" in encoding else "x"]["field"]
    lines: dict[tuple[Any, ...], list[Spec]] = {}
    for row in rows:
        if row[encoding["y"]["field"]] is not None:
            lines.setdefault(tuple(row[name] for name in names), []).append(row)
    for line in lines.values():
        line.sort(key=lambda row: row[along])
        texts = [row[words] for row in line]
        said = texts if len(set(texts)) > 1 else texts[:1]
        for row in line:
            row[words] = ""
        line[0][words] = NEXT.join(said)
