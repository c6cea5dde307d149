"""Our charts as Vega, which the engine draws in two thirds of the time of Vega-Lite.

What Vega-Lite works out of a chart in general is known of ours: their scales have
domains, their rows are numbers, and only some kinds of marks stand in them. A chart
with anything else stays as it is.

*Source*: Vega-Lite 6 and its documentation, for what each record means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from optimizer.report.charts.vegalite import Spec

SCHEMA = "https://vega.github.io/schema/vega/v5.json"
TIP = re.compile(r"datum\['(tip \d+)'\] \|\| ''")
PARTING = ("detail", "color", "strokeDash")  # channels that part rows into lines
SHARED = {"color": "fill", "strokeDash": "strokeDash", "shape": "shape"}
TICKS = ("values", "tickCount", "tickMinStep")
AXIS = {*TICKS, "labelExpr", "format", "grid", "labelLimit", "labelColor"}
LOOKS = {"align", "dx", "dy", "fontSize", "fontStyle", "fontWeight", "opacity", "size"}
LOOKS |= {"shape", "stroke", "strokeWidth", "strokeDash", "interpolate", "orient"}
CHANNELS = {"x", "y", "x2", "y2", "text", "order", "description", *PARTING, "shape"}
# What the panels of one chart may have each for itself.
APART = {"scale": {"color": "independent", "strokeDash": "independent"}}
GRID: Spec = {"grid": True, "domain": False, "labels": False, "ticks": False}
GRID |= {"aria": False, "maxExtent": 0, "minExtent": 0}


class _Other(Exception):
    """A chart that has something which is not known here."""


def vega(chart: Spec) -> Spec:
    """A chart as Vega, or the chart itself.

    Args:
        chart: finished, the words of its marks in its rows.
    """
    try:
        return _whole(chart)
    except _Other:
        return chart


def _known(holds: bool) -> None:
    if not holds:
        raise _Other


def _whole(chart: Spec) -> Spec:
    own = ("layer", "mark", "encoding", "data", "width", "height")
    only = {key: chart[key] for key in own if key in chart}
    parts = chart.get("vconcat", [only])
    _known("title" not in chart and chart.get("resolve", APART) == APART)
    panels = [_Panel(part, chart["datasets"], i) for i, part in enumerate(parts)]
    apart = "resolve" in chart
    shared: dict[str, Spec] = {}
    for panel in panels if not apart else ():
        for channel, scale in panel.shared.items():
            _known(shared.setdefault(channel, scale) == scale)
    colours = [layer for panel in panels for layer in panel.coloured if not apart]
    whole: Spec = {
        "$schema": SCHEMA,
        "description": chart["description"],
        "background": "transparent",
        "padding": 5,
        "config": _config(chart["config"]),
        "data": [data for panel in panels for data in panel.data],
        "scales": [*shared.values(), *(s for p in panels for s in p.scales)],
        "legends": list(_legends(colours, shared)),
    }
    if "vconcat" not in chart:
        return {**whole, "style": "cell", **panels[0].size, **panels[0].drawn}
    whole["layout"] = {"padding": chart["spacing"], "columns": 1}
    whole["layout"] |= {"bounds": "full", "align": "each"}
    for place, panel in enumerate(panels):
        name = f"concat_{place}_group"  # as Vega-Lite calls it
        size = {key: {"value": value} for key, value in panel.size.items()}
        group: Spec = {"type": "group", "name": name, "style": "cell"}
        group["encode"] = {"update": size}
        if apart:
            group["scales"] = [*panel.shared.values()]
            group["legends"] = list(_legends(panel.coloured, panel.shared))
        whole.setdefault("marks", []).append({**group, **panel.drawn})
    return whole


def _config(config: Spec) -> Spec:
    """What Vega knows of how charts look; marks say the rest themselves."""
    font = {"font": config["font"]}
    style = {"guide-label": font, "guide-title": font, "cell": {"stroke": None}}
    style["text"] = {**font, "fontSize": config["text"]["fontSize"]}
    kept = {key: config[key] for key in ("aria", "axis", "axisY", "legend")}
    return {**kept, "style": style}


class _Panel:
    """A plane of x and y with its marks."""

    def __init__(self, part: Spec, rows: dict[str, list[Spec]], place: int) -> None:
        self.size = {"width": part["width"], "height": part["height"]}
        self._rows = rows
        self._layers = [_checked(layer) for layer in _flat(part)]
        self._name = f"p{place}"
        self.data: list[Spec] = []
        self.shared: dict[str, Spec] = {}
        self.coloured: list[Spec] = []
        places = {axis: self._place(axis) for axis in ("x", "y")}
        self.scales = [scale for scale, _ in places.values()]
        marks = [self._mark(layer) for layer in self._layers]
        axes = [axis for _, found in places.values() for axis in found]
        axes.sort(key=lambda axis: not axis["grid"])
        self.drawn = {"marks": marks, "axes": axes}

    def _own(self, layer: Spec) -> list[Spec]:
        return self._rows[layer["data"]["name"]]

    def _place(self, axis: str) -> tuple[Spec, list[Spec]]:
        """The scale of an axis, and its lines and its labels."""
        told = [x for x in (at["encoding"].get(axis) for at in self._layers) if x]
        told = [x for x in told if "field" in x]
        _known(bool(told))
        name = f"{self._name}{axis}"
        scale: Spec = {"name": name}
        ends = [0, self.size["width" if axis == "x" else "height"]]
        if told[0]["type"] == "quantitative":
            scales = [x["scale"] for x in told if "scale" in x]
            _known(bool(scales) and all(scale == scales[0] for scale in scales))
            _known({x["type"] for x in told} == {"quantitative"})
            scale |= {"type": "linear", **scales[0]}
            scale["range"] = ends if axis == "x" else ends[::-1]
        else:
            _known(axis == "y" and all(x.get("sort") == told[0]["sort"] for x in told))
            rows = [row for at in self._layers for row in self._own(at)]
            found = {row[told[0]["field"]] for row in rows}
            domain = [word for word in told[0]["sort"] if word in found]
            _known(len(domain) == len(found) and len({x["field"] for x in told}) == 1)
            scale |= {"type": "band", "domain": domain, "range": ends}
            scale |= {"paddingInner": 0.1, "paddingOuter": 0.05}
        return scale, list(self._axis(axis, told, scale))

    def _axis(self, axis: str, told: Sequence[Spec], scale: Spec) -> Iterator[Spec]:
        said = [x["axis"] for x in told if "axis" in x]
        look = said[0] if said else {}
        _known(all(x == look for x in said) and {*look} <= AXIS)
        main = {"scale": scale["name"], "orient": "bottom" if axis == "x" else "left"}
        ticks = {key: look[key] for key in TICKS if key in look}
        if scale["type"] != "band" and look.get("grid", True):
            across = f"{self._name}{'y' if axis == 'x' else 'x'}"
            yield {**main, **ticks, **GRID, "gridScale": across, "zindex": 0}
        titles = [x["title"] for x in told if "title" in x]
        _known(bool(titles) and all(title == titles[0] for title in titles))
        more = {key: look[key] for key in look if key not in ("labelExpr", "grid")}
        more |= {"title": titles[0]} if titles[0] else {}
        if "labelExpr" in look:
            text = {"text": {"signal": look["labelExpr"]}}
            more["encode"] = {"labels": {"update": text}}
        yield {**main, **more, "grid": False, "aria": False, "zindex": 0}

    def _mark(self, layer: Spec) -> Spec:
        mark, channels = layer["mark"], layer["encoding"]
        kind = mark["type"]
        encoded: Spec = {k: _look(v) for k, v in mark.items() if k in LOOKS}
        ink = "stroke" if kind in ("line", "rule") else "fill"
        if "color" in mark:
            encoded[ink] = _look(mark["color"])
        if mark.get("aria"):
            tip = TIP.fullmatch(channels["description"]["value"]["expr"])
            _known(tip is not None)
            encoded |= {
                "aria": {"value": True},
                "description": {"field": tip and tip[1]},
            }
        for channel in ("color", "strokeDash", "shape"):
            if channel in channels:
                self._share(channel, channels[channel])
                name = ink if channel == "color" else channel
                field = channels[channel]["field"]
                encoded[name] = {"scale": channel, "field": field}
        if "color" in channels:
            self.coloured.append(layer)
        for axis in ("x", "y", "x2", "y2"):
            if axis in channels:
                encoded[axis] = self._at(axis, channels[axis], channels)
        drawn: Spec = {"clip": True} if mark.get("clip") else {}
        drawn |= {"style": "text"} if kind == "text" else {}
        return _KINDS[kind](self, layer, encoded, drawn)

    def _share(self, channel: str, told: Spec) -> None:
        _known(told["title"] is None or channel == "color")
        scale = {"name": channel, "type": "ordinal", **told["scale"]}
        _known(self.shared.setdefault(channel, scale) == scale)

    def _at(self, axis: str, told: Spec, channels: Spec) -> Spec:
        if "value" in told:
            return {"value": told["value"]}
        found = {"scale": f"{self._name}{axis[0]}"}
        if "datum" in told:
            return {**found, "value": told["datum"]}
        found["field"] = told["field"]
        band = channels[axis[0]].get("type") == "nominal"
        return {**found, "band": 0.5} if band else found

    def _from(self, rows: Sequence[Spec], channels: Spec) -> str:
        """The name of rows, those that have a place where every row needs one."""
        name = f"{self._name}r{len(self.data)}"
        needed = [
            x["field"]
            for x in (channels.get("x"), channels.get("y"))
            if x and x.get("type") == "quantitative"
        ]
        kept = [row for row in rows if all(row[key] is not None for key in needed)]
        self.data.append({"name": name, "values": kept})
        return name

    def _items(self, layer: Spec, encoded: Spec, drawn: Spec, kind: str) -> Spec:
        source = {"data": self._from(self._own(layer), layer["encoding"])}
        return {"type": kind, "from": source, "encode": {"update": encoded}, **drawn}

    def _rule(self, layer: Spec, encoded: Spec, drawn: Spec) -> Spec:
        _known("x" in encoded and "x2" not in encoded)
        if "y" not in encoded:
            encoded |= {"y": {"value": 0}, "y2": {"value": self.size["height"]}}
        _known("y2" in encoded)
        return self._items(layer, encoded, drawn, "rule")

    def _text(self, layer: Spec, encoded: Spec, drawn: Spec) -> Spec:
        usual = {"align": {"value": "center"}, "baseline": {"value": "middle"}}
        usual["text"] = {"field": layer["encoding"]["text"]["field"]}
        return self._items(layer, {**usual, **encoded}, drawn, "text")

    def _symbol(self, layer: Spec, encoded: Spec, drawn: Spec) -> Spec:
        mark = layer["mark"]
        _known(mark["type"] == "circle" or mark.get("filled") is True)
        _known("opacity" in mark and "size" in mark)
        usual = {"shape": {"value": "circle"}}
        return self._items(layer, {**usual, **encoded}, drawn, "symbol")

    def _bar(self, layer: Spec, encoded: Spec, drawn: Spec) -> Spec:
        channels = layer["encoding"]
        _known(channels["x"]["type"] == "quantitative")
        if "x2" not in encoded:
            _known("y2" in encoded and "size" in encoded)
            encoded |= {"xc": encoded.pop("x"), "width": encoded.pop("size")}
        elif channels["y"]["type"] == "nominal":
            at = encoded.pop("y")
            if "height" in layer["mark"]:
                encoded |= {"yc": at, "height": {"value": layer["mark"]["height"]}}
            else:
                encoded["y"] = {"scale": at["scale"], "field": at["field"]}
                encoded["height"] = {"scale": at["scale"], "band": 1}
        else:
            _known("y2" in encoded)
        return self._items(layer, encoded, drawn, "rect")

    def _path(self, layer: Spec, encoded: Spec, drawn: Spec) -> Spec:
        """Lines or areas, one for all rows that are alike in what parts them."""
        mark, channels = layer["mark"], layer["encoding"]
        kind = mark["type"]
        if kind == "line":
            encoded.setdefault("strokeWidth", {"value": 2.5})
            _known("x2" not in channels and "y2" not in channels)
        elif "orient" not in encoded:
            encoded["orient"] = {"value": "vertical"}
        across = mark.get("orient") == "horizontal"
        along = channels.get("order", channels["y" if across else "x"])["field"]
        fields = [channels[c]["field"] for c in PARTING if c in channels]
        lines: dict[tuple[Any, ...], list[Spec]] = {}
        for row in self._own(layer):
            lines.setdefault(tuple(row[f] for f in fields), []).append(row)
        for line in lines.values():
            line.sort(key=lambda row: row[along], reverse=across)
        rows = [row for line in lines.values() for row in line]
        shown = [channels[axis]["field"] for axis in ("x", "y")]
        if any(row[key] is None for row in rows for key in shown):
            test = " && ".join(f"isValid(datum['{key}'])" for key in shown)
            encoded["defined"] = {"signal": test}
        name = f"{self._name}r{len(self.data)}"
        self.data.append({"name": name, "values": rows})
        path = {"type": kind, "encode": {"update": encoded}, **drawn}
        if len(lines) == 1:
            return {**path, "from": {"data": name}}
        facet = {
            "name": f"{name}f",
            "data": name,
            "groupby": list(dict.fromkeys(fields)),
        }
        size = {key: {"value": value} for key, value in self.size.items()}
        return {
            "type": "group",
            "from": {"facet": facet},
            "encode": {"update": size},
            "marks": [{**path, "from": {"data": facet["name"]}}],
        }


_KINDS = {
    "rule": _Panel._rule,
    "text": _Panel._text,
    "point": _Panel._symbol,
    "circle": _Panel._symbol,
    "bar": _Panel._bar,
    "line": _Panel._path,
    "area": _Panel._path,
}


def _flat(part: Spec) -> Iterator[Spec]:
    if "layer" in part:
        for layer in part["layer"]:
            yield from _flat(layer)
    else:
        yield part


def _checked(layer: Spec) -> Spec:
    _known("mark" in layer and layer["mark"]["type"] in _KINDS)
    _known({*layer} <= {"mark", "encoding", "data", "width", "height"})
    _known({*layer["encoding"]} <= CHANNELS)
    known = LOOKS | {"type", "clip", "color", "filled", "aria", "height"}
    _known({*layer["mark"]} <= known)
    return layer


def _look(value: Any) -> Spec:
    """A look that all rows have, or that each says."""
    return {"signal": value["expr"]} if isinstance(value, dict) else {"value": value}


def _legends(layers: Sequence[Spec], shared: dict[str, Spec]) -> Iterator[Spec]:
    """One legend of what colours mean, and dashes and shapes with them."""
    if not layers:
        _known(not shared)
        return
    fields = {layer["encoding"]["color"]["field"] for layer in layers}
    titles = [layer["encoding"]["color"]["title"] for layer in layers]
    _known(len(fields) == 1 and len({*titles}) == 1)
    first = layers[0]["mark"]
    legend: Spec = {"direction": "horizontal", "aria": False}
    legend |= {"title": titles[0]} if titles[0] else {}
    kinds = {layer["mark"]["type"] for layer in layers}
    for kind in kinds:
        legend["stroke" if kind == "line" else "fill"] = "color"
    legend |= {key: key for key in shared if key != "color"}
    look: Spec = {}
    if kinds == {"line"}:
        legend["symbolType"] = "stroke"
        look = {"strokeWidth": {"value": 2.5}}
    elif kinds == {"bar"}:
        legend["symbolType"] = "square"
        look = {k: {"value": first[k]} for k in ("stroke",) if k in first}
    else:
        _known(first["type"] in ("area", "point"))
        legend["symbolType"] = "circle"
        look = {k: {"value": first[k]} for k in ("stroke", "opacity") if k in first}
    if look:
        legend["encode"] = {"symbols": {"update": look}}
    yield legend
