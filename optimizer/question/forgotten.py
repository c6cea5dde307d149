"""What is allowed and hardly meant: a unit forgotten, a word replaced or not read."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.question.inputs import given, named
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import Flow
from optimizer.reading.spread import expected
from optimizer.world.demand import Stream

FEW = 1e4  # parameters or training tokens below which a suffix was forgotten
SUFFIX = {"parameters": "B", "tokens": "T", "unique_tokens": "T"}


def oddities(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """What a file says that its author hardly meant: a code, and the cure.

    Args:
        scenario: a checked one.
    """
    for path, value in given(scenario):
        word = str(path[-2 if path[-1] == "expected" else -1])
        if path[0] != "law" and word in SUFFIX and 0 < value < FEW:
            name = named(scenario, path)
            yield (
                "forgotten-unit",
                f"{name} is {value:g}: did you mean {value:g}{SUFFIX[word]}?",
            )
    for index, stream in enumerate(scenario.streams):
        yield from _per_day(stream, _named(stream, index))
    for told in scenario.document.replaced.values():
        yield "replaced", told
    if scenario.spec.architecture is not None and not _read(scenario):
        yield (
            "unread-architecture",
            "nothing here reads the architecture, since a served token costs 2·N "
            "whatever its layers: serving: {model: measured} prices cache and layers, "
            "attention: true what attention adds",
        )


def _read(scenario: Scenario) -> bool:
    """Whether layers, cache or stored weights enter any cost or limit."""
    spec = scenario.spec
    if spec.training.attention or spec.limits.memory is not None:
        return True
    return any(serving.batched or serving.attention for serving in scenario.servings)


def _per_day(stream: Stream, name: str) -> Iterator[tuple[str, str]]:
    """A number of requests, or of tokens, in all beside a lifetime, which is idle."""
    for word, amount in (("requests", stream.requests), ("tokens", stream.tokens)):
        flow = None if amount is None else expected(amount)
        if isinstance(flow, Flow) and flow.per is None and stream.lifetime is not None:
            yield (
                "forgotten-unit",
                f"{name}.{word} counts {word} in all, so that the lifetime beside it "
                f"changes no number of them; did you mean {word} a day, as in 5M/day?",
            )


def _named(stream: Stream, index: int) -> str:
    return f"demand.{stream.name or index}" if stream.name or index else "demand"
