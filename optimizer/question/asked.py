"""What is asked, as numbers: the bill, the loss, the walls, and the program of them."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from optimizer.algebra.composite import compose
from optimizer.algebra.posynomial import Array, Posynomial, Term, build, merge
from optimizer.algebra.program import Constraint, Function, GeometricProgram
from optimizer.algebra.saturating import Saturating
from optimizer.reading.quantity import COMPUTE, significant, write
from optimizer.records import dataclass, replace
from optimizer.world.costs import CostLine, value
from optimizer.world.leverage import INSIST
from optimizer.world.limits import Limit
from optimizer.world.roofline import Replica
from optimizer.world.surface import Surface, power

SIZE = ("N", "D")
MOST_LOG = 700.0  # of a number; few bits may cost more
SAMPLES = "k"  # answers a request
NESTED = ("u", "s")  # the sum under a power, and the whole reducible loss


def attention(training: Sequence[Term]) -> float:
    """The a of a training compute of 6·(N + a)·D FLOP."""
    whole = sum(t.coefficient for t in training if "N" in t.exponents)
    return sum(t.coefficient for t in training if "N" not in t.exponents) / whole


def attended(surface: Surface, N: float, attention: float) -> float:
    """D_opt(N) where training takes 6·(N + attention)·D FLOP."""
    return surface.optimal_tokens(N, N / (N + attention) if attention else 1.0)


@dataclass(frozen=True)
class Fitted:
    """The training compute that the leverage of experts was fitted to.

    Attributes:
        law: its name.
        low: 6·N·D [FLOP].
        high: likewise.
    """

    law: str
    low: float
    high: float

    def outside(self, N: float, D: float) -> str:
        """How a plan is outside, in words; empty where it is not."""
        C = 6 * N * D
        if self.low <= C <= self.high:
            return ""
        low, high = (significant(x) for x in (self.low, self.high))
        here = write(C, COMPUTE)
        return f"was fitted to runs of {low} to {high} FLOP, and the plan takes {here}"

    def beyond(self, N: float, D: float) -> str:
        """The same, with what to do."""
        told = self.outside(N, D)
        return told and (
            f"the leverage of {self.law} {told}. Insist with {INSIST}, which marks the "
            "answer as an extrapolation, or take a dense law"
        )


@dataclass(frozen=True, eq=False)
class Question:
    """A scenario as mathematics.

    Attributes:
        surface: the loss surface, for models that are trained as the scenario says.
        published: that of the law, for models that others trained.
        loss: the reducible loss as monomials in N and D, and in N' and D' where data
            repeat.
        quantities: the concave quantities that `loss` uses; none on unique data.
        outside: what is added to the loss itself, where `loss` is only the sum under a
            power; see `nested`.
        unique: the unique tokens that there are, or None.
        reducible: s of the target, or None under a budget.
        target: the target loss, or None under a budget.
        reference: N and D of the reference model, or None.
        bill: the lines of the lifetime cost, training first.
        unit: of the objective's cost.
        cost: the counted lifetime cost in that unit, as monomials.
        limits: the limits and the budget.
        physics: what serving hardware and data allow, each at most 1.
        replicas: the machines of a roofline, which bring variables of their own.
        fixed: values of variables that are decided, by name.
        between: the fewest and the most samples where their number is open, or None.
        samples: their number where it is known and the law asks for it, or None.
        fitted: the compute that a plan must keep to where nobody insists, or None.
    """

    surface: Surface
    published: Surface
    loss: tuple[Term, ...]
    quantities: tuple[Saturating, ...]
    outside: tuple[Term, ...]
    unique: float | None
    reducible: float | None
    target: float | None
    reference: tuple[float, float] | None
    bill: tuple[CostLine, ...]
    unit: str
    cost: tuple[Term, ...]
    limits: tuple[Limit, ...]
    physics: tuple[Limit, ...]
    replicas: tuple[Replica, ...]
    fixed: Mapping[str, float]
    between: tuple[float, float] | None = None
    samples: float | None = None
    fitted: Fitted | None = None

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """N and D, unique tokens where data repeat, and what serving chooses."""
        return (*self.core, *(v for r in self.replicas for v in r.variables))

    @property
    def core(self) -> tuple[str, ...]:
        """The variables of the loss, with those that stand for a part of it."""
        return (*self.chosen, *(NESTED if self.outside else ()))

    @property
    def chosen(self) -> tuple[str, ...]:
        """The variables of the loss that are chosen: N, D, unique tokens, samples."""
        unique = () if self.unique is None else ("U",)
        return (*SIZE, *unique, *(() if self.between is None else (SAMPLES,)))

    @property
    def given(self) -> list[str]:
        """Names of the constraints that nobody can move."""
        return [*(c.name for c in self.nested), *(wall.name for wall in self.physics)]

    @property
    def breakable(self) -> tuple[Limit, ...]:
        """What a completed point may break: the limits and the physics.

        A step that is the sum of its parts is so at every such point; of a mixture's
        experts its limit may tell more than the point's batch reads.
        """
        return (
            *self.limits,
            *(w for w in self.physics if not w.name.startswith("serving.step")),
        )

    @property
    def plain(self) -> bool:
        """Whether the loss is the bare surface, with its closed forms."""
        return not (self.quantities or self.outside) and len(self.loss) == 2

    @property
    def training(self) -> tuple[Term, ...]:
        """The training compute [FLOP], restarts and attention as the scenario has."""
        return self.bill[0].terms["FLOP"]

    @property
    def attention(self) -> float:
        """The parameters whose training costs as much as attention; 0 without it."""
        return attention(self.training)

    @property
    def closed(self) -> bool:
        """Whether the training optimum has a formula: a bare surface and 6·N·D."""
        return self.plain and len(self.training) == 1

    def optimal_tokens(self, N: float) -> float:
        """The tokens for which N parameters are training-optimal.

        With attention ∂C/∂ln N is only N/(N + a) of ∂C/∂ln D, and so is w.
        """
        return attended(self.surface, N, self.attention)

    @property
    def measured(self) -> float:
        """The power of the program's value that is the cost, or L − E under a budget.

        Its least sum u of powers of N and D has the loss L = E + u^k.
        """
        return self.surface.outer if self.reducible is None else 1.0

    def lossy(self, bound: float = 1.0) -> Function:
        """The reducible loss over a bound, as a function of the variables."""
        if self.outside:
            return build(self.variables, [Term("loss", 1 / bound, {"s": 1.0})])
        scaled = [Term(t.label, t.coefficient / bound, t.exponents) for t in self.loss]
        return self._composed(scaled)

    def _composed(self, terms: Sequence[Term]) -> Function:
        names = [quantity.name for quantity in self.quantities]
        inner = build((*self.variables, *names), merge(terms))
        return compose(inner, self.quantities) if names else inner

    @cached_property
    def nested(self) -> tuple[Constraint, ...]:
        """What binds a loss of u^k + δ, where only u is a sum of powers of N and D.

        With s^k = L − E its reducible part, the two variables u and s are tied by
        A·N^-α + B·D^-β ≤ u and u^k + δ ≤ s^k, both posynomials.
        """
        if not self.outside:
            return ()
        k = self.surface.outer
        under = [
            Term(t.label, t.coefficient, {**t.exponents, "u": -1.0}) for t in self.loss
        ]
        whole = [
            Term("power", 1.0, {"u": k, "s": -k}),
            *(
                Term(t.label, t.coefficient, {**t.exponents, "s": -k})
                for t in self.outside
            ),
        ]
        return (
            Constraint("loss.sum", self._composed(under)),
            Constraint("loss.whole", build(self.variables, whole)),
        )

    @cached_property
    def walls(self) -> tuple[Constraint, ...]:
        """The limits, the physics, and what binds the loss, as constraints."""
        return (*self.nested, *map(self._wall, (*self.limits, *self.physics)))

    @cached_property
    def data(self) -> tuple[Constraint, ...]:
        """What binds the loss, and what repeated data allow, of N and D alone."""
        kept = [w for w in (*self.limits, *self.physics) if w.name.startswith("data.")]
        return (*self.nested, *map(self._wall, kept))

    def _wall(self, limit: Limit) -> Constraint:
        return Constraint(limit.name, self.under(limit))

    @cached_property
    def free(self) -> GeometricProgram:
        """The program with nothing fixed; the target's s must be above 0."""
        if self.reducible is None:
            return GeometricProgram(self.lossy(), self.walls)
        target = Constraint("target", self.lossy(self.reducible))
        cost = build(self.variables, merge(self.cost))
        return GeometricProgram(cost, (target, *self.walls))

    @cached_property
    def program(self) -> GeometricProgram:
        """What the engine solves, in the variables that are left to choose."""
        return self.free.fixing(self.fixed)

    def under(self, limit: Limit) -> Posynomial:
        """Σ terms / bound, the left-hand side of a limit's constraint."""
        scaled = [
            Term(t.label, t.coefficient / limit.bound, t.exponents) for t in limit.terms
        ]
        return build(self.variables, merge(scaled))

    def start(self, program: GeometricProgram) -> Array:
        """Returns ln of a point of reasonable size, to scale the solver's numbers."""
        N, D = 1e9, 2e10
        if self.reducible is not None and self.reducible > 0:
            N, D = self.surface.training_optimal(self.reducible)
        least = sys.float_info.min  # absurd laws ask for less than a float can say
        point = self.complete({"N": max(N, least), "D": max(D, least)})
        return np.log([point.get(name, 1.0) for name in program.variables])

    def complete(self, size: Mapping[str, float]) -> dict[str, float]:
        """A model's N and D with all its unique data and the best serving choices."""
        point = dict(size)
        if self.unique is not None:
            point["U"] = min(size["D"], self.unique)
        if self.between is not None and SAMPLES not in size:
            point[SAMPLES] = self._fewest(point)
        for replica in self.replicas:
            point.update(replica.point(size["N"]))
        if self.outside:
            z = np.log([[point[name] for name in self.chosen]])
            logs = self._sum.log_value(z)[0], self.log_reducible(z)[0]
            u, s = (math.exp(min(log, MOST_LOG)) for log in logs)
            point |= {"u": u, "s": s}
        return point

    def reducible_at(self, size: Mapping[str, float]) -> float:
        """The reducible loss of a model, all effects included."""
        if self.plain:
            return sum(value(term, size) for term in self.loss)
        return math.exp(self.log_reducible(self._logs(size))[0])

    def loss_at(self, size: Mapping[str, float]) -> float:
        """The loss of a model, all effects included."""
        return self.surface.loss_of(self.reducible_at(size))

    def log_reducible(self, z: Array) -> Array:
        """Ln of the reducible loss `(batch,)` at ln of `chosen` `(batch, chosen)`."""
        inner = self._sum.log_value(z)
        if self._added is None:
            return inner
        k = self.surface.outer
        return np.logaddexp(k * inner, self._added.log_value(z)) / k

    def weight(self, size: Mapping[str, float]) -> float | None:
        """W = (∂s/∂ln N)/(∂s/∂ln D); None where more tokens do not lower the loss."""
        slope = self._sum.gradient(z := self._logs(size))[0]
        if self._added is not None:
            k, added = self.surface.outer, self._added
            part = math.exp(added.log_value(z)[0] - k * self.log_reducible(z)[0])
            slope = (1 - part) * k * slope + part * added.gradient(z)[0]
        n, d = float(slope[0]), float(slope[1])
        if self.unique is not None and size["D"] < self.unique:
            d += float(slope[2])  # all tokens are unique: U grows with D
        return n / d if d < 0 else None

    @cached_property
    def _sum(self) -> Function:
        """The sum of powers of N and D, of `chosen` alone."""
        return self._composed(self.loss).over(self.chosen)

    @cached_property
    def _added(self) -> Posynomial | None:
        """What is added to its power, of `chosen` alone."""
        return build(self.chosen, self.outside) if self.outside else None

    def _logs(self, size: Mapping[str, float]) -> Array:
        point = self.complete(size)
        return np.log([[point[name] for name in self.chosen]])

    def _fewest(self, point: Mapping[str, float]) -> float:
        """The fewest samples with which a model reaches the target, or the most."""
        if self.between is None or self.reducible is None:
            return 1.0 if self.between is None else self.between[0]
        low, high = self.between
        one = np.log([[{**point, SAMPLES: 1.0}[name] for name in self.chosen]])
        (worth,) = [term for term in self.loss if SAMPLES in term.exponents]
        others = math.exp(self._sum.log_value(one)[0]) - worth.coefficient
        rest = self.reducible - others
        if rest <= 0:
            return high
        needed = power(worth.coefficient / rest, -1 / worth.exponents[SAMPLES])
        return min(max(needed, low), high)

    def size(self, found: Mapping[str, float]) -> dict[str, float]:
        """N and D of a point, and its samples where they are open."""
        names = SIZE if self.between is None else (*SIZE, SAMPLES)
        chosen = {**self.fixed, **found}
        return {name: chosen[name] for name in names}

    def drawing(self, samples: float) -> Question:
        """The question with so many samples decided, of whose number it was open.

        Args:
            samples: a number, or `Many`.
        """
        if self.between is None:
            return self
        (worth,) = [term for term in self.loss if SAMPLES in term.exponents]
        left = worth.coefficient * samples ** worth.exponents[SAMPLES]
        bill = tuple(
            replace(
                line,
                terms={u: _put(found, samples) for u, found in line.terms.items()},
                load=_put(line.load, samples),
            )
            for line in self.bill
        )
        return replace(
            self,
            surface=replace(self.surface, E=self.surface.E + left),
            published=replace(self.published, E=self.published.E + left),
            loss=tuple(term for term in self.loss if term is not worth),
            reducible=None if self.reducible is None else self.reducible - left,
            bill=bill,
            cost=_put(self.cost, samples),
            limits=_decided(self.limits, samples),
            physics=_decided(self.physics, samples),
            between=None,
            samples=samples,
        )


def _put(terms: Sequence[Term], samples: float) -> tuple[Term, ...]:
    """Monomials with a number of samples put in."""
    found = []
    for term in terms:
        powers = dict(term.exponents)
        power = powers.pop(SAMPLES, 0.0)
        factor = samples**power if power else 1.0
        found.append(Term(term.label, term.coefficient * factor, powers))
    return tuple(found)


def _decided(limits: Sequence[Limit], samples: float) -> tuple[Limit, ...]:
    """Limits with a number of samples put in, without those of samples themselves."""
    return tuple(
        replace(limit, terms=_put(limit.terms, samples))
        for limit in limits
        if not limit.name.startswith("demand.samples")
    )
