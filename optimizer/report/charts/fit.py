"""Pictures of a fit: its residuals, and the profile of each coefficient."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

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
    SPACED,
    Spec,
    colours,
    data,
    exactly,
    layered,
    log_axis,
    short,
    span,
    ticks,
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
    x = alt.X(**_axis("v", AXES[axis], unit, span(values, 1.25), 4))
    y = alt.Y(
        "off:Q",
        title="measured over fitted loss" if first else None,
        scale=alt.Scale(domain=[-top, top], nice=False, clamp=True),
        axis=alt.Axis(format="+.2~%", tickCount=6, labels=first, labelExpr=SPACED),
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
    colour = alt.Color(
        "what:N",
        scale=colours(names, (BLUE, ORANGE)),
        title=None,
        legend=alt.Legend(symbolOpacity=1),
    )
    zero = alt.Chart(data([{"off": 0}])).mark_rule(color=MUTED).encode(y=y)
    return layered(
        zero,
        alt.Chart(data(rows))
        .mark_circle(size=30, opacity=0.65)
        .encode(
            x=x,
            y=y,
            color=colour,
            tooltip=[alt.Tooltip(f"{w}:N") for w in ("line", "is")],
        ),
        alt.Chart(data(thirds))
        .mark_rule(strokeWidth=3)
        .encode(x=x, x2=alt.X2("to:Q"), y=y, color=colour),
        width=SIDE,
        height=HEIGHT - 60,
    )


def _along(run: Residual, axis: str) -> float:
    if axis == "tokens_per_parameter":
        return run.tokens / run.parameters
    return float(getattr(run, axis))


def _axis(
    field: str, title: str, unit: str, box: tuple[float, float], most: int
) -> dict[str, Any]:
    """A log axis, of bare numbers where the unit is `count`."""
    if unit != "count":
        return log_axis(field, title, unit, box, most)
    return {
        "shorthand": f"{field}:Q",
        "title": title,
        "scale": alt.Scale(type="log", domain=list(box), nice=False, clamp=True),
        "axis": alt.Axis(values=ticks(*box, most), format="~g"),
    }


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
    x = alt.X(
        "v:Q",
        title=_title(profile, here),
        scale=alt.Scale(
            type="log" if wide else "linear",
            domain=[min(values), max(values)],
            nice=False,
            zero=False,
        ),
        axis=alt.Axis(values=ticks(min(values), max(values), 5), format="~s")
        if wide
        else alt.Axis(tickCount=5),
    )
    y = alt.Y(
        "rise:Q",
        title="worse by, χ²" if first else None,
        scale=alt.Scale(domain=[0, HIGHEST], nice=False),
        axis=alt.Axis(tickCount=4),
    )
    ends = [
        {"v": short(v), "rise": 0, "to": CHI2}
        for v in (profile.low, profile.high)
        if v is not None
    ]
    level = alt.Chart(data([{"rise": CHI2, "word": "95 %"}])).encode(y=y)
    return layered(
        level.mark_rule(color=GREY, strokeDash=[3, 3]),
        level.mark_text(align="right", dx=-2, dy=-7, fontSize=11, color=MUTED).encode(
            x=alt.XValue(SIDE + 20), text=alt.Text("word:N")
        ),
        alt.Chart(data(ends))
        .mark_rule(color=ORANGE, strokeWidth=1.5)
        .encode(x=x, y=y, y2=alt.Y2("to:Q")),
        alt.Chart(data(rows))
        .mark_line(color=BLUE, clip=True, interpolate="monotone")
        .encode(x=x, y=y, tooltip=[alt.Tooltip(f"{w}:N") for w in ("is", "worse")]),
        alt.Chart(data([{"v": short(here), "rise": 0}]))
        .mark_point(size=110, shape="diamond", filled=True, color=BLUE, opacity=1)
        .encode(x=x, y=y),
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
