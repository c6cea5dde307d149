"""Samples a request: the plan for each number of them, and the best."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from optimizer.algebra.program import Certificate
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import Flow
from optimizer.reading.spread import expected
from optimizer.records import dataclass, replace
from optimizer.world.demand import Stream
from optimizer.world.sampling import Between


@dataclass(frozen=True)
class Drawing:
    """The plan for one number of samples a request.

    Attributes:
        samples: the number.
        parameters: N.
        tokens: D.
        overtraining: D over the training-optimal tokens for this N.
        loss: that it reaches.
        total: its lifetime cost.
        choice: of the scenario's lists.
        certificate: that no plan of as many samples is cheaper.
    """

    samples: float
    parameters: float
    tokens: float
    overtraining: float
    loss: float
    total: float
    choice: Mapping[str, str]
    certificate: Certificate | None


@dataclass(frozen=True)
class Drawings:
    """How many samples to draw, where the scenario leaves that open.

    Attributes:
        number: of the plan.
        at_least: the fewest.
        at_most: the most.
        relaxed: the best in fractions; its program is certified.
        steps: the plans of other numbers, the fewest samples first.
    """

    number: float
    at_least: float
    at_most: float
    relaxed: float
    steps: tuple[Drawing, ...] = ()


def doublings(low: int, high: int, also: Iterable[int] = ()) -> list[int]:
    """Numbers of samples from the fewest to the most, each twice the one before."""
    steps = math.floor(math.log2(high / low)) + 1
    return sorted({*(low << i for i in range(steps)), high, *also})


def drawing(scenario: Scenario, samples: int) -> Scenario:
    """The scenario with every request drawing so many samples; the rest stays.

    Where it gave a number, requests stay as they are, and the loss to match with them.
    """
    streams = tuple(_open(stream, samples) for stream in scenario.streams)
    listed = isinstance(scenario.spec.demand, tuple)
    demand = streams if listed else (streams[0] if streams else None)
    spec = scenario.spec.model_copy(update={"demand": demand})
    return replace(scenario, spec=spec, samples=float(samples))


def _open(stream: Stream, samples: int) -> Stream:
    given = stream.samples
    if isinstance(given, Between):
        return stream
    number = expected(given)
    words: dict[str, object] = {
        "samples": Between(at_least=round(number), at_most=max(round(number), samples))
    }
    prompt, answer = expected(stream.input_tokens), expected(stream.output_tokens)
    if stream.tokens is not None and answer is not None and prompt is not None:
        flow: Flow = expected(stream.tokens)
        requests = replace(flow, amount=flow.amount / (prompt + answer * number))
        words |= {"tokens": None, "requests": requests}
    return stream.model_copy(update=words)


def singles(
    scenario: Scenario, samples: int
) -> Iterator[tuple[Mapping[str, str], Scenario]]:
    """Each combination of a scenario's lists, with so many samples."""
    for variant in scenario.variants:
        if variant.scenario is not None:
            yield variant.choice, drawing(variant.scenario, samples)
    if not scenario.variants:
        yield {}, drawing(scenario, samples)
