"""Several models in one file, with what they share: one program for all.

    minimise Σ_m cost_m(N_m, D_m)   subject to each model's target and limits,
    and Σ_m spent_m(N_m, D_m) ≤ shared budget, D_m ≤ shared data.

The variables of each model are named after it, so that its own program enters as it
is; what is shared is one more posynomial.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

import numpy as np

from optimizer.algebra.posynomial import Array, Posynomial, Term, build, merge
from optimizer.algebra.program import Constraint, Function, GeometricProgram
from optimizer.errors import InputError, Mark, Problem
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Document
from optimizer.reading.fields import Budget as Dollars
from optimizer.reading.fields import Compute, Duration, Energy, Field, Model, Tokens
from optimizer.records import dataclass
from optimizer.world.costs import value
from optimizer.world.limits import Limit, wall


class Shared(Model):
    """What the models of a portfolio share, each an upper bound."""

    tokens: Tokens | None = Field(None, description="of one data set, for each model")
    training_compute: Compute | None = Field(None, description="of all training runs")
    training_time: Duration | None = Field(
        None, description="of the training runs, one after another"
    )
    training_cost: Dollars | None = Field(
        None, description="of all training runs, in dollars"
    )
    total_cost: Dollars | None = Field(
        None, description="of the lives of all models, in dollars"
    )
    energy: Energy | None = Field(None, description="of the lives of all models")


@dataclass(frozen=True, eq=False)
class Portfolio:
    """Checked scenarios that share bounds.

    Attributes:
        name: for reports.
        file: where it was read.
        members: one scenario a model, with distinct names.
        shared: the bounds.
        document: the text, with the place of every value.
    """

    name: str
    file: str
    members: tuple[Scenario, ...]
    shared: Shared
    document: Document

    def place(self, name: str) -> Mark:
        """The place in the file of `shared.` and a word."""
        return self.document.mark(tuple(name.split(" ", maxsplit=1)[0].split(".")))


@dataclass(frozen=True, eq=False)
class JointQuestion:
    """A portfolio as mathematics.

    Attributes:
        names: of the models.
        questions: each model's own.
        shared: the bounds, with terms in the joint variables; the data bound stands
            once for each model.
    """

    names: tuple[str, ...]
    questions: tuple[Question, ...]
    shared: tuple[Limit, ...]

    @property
    def models(self) -> list[tuple[str, Question]]:
        """Each model's name with its question."""
        return list(zip(self.names, self.questions, strict=True))

    @property
    def variables(self) -> tuple[str, ...]:
        """Those of every model, each named after it."""
        return tuple(variable(v, n) for n, q in self.models for v in q.variables)

    def of_model(self, index: int, point: Mapping[str, float]) -> dict[str, float]:
        """The variables of one model by its own names, at a point of all models."""
        name, question = self.models[index]
        return {v: point[variable(v, name)] for v in question.variables}

    @property
    def fixed(self) -> dict[str, float]:
        """What each model fixes, by the joint names."""
        return {
            variable(v, n): value
            for n, q in self.models
            for v, value in q.fixed.items()
        }

    @property
    def given(self) -> list[str]:
        """Names of the constraints that nobody can move."""
        return [own(n, wall) for n, q in self.models for wall in q.given]

    @cached_property
    def free(self) -> GeometricProgram:
        """All of it with nothing fixed; every target's s must be above 0."""
        cost = [t for n, q in self.models for t in _joint(q.cost, n)]
        return GeometricProgram(build(self.variables, merge(cost)), self.constraints())

    @cached_property
    def program(self) -> GeometricProgram:
        """What the engine solves, in the variables that are left to choose."""
        return self.free.fixing(self.fixed)

    def start(self, program: GeometricProgram) -> Array:
        """Returns ln of a point of reasonable size, to scale the solver's numbers."""
        point = {
            variable(v, n): z
            for n, q in self.models
            for v, z in zip(q.variables, q.start(q.free).tolist(), strict=True)
        }
        return np.array([point[name] for name in program.variables])

    def constraints(self, untargeted: Collection[str] = ()) -> tuple[Constraint, ...]:
        """Every bound.

        Args:
            untargeted: models whose targets are left out.
        """
        found = []
        for name, question in self.models:
            if name not in untargeted:
                found.append(Constraint(own(name, "target"), self.loss(name)))
            for bound in question.walls:
                under = bound.posynomial.renamed(_names(name, question))
                under = under.over(self.variables)
                found.append(Constraint(own(name, bound.name), under))
        for limit in self.shared:
            found.append(Constraint(limit.name, _under(limit, self.variables)))
        return tuple(found)

    def loss(self, name: str, whole: bool = False) -> Function:
        """A model's reducible loss over that of its target, in the joint variables.

        Args:
            name: of the model.
            whole: the reducible loss as it is.
        """
        question = self.questions[self.names.index(name)]
        bound = 1.0 if whole else question.reducible or 1.0
        loss = question.lossy(bound).renamed(_names(name, question))
        return loss.over(self.variables)


def left_to(
    portfolio: Portfolio, joint: JointQuestion, index: int, point: Mapping[str, float]
) -> tuple[Limit, ...]:
    """What all other models leave one of the shared bounds, in its own variables.

    Args:
        portfolio: with its figures.
        joint: the same as mathematics.
        index: of the model.
        point: every variable of every model.
    """
    member, question = portfolio.members[index], joint.questions[index]
    mine = joint.of_model(index, point)
    found = []
    for word, bound in portfolio.shared:
        if bound is None:
            continue
        name = f"shared.{word}"
        part = wall(name, bound, question.bill, member.spec.training.accelerators)
        rest = bound
        if word != "tokens":  # of one data set each may read all
            (whole,) = (limit for limit in joint.shared if limit.name == name)
            used = sum(value(t, point) for t in whole.terms)
            rest -= used - sum(value(t, mine) for t in part.terms)
        found.append(Limit(name, rest, part.unit, part.terms))
    return tuple(found)


def variable(name: str, model: str) -> str:
    """The joint name of a model's N or D."""
    return f"{name}[{model}]"


def own(model: str, name: str) -> str:
    """The joint name of a bound that a model has for itself."""
    return f"{model}: {name}"


def formulate_portfolio(portfolio: Portfolio) -> JointQuestion:
    """Turns a portfolio into one question.

    Raises:
        InputError: a figure that a shared bound needs is missing.
    """
    questions = tuple(formulate(member) for member in portfolio.members)
    names = tuple(member.name for member in portfolio.members)
    return JointQuestion(names, questions, _shared(portfolio, questions))


def _names(model: str, question: Question) -> dict[str, str]:
    derived = tuple(quantity.name for quantity in question.quantities)
    return {v: variable(v, model) for v in (*question.variables, *derived)}


def _joint(terms: Sequence[Term], model: str) -> list[Term]:
    """A model's monomials in the joint variables."""
    return [
        Term(
            term.label,
            term.coefficient,
            {variable(name, model): power for name, power in term.exponents.items()},
        )
        for term in terms
    ]


def _under(limit: Limit, variables: Sequence[str]) -> Posynomial:
    scaled = [
        Term(t.label, t.coefficient / limit.bound, t.exponents) for t in limit.terms
    ]
    return build(variables, merge(scaled))


def _shared(portfolio: Portfolio, questions: Sequence[Question]) -> tuple[Limit, ...]:
    found = []
    problems = []
    for word, bound in portfolio.shared:
        if bound is None:
            continue
        name = f"shared.{word}"
        parts = []
        for member, question in zip(portfolio.members, questions, strict=True):
            count = member.spec.training.accelerators
            try:
                used = wall(name, bound, question.bill, count)
            except ValueError as error:
                message = f"model {member.name}: {error}"
                problems.append(Problem(portfolio.place(name), name, message))
                continue
            terms = tuple(_joint(used.terms, member.name))
            parts.append((member.name, used.unit, terms))
        if word == "tokens":
            # One data set: each model may read all of it.
            found += [
                Limit(f"{name} ({member})", bound, unit, terms)
                for member, unit, terms in parts
            ]
        elif parts:
            joined = tuple(t for _, _, terms in parts for t in terms)
            found.append(Limit(name, bound, parts[0][1], joined))
    if problems:
        raise InputError(problems)
    return tuple(found)
