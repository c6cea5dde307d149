"""Targets that no model reaches, told before any solver runs, by arithmetic alone."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.analysis.answer import Infeasibility, Relaxation
from optimizer.analysis.wording import amount, counted, either, nats
from optimizer.formulate import Question
from optimizer.scenario import Scenario
from optimizer.world.surface import power

PRECISION = 1e-7  # s/L below which double precision cannot certify a plan
TOUCHING = 1e-12  # bounds that meet the target exactly are met
LARGEST = 1e60
ROOM = 1e-6  # beyond a bound that no finite model attains


def unreachable(scenario: Scenario, question: Question) -> Infeasibility | None:
    """Explains a target that the law, or bounds on N and D alone, put out of reach."""
    s, loss = question.reducible, question.target
    if s is None or loss is None:
        return None
    surface = question.surface
    least = surface.loss_of(0.0)
    N, D = surface.training_optimal(s) if s > 0 else (1.0, 1.0)
    if s <= 0:
        reason = (
            f"the target of {nats(loss)} is at or below the irreducible loss of "
            f"{scenario.law.name}, {nats(least)}: no model reaches it, however large. "
            "Choose a higher loss, or name a model to match: "
            "target: {match: {parameters: 13B}}"
        )
        return _without_relaxation(scenario, reason, loss, least)
    if s < PRECISION * abs(surface.E + s):
        enough = surface.loss_of(2 * PRECISION * abs(surface.E + s))
        reason = (
            f"the target of {nats(loss)} is so close to the irreducible loss of "
            f"{scenario.law.name}, {nats(least)}, that double precision cannot "
            f"certify a plan. Choose at least {enough:.10g} nats"
        )
        return _without_relaxation(scenario, reason, loss, least)
    if not max(N, D) < LARGEST:
        reason = (
            f"under {scenario.law.name} the target of {nats(loss)} needs more than "
            f"{LARGEST:.0e} parameters or tokens. Choose a higher loss"
        )
        return _without_relaxation(scenario, reason, loss, least)
    caps = _caps(scenario)
    only = {"limits.parameters", "limits.tokens"} >= {w.name for w in question.limits}
    short = sum(cap.shortfall(question) for cap in caps)
    if not caps or not only or short <= s * (1 + TOUCHING):
        return None
    nearest = surface.loss_of(short)
    within = either([cap.words for cap in caps], "and")
    reason = (
        f"the target of {nats(loss)} cannot be reached with {within}: the loss "
        f"stays at {nats(nearest)} or above"
    )
    relaxations = [_relaxed(scenario, question, caps, cap) for cap in caps]
    conflict = tuple(c.name for c in caps if c.shortfall(question) >= s) or tuple(
        c.name for c in caps
    )
    target = Relaxation("target", loss, nearest, scenario.place("target").line)
    return Infeasibility(
        reason=f"{reason}. {cure([*relaxations, target])}",
        conflict=("target", *conflict),
        relaxations=(target, *relaxations),
        nearest_loss=nearest,
        uniform=None,
        certificate=None,
    )


def cure(relaxations: list[Relaxation]) -> str:
    """Says in words which single changes restore a plan."""
    ways = []
    for way in relaxations:
        if way.after is None:
            continue
        unit = way.unit
        text = nats(way.after) if unit == "nats" else amount(way.after, unit)
        ways.append(f"{way.name} to {text}")
    if not ways:
        return "No single change restores a plan; relax several of them together"
    return f"Any one of these restores a plan: {either(ways)}"


def _without_relaxation(
    scenario: Scenario, reason: str, loss: float, least: float
) -> Infeasibility:
    line = scenario.place("target").line
    entry = Relaxation("target", loss, None, line)
    return Infeasibility(reason, ("target",), (entry,), least, None, None)


@dataclass(frozen=True)
class _Cap:
    """An upper bound on one variable, from a limit or a fixed value."""

    name: str
    variable: str
    value: float
    fixed: bool

    @property
    def words(self) -> str:
        unit = "parameters" if self.variable == "N" else "tokens"
        most = "" if self.fixed else "at most "
        return f"{most}{counted(self.value, unit)}"

    def shortfall(self, question: Question) -> float:
        """The reducible loss that the bound alone leaves."""
        surface = question.surface
        if self.variable == "N":
            return surface.A / power(self.value, surface.alpha)
        return surface.B / power(self.value, surface.beta)


def _caps(scenario: Scenario) -> list[_Cap]:
    spec = scenario.spec
    pairs = [
        ("limits.parameters", "N", spec.limits.parameters, False),
        ("limits.tokens", "D", spec.limits.tokens, False),
    ]
    if spec.fix is not None:
        pairs += [
            ("fix.parameters", "N", spec.fix.parameters, True),
            ("fix.tokens", "D", spec.fix.tokens, True),
        ]
    least: dict[str, _Cap] = {}
    for name, variable, value, fixed in pairs:
        if value is None:
            continue
        if variable not in least or value < least[variable].value:
            least[variable] = _Cap(name, variable, value, fixed)
    return list(least.values())


def _relaxed(
    scenario: Scenario, question: Question, caps: list[_Cap], cap: _Cap
) -> Relaxation:
    surface = question.surface
    left = (question.reducible or 0.0) - sum(
        other.shortfall(question) for other in caps if other is not cap
    )
    after = None
    if left > 0:
        gain, power = (
            (surface.A, surface.alpha)
            if cap.variable == "N"
            else (surface.B, surface.beta)
        )
        after = (gain / left) ** (1 / power) * (1 + ROOM)
    unit = "parameters" if cap.variable == "N" else "tokens"
    return Relaxation(
        cap.name, cap.value, after, scenario.place(cap.name).line or None, unit
    )
