"""A scenario held at a size that exists: with its own shape and its stored weights.

An architecture brings its attention, its KV cache and all its parameters; a bare number
takes the scenario's words for them. `--snap`, `existing` and `audit` all ask here, so
that they price one model alike.
"""

from __future__ import annotations

from optimizer.question.scenario import Scenario
from optimizer.records import replace
from optimizer.world.costs import Architecture
from optimizer.world.models import Exists, shape_of, size_in, stored


def held_at(scenario: Scenario, what: Exists, **words: object) -> tuple[Scenario, ...]:
    """The scenario about one model: each combination of its lists that suits it.

    Args:
        scenario: any; its combinations are taken apart.
        what: the model.
        words: of the scenario file, in place of its own.
    """
    whole, shape = stored(what), shape_for(scenario, what)[0]
    share = None if whole is None else whole / size_in(what, scenario.law.counts)
    return tuple(
        replace(
            one,
            spec=one.spec.model_copy(update={**words, "architecture": shape}),
            stored=share,
        )
        for one in _suited(scenario, what)
    )


def _suited(scenario: Scenario, what: Exists) -> tuple[Scenario, ...]:
    """The combinations of a scenario's lists of which a size is one."""
    shape = shape_of(what)
    if shape is None or scenario.law.experts is None:
        return scenario.singles
    experts = shape.experts or 1
    return tuple(one for one in scenario.singles if one.spec.experts == experts)


def shape_for(
    scenario: Scenario, what: Exists
) -> tuple[Architecture | None, tuple[str, ...]]:
    """The architecture of a size, and which words of it are the scenario's."""
    common, own = scenario.spec.architecture, shape_of(what)
    if own is None:
        given = () if common is None else tuple(common.model_dump(exclude_none=True))
        return common, given
    if own.sequence is None and common is not None and common.sequence is not None:
        return own.model_copy(update={"sequence": common.sequence}), ("sequence",)
    return own, ()
