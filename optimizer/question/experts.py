"""The routed experts of a scenario's model: from its config, its words, or its law."""

from __future__ import annotations

from optimizer.question.scenario import Scenario
from optimizer.world.built import Built
from optimizer.world.machines import Serving
from optimizer.world.serving.replica import Experts

USUAL = 1e9  # parameters of a plan of which nothing is known yet


def stored_share(scenario: Scenario, serving: Serving) -> float:
    """Stored parameters over N, of a model on a machine.

    Raises:
        ValueError: N counts what a token passes, and nothing tells what is stored.
    """
    if (told := scenario.told_share) is not None:
        return told
    mixture = scenario.spec.mixture
    if scenario.law.counts != "active" or mixture is not None:
        return scenario.law.stored_share(mixture)
    if serving.stored_per_active is None:
        raise ValueError(
            f"{scenario.law.name} counts the parameters that a token passes, and "
            "memory holds all of them; add to serving stored_per_active: 9.3, all over "
            "active ones"
        )
    return serving.stored_per_active


def experts_of(scenario: Scenario, stored: float) -> Experts | None:
    """The routed experts of the model; None where a token passes all weights.

    A config says what each holds. Else the E experts hold what is stored beyond a
    token's own k: E·(stored − 1)/(E − k) of N, whatever else the layers share. Of a
    leverage, whose stored parameters are an upper bound, they hold all; without the
    experts of an architecture a token passes as many as the granularity, together
    twice as wide as the model.

    Args:
        scenario: any.
        stored: all parameters over N.

    Raises:
        ValueError: nothing tells how many there are.
    """
    if stored == 1.0:
        return None
    shape, law = scenario.spec.architecture, scenario.law
    count: float
    chosen: float
    if isinstance(shape, Built) and shape.record.mixture:
        record = shape.record
        count, chosen = map(float, record.experts)
        feeds = [layer.feed for layer in record.layers]
        routed = sum(feed.experts * feed.expert for feed in feeds)
        return Experts(count, chosen, stored * routed / record.total)
    if scenario.spec.experts is not None and law.experts is not None:
        count, chosen = scenario.spec.experts, 1  # the law's tokens pass one
    elif shape is not None and shape.experts is not None:
        count, chosen = shape.experts, shape.active_experts or 1
    elif scenario.spec.sparse is not None:
        chosen = scenario.spec.sparse.granularity
        count = chosen / scenario.spec.sparse.activation
    else:
        raise ValueError(
            "model: measured needs the experts of a mixture; add to architecture "
            "experts: 128 and active_experts: 8, or the path of its config.json"
        )
    if count.real <= chosen.real:
        raise ValueError(
            f"stores {stored:.3g} times what a token passes, but its tokens pass all "
            "experts; give architecture more experts than active_experts"
        )
    if scenario.spec.sparse is not None and scenario.stored is None:
        return Experts(count, chosen, stored)
    return Experts(count, chosen, count * (stored - 1.0) / (count - chosen))


def guess(scenario: Scenario) -> float:
    """A size near the plan's, at whose best batch the experts that are read are told.

    That of the target's training optimum, or what is fixed; what the guess misses costs
    little, since costs are told for the experts that are read in truth.
    """
    spec = scenario.spec
    surface = scenario.law.surface(spec.mixture)
    if spec.fix is not None and spec.fix.parameters is not None:
        return spec.fix.parameters
    target = spec.target
    if target is not None and target.match is not None:
        if scenario.reference is not None:
            return scenario.reference[0]
        if target.match.parameters is not None:
            return target.match.parameters
    if target is not None and target.loss is not None:
        s = surface.reducible(target.loss)
        if s > 0:
            return surface.training_optimal(s)[0]
    return USUAL
