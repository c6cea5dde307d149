"""What speaks against a plan: warnings, runs that never were, the law's own error."""

from __future__ import annotations

from optimizer.records import dataclass
from optimizer.world.extrapolation import RECORDS
from optimizer.world.law import Law


@dataclass(frozen=True)
class Warning:
    """What an expert would say about the plan: a code, the reason and the cure."""

    code: str
    message: str


@dataclass(frozen=True)
class Beyond:
    """A number of the plan that lies outside the runs that its law was fitted to.

    Attributes:
        what: `parameters`, `tokens` or `tokens_per_parameter`.
        value: of the plan.
        edge: the end of the law's range that it passes.
        side: `above` or `below`.
        factor: how many times past the edge, above 1.
    """

    what: str
    value: float
    edge: float
    side: str
    factor: float


@dataclass(frozen=True)
class Chance:
    """How sure a plan is to reach its target, by the law's own error.

    Attributes:
        probability: the part of the draws in which it does.
        draws: of the law.
        seed: of their generator.
    """

    probability: float
    draws: int
    seed: int


@dataclass(frozen=True)
class Erred:
    """How laws of a form have erred beyond the D/N of the runs they were fitted to.

    Attributes:
        form: of the law.
        own: whether on the law's own runs; else on public ones.
        low: predicted over measured loss, less 1; in the mean of the law's own runs,
            the least of the public sets. Below 0 the form was too optimistic.
        high: the most.
        fitted_to: the largest D/N fitted, of the law's own runs.
        up_to: the largest D/N held out.
        sets: public sets of runs in which it erred so.
        among: so many.
    """

    form: str
    own: bool
    low: float
    high: float
    fitted_to: float | None = None
    up_to: float | None = None
    sets: int | None = None
    among: int | None = None


@dataclass(frozen=True)
class OtherForm:
    """The plan under the law of the other form that was fitted to the same runs.

    Attributes:
        law: its name.
        form: its form.
        parameters: of its plan; None where it has none.
        tokens: likewise.
        loss: likewise, by that law.
        saving: against its training-optimal model, a fraction.
        reason: why there is no plan.
        extrapolation: where it lies outside the runs of that law.
    """

    law: str
    form: str
    parameters: float | None = None
    tokens: float | None = None
    loss: float | None = None
    saving: float | None = None
    reason: str = ""
    extrapolation: tuple[Beyond, ...] = ()


def erred(law: Law, ratio: float) -> Erred | None:
    """How laws of this form have erred where D/N lies beyond the law's runs."""
    covered = law.range.tokens_per_parameter
    if covered is None or ratio <= covered[1]:
        return None
    for told in law.extrapolation:
        miss = told.forms.get(law.form)
        if told.by == "tokens_per_parameter" and miss is not None:
            high = miss.mean if miss.largest is None else miss.largest
            ends = told.fitted_to, told.up_to
            return Erred(law.form, True, miss.mean, high, *ends)
    record = RECORDS.get(law.form)
    if record is None:
        return None
    counts = {"sets": record.sets, "among": record.among}
    return Erred(law.form, False, record.low, record.high, **counts)
