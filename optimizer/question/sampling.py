"""Samples in the program: how many are drawn, what they are worth, what they cost.

    A·N^-α + B·D^-β + G·k^-γ ≤ L − E,   1 ≤ k,   every generated token paid k times

*Source*: arXiv 2604.01411 for the form; its L is the mean over tasks of −ln pass@k.
"""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.algebra.posynomial import Term
from optimizer.question.asked import SAMPLES
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Steps
from optimizer.reading.spread import expected
from optimizer.records import replace
from optimizer.world.costs import CostLine
from optimizer.world.demand import Stream
from optimizer.world.limits import Limit
from optimizer.world.sampling import Between

PAID = ("output", "tokens")  # the parts of a bill that are generated for every sample
AT_MOST = "demand.samples.at_most"


def left_open(scenario: Scenario) -> Between | None:
    """The samples that a scenario leaves open; None where it gives their number."""
    for stream in scenario.streams:
        if isinstance(stream.samples, Between):
            return stream.samples
    return None


def knows(scenario: Scenario) -> bool:
    """Whether the law says what samples are worth."""
    target = scenario.spec.target
    rated = target is not None and target.pass_rate is not None
    return scenario.law.form == "samples" or rated


def drawn(scenario: Scenario) -> float | None:
    """How many samples a request draws; None where that is still open."""
    if left_open(scenario) is not None:
        return scenario.samples
    given = [expected(stream.samples) for stream in scenario.streams]
    return given[0] if given else 1.0


def compared(scenario: Scenario) -> float | None:
    """How many samples a model to match draws: as many, or the fewest."""
    between = left_open(scenario)
    return drawn(scenario) if between is None else between.at_least


def settled(scenario: Scenario) -> Scenario:
    """The scenario drawing the fewest samples where it leaves them open."""
    between = left_open(scenario)
    return scenario if between is None else replace(scenario, samples=between.at_least)


def worth(scenario: Scenario, samples: float | None) -> float:
    """What so many samples leave of the loss; 0 under a law that does not know."""
    law = scenario.law
    if law.form != "samples" or samples is None:
        return 0.0
    left: float = law.coefficients["G"] * samples ** -law.coefficients["gamma"]
    return left


def fewer(scenario: Scenario) -> float:
    """What a model to match loses by drawing fewer samples than the plan."""
    return worth(scenario, compared(scenario)) - worth(scenario, drawn(scenario))


def terms(scenario: Scenario) -> tuple[Term, ...]:
    """The term of the loss of samples that are open."""
    if left_open(scenario) is None or drawn(scenario) is not None:
        return ()
    c = scenario.law.coefficients
    return (Term("samples", c["G"], {SAMPLES: -c["gamma"]}),)


def paid(line: CostLine) -> CostLine:
    """A stream's bill with every generated token paid for each sample."""

    def each(found: tuple[Term, ...]) -> tuple[Term, ...]:
        return tuple(
            Term(t.label, t.coefficient, {**t.exponents, SAMPLES: 1.0})
            if t.label in PAID
            else t
            for t in found
        )

    terms = {unit: each(found) for unit, found in line.terms.items()}
    return replace(line, terms=terms, load=each(line.load))


def most(between: Between) -> Limit:
    """The most samples, which the user can move."""
    term = Term("samples", 1.0, {SAMPLES: 1.0})
    return Limit(AT_MOST, between.at_most, "samples", (term,))


def fewest(between: Between) -> Limit:
    """The fewest samples, as what is at most 1."""
    term = Term("samples", between.at_least, {SAMPLES: -1.0})
    return Limit("demand.samples.at_least", 1.0, "", (term,))


def unrated(scenario: Scenario) -> Iterator[tuple[Steps, str]]:
    """A share of tasks to solve that the law's map does not lead to."""
    law, target = scenario.law, scenario.spec.target
    if target is None or target.pass_rate is None:
        return
    path = ("target", "pass_rate")
    if law.passing is None:
        yield (
            path,
            f"needs a law that maps loss to pass@k, and {law.name} does not; add "
            "pass_at_k: {theta0: , theta1: , theta2: , theta3: , theta4: } to a law "
            "file, or give loss: 2.0",
        )
    elif law.form == "samples":
        yield path, f"{law.name} is a law of samples itself; give its loss, −ln pass@k"
    elif left_open(scenario) is None:
        try:
            law.passing.loss(target.pass_rate, drawn(scenario) or 1.0)
        except ValueError as error:
            yield path, str(error)
    if len({expected(s.samples) for s in scenario.streams if not _is_open(s)}) > 1:
        yield path, "is of one number of samples; let all streams draw as many"


def _is_open(stream: Stream) -> bool:
    return isinstance(stream.samples, Between)


def misfits(scenario: Scenario) -> Iterator[tuple[Steps, str]]:
    """Samples that the law, or the other streams, cannot stand beside."""
    law, streams = scenario.law, scenario.streams
    for index, stream in enumerate(streams):
        path = (*scenario.stream_path(index), "samples")
        open_ = isinstance(stream.samples, Between)
        given = "samples" in stream.model_fields_set
        if given and not open_ and stream.output_tokens is None:
            yield (
                path,
                "multiplies the tokens of an answer, which are not given; add "
                "input_tokens: 800 and output_tokens: 300, or remove samples",
            )
        elif open_ and law.form != "samples":
            yield (
                path,
                f"is left open, but {law.name} does not say what samples are worth: "
                "give their number (samples: 4; frontier --over samples compares "
                "several), or a law of samples, law: {E: , A: , B: , alpha: , beta: , "
                "G: , gamma: }",
            )
        elif law.form == "samples" and stream.samples != streams[0].samples:
            first = streams[0].name or "1"
            yield (
                path,
                f"must be that of the stream {first}: under {law.name} the loss is "
                "that of one number of samples; let all streams draw as many",
            )
