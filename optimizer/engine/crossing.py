"""Where a function of one number crosses zero, in few evaluations.

Each of them solves a program, so a step by the inverse parabola through three points is
taken wherever it is safe, and a half of the bracket elsewhere.

*Source*: Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero
of a nonlinear function without using derivatives", Advances in Engineering Software 28
(1997).
"""

from __future__ import annotations

from collections.abc import Callable

from optimizer.errors import Defect

STEPS = 200  # 6 to 12 are usual


def crossing(
    function: Callable[[float], float], low: float, high: float, within: float = 1e-12
) -> float:
    """Returns a zero between two ends of different signs, to an absolute error.

    Raises:
        Defect: the ends have one sign.
    """
    b, a = low, high
    fb, fa = function(b), function(a)
    if fb == 0:
        return b
    if fa * fb > 0:
        raise Defect("a crossing needs ends of different signs")
    c, fc = a, fa
    part = 0.5
    for _ in range(STEPS):
        x = a + part * (b - a)
        fx = function(x)
        if (fx > 0) == (fa > 0):
            c, fc = a, fa
        else:
            c, fc, b, fb = b, fb, a, fa
        a, fa = x, fx
        best = a if abs(fa) < abs(fb) else b
        least = (within + 4e-16 * abs(best)) / abs(b - a) if b != a else 1.0
        if least > 0.5 or 0.0 in (fa, fb):
            return best
        part = min(max(_next((a, b, c), (fa, fb, fc)), least), 1 - least)
    return best


def _next(x: tuple[float, float, float], f: tuple[float, float, float]) -> float:
    """The part of the way from a to b where to look next."""
    (a, b, c), (fa, fb, fc) = x, f
    xi = (a - b) / (c - b) if c != b else 1.0
    phi = (fa - fb) / (fc - fb) if fc != fb else 1.0
    if not (1 - (1 - xi) ** 0.5 < phi < xi**0.5) or fc in {fa, fb}:
        return 0.5
    return fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (
        fc - fb
    )
