"""Capacity that stands all the time: what it needs, and what is paid of it.

Replicas that stand are paid by the hour, whatever they do, and there is no half of one:
their number is decided beforehand (`Scenario.whole`) and the load must stay within it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizer.algebra.posynomial import Term
from optimizer.question.scenario import Scenario, Whole
from optimizer.reading.spread import expected
from optimizer.world.costs import CostLine
from optimizer.world.limits import Limit


def paid_standing(scenario: Scenario, index: int, name: str) -> dict[str, float] | None:
    """Accelerator-seconds that a stream's phases pay of replicas that stand."""
    whole = scenario.whole.get(scenario.suffix(index), Whole())
    lifetime = scenario.uses[index].lifetime
    if whole.replicas is None or lifetime is None:
        return None
    serving, _ = scenario.serving_of(index)
    paid = whole.replicas * (serving.accelerators or 1.0) * expected(lifetime)
    return {p: paid * part for (who, p), part in whole.parts.items() if who == name}


def loads(
    scenario: Scenario, bill: Sequence[CostLine]
) -> Iterator[tuple[str, tuple[tuple[str, Term], ...]]]:
    """The replicas that each machine with standing capacity needs at its peak.

    Yields:
        The machine's suffix, and the terms of its need, each with the stream's name.
        A machine of which the lifetime of a stream is not told has none.
    """
    found: dict[str, list[tuple[str, Term]] | None] = {}
    for index, stream in enumerate(scenario.streams):
        serving, suffix = scenario.serving_of(index)[0], scenario.suffix(index)
        if not (serving.idle_paid and serving.by_time):
            continue
        line, known = bill[1 + index], found.setdefault(suffix, [])
        if stream.lifetime is None or known is None:
            found[suffix] = None
            continue
        each = (serving.accelerators or 1.0) * expected(stream.lifetime)
        known += [
            (line.name, Term(t.label, t.coefficient / each, t.exponents))
            for t in line.load
        ]
    yield from ((suffix, tuple(terms)) for suffix, terms in found.items() if terms)


def replicas_kept(scenario: Scenario, bill: Sequence[CostLine]) -> Iterator[Limit]:
    """The load of standing replicas within what stands, each ≤ 1."""
    for suffix, terms in loads(scenario, bill):
        standing = scenario.whole.get(suffix, Whole()).replicas
        if standing is not None:
            parts = tuple(
                Term(t.label, t.coefficient / standing, t.exponents) for _, t in terms
            )
            yield Limit(f"serving.replicas{suffix}", 1.0, "", parts)
