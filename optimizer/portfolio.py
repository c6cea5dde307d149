"""Several models in one file, with what they share: one program for all.

    minimise Σ_m cost_m(N_m, D_m)   subject to each model's target and limits,
    and Σ_m spent_m(N_m, D_m) ≤ shared budget, D_m ≤ shared data.

The variables of each model are named after it, so that its own program enters as it
is; what is shared is one more posynomial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimizer.document import Document
from optimizer.errors import InputError, Mark, Problem
from optimizer.fields import Budget as Dollars
from optimizer.fields import Compute, Duration, Energy, Model, Tokens
from optimizer.formulate import formulate
from optimizer.posynomial import Posynomial, Term, build, merge
from optimizer.program import Constraint, GeometricProgram
from optimizer.question import Question
from optimizer.scenario import Scenario
from optimizer.world.limits import Limit, wall


class Shared(Model):
    """What the models of a portfolio share, each an upper bound."""

    tokens: Tokens | None = None
    training_compute: Compute | None = None
    training_time: Duration | None = None
    training_cost: Dollars | None = None
    total_cost: Dollars | None = None
    energy: Energy | None = None


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
        questions: each model's own.
        shared: the bounds, with terms in the joint variables; the data bound stands
            once for each model.
        program: all of it.
    """

    questions: tuple[Question, ...]
    shared: tuple[Limit, ...]
    program: GeometricProgram


def variable(name: str, member: str) -> str:
    """The joint name of a model's N or D."""
    return f"{name}[{member}]"


def formulate_portfolio(portfolio: Portfolio) -> JointQuestion:
    """Turns a portfolio into one geometric program.

    Raises:
        InputError: a figure that a shared bound needs is missing.
    """
    questions = tuple(formulate(member) for member in portfolio.members)
    names = [member.name for member in portfolio.members]
    variables: tuple[str, ...] = ()
    constraints = []
    cost: list[Term] = []
    for name, question in zip(names, questions, strict=True):
        variables += tuple(variable(v, name) for v in question.program.variables)
    for name, question in zip(names, questions, strict=True):
        for constraint in question.program.constraints:
            own = constraint.posynomial.renamed(_names(name, question))
            own = own.over(variables)
            constraints.append(Constraint(f"{name}: {constraint.name}", own))
        cost += _joint(question.cost, name, question)
    shared = _shared(portfolio, questions)
    constraints += [
        Constraint(limit.name, _under(limit, variables)) for limit in shared
    ]
    objective = build(variables, merge(cost))
    return JointQuestion(
        questions, shared, GeometricProgram(objective, tuple(constraints))
    )


def _names(member: str, question: Question) -> dict[str, str]:
    derived = tuple(quantity.name for quantity in question.quantities)
    return {v: variable(v, member) for v in (*question.variables, *derived)}


def _joint(terms: Sequence[Term], member: str, question: Question) -> list[Term]:
    """A model's monomials in the joint variables, with what it fixes put in."""
    found = []
    for term in terms:
        coefficient = term.coefficient
        exponents = {}
        for name, power in term.exponents.items():
            if name in question.fixed:
                coefficient = coefficient * question.fixed[name] ** power
            else:
                exponents[variable(name, member)] = power
        found.append(Term(term.label, coefficient, exponents))
    return found


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
                own = wall(name, bound, question.bill, count)
            except ValueError as error:
                message = f"model {member.name}: {error}"
                problems.append(Problem(portfolio.place(name), name, message))
                continue
            terms = tuple(_joint(own.terms, member.name, question))
            parts.append((member.name, own.unit, terms))
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
