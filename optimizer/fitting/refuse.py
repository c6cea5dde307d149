"""What no optimiser can fit, told before or after it tried."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.errors import Defect, InputError, Mark, Problem
from optimizer.fitting.forms import Choice
from optimizer.fitting.joint import Joint
from optimizer.fitting.newton import STATIONARY
from optimizer.fitting.objective import Array, Rows
from optimizer.fitting.objective import Problem as Objective
from optimizer.fitting.runs import Runs
from optimizer.fitting.search import Found
from optimizer.reading.quantity import significant

SIZED = {"A", "alpha", "Nc", "alpha_N"}
DATED = {"B", "beta", "Dc"}
LIKE = 1.3  # the factor within which sizes count as one
REACH = 8.0  # a span of D/N at one size from which it tells something of k
SIZES = 2  # that need such a span
SAME_RATIO = 1.01  # a span of D/N at which N and D are one
FLAT = 1e-6  # singular value of the scaled Jacobian under which nothing is known


def seen_once(runs: Runs, choice: Choice) -> Runs:
    """The runs that the law itself is fitted to: those without repeated data.

    Raises:
        InputError: the form asks for unique tokens and no column has them.
    """
    if choice.form != "data-constrained":
        return runs
    if runs.unique is None:
        raise failed(runs.file, "data-constrained needs the column unique_tokens")
    fresh = runs.tokens <= runs.unique * (1 + 1e-9)
    if fresh.all():
        raise failed(runs.file, "no run repeats its data: R_D_star cannot be fitted")
    return runs.take(fresh)


def refuse_hopeless(runs: Runs, choice: Choice) -> None:
    """Refuses runs that no optimiser could fit the form to."""
    least = int(np.argmin(runs.loss))
    if choice.fixed.get("E", 0.0) >= runs.loss[least]:
        raise failed(
            f"--fix E={choice.fixed['E']:g}",
            f"E = {choice.fixed['E']:g} is not below the least loss of the runs, "
            f"{runs.loss[least]:.6g} in line {runs.line[least]}: give a smaller E",
        )
    free = choice.free
    what = f"{len(free)} coefficients ({', '.join(free)})"
    cure = "add runs, fix a coefficient (--fix E=1.7) or tie the exponents (--tie)"
    if runs.count <= len(free):
        raise failed(
            runs.file,
            f"{runs.count} usable runs cannot give {what} an error bar: {cure}",
        )
    for values, word, symbols in (
        (runs.parameters, "parameters", SIZED),
        (runs.tokens, "tokens", DATED),
    ):
        if len(np.unique(values)) > 1 or not symbols & set(free):
            continue
        lines = ", ".join(map(str, runs.line[:5]))
        other = (
            "use --form hestness, which is of tokens alone, or add runs of other sizes"
            if word == "parameters"
            else "add runs on more or fewer tokens"
        )
        raise failed(
            runs.file,
            f"all runs (lines {lines}{', …' if runs.count > 5 else ''}) have "
            f"{values[0]:.4g} {word}, which cannot tell "
            f"{' from '.join(sorted(symbols & set(free)))}: {other}",
        )
    ratio = runs.tokens / runs.parameters
    both = bool(SIZED & set(free)) and bool(DATED & set(free))
    if choice.shape != "hestness" and both and ratio.max() / ratio.min() < SAME_RATIO:
        raise failed(
            runs.file,
            f"all runs have {ratio[0]:.4g} tokens per parameter, so that parameters "
            "and tokens cannot be told apart: add runs at another ratio, fix the "
            "coefficients of one (--fix B=… --fix beta=…), or use --form hestness",
        )


def refuse_no_reach(runs: Runs, choice: Choice) -> None:
    """Refuses a k that the runs say nothing of: no size was trained short and long.

    Along a line of one D/N every k fits, with another E.
    """
    if "k" not in choice.free:
        return
    order = np.argsort(runs.parameters)
    sizes, tokens = runs.parameters[order], runs.tokens[order]
    first, spans = 0, []
    for end in range(1, len(sizes) + 1):
        if end == len(sizes) or sizes[end] > LIKE * sizes[first]:
            here = tokens[first:end]
            enough = len(np.unique(here)) >= 3
            spans.append((float(here.max() / here.min()) if enough else 1.0, first))
            first = end
    told = [span for span, _ in spans if span >= REACH]
    if len(told) >= SIZES:
        return
    widest, at = max(spans)
    raise failed(
        runs.file,
        f"these runs say nothing of k: {len(told)} of {len(spans)} sizes were trained "
        f"on three numbers of tokens that span a factor {REACH:g} (the widest, "
        f"{significant(widest, 2)}, at {significant(float(sizes[at]), 3)} parameters). "
        "Add runs of two sizes from about 20 to 500 tokens per parameter, give k "
        "(--fix k=0.4), or use --form chinchilla",
    )


def refuse_vanished(held: Rows, choice: Choice, runs: Runs) -> None:
    """Refuses a fit in which the loss does not fall with parameters, or with tokens.

    Args:
        held: whether each free coefficient rests at its bound.
        choice: what is free.
        runs: the runs.
    """
    at = {s for s, h in zip(choice.free, held, strict=True) if h} - {"E"}
    for word, symbols in (("parameters", SIZED), ("tokens", DATED)):
        if stuck := sorted(at & symbols):
            rising = [n.line for n in runs.notes if " is above the " in n.message]
            lines = f" (see lines {', '.join(map(str, rising[:8]))})" if rising else ""
            raise failed(
                runs.file,
                f"the loss of these runs does not fall with {word} as a power law"
                f"{lines}: the best fit has {', '.join(stuck)} at the bound of what a "
                "law may say. Check the runs, or leave some out (--exclude)",
            )


def refuse_rising(found: Found, runs: Runs) -> None:
    """Refuses runs whose loss rises, where their best fit finds no rest for it."""
    if found.minimum.stationarity[found.best] <= STATIONARY:
        return
    sides = [np.log(runs.parameters), np.log(runs.tokens), np.ones(runs.count)]
    slopes, *_ = np.linalg.lstsq(np.stack(sides, 1), np.log(runs.loss), rcond=None)
    for word, slope in zip(("parameters", "tokens"), slopes[:2].tolist(), strict=True):
        if slope >= 0:
            raise failed(
                runs.file,
                f"the loss of these runs does not fall with {word}: their logarithms "
                f"rise together by {significant(slope, 2)}. Check the runs, or leave "
                "some out (--exclude)",
            )


def refuse_unstationary(found: Found) -> None:
    """Refuses a best search that stopped before its minimum."""
    rest = float(found.minimum.stationarity[found.best])
    if not rest <= STATIONARY:
        raise Defect(
            f"the best of {len(found.minimum.value)} searches has a scaled gradient of "
            f"{rest:.1e}, above {STATIONARY:g}: it stopped before the minimum"
        )


def jacobian(asked: Objective | Joint, z: Array) -> Array:
    """∂f/∂z of each run by a central difference, (runs, free)."""
    step = 1e-5
    moves = step * np.eye(asked.free)
    high, low = asked.predict(z + moves), asked.predict(z - moves)
    return np.asarray((high - low).T / (2 * step))


def refuse_flat(
    asked: Objective | Joint, found: Found, free: Sequence[str], runs: Runs
) -> None:
    """Refuses a fit that a whole line of coefficients fits as well."""
    slope = jacobian(asked, found.z) * np.sqrt(asked.weight)[:, None]
    held = found.minimum.held[found.best]
    slope = slope[:, ~held]
    size = np.sqrt((slope**2).sum(0))
    if not (size > 0).all():
        return
    _, values, directions = np.linalg.svd(slope / size, full_matrices=False)
    if values[-1] > FLAT:
        return
    symbols = np.array(free)[~held]
    involved = symbols[np.abs(directions[-1]) > 0.1]
    raise failed(
        runs.file,
        f"these runs cannot tell {', '.join(involved)} apart: other values fit them as "
        f"well ({len(np.unique(runs.parameters))} sizes, "
        f"{len(np.unique(runs.tokens))} token counts). Add runs, fix one of them "
        "(--fix E=1.7) or tie the exponents (--tie)",
    )


def failed(place: str, message: str) -> InputError:
    """The error of a file or an option."""
    return InputError([Problem(Mark(place), "", message)])
