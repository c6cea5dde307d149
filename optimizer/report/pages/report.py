"""The report as blocks: what every format of it says, from one list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizer.analysis.comparison.compare import Comparison
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.whole import fractions
from optimizer.analysis.plan.wording import (
    amount,
    figure,
    given,
    lifetime,
    percent,
    rounded,
    share,
)
from optimizer.analysis.portfolio.joint_plan import JointPlan
from optimizer.analysis.story.case import Case
from optimizer.analysis.story.explorer import Explorer, Point
from optimizer.reading.quantity import PRICE_TOKENS, significant, write
from optimizer.records import dataclass
from optimizer.report.charts.catalogue import chart_of, regret_of, split_of
from optimizer.report.charts.uncertainty_catalogue import frontier_of, uncertainty_of
from optimizer.report.formats.blocks import (
    GAP,
    Block,
    Column,
    Heading,
    Table,
    Text,
    named,
)
from optimizer.report.formats.elements import Rich, Sliders, Tile, Tiles, Verbatim
from optimizer.report.pages.assumptions import assumptions
from optimizer.report.pages.comparison import comparison_blocks
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.portfolio import portfolio_blocks
from optimizer.report.pages.under_laws import laws_side_blocks

# Charts go after the section of this name; a name ends in * where it goes on.
PLACES = (
    ("Plan", ("contour",)),
    ("Lifetime*", ("split", "cashflow")),
    ("Near-optimal sizes", ("overhead",)),
    ("What moves*", ("tornado",)),
    ("Loss against*", ("capped",)),
)
DRAWN = {
    "frontier": "A report has this section for its first scenario alone, for time; "
    "for others there are overtrain frontier and overtrain plot frontier.",
    "uncertainty": "These are few draws, for time too; overtrain uncertainty takes as "
    "many as asked for, and says what the robust plan costs.",
}
DEMAND = "If the demand differs"


@dataclass(frozen=True)
class Report:
    """What is reported.

    Attributes:
        comparison: of the scenarios; regret is None for one.
        cases: one a scenario.
        portfolios: portfolios, with the text of their files.
        bodies: the blocks of each case, made as soon as it was worked out.
        command: that makes this report again.
        version: of this tool.
        made: the day, or empty.
    """

    comparison: Comparison
    cases: tuple[Case, ...]
    portfolios: tuple[tuple[JointPlan, str], ...]
    bodies: tuple[tuple[Rich, ...], ...]
    command: str
    version: str
    made: str = ""

    @property
    def title(self) -> str:
        """What the report is about."""
        names = [case.answer.scenario for case in self.cases]
        names += [portfolio.name for portfolio, _ in self.portfolios]
        if len(names) > 3:
            return f"Cost report: {len(names)} scenarios"
        return f"Cost report: {', '.join(names)}"


def report_blocks(report: Report) -> Iterator[Rich]:
    """The whole report."""
    yield Heading(report.title, 1)
    if len(report.cases) > 1:
        yield from _overview(report)
    for body in report.bodies:
        yield from body
    for portfolio, text in report.portfolios:
        yield from _lowered(portfolio_blocks(portfolio))
        yield from _file(portfolio.file, text)
    yield from _made(report)


def _overview(report: Report) -> Iterator[Rich]:
    """The scenarios side by side."""
    blocks = comparison_blocks(report.comparison)
    yield Heading("Side by side")
    answers = report.comparison.plans
    for title, section in _sections(blocks[1:]):
        if title:
            yield Heading(title, 3)
        yield from section
        if title == "Plans" and (chart := split_of(answers)) is not None:
            yield chart
        if title.startswith("If another scenario"):
            chart = regret_of(report.comparison.regret)
            if chart is not None:
                yield chart


def case_blocks(case: Case) -> Iterator[Rich]:
    """One scenario: what to do, what it costs, what moves it, and why to believe it."""
    answer = case.answer
    page = answer_blocks(answer)
    yield Heading(answer.scenario, 2)
    if case.scenario.spec.description:
        yield Text(case.scenario.spec.description)
    for title, section in _sections(page[1:]):
        if title == "Law and proof":
            yield from _demand(case)
            yield from _chances(case)
            yield from _laws(case)
        if title:
            yield Heading(title, 3)
        yield from section
        yield from _placed(case, title)
        if not title:
            yield from _tiles(answer)
    yield from _assumed(case)
    yield from _file(answer.file, case.scenario.document.text)


def _sections(blocks: Sequence[Block]) -> Iterator[tuple[str, list[Block]]]:
    """Blocks by the heading that they follow; those before any have none."""
    title, found = "", list[Block]()
    for block in blocks:
        if isinstance(block, Heading):
            if title or found:
                yield title, found
            title, found = block.text, []
        else:
            found.append(block)
    yield title, found


def _lowered(blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        lower = isinstance(block, Heading)
        yield Heading(block.text, block.level + 1) if lower else block  # type: ignore[union-attr]


def _placed(case: Case, title: str) -> Iterator[Rich]:
    for place, kinds in PLACES:
        same = title == place
        if same or (place.endswith("*") and title.startswith(place[:-1])):
            for kind in kinds:
                if (chart := chart_of(kind, case)) is not None:
                    yield chart


def _tiles(answer: Answer) -> Iterator[Tiles]:
    """The numbers to see at a glance, each with its range where that is known."""
    plan, cost, over = answer.plan, answer.cost, answer.overtraining
    if plan is None or cost is None or over is None or answer.savings is None:
        return
    near = answer.near_optimal[0] if answer.near_optimal else None
    held = near is not None and answer.fixed is None
    ranges = {}
    for word in ("parameters", "tokens"):
        ranges[word] = GAP
        if near is not None and held:
            low, high = (amount(v, word) for v in sorted(getattr(near, word)))
            ranges[word] = f"{low} to {high} are within {percent(near.within)}"
    saved = answer.savings.fraction
    word = "less" if saved >= 0 else "more"
    than = f"{percent(abs(saved))} {word} than training-optimal"
    size = given(plan.parameters, "parameters")
    tiles = [
        *_cheapest(answer, cost.unit),
        Tile("parameters", size, ranges["parameters"]),
        Tile("training tokens", amount(plan.tokens, "tokens"), ranges["tokens"]),
        Tile(
            "overtraining factor",
            f"{significant(over.factor, 2)} ×",
            f"{significant(plan.tokens_per_parameter)} tokens per parameter",
        ),
        Tile(lifetime(cost.unit), amount(cost.total, cost.unit), than),
    ]
    if (sure := answer.reached) is not None:
        part = percent(sure.probability)
        of = f"of {sure.draws:,} draws of the law's error"
        tiles.append(Tile("reaches its target in", part, of))
    if (price := answer.unit_cost) is not None and price.with_training is not None:
        whole, alone = (_dollars(v) for v in (price.with_training, price.total))
        tiles.append(Tile("a million tokens", whole, f"{alone} for serving alone"))
    if answer.demand.tokens:
        tiles.append(
            Tile(
                "served over its life", given(answer.demand.tokens, "tokens"), "tokens"
            )
        )
    yield Tiles(tuple(tiles))


def _cheapest(answer: Answer, unit: str) -> Iterator[Tile]:
    """The way to take, where that is not to train."""
    for way, total in answer.cheaper[:1]:
        loss = "if it is good enough" if way.loss is None else f"loss {way.loss:.4f}"
        name = way.name.removeprefix("existing ")
        yield Tile(f"do not train: {name}", amount(total, unit), loss)


def _dollars(value: float) -> str:
    return write(value, PRICE_TOKENS).partition(" ")[0]


def _demand(case: Case) -> Iterator[Rich]:
    """What if: charts, sliders, and a table for those without scripts."""
    charts = [chart_of(kind, case) for kind in ("demand", "plan")]
    if case.explorer is None and not any(charts):
        return
    yield Heading(DEMAND, 3)
    if told := fractions(case.scenario):
        yield Text(f"{told}.", label="note")
    if case.explorer is not None:
        yield Sliders(case.explorer)
        yield _what_if(case.explorer)
    yield from (chart for chart in charts if chart is not None)


SHOWN = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)


def _what_if(explorer: Explorer) -> Table:
    """The stops of the demand at the scenario's own target."""
    row, column = explorer.here
    base = explorer.demands[column]
    rows = []
    for demand, point in zip(explorer.demands, explorer.points[row], strict=True):
        if any(abs(demand / base / factor - 1) < 1e-9 for factor in SHOWN):
            rows.append((_factor(demand / base), *stop(demand, point, explorer)))
    columns = named(
        *("served", "parameters", "tokens", "overtraining factor"),
        *(lifetime(explorer.cost_unit), "saved"),
    )
    return Table(columns, tuple(rows), apart=True)


def _factor(factor: float) -> str:
    return "this demand" if abs(factor - 1) < 1e-9 else f"{significant(factor)} × it"


def stop(demand: float, point: Point, explorer: Explorer) -> tuple[str, ...]:
    """What a table says of one point."""
    served = amount(demand, "tokens")
    if point.parameters is None or point.tokens is None or point.cost_total is None:
        return served, "no plan", GAP, GAP, GAP, GAP
    return (
        served,
        amount(point.parameters, "parameters"),
        amount(point.tokens, "tokens"),
        f"{significant(point.overtraining_factor or 0.0, 2)} ×",
        figure(point.cost_total, explorer.cost_unit),
        share(point.saving or 0.0),
    )


def _chances(case: Case) -> Iterator[Rich]:
    """What other losses cost, and how far draws of law and demand move the size."""
    found = (frontier_of(case.frontier), uncertainty_of(case.uncertainty))
    charts = [chart for chart in found if chart is not None]
    if not charts:
        return
    yield Heading("How sure this is", 3)
    yield from charts
    for chart in charts:
        yield Text(DRAWN[chart.kind])


def _laws(case: Case) -> Iterator[Rich]:
    if not case.laws:
        return
    blocks = list(laws_side_blocks(case.answer.scenario, case.laws))
    yield Heading("Law against law", 3)
    yield from _doubts(case)
    for block in blocks[1:]:
        # The parts of that page stay one section here.
        if not isinstance(block, Heading):
            lead = isinstance(block, Text) and not block.label
            yield Text(block.text) if lead else block  # type: ignore[union-attr]
    if (chart := chart_of("laws", case)) is not None:
        yield chart


def _doubts(case: Case) -> Iterator[Text]:
    """The error of the law and the choice of the law, which are two, in one place."""
    found = case.uncertainty
    if found is not None and found.lawful and found.intervals:
        size = found.intervals["parameters"]
        yield Text(
            f"The size is in doubt twice. If {found.law} is right, its own error puts "
            f"it anywhere from {rounded(size.p5)} to {rounded(size.p95)}; which law is "
            "right is the other doubt:"
        )


def _assumed(case: Case) -> Iterator[Rich]:
    yield Heading("Assumptions", 3)
    columns = (
        Column("assumption", "left"),
        Column("value", "left"),
        Column("from", "left"),
        Column("source or reason", "left", wrap=True),
    )
    rows = tuple(
        (a.name, a.value, a.where, a.source) for a in assumptions(case.scenario)
    )
    yield Table(columns, rows)


def _file(name: str, text: str) -> Iterator[Rich]:
    yield Heading("The scenario file", 3)
    yield Text(name, label="file")
    yield Verbatim(text)


def _made(report: Report) -> Iterator[Rich]:
    yield Heading("How this report was made")
    day = f" on {report.made}" if report.made else ""
    yield Text(
        f"By overtrain {report.version}{day}. Every plan is a certified optimum. Save "
        "the scenario files under their names, and this command makes the report again:"
    )
    yield Verbatim(report.command)
