"""The first screen of a portfolio: what it takes, how sure that is, what may change."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.algebra.program import Status
from optimizer.analysis.plan.wording import amount, figure, lifetime, percent
from optimizer.analysis.portfolio.joint_plan import JointPlan
from optimizer.report.charts.catalogue import split_of
from optimizer.report.formats.blocks import GAP
from optimizer.report.formats.elements import Points, Rich, Tile, Tiles
from optimizer.report.pages.decision import MOST, wall_sentence
from optimizer.report.pages.headline import trust
from optimizer.report.pages.portfolio import NOTHING, sharing


def joint_decision(portfolio: JointPlan) -> Iterator[Rich]:
    """Tiles, doubts, what could change it, and one picture; nothing without a plan."""
    if portfolio.status is not Status.OPTIMAL or portfolio.total is None:
        return
    members, unit = portfolio.members, portfolio.unit
    dearer = sharing(portfolio)
    alone = GAP
    if dearer is not None and dearer >= NOTHING:
        alone = f"{percent(dearer)} more than each on its own"
    tiles = [Tile(lifetime(unit), amount(portfolio.total, unit), alone)]
    for member in members[:MOST]:
        if member.plan is not None and member.cost is not None:
            tokens = amount(member.plan.tokens, "tokens")
            cost = amount(member.cost.total, member.cost.unit)
            size = amount(member.plan.parameters, "parameters")
            tiles.append(Tile(member.scenario, size, f"on {tokens} tokens, {cost}"))
    yield Tiles(tuple(tiles))
    doubts = tuple(
        f"{member.scenario}: {sentence}"
        for member in members
        for sentence in list(trust(member))[:1]
    )
    if doubts:
        yield Points("How sure this is", doubts[:MOST])
    walls = [wall for wall in portfolio.shared if wall.binding]
    walls.sort(key=lambda wall: wall.elasticity)
    if changes := tuple(map(wall_sentence, walls[:MOST])):
        yield Points("What could change it", changes)
    if (chart := split_of(members)) is not None:
        yield chart


def joint_row(portfolio: JointPlan) -> tuple[str, ...]:
    """The decision as a row beside those of scenarios."""
    if portfolio.total is None:
        return portfolio.name, "no plan", GAP, GAP, GAP
    told = f"train its {len(portfolio.members)} models"
    return portfolio.name, told, figure(portfolio.total, portfolio.unit), GAP, GAP
