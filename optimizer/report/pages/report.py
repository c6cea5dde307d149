"""The report as blocks: what every format of it says, from one list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from optimizer.analysis.comparison.compare import Comparison
from optimizer.analysis.plan.rounded import fractions
from optimizer.analysis.plan.wording import (
    amount,
    figure,
    lifetime,
    saved,
)
from optimizer.analysis.portfolio.joint_plan import JointPlan
from optimizer.analysis.story.case import Case
from optimizer.analysis.story.explorer import Explorer, Point
from optimizer.reading.quantity import significant
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
from optimizer.report.formats.elements import Fold, Rich, Sliders, Verbatim
from optimizer.report.formats.loss_units import in_unit
from optimizer.report.pages.assumptions import assumptions
from optimizer.report.pages.comparison import comparison_blocks
from optimizer.report.pages.decision import decision_blocks, decision_row
from optimizer.report.pages.forms import BOTH, REGRET
from optimizer.report.pages.joint_decision import joint_decision, joint_row
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.portfolio import portfolio_blocks
from optimizer.report.pages.uncertainty import best_size
from optimizer.report.pages.under_laws import ONE, laws_side_blocks

# Charts go after the section of this name; a name ends in * where it goes on.
PLACES = (
    ("Plan", ("contour",)),
    ("Plan without*", ("contour",)),
    ("Lifetime*", ("split", "cashflow")),
    ("Near-optimal sizes", ("overhead",)),
    ("What moves*", ("tornado",)),
    ("Loss against*", ("capped",)),
)
FEW = "These are few draws, for time: the ends of the ranges are rough."
FIRST = "Of several scenarios a report has this section for the first alone."
TEAM = "For the team: the numbers, the proof, the assumptions"
DEMAND = "If the demand differs"


@dataclass(frozen=True)
class Report:
    """What is reported.

    Attributes:
        comparison: of the scenarios; regret is None for one.
        cases: one a scenario.
        portfolios: portfolios, with the text of their files.
        bodies: the blocks of each case, made before the page is.
        command: that makes this report again; may be empty.
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
    if len(report.cases) + len(report.portfolios) > 1:
        yield from _overview(report)
    for body in report.bodies:
        yield from body
    for portfolio, text in report.portfolios:
        yield from _joint(portfolio)
        yield from _file(portfolio.file, text)
    yield from _made(report)


def _overview(report: Report) -> Iterator[Rich]:
    """What to do in each scenario, and for the team all of them side by side."""
    yield Heading("What to do")
    rows = [decision_row(case.answer) for case in report.cases]
    rows += [joint_row(portfolio) for portfolio, _ in report.portfolios]
    columns = named("what to do", "lifetime cost", "saves", "reaches its target")
    yield Table(columns, tuple(rows))
    if len(report.cases) < 2:
        return
    lead, *rest = comparison_blocks(report.comparison)[1:]
    yield lead
    yield Fold(TEAM)
    answers = report.comparison.plans
    for title, section in _sections(rest):
        if title:
            yield Heading(title, 3)
        yield from section
        if title == "Plans" and (chart := split_of(answers)) is not None:
            yield chart
        if title.startswith("If another scenario"):
            chart = regret_of(report.comparison.regret)
            if chart is not None:
                yield chart


def case_blocks(case: Case, alone: bool = True) -> Iterator[Rich]:
    """One scenario: what to do, what it costs, what moves it, and why to believe it.

    Args:
        case: worked out.
        alone: whether the report has no other.
    """
    answer = case.answer
    page = answer_blocks(answer)
    yield Heading(answer.scenario, 2)
    if case.scenario.spec.description:
        yield Text(case.scenario.spec.description)
    first = list(in_unit(_lowered(decision_blocks(case)), answer.law.loss_unit))
    yield from first
    yield Fold(TEAM)
    shown = {block.text for block in first if isinstance(block, Heading)}
    for title, section in _sections(page[1:]):
        if title in shown:
            continue
        if title == "Law and proof":
            yield from _demand(case, first)
            yield from _chances(case, alone)
            yield from _laws(case)
        if title:
            yield Heading(title, 3)
        yield from _untyped(section)
        yield from (chart for chart in _placed(case, title) if chart not in first)
    yield from _assumed(case)
    yield from _file(answer.file, case.scenario.document.text)


def _untyped(section: Sequence[Block]) -> Iterator[Block]:
    """A section without its lead, which stands above, nor what to type next."""
    for block in section:
        if isinstance(block, Text) and block.text.endswith((REGRET, BOTH)):
            told = block.text.removesuffix(REGRET).removesuffix(BOTH)
            yield Text(told, block.label)
        elif not (isinstance(block, Text) and block.lead):
            yield block


def _joint(portfolio: JointPlan) -> Iterator[Rich]:
    """A portfolio: the joint plan on the first screen, each model for the team."""
    page = list(_lowered(portfolio_blocks(portfolio)))
    titles = [i for i, block in enumerate(page) if isinstance(block, Heading)]
    models = next(i for i in titles if page[i] == Heading("Models", 3))
    last = next((i for i in titles if i > models), len(page))
    # The headline, then what a decision needs, the warnings and the models.
    yield from page[:2]
    yield from joint_decision(portfolio)
    yield from page[2:last]
    yield Fold(TEAM)
    model = ""
    for block in page[last:]:
        if isinstance(block, Heading):
            # A model's page is a section in that of the portfolio.
            model = block.text if block.level == 2 else model
            title = block.text if block.level == 2 else f"{model}: {block.text}"
            yield Heading(title if model else block.text, 3)
        else:
            yield Text(block.text) if isinstance(block, Text) and block.lead else block


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


def _lowered(blocks: Iterable[Rich]) -> Iterator[Rich]:
    for block in blocks:
        if isinstance(block, Heading):
            yield Heading(block.text, block.level + 1)
        else:
            yield block


def _placed(case: Case, title: str) -> Iterator[Rich]:
    for place, kinds in PLACES:
        same = title == place
        if same or (place.endswith("*") and title.startswith(place[:-1])):
            for kind in kinds:
                if (chart := chart_of(kind, case)) is not None:
                    yield chart
                    if kind == "tornado" and (told := fractions(case.scenario)):
                        yield Text(f"{told}.", label="the chart")


def _demand(case: Case, first: Sequence[Rich]) -> Iterator[Rich]:
    """What if: charts, sliders, and a table for those without scripts."""
    drawn = [chart_of(kind, case) for kind in ("demand", "plan")]
    charts = [chart for chart in drawn if chart is not None and chart not in first]
    if case.explorer is None and not charts:
        return
    yield Heading(DEMAND, 3)
    if told := fractions(case.scenario):
        yield Text(f"{told}.", label="note")
    if case.explorer is not None:
        yield Sliders(case.explorer)
        yield _what_if(case.explorer)
    yield from charts


def charts(case: Case) -> Iterator[Rich]:
    """What is drawn of a case, but for the chances that are added later."""
    kinds = (*(kind for _, kinds in PLACES for kind in kinds), "demand", "plan", "laws")
    for kind in kinds:
        if (chart := chart_of(kind, case)) is not None:
            yield chart


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
        saved(point.saving or 0.0),
    )


def _chances(case: Case, alone: bool) -> Iterator[Rich]:
    """What other losses cost, and how far draws of law and demand move the size."""
    found = (frontier_of(case.frontier), uncertainty_of(case.uncertainty))
    charts = [chart for chart in found if chart is not None]
    if not charts:
        return
    yield Heading("In draws of the law and the demand", 3)
    yield from charts
    yield Text(FEW if alone else f"{FEW} {FIRST}")


def _laws(case: Case) -> Iterator[Rich]:
    if not case.laws:
        return
    blocks = list(laws_side_blocks(case.answer.scenario, case.laws))
    yield Heading("Law against law", 3)
    yield from _doubts(case)
    chart = chart_of("laws", case)
    for block in blocks[1:]:
        if isinstance(block, Table) and chart is not None:
            yield chart  # beside the words that stand above the table
            chart = None
        # The parts of that page stay one section here.
        if not isinstance(block, Heading) and block != ONE:
            lead = isinstance(block, Text) and not block.label
            yield Text(block.text) if lead else block  # type: ignore[union-attr]
    if chart is not None:
        yield chart


def _doubts(case: Case) -> Iterator[Text]:
    """The error of the law and the choice of the law, which are two, in one place."""
    found = case.uncertainty
    if found is not None and found.lawful and found.intervals:
        yield Text(
            f"If {found.law} is right, {best_size(found)}. Which law is right is "
            "another doubt:"
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
        f"By overtrain {report.version}{day}. Every plan is a certified optimum, and "
        "every number has its source in the assumptions."
    )
    if not report.command:
        return
    yield Fold("For the team: the command")
    yield Text(
        "Save the scenario files under their names, and this makes the report again:"
    )
    yield Verbatim(report.command)
