"""Whether groups of runs may share their exponents.

*Source*: the likelihood-ratio test of nested models, with Huber's rise for that of the
likelihood (Ronchetti 1982).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optimizer.errors import Defect, InputError
from optimizer.fitting.fit import Settings, point_fit
from optimizer.fitting.forms import coefficients
from optimizer.fitting.group_point import Best
from optimizer.fitting.rise import CERTAIN, quantile, rise_scale
from optimizer.fitting.runs import Runs
from optimizer.fitting.search import search
from optimizer.records import dataclass


@dataclass(frozen=True)
class Alone:
    """A group under exponents of its own.

    Attributes:
        name: of the group.
        exponents: symbol → value; empty where the group alone tells none.
        rise: of twice the objective, as χ², under those that are shared.
        refused: why there are none.
    """

    name: str
    exponents: dict[str, float]
    rise: float = 0.0
    refused: str = ""


@dataclass(frozen=True)
class Sharing:
    """Whether the groups may share their exponents.

    Attributes:
        groups: each alone.
        rise: the sum of their rises.
        limit: what chance exceeds in one case of a hundred; infinite where fewer than
            two groups tell exponents of their own.
    """

    groups: tuple[Alone, ...]
    rise: float
    limit: float

    @property
    def contradicted(self) -> bool:
        """Whether the groups ask for exponents of their own."""
        return self.rise > self.limit


def sharing(parts: Sequence[Runs], settings: Settings, best: Best) -> Sharing:
    """How much better each group fits under exponents of its own.

    Args:
        parts: the runs of each group.
        settings: of the fit.
        best: the fit of all groups.
    """
    shared = [s for g, s in best.names if g < 0]
    alone = []
    for group, runs in enumerate(parts):
        member = best.asked.members[group]
        z = best.found.z[None][:, best.asked.places[group]]
        residual = member.target - member.predict(z)[0]
        # The fit takes as many runs for itself as it has coefficients.
        spent = len(settings.choice.free) - len(shared) * (1 - 1 / len(parts))
        left = max(runs.count - spent, 1) / runs.count
        scale = left * rise_scale(residual, settings.delta)
        here = search(member, z, settings.delta, widest=settings.delta, steps=0)
        name = runs.parts[group]
        try:
            asked, centre, found = point_fit(
                runs, settings.choice, settings.delta, 0, over=settings.over
            )
        except (InputError, Defect) as why:
            said = str(why).removeprefix(f"{runs.file}: ")
            alone.append(Alone(name, {}, refused=said))
            continue
        law = coefficients(asked.full(found.z[None]), settings.choice, centre)
        own = float(found.minimum.value[found.best]) * float(np.mean(member.weight))
        rise = max(0.0, 2 * (float(here.value[0]) - own) * scale)
        alone.append(Alone(name, {s: float(law[s][0]) for s in shared}, rise))
    told = [one for one in alone if one.exponents]
    degrees = (len(told) - 1) * len(shared)
    left = sum(p.count for p in parts) - len(best.names)
    limit = quantile(CERTAIN, degrees, left) if degrees > 0 else math.inf
    return Sharing(tuple(alone), sum(one.rise for one in told), limit)
