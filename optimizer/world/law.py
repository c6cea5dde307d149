"""A scaling law as published: coefficients, what they were fitted on, and caveats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from optimizer.algebra.batch_value import positive
from optimizer.reading.document import suggest
from optimizer.records import dataclass, field, replace
from optimizer.world.extrapolation import Extrapolation
from optimizer.world.leverage import DENSE, OWN, Sparse, levered, refuse_beyond
from optimizer.world.passing import PassRate
from optimizer.world.ranges import Interval, Range
from optimizer.world.surface import Frontier, Surface, ln, power

Form = Literal[
    "chinchilla",
    "coupled",
    "samples",
    "kaplan",
    "hestness",
    "joint-moe",
    "leverage",
    "frontier",
]
Counts = Literal["total", "non-embedding", "active"]
Mixture = int | Sparse  # experts of a joint-MoE law, or those of a leverage

SYMBOLS: Mapping[str, tuple[str, ...]] = {
    "chinchilla": ("E", "A", "B", "alpha", "beta"),
    "coupled": ("E", "A", "B", "alpha", "beta", "k"),
    "samples": ("E", "A", "B", "alpha", "beta", "G", "gamma"),
    "kaplan": ("Nc", "Dc", "alpha_N", "alpha_D"),
    "hestness": ("E", "B", "beta"),
    "joint-moe": (
        *("a", "alpha", "delta", "gamma", "b", "beta"),
        *("omega", "zeta", "E_start", "E_max", "c"),
    ),
    "leverage": (*DENSE, *OWN),
    "frontier": (),
}
POWERS = ("coupled", "kaplan")  # whose loss is a power of the sum, and maybe E
STARS = ("R_D_star", "R_N_star")  # of repeated data, among the extras
_EXPONENTS = {"alpha", "beta", "alpha_N", "alpha_D", "gamma"}
_ANY_SIGN: Mapping[str, frozenset[str]] = {
    "joint-moe": frozenset({"alpha", "beta", "delta", "gamma", "omega", "zeta"}),
    "leverage": frozenset({"a", "d", "gamma", "beta_G"}),
}


@dataclass(frozen=True)
class Covariance:
    """The covariance of fitted coefficients: `ln_A` is ln A, `alpha` is alpha."""

    order: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ErrorLaw:
    """The error on downstream tasks from the loss: ε − k·exp(−γ·L).

    Attributes:
        epsilon: the error without any skill, a fraction.
        k: how fast the error falls with the loss.
        gamma: [1/loss].
        draws: coefficient → values in step with the law's own draws, where known.

    *Source*: Gadre et al. 2024, eq. 5.
    """

    epsilon: float
    k: float
    gamma: float
    draws: Mapping[str, tuple[float, ...]] | None = None

    def error(self, loss: float) -> float:
        """The error [fraction] of a loss."""
        return self.epsilon - self.k * power(2.718281828459045, -self.gamma * loss)

    def loss(self, error: float) -> float:
        """The loss of an error; at or below 0 where it is less than any loss has.

        Raises:
            ValueError: it takes no skill.
        """
        if not error.real < self.epsilon:
            raise self._unknown(error)
        return ln(self.k / (self.epsilon - error)) / self.gamma

    def check(self, error: float) -> None:
        """Tells an error that no loss has.

        Raises:
            ValueError: it is one.
        """
        if not self.epsilon - self.k < error < self.epsilon:
            raise self._unknown(error)

    def _unknown(self, error: float) -> ValueError:
        low = max(self.epsilon - self.k, 0)
        return ValueError(
            f"must be between {low:.3g} and {self.epsilon:.3g}, the errors that this "
            f"law knows, got {error:g}"
        )


@dataclass(frozen=True)
class Check:
    """A number the law must reproduce.

    With `loss`: the loss of N parameters on D tokens. Without: D tokens are
    compute-optimal for N parameters. `within` is the relative tolerance.
    """

    parameters: float
    tokens: float
    loss: float | None = None
    experts: int | None = None
    within: float = 1e-3
    activation: float | None = None
    granularity: float | None = None

    @property
    def mixture(self) -> Mixture | None:
        """What the law is asked for."""
        if self.activation is None or self.granularity is None:
            return self.experts
        return Sparse(
            activation=self.activation, granularity=self.granularity, beyond_fit=True
        )


@dataclass(frozen=True)
class Law:
    """A scaling law as published: its coefficients in its own symbols, and its past.

    Attributes:
        name: the built-in name, the file's, or the user's.
        form: which formula the coefficients belong to; `SYMBOLS` lists them.
        coefficients: the law's own symbols → values.
        counts: what its N counts.
        source: where the coefficients were read, or how they were computed.
        loss_unit: the unit of its losses.
        data: the training data, where known.
        tokenizer: the tokenizer, where known.
        range: what its runs covered.
        covariance: of the fitted coefficients, where known.
        draws: coefficient → bootstrap values, all of one length, where known.
        extra_draws: those of further terms, in step with `draws`.
        check: numbers that it reproduces; verified when it is read.
        checked: by what coefficients, counts and range were checked; empty if not told.
        caveats: what a user of this law should hear.
        not_for_planning: why no run should be planned by it; empty for most.
        experts: the expert counts it was fitted on; None for a law without experts.
        extras: coefficients of further published terms, explained in its file.
        line: the compute-optimal line of a law that gives nothing else.
        error: from its loss to the error on downstream tasks, where known.
        passing: from its loss to the tasks that one of k samples solves, where known.
        fit: how it was fitted, in the words of its file; empty where not told.
        pair: the built-in law of the other form that was fitted to the same runs.
        extrapolation: how far off each form was on the far ones of its runs.
    """

    name: str
    form: Form
    coefficients: Mapping[str, float]
    counts: Counts = "total"
    source: str = ""
    loss_unit: str = "nats per token"
    data: str | None = None
    tokenizer: str | None = None
    range: Range = Range()
    covariance: Covariance | None = None
    draws: Mapping[str, tuple[float, ...]] | None = None
    check: tuple[Check, ...] = ()
    caveats: tuple[str, ...] = ()
    experts: tuple[int, ...] | None = None
    extras: Mapping[str, float] = field(default_factory=dict)
    line: Frontier | None = None
    error: ErrorLaw | None = None
    passing: PassRate | None = None
    extra_draws: Mapping[str, tuple[float, ...]] | None = None
    fit: Mapping[str, object] = field(default_factory=dict)
    checked: str = ""
    pair: str | None = None
    extrapolation: tuple[Extrapolation, ...] = ()
    not_for_planning: str = ""

    @property
    def floor(self) -> str:
        """What E is called: E and an outer exponent k stand in for each other.

        In a coupled law it is a fitted number and no irreducible loss.
        """
        if self.form == "samples":
            return "loss that samples alone leave"
        return "E" if self.form == "coupled" else "irreducible loss"

    def surface(
        self, mixture: Mixture | None = None, samples: float | None = 1.0
    ) -> Surface:
        """The loss surface; a joint-MoE law needs the number of experts.

        One of leverage is without a mixture that of the dense models it is over. Of a
        law of samples it is that of so many a request, whose term joins E; None leaves
        the term out.

        Source: Kaplan et al. 2020, eq. 1.5, with the outer exponent alpha_D taken
        out; Busbridge et al. 2025, table 6, for a coupled law; Ludziejewski et al.
        2025, eq. 6 and 7, at fixed experts; arXiv 2604.01411 for samples; `leverage`.

        Raises:
            ValueError: the law has no surface, or the mixture does not fit it.
        """
        self._refuse(mixture)
        if self.form == "frontier":
            raise ValueError(
                f"law {self.name} gives only which tokens are compute-optimal for a "
                "size, not the loss; choose a law with a loss surface, such as "
                "besiroglu-2024-refit"
            )
        if self.form == "hestness":
            raise ValueError(
                f"law {self.name} gives the loss of a number of tokens and says "
                "nothing of the model's size; choose a law of both, such as "
                "besiroglu-2024-refit, or fit one (--form chinchilla)"
            )
        c = self.coefficients
        if self.form == "kaplan":
            alpha = c["alpha_N"] / c["alpha_D"]
            A = power(c["Nc"], alpha)
            surface = Surface(0.0, A, c["Dc"], alpha, 1.0, outer=c["alpha_D"])
        elif self.form == "joint-moe":
            surface = self._mixture(cast("int | None", mixture))
        elif self.form == "leverage":
            surface = self._levered(cast("Sparse | None", mixture))
        elif self.form == "coupled":
            surface = Surface(**{s: c[s] for s in c if s != "k"}, outer=c["k"])
        elif self.form == "samples":
            kept = {s: c[s] for s in ("A", "B", "alpha", "beta")}
            left = 0.0 if samples is None else c["G"] * power(samples, -c["gamma"])
            surface = Surface(E=c["E"] + left, **kept)
        else:
            surface = Surface(**c)
        bounds = (surface.A, surface.B, surface.alpha, surface.beta)
        if not all(map(positive, bounds)):
            raise ValueError(
                f"law {self.name}: its coefficients leave a loss that does not fall "
                "with parameters and tokens"
            )
        return surface

    def _refuse(self, mixture: Mixture | None) -> None:
        if isinstance(mixture, Sparse):
            if self.form != "leverage":
                raise ValueError(
                    f"law {self.name} says nothing of activation and granularity; "
                    "remove sparse, or choose a law of leverage, tian-2025-leverage"
                )
            refuse_beyond(self.name, self.range, mixture)
        elif mixture is not None and self.form == "leverage":
            raise ValueError(
                f"law {self.name} asks for the share of experts that a token passes, "
                "not their number; remove experts and add sparse: {activation: 3.1 %, "
                "granularity: 12}"
            )
        elif mixture is not None and self.experts is None:
            raise ValueError(
                f"law {self.name} is for dense models and has no experts; "
                "remove experts or choose ludziejewski-2025"
            )

    def _levered(self, sparse: Sparse | None) -> Surface:
        try:
            return levered(self.coefficients, sparse)
        except ValueError as error:
            raise ValueError(f"law {self.name}: {error}") from None

    def _mixture(self, experts: int | None) -> Surface:
        fitted = self.experts or (1, 1)
        if experts is None:
            raise ValueError(
                f"law {self.name} needs the number of experts: add e.g. "
                f"experts: {fitted[-1]} (it was fitted on "
                f"{', '.join(map(str, fitted))})"
            )
        if not fitted[0] <= experts <= fitted[-1]:
            raise ValueError(
                f"law {self.name} was fitted on {fitted[0]} to {fitted[-1]} experts, "
                f"got {experts}"
            )
        c = self.coefficients
        if not c["E_start"].real < c["E_max"].real:
            raise ValueError(f"law {self.name}: E_start must be below E_max")
        spread = 1 / (1 / c["E_start"] - 1 / c["E_max"])
        effective = 1 / (1 / (experts - 1 + spread) + 1 / c["E_max"])
        return Surface(
            E=c["c"],
            A=c["a"] * power(effective, c["delta"]),
            B=c["b"] * power(effective, c["omega"]),
            alpha=-(c["alpha"] + c["gamma"] * ln(effective)),
            beta=-(c["beta"] + c["zeta"] * ln(effective)),
        )

    def stored_share(self, mixture: Mixture | None) -> float:
        """Stored parameters over N: above 1 where N counts the active ones.

        Of a leverage at most: what every token passes is stored once.

        Source: Ludziejewski et al. 2025, section 5: N_act = 2·d·V + 13·n·d² and
        N_tot = 2·d·V + (4 + 9E)·n·d², so that N_tot ≤ (4 + 9E)/13 · N_act.
        """
        if isinstance(mixture, Sparse):
            return mixture.stored
        return 1.0 if mixture is None else (4 + 9 * mixture) / 13

    def frontier(self) -> Frontier:
        """The compute-optimal line of a law that gives nothing else.

        Raises:
            ValueError: the law has a loss surface, which answers such questions.
        """
        if self.line is None:
            raise ValueError(f"law {self.name} has a loss surface, not only a line")
        return self.line

    def with_coefficients(self, **changes: float) -> Law:
        """A copy with other coefficients, named after the change.

        Covariance, draws and checks belong to the fit, so the copy has none.

        Raises:
            ValueError: an unknown coefficient, or a value out of its bounds.
        """
        known = SYMBOLS[self.form]
        for symbol, value in changes.items():
            if symbol not in known:
                raise ValueError(
                    f'law {self.name} has no coefficient "{symbol}"'
                    + suggest(symbol, known, f"it has {', '.join(known) or 'none'}")
                )
            if wrong := out_of_bounds(self.form, symbol, value):
                raise ValueError(f"{symbol}: {wrong}")
        listed = ", ".join(f"{k}={v:.6g}" for k, v in changes.items())
        return replace(
            self,
            name=f"{self.name} with {listed}" if changes else self.name,
            coefficients={**self.coefficients, **changes},
            covariance=None,
            draws=None,
            extra_draws=None,
            check=(),
            fit={},
            pair=None,
            extrapolation=(),
        )


def out_of_bounds(form: Form, symbol: str, value: float) -> str:
    """What is wrong with a coefficient, in words; empty when nothing is.

    The outer bounds are far from any law and near enough to keep powers finite.
    """
    low, high = _bounds(form, symbol)
    if low <= value.real <= high:
        return ""
    if low >= 0 and not value.real > 0:
        wanted = "above 0" if low else "0 or above"
    else:
        wanted = f"between {low:g} and {high:g}"
    return f"must be {wanted}, got {value:g}"


def further_out_of_bounds(symbol: str, value: float) -> str:
    """Likewise of a number beside the coefficients: an extra, or a θ of pass@k."""
    if symbol == "theta2" and not 0 < value <= 1:
        return f"must be above 0 and at most 1, got {value:g}"
    if symbol in (*STARS, "theta1") and not value > 0:
        return f"must be above 0, got {value:g}"
    return ""


def _bounds(form: Form, symbol: str) -> Interval:
    if symbol in _ANY_SIGN.get(form, ()):
        return -10, 10
    if symbol in ("E", "c"):
        return 0, 1e9
    if form == "coupled" and symbol == "k":
        return 0.01, 1
    return (0.01, 10) if symbol in _EXPONENTS else (1e-9, 1e30)
