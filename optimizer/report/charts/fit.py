"""Pictures of a fit: its residuals, and the profile of each coefficient."""

from __future__ import annotations

import math

from optimizer.analysis.law.diagnostics import Residual
from optimizer.analysis.law.judgement import Judged
from optimizer.analysis.law.profiles import Profile
from optimizer.fitting.rise import CHI2
from optimizer.reading.quantity import significant
from optimizer.report.charts.theme import (
    BLUE,
    GREY,
    HEIGHT,
    MUTED,
    ORANGE,
    PERCENTS_OFF,
    colour,
    exactly,
    linear,
    log_axis,
    log_scale,
    short,
    span,
    ticks,
)
from optimizer.report.charts.vegalite import (
    Spec,
    also,
    field,
    layered,
    mark,
    over,
    tips,
)

AXES = {
    "parameters": "parameters",
    "tokens": "training tokens",
    "tokens_per_parameter": "tokens per parameter",
}
SIDE = 190  # the width of one of several panels
HIGHEST = 12.0  # of a profile
FAR = 4.0  # times the common spread: residuals beyond are at the edge
THIRD, RUN = "median of a third", "a run"


def residuals(figure: Judged) -> Spec:
    """Measured over fitted loss against size, tokens, and their ratio."""
    axes = list(dict.fromkeys(trend.axis for trend in figure.trends))
    values = sorted(abs(math.expm1(r.residual)) for r in figure.residuals)
    common = values[int(0.9 * (len(values) - 1))]
    top = min(values[-1], FAR * common) * 1.15 or 1e-6
    panels = [
        _residual(figure, axis, top, index == 0) for index, axis in enumerate(axes)
    ]
    return {"hconcat": panels, "spacing": 16}


def _residual(figure: Judged, axis: str, top: float, first: bool) -> Spec:
    unit = axis if axis != "tokens_per_parameter" else "count"
    values = [_along(r, axis) for r in figure.residuals]
    x = _axis("v", AXES[axis], unit, span(values, 1.25), 4)
    y = field(
        "off:Q",
        title="measured over fitted loss" if first else None,
        scale={**linear(-top, top), "clamp": True},
        axis={**PERCENTS_OFF, "labels": first},
    )
    rows = [
        {"v": short(value), "off": short(math.expm1(r.residual)), "what": RUN}
        | {"line": r.line, "is": exactly(math.expm1(r.residual), "percent")}
        for value, r in zip(values, figure.residuals, strict=True)
    ]
    thirds = [
        {"v": short(t.low), "to": short(max(t.high, t.low * 1.02)), "what": THIRD}
        | {"off": short(math.expm1(t.median))}
        for t in figure.trends
        if t.axis == axis
    ]
    names = (RUN, THIRD)
    hue = {**colour("what", names, (BLUE, ORANGE)), "legend": {"symbolOpacity": 1}}
    dots = over(rows, x=x, y=y, color=hue, tooltip=tips("line", "is"))
    medians = over(thirds, x=x, x2={"field": "to"}, y=y, color=hue)
    return layered(
        mark("rule", over([{"off": 0}], y=y), color=MUTED),
        mark("circle", dots, size=30, opacity=0.65),
        mark("rule", medians, strokeWidth=3),
        width=SIDE,
        height=HEIGHT - 60,
    )


def _along(run: Residual, axis: str) -> float:
    if axis == "tokens_per_parameter":
        return run.tokens / run.parameters
    return float(getattr(run, axis))


def _axis(
    name: str, title: str, unit: str, box: tuple[float, float], most: int
) -> Spec:
    """A log axis, of bare numbers where the unit is `count`."""
    if unit != "count":
        return log_axis(name, title, unit, box, most)
    axis = {"values": ticks(*box, most), "format": "~g"}
    return field(f"{name}:Q", title=title, scale=log_scale(box), axis=axis)


def profiles(figure: Judged) -> Spec:
    """How much worse the fit gets as each coefficient is moved."""
    panels = [
        _profile(p, figure.fit.coefficients[p.symbol], i % 2 == 0)
        for i, p in enumerate(figure.profiles)
    ]
    return {"concat": panels, "columns": 2, "spacing": 18}


def _profile(profile: Profile, here: float, first: bool) -> Spec:
    shown = _shown(profile)
    rows = [
        {"v": short(v), "rise": short(rise)}
        | {"is": significant(v), "worse": significant(rise)}
        for v, rise in shown
    ]
    values = [v for v, _ in shown]
    wide = profile.symbol in ("A", "B", "Dc") and min(values) > 0
    ends = min(values), max(values)
    x = field(
        "v:Q",
        title=_title(profile, here),
        scale=log_scale(ends) if wide else linear(*ends),
        axis={"values": ticks(*ends, 5), "format": "~s"} if wide else {"tickCount": 5},
    )
    y = field(
        "rise:Q",
        title="worse by, χ²" if first else None,
        scale=linear(0, HIGHEST),
        axis={"tickCount": 4},
    )
    bounds = [
        {"v": short(v), "rise": 0, "to": CHI2}
        for v in (profile.low, profile.high)
        if v is not None
    ]
    level = over([{"rise": CHI2, "word": "95 %"}], y=y)
    word = also(level, x={"value": SIDE + 20}, text=field("word:N"))
    walls = over(bounds, x=x, y=y, y2={"field": "to"})
    curve = over(rows, x=x, y=y, tooltip=tips("is", "worse"))
    best = over([{"v": short(here), "rise": 0}], x=x, y=y)
    dot = {"size": 110, "shape": "diamond", "filled": True, "opacity": 1}
    return layered(
        mark("rule", level, color=GREY, strokeDash=[3, 3]),
        mark("text", word, align="right", dx=-2, dy=-7, fontSize=11, color=MUTED),
        mark("rule", walls, color=ORANGE, strokeWidth=1.5),
        mark("line", curve, color=BLUE, clip=True, interpolate="monotone"),
        mark("point", best, color=BLUE, **dot),
        width=SIDE + 20,
        height=130,
    )


def _title(profile: Profile, here: float) -> str:
    low = "?" if profile.low is None else significant(profile.low)
    high = "?" if profile.high is None else significant(profile.high)
    return f"{profile.symbol} = {significant(here)}, from {low} to {high}"


def _shown(profile: Profile) -> list[tuple[float, float]]:
    """The part inside the frame, and one point on each side to lead out of it."""
    points = list(zip(profile.values, profile.rise, strict=True))
    inside = [i for i, (_, rise) in enumerate(points) if rise <= HIGHEST]
    if not inside:
        return points
    return points[max(inside[0] - 1, 0) : inside[-1] + 2]
