"""Charts as records of Vega-Lite: marks over rows, and what their channels show.

Altair writes the same records, but importing it takes as long as the work of a report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Spec = dict[str, Any]
Rows = Sequence[dict[str, Any]]
TYPES = {"Q": "quantitative", "N": "nominal"}


def over(rows: Rows, **channels: Any) -> Spec:
    """Rows, and what the channels of marks over them show."""
    return {"data": {"values": list(rows)}, "encoding": channels}


def also(base: Spec, **channels: Any) -> Spec:
    """The same rows with more channels."""
    return {**base, "encoding": {**base["encoding"], **channels}}


def where(base: Spec, condition: str) -> Spec:
    """Those of the rows for which an expression holds."""
    return {**base, "transform": [{"filter": condition}]}


def mark(kind: str, base: Spec, **look: Any) -> Spec:
    """A mark for each of the rows, or one along them, and how it looks."""
    return {**base, "mark": {"type": kind, **look}}


def layered(*parts: Spec, **size: Any) -> Spec:
    """Charts on top of each other."""
    return {"layer": list(parts), **size}


def stacked(*parts: Spec, **more: Any) -> Spec:
    """Charts below each other."""
    return {"vconcat": list(parts), "spacing": 14, **more}


def field(name: str, **more: Any) -> Spec:
    """A channel that shows a field, quantitative `cost:Q` or nominal `model:N`."""
    word, _, kind = name.rpartition(":")
    return {"field": word, "type": TYPES[kind], **more}


def tips(*fields: str) -> list[Spec]:
    """What is told of a mark to those who point at it."""
    return [field(f"{name}:N") for name in fields]


# The names on Object.prototype. Source: ECMA-262, sections 20.1.3 and B.2.2.
TAKEN = frozenset(
    (
        *("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"),
        *("toLocaleString", "toString", "valueOf", "__defineGetter__", "__proto__"),
        *("__defineSetter__", "__lookupGetter__", "__lookupSetter__"),
    )
)
NUMBERS = (float, int, bool, type(None))  # which are no names


def finished(chart: Spec, alternative: str, config: Spec) -> Spec:
    """The whole Vega-Lite of a chart; rows that several marks share are kept once.

    Args:
        chart: of marks and layers.
        alternative: its words.
        config: how charts look.
    """
    known: list[Rows] = []
    content = {
        "description": alternative,
        "config": config,
        **_drawable(_shared(chart, known)),
    }
    content["datasets"] = {_name(i): _drawable(rows) for i, rows in enumerate(known)}
    return content


def _name(place: int) -> str:
    return f"rows{place}"


def _shared(node: Any, known: list[Rows]) -> Any:
    """A chart whose data have names, those of their places among what is known."""
    if isinstance(node, list):
        return [_shared(member, known) for member in node]
    if not isinstance(node, dict):
        return node
    found = {key: _shared(node[key], known) for key in node if key != "data"}
    if "data" in node:
        rows = node["data"]["values"]
        if rows not in known:
            known.append(rows)
        found["data"] = {"name": _name(known.index(rows))}
    return found


def _drawable(node: Any) -> Any:
    """A chart whose names are none that every object of JavaScript has already.

    Vega looks names up in plain objects, where `constructor` is always found. A mark
    of no width behind such a name makes it a name like others.
    """
    if isinstance(node, list):
        return [_drawable(member) for member in node]
    if isinstance(node, dict):
        return {
            key: member if type(member) in NUMBERS else _drawable(member)
            for key, member in node.items()
        }
    return f"{node}\u2060" if isinstance(node, str) and node in TAKEN else node
