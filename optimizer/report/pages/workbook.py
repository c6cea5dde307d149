"""The report as an Excel workbook: the only place that knows XlsxWriter.

Formulas are ours alone, each with its value for readers that do not calculate.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import lifetime, line_name
from optimizer.analysis.story.case import Case
from optimizer.report.formats.blocks import printable
from optimizer.report.formats.extras import missing
from optimizer.report.formats.worksheet import FORMATS, Sheet
from optimizer.report.pages.assumptions import assumptions
from optimizer.report.pages.headline import headline
from optimizer.world.costs import UNITS

if TYPE_CHECKING:
    from optimizer.report.pages.report import Report


def write(report: Report) -> bytes:
    """The workbook.

    Raises:
        InputError: XlsxWriter is not installed.
    """
    try:
        import xlsxwriter  # noqa: PLC0415 - optional
    except ImportError as error:
        raise missing(error) from None
    data = io.BytesIO()
    safe = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    book = xlsxwriter.Workbook(data, safe)
    formats = {name: book.add_format(dict(look)) for name, look in FORMATS.items()}
    answers = [case.answer for case in report.cases]
    answers += [
        member for portfolio, _ in report.portfolios for member in portfolio.members
    ]

    def sheet(name: str) -> Sheet:
        return Sheet(book.add_worksheet(name), formats)

    _plans(sheet("Plans"), answers)
    _costs(book, sheet("Costs"), answers)
    if any(case.explorer for case in report.cases):
        _demand(book, sheet("Demand"), report.cases)
    _moves(sheet("What moves it"), list(_moved(report)))
    if report.comparison.regret is not None:
        _regret(sheet("Regret"), report)
    if any(case.laws for case in report.cases):
        _laws(sheet("Laws"), report.cases)
    _assumptions(sheet("Assumptions"), report)
    book.set_properties({"title": printable(report.title), "comments": report.command})
    book.close()
    return data.getvalue()


def _plans(page: Sheet, answers: Sequence[Answer]) -> None:
    """A row a scenario: the plan, its range, and what it saves."""
    page.line(["Plans"], "title")
    page.line(
        [
            *("scenario", "law", "served tokens", "parameters"),
            *("within 1 %, from", "to", "training tokens", "tokens per parameter"),
            *("overtraining factor", "loss", "lifetime total", "unit"),
            *("against training-optimal", "USD per million tokens", "warnings"),
            "in a sentence",
        ],
        "head",
    )
    for answer in answers:
        _plan(page, answer)
    page.fit()
    page.sheet.freeze_panes(2, 1)


def _plan(page: Sheet, answer: Answer) -> None:
    plan, cost, over = answer.plan, answer.cost, answer.overtraining
    row = page.row + 1
    page.put(0, answer.scenario)
    page.put(1, answer.law.name)
    page.put(2, answer.demand.tokens, "tokens")
    page.put(15, headline(answer), "wrap")
    if plan is not None and cost is not None and over is not None:
        page.put(3, plan.parameters, "size")
        if answer.near_optimal and answer.fixed is None:
            low, high = answer.near_optimal[0].parameters
            page.put(4, low, "size")
            page.put(5, high, "size")
        page.put(6, plan.tokens, "tokens")
        page.formula(7, f"=G{row}/D{row}", plan.tokens_per_parameter, "number")
        page.put(8, over.factor, "number")
        page.put(9, plan.loss, "loss")
        page.put(10, cost.total, cost.unit)
        page.put(11, cost.unit)
        if answer.saved is not None:
            page.put(12, -answer.saved.fraction, "percent")
        if answer.unit_cost is not None:
            page.put(13, answer.unit_cost.with_training, "price")
    page.put(14, " ".join(warning.code for warning in answer.warnings))
    page.row += 1


def _costs(book: Any, page: Sheet, answers: Sequence[Answer]) -> None:
    """The bill of each plan, line by line, with live totals and shares."""
    for answer in answers:
        cost, best = answer.cost, answer.training_optimal
        if cost is None or best is None:
            continue
        page.line([answer.scenario], "title")
        titles = ("line", "plan", "share", "training-optimal", "plan less that")
        page.line(titles, "head")
        first, last = page.row + 1, page.row + len(cost.lines)
        total = last + 1
        for line, other in zip(cost.lines, best.cost.lines, strict=True):
            row = page.row + 1
            page.put(0, line_name(line.name))
            page.put(1, line.amount, cost.unit)
            page.formula(2, f"=B{row}/B${total}", line.share, "percent")
            page.put(3, other.amount, cost.unit)
            less = line.amount - other.amount
            page.formula(4, f"=B{row}-D{row}", less, cost.unit)
            page.row += 1
        page.put(0, f"{lifetime(cost.unit)}, {cost.unit}", "total")
        sums = (("B", cost.total), ("D", best.cost.total))
        for column, (letter, value) in zip((1, 3), sums, strict=True):
            page.formula(
                column, f"=SUM({letter}{first}:{letter}{last})", value, cost.unit
            )
        saved = cost.total - best.cost.total
        page.formula(4, f"=B{total}-D{total}", saved, cost.unit)
        chart = book.add_chart({"type": "bar", "subtype": "stacked"})
        for row in range(first - 1, last):
            chart.add_series(
                {
                    "name": ["Costs", row, 0],
                    "categories": ["Costs", first - 2, 1, first - 2, 1],
                    "values": ["Costs", row, 1, row, 1],
                }
            )
        chart.set_title({"name": ["Costs", first - 3, 0], "name_font": {"size": 11}})
        chart.set_size({"width": 460, "height": 200})
        page.sheet.insert_chart(first - 3, 6, chart)
        page.row = max(page.row + 3, first + 9)
    page.fit()


def _demand(book: Any, page: Sheet, cases: Sequence[Case]) -> None:
    """The plan at other demands, and charts of it."""
    for case in cases:
        explorer = case.explorer
        if explorer is None:
            continue
        page.line([case.answer.scenario], "title")
        page.line(
            [
                *("served tokens", "parameters", "training tokens", "training"),
                *("serving", f"total, {explorer.cost_unit}", "per million tokens"),
                "against training-optimal",
            ],
            "head",
        )
        first = page.row
        for demand, point in zip(
            explorer.demands, explorer.points[explorer.here[0]], strict=True
        ):
            row = page.row + 1
            page.put(0, demand, "tokens")
            if point.cost_total is not None and point.saving is not None:
                page.put(1, point.parameters, "size")
                page.put(2, point.tokens, "tokens")
                page.put(3, point.cost_training, explorer.cost_unit)
                page.put(4, point.cost_inference, explorer.cost_unit)
                page.put(5, point.cost_total, explorer.cost_unit)
                each = point.cost_total / demand * 1e6
                look = "price" if explorer.cost_unit == "USD" else explorer.cost_unit
                page.formula(6, f"=F{row}/A{row}*1000000", each, look)
                page.put(7, -point.saving, "percent")
            page.row += 1
        for offset, (column, title) in enumerate(
            ((5, "lifetime total"), (1, "parameters"))
        ):
            chart = book.add_chart(
                {"type": "scatter", "subtype": "smooth_with_markers"}
            )
            chart.add_series(
                {
                    "name": title,
                    "categories": ["Demand", first, 0, page.row - 1, 0],
                    "values": ["Demand", first, column, page.row - 1, column],
                }
            )
            chart.set_x_axis({"name": "served tokens", "log_base": 10})
            chart.set_y_axis({"name": title, "log_base": 10})
            chart.set_legend({"none": True})
            chart.set_size({"width": 460, "height": 280})
            page.sheet.insert_chart(first - 2, 9 + 7 * offset, chart)
        page.row += 2
    page.fit()


def _moved(report: Report) -> Iterator[tuple[str, Answer, float]]:
    """What elasticities are of: a title, whose they are, and the cost that moves."""
    for case in report.cases:
        answer = case.answer
        if answer.cost is not None and answer.question != "budget":
            whole = answer.relaxed
            base = answer.cost.total if whole is None else whole.base
            yield answer.scenario, answer, base
    for portfolio, _ in report.portfolios:
        for member in portfolio.members:
            if portfolio.total is not None:
                title = f"{member.scenario}, its part of the cost of all together"
                yield title, member, portfolio.relaxed or portfolio.total


def _moves(page: Sheet, moved: Sequence[tuple[str, Answer, float]]) -> None:
    """Elasticities, with a change to type in and the cost that follows from it."""
    note = (
        "Type a change into a coloured cell. The cost beside it is the total times "
        "(1 + change) to the elasticity: right for small changes, of one number."
    )
    page.line([note], "text")
    for title, answer, base in moved:
        unit = UNITS[answer.objective]
        page.row += 1
        page.line([title], "title")
        titles = ("number", "value", "elasticity", "change", f"total, {unit}")
        page.line(titles, "head")
        for move in answer.sensitivities:
            if move.elasticity is None:
                continue
            row = page.row + 1
            page.put(0, move.input)
            page.put(1, move.value, "FLOP" if move.value >= 1e6 else "number")
            page.put(2, move.elasticity, "loss")
            page.put(3, 0.0, "input")
            page.formula(4, f"={base!r}*(1+D{row})^C{row}", base, unit)
            page.row += 1
    page.widths.pop(0, None)
    page.widths[0] = 34
    page.fit()


def _regret(page: Sheet, report: Report) -> None:
    regret = report.comparison.regret
    if regret is None:
        return
    page.line(["Cost of each plan in each scenario over the best there"], "title")
    page.line(["plan for", *regret.scenarios, "worst"], "head")
    for name, ratios in zip(regret.scenarios, regret.table, strict=True):
        page.put(0, name)
        for column, ratio in enumerate(ratios, start=1):
            page.put(column, "none" if ratio is None else ratio, "number")
        known = [ratio for ratio in ratios if ratio is not None]
        if known:
            row, end = page.row + 1, _letter(len(ratios))
            page.formula(
                len(ratios) + 1, f"=MAX(B{row}:{end}{row})", max(known), "number"
            )
        page.row += 1
    page.sheet.conditional_format(
        2,
        1,
        page.row - 1,
        len(regret.scenarios),
        {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#F2A15F"},
    )
    page.fit()


def _letter(column: int) -> str:
    """The letters of a column, counted from 0."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _laws(page: Sheet, cases: Sequence[Case]) -> None:
    for case in cases:
        if not case.laws:
            continue
        page.line([case.answer.scenario], "title")
        titles = ("law", "parameters", "training tokens", "overtraining factor")
        page.line([*titles, "lifetime total", "unit", "source"], "head")
        for answer in case.laws:
            plan, cost, over = answer.plan, answer.cost, answer.overtraining
            if plan is None or cost is None or over is None:
                page.line([answer.law.name, "no plan"], "text")
                continue
            page.line(
                [
                    *(answer.law.name, plan.parameters, plan.tokens),
                    *(over.factor, cost.total, cost.unit, answer.law.source),
                ],
                ("text", "size", "tokens", "number", cost.unit, "text", "text"),
            )
        page.row += 1
    page.fit()


def _assumptions(page: Sheet, report: Report) -> None:
    for case in report.cases:
        page.line([case.answer.scenario], "title")
        page.line(["assumption", "value", "from", "source or reason"], "head")
        for each in assumptions(case.scenario):
            page.line([each.name, each.value, each.where, each.source], "wrap")
        page.row += 1
    page.line(["How this workbook was made"], "title")
    page.line(["overtrain", report.version, report.made], "text")
    page.line([report.command], "text")
    page.row += 1
    texts = [(case.answer.file, case.scenario.document.text) for case in report.cases]
    texts += [(portfolio.file, text) for portfolio, text in report.portfolios]
    for name, text in texts:
        page.line([name], "head")
        for line in text.split("\n"):
            page.line([line], "text")
    page.widths[0] = 34
    page.fit()
