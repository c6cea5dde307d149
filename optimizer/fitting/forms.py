"""The forms of a law that can be fitted, each as an affine map from what is free.

The coefficients of a law are in its own symbols (`A`, `alpha`); the objective has
its six `TERMS`. What is tied, fixed or absent never reaches the optimiser.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from optimizer.fitting.objective import ABSENT, EVERY, TERMS, Array, Problem
from optimizer.fitting.runs import Runs
from optimizer.reading.document import suggest
from optimizer.records import dataclass, field
from optimizer.world.law import Form, out_of_bounds

WITH_BOTH = (
    "chinchilla",
    "coupled",
    "samples",
    "saturating",
)  # exponents that may be tied
LARGEST = math.log(1e30)  # of a coefficient in a law file
SMALLEST = 0.01  # of an exponent in a law file

FORMS: Mapping[str, Form] = {
    "chinchilla": "chinchilla",
    "coupled": "coupled",
    "samples": "samples",
    "gadre": "chinchilla",
    "data-constrained": "chinchilla",
    "kaplan": "kaplan",
    "hestness": "hestness",
}
ADDITIVE = {"A": "u", "B": "v", "E": "E", "alpha": "alpha", "beta": "beta"}
# The symbols that are fitted, and which of the objective's terms each one moves.
SYMBOLS: Mapping[str, Mapping[str, str]] = {
    "chinchilla": ADDITIVE,
    "coupled": {**ADDITIVE, "k": "link"},
    "samples": {**ADDITIVE, "G": "w", "gamma": "gamma"},
    "saturating": {**ADDITIVE, "ln_R": "link"},
    "kaplan": {"Nc": "u", "Dc": "v", "alpha_N": "alpha", "alpha_D": "link"},
    "hestness": {"B": "v", "E": "E", "beta": "beta"},
}


@dataclass(frozen=True)
class Choice:
    """What to fit.

    Attributes:
        form: a key of `FORMS`, or `saturating`, which is only compared with.
        tie: one exponent for parameters and tokens.
        fixed: symbol → value of the coefficients that are not fitted.
    """

    form: str = "chinchilla"
    tie: bool = False
    fixed: Mapping[str, float] = field(default_factory=dict)

    @property
    def law(self) -> Form:
        """The form of its law file."""
        return FORMS[self.form]

    @property
    def shape(self) -> str:
        """The key of `SYMBOLS`."""
        return "saturating" if self.form == "saturating" else self.law

    @property
    def tied(self) -> bool:
        """Whether both exponents are one; Gadre's law says so itself."""
        return self.tie or self.form == "gadre"

    @property
    def free(self) -> tuple[str, ...]:
        """The symbols that are fitted; of tied ones the first."""
        symbols = [s for s in SYMBOLS[self.shape] if s not in self.fixed]
        if self.tied and "beta" in symbols:
            symbols.remove("beta")  # it is alpha, fitted or fixed
        return tuple(symbols)


@dataclass(frozen=True)
class Centre:
    """The means of ln N, ln D and ln k, from which the objective counts."""

    x: float
    y: float
    z: float = 0.0


def checked(choice: Choice) -> Choice:
    """The choice, its fixed exponent given to both where they are tied.

    Raises:
        ValueError: what is fixed is no coefficient of the form or out of bounds.
    """
    symbols = SYMBOLS[choice.shape]
    for symbol, value in choice.fixed.items():
        if symbol not in symbols:
            raise ValueError(
                f'{choice.form} has no coefficient "{symbol}"'
                + suggest(symbol, symbols, f"it has {', '.join(symbols)}")
            )
        if wrong := out_of_bounds(choice.law, symbol, value):
            raise ValueError(f"{symbol} {wrong}")
        if choice.law == "kaplan" and symbol in ("Nc", "alpha_N"):
            raise ValueError(f"{symbol} cannot be fixed; Dc and alpha_D can")
    if choice.tied and choice.shape not in WITH_BOTH:
        raise ValueError(f"{choice.form} has no two exponents to tie")
    fixed = dict(choice.fixed)
    if choice.tied and {"alpha", "beta"} & set(fixed):
        alpha = fixed.setdefault("alpha", fixed.get("beta", 0.0))
        if fixed.setdefault("beta", alpha) != alpha:
            raise ValueError("alpha and beta are tied and cannot be fixed apart")
    if not set(symbols) - set(fixed) and choice.form != "data-constrained":
        raise ValueError("everything is fixed; leave something to fit")
    return Choice(choice.form, choice.tie, fixed)


def problem(runs: Runs, choice: Choice) -> tuple[Problem, Centre]:
    """The objective of some runs for a choice from `checked`."""
    log_n, log_d, log_l = map(np.log, (runs.parameters, runs.tokens, runs.loss))
    drawn = None
    if choice.shape == "samples" and runs.samples is not None:
        drawn = np.log(runs.samples)
    middle = 0.0 if drawn is None else float(drawn.mean())
    centre = Centre(float(log_n.mean()), float(log_d.mean()), middle)
    spread, offset = _map(choice, centre)
    low, high = _bounds(choice, centre, log_l)
    kept = [EVERY.index(SYMBOLS[choice.shape][symbol]) for symbol in choice.free]
    found = Problem(
        x=log_n - centre.x,
        y=log_d - centre.y,
        target=log_l,
        weight=runs.weight / runs.weight.mean(),
        spread=spread,
        offset=offset,
        low=low[kept],
        high=high[kept],
        saturating=choice.shape == "saturating",
        third=None if drawn is None else drawn - centre.z,
    )
    return found, centre


def _map(choice: Choice, centre: Centre) -> tuple[Array, Array]:
    free, fixed, symbols = choice.free, choice.fixed, SYMBOLS[choice.shape]
    count = len(EVERY if choice.shape == "samples" else TERMS)
    spread, offset = np.zeros((count, len(free))), np.zeros(count)
    offset[5] = 1.0
    for column, symbol in enumerate(free):
        spread[EVERY.index(SYMBOLS[choice.shape][symbol]), column] = 1.0
    if "k" in fixed:
        offset[5] = fixed["k"]
    elif "link" in symbols.values():
        offset[5] = 0.0
    if choice.shape == "hestness":
        offset[0] = ABSENT
    if choice.shape == "kaplan":
        offset[4] = 1.0
        offset[5] = fixed.get("alpha_D", 0.0)
        if "Dc" in fixed:
            offset[1] = math.log(fixed["Dc"]) - centre.y
        return spread, offset
    if choice.tied and "alpha" in free:
        spread[4, free.index("alpha")] = 1.0
    offset[2] = fixed.get("E", 0.0)
    powers = [("A", 0, 3, centre.x), ("B", 1, 4, centre.y)]
    if choice.shape == "samples":
        powers.append(("G", 6, 7, centre.z))
    for scale, size, exponent, mean in powers:
        offset[exponent] = fixed.get(EVERY[exponent], 0.0)
        if scale in fixed:
            # ln A = u + alpha · mean is what stays, whatever the exponent does.
            offset[size] = math.log(fixed[scale]) - mean * offset[exponent]
            spread[size] = -mean * spread[exponent]
    return spread, offset


def _bounds(choice: Choice, centre: Centre, log_l: Array) -> tuple[Array, Array]:
    """Bounds of the six terms, that no law which fits comes near."""
    least, most = float(log_l.min()), float(log_l.max())
    low = np.array([least - 14, least - 14, 0.0, SMALLEST, SMALLEST, 0.01])
    high = np.array([most + 4, most + 4, math.exp(least), 3.0, 3.0, 2.0])
    if choice.shape == "kaplan":
        low[:2], high[:2] = -50.0, 200.0
        return low, high
    if choice.shape == "coupled":
        # A term of the sum is its share of the loss to the power 1/k.
        low[:2], high[:2] = -40.0, 30.0
        high[5] = 1.0
    elif choice.shape == "saturating":
        low[:2] = least - 20
        low[5], high[5] = -5.0, 7.0
    if choice.shape == "samples":
        low, high = (
            np.append(low, [least - 14, SMALLEST]),
            np.append(high, [most + 4, 3]),
        )
    # A = e^(u + alpha · mean) must fit the law file.
    for exponent, mean in ((3, centre.x), (4, centre.y)):
        most_here = (LARGEST - high[0]) / max(mean, 1.0)
        high[exponent] = min(high[exponent], most_here)
    return low, high


def coefficients(theta: Array, choice: Choice, centre: Centre) -> dict[str, Array]:
    """The law's own symbols → values, (batch,), from the six terms (batch, 6)."""
    u, v, E, alpha, beta, link = theta.T[: len(TERMS)]
    with np.errstate(over="ignore"):
        if choice.shape == "kaplan":
            logs = (u + alpha * centre.x) / alpha, v + centre.y
            sizes = [np.exp(np.clip(log, -LARGEST / 4, LARGEST)) for log in logs]
            found = {"Nc": sizes[0], "Dc": sizes[1]}
            return {**found, "alpha_N": alpha * link, "alpha_D": link}
        found = {"E": E, "B": np.exp(v + beta * centre.y), "beta": beta}
    if choice.shape in ("coupled", "saturating"):
        found["k" if choice.shape == "coupled" else "ln_R"] = link
    if choice.shape != "hestness":
        found |= {"A": np.exp(u + alpha * centre.x), "alpha": alpha}
    if choice.shape == "samples":
        w, gamma = theta.T[len(TERMS) :]
        found |= {"G": np.exp(w + gamma * centre.z), "gamma": gamma}
    for symbol, value in choice.fixed.items():
        found[symbol] = np.full_like(u, value)
    order = ("E", "A", "B", "alpha", "beta", "k", "ln_R", "G", "gamma")
    return {symbol: found[symbol] for symbol in order if symbol in found}
