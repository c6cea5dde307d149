"""How much of the community's serving bill must count before the plan moves."""

from __future__ import annotations

from optimizer.algebra.program import Status
from optimizer.analysis.plan.reach import unreachable
from optimizer.analysis.plan.touching import ended, machines
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.crossing import crossing
from optimizer.engine.solve import solve
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.reading.document import dotted
from optimizer.records import dataclass, replace

MOVE = 0.10
CLOSE = 1e-5  # of a share to the move that defines it


@dataclass(frozen=True)
class ShareThreshold:
    """The cost share of one stream at which the plan has moved by a stated size.

    Attributes:
        stream: its path, as `--set` takes it.
        move: the stated size, as a fraction of the parameters at share 0.
        parameters: at share 0.
        share: at which they are smaller by that fraction; None if not even at 100 %.
    """

    stream: str
    move: float
    parameters: float
    share: float | None


def share_thresholds(
    scenario: Scenario, move: float = MOVE
) -> tuple[ShareThreshold, ...]:
    """Finds the threshold of each stream whose cost share is below 100 %.

    N falls as the share rises, so the threshold is a bracketed root.
    """
    found = []
    for index, stream in enumerate(scenario.streams):
        if "cost_share" not in stream.model_fields_set:
            continue
        base = _size(scenario, index, 0.0)
        if base is None:
            continue
        wanted = base * (1 - move)
        found.append(
            ShareThreshold(
                stream=_named(scenario, index),
                move=move,
                parameters=base,
                share=_root(scenario, index, wanted),
            )
        )
    return tuple(found)


def _named(scenario: Scenario, index: int) -> str:
    """A stream's path as `--set` takes it."""
    name = scenario.streams[index].name
    path = scenario.stream_path(index)
    return f"{path[0]}.{name}" if name and len(path) > 1 else dotted(path)


def _root(scenario: Scenario, index: int, wanted: float) -> float | None:
    def excess(share: float) -> float:
        return (_size(scenario, index, share) or 0.0) / wanted - 1

    if excess(1.0) > 0:
        return None
    share = crossing(excess, 0.0, 1.0, within=1e-9)
    # Where the plan ends before it has moved that far, the root is only its end.
    return share if abs(excess(share)) < CLOSE else None


def _size(scenario: Scenario, index: int, share: float) -> float | None:
    """N of the plan with one stream's cost share set."""
    found = [
        optimum
        for one in scenario.every(lambda each: _shared(each, index, share)).singles
        if (optimum := _optimum(one)) is not None
    ]
    return min(found)[1] if found else None


def _optimum(scenario: Scenario) -> tuple[float, float] | None:
    """The least ln cost and its N, without all else that an answer tells."""
    question = formulate(scenario)
    if unreachable(scenario, question) is not None:
        return None
    try:
        if machines(question):
            _, question, solution = ended(scenario, question)
        else:
            solution = solve(question.program, question.start(question.program))
    except UncertifiedError:
        return None  # next to no room between the bounds
    if solution.status is not Status.OPTIMAL:
        return None
    z, _ = solution.optimum
    N = {**question.fixed, **solution.point}["N"]
    return float(question.program.objective.log_value(z[None])[0]), N


def _shared(scenario: Scenario, index: int, share: float) -> Scenario:
    streams = list(scenario.streams)
    streams[index] = streams[index].model_copy(update={"cost_share": share})
    demand = tuple(streams) if isinstance(scenario.spec.demand, tuple) else streams[0]
    spec = scenario.spec.model_copy(update={"demand": demand})
    return replace(scenario, spec=spec)
