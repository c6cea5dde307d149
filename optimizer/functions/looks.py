"""How answers look in a terminal and in a notebook, and as plain data.

Bare records get a short `repr`, the page for `print` and for a notebook, and `to_dict`.
What a page needs is imported when one is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from optimizer.analysis.plan.wording import figure, ratio
from optimizer.report.formats.blocks import Blocks

if TYPE_CHECKING:
    from optimizer.analysis.audit import Audit
    from optimizer.analysis.comparison.answer_diff import AnswerDiff
    from optimizer.analysis.frontier.frontier import Frontier
    from optimizer.analysis.law.judgement import Judged
    from optimizer.analysis.plan.answer import Answer
    from optimizer.analysis.plan.snap import Snap
    from optimizer.analysis.portfolio.joint_plan import JointPlan
    from optimizer.analysis.serving.calibrated import Calibrated
    from optimizer.analysis.uncertainty.uncertainty import Uncertainty
    from optimizer.fitting.fit import Fit
    from optimizer.question.portfolio import Portfolio
    from optimizer.question.scenario import Scenario
    from optimizer.world.architecture.record import Record
    from optimizer.world.law import Law
    from optimizer.world.models import PublishedModel

_FOLDER = "optimizer.report.pages"
# Of each kind of answer: the file of its page, who makes its blocks, and its JSON.
_PAGES = {
    "Answer": ("short", "short_blocks", ""),
    "AnswerDiff": ("answer_diff", "diff_blocks", "diff_data"),
    "Audit": ("audit", "audit_blocks", ""),
    "Calibrated": ("serving", "calibrated_blocks", "calibrated_data"),
    "Comparison": ("comparison", "comparison_blocks", ""),
    "Frontier": ("frontier", "frontier_blocks", "frontier_data"),
    "Hardware": ("library", "known_blocks", "known_data"),
    "JointPlan": ("portfolio", "joint_blocks", ""),
    "Judged": ("fit", "fit_blocks", "fit_data"),
    "Law": ("library", "law_blocks", "law_data"),
    "Record": ("models", "record_blocks", "record_data"),
    "Uncertainty": ("uncertainty", "uncertainty_blocks", "uncertainty_data"),
}


def page(record: Any) -> Blocks:
    """The page of a record, as its command prints it."""
    file, blocks, _ = _PAGES[type(record).__name__]
    made: Blocks = getattr(import_module(f"{_FOLDER}.{file}"), blocks)(record)
    return made


def to_dict(record: Any) -> dict[str, Any]:
    """An answer as `--format json` writes it: plain numbers, texts, lists.

    Args:
        record: what `solve`, `compare`, `diff`, `audit`, `frontier`, `uncertainty`,
            `judge` or `calibrate` returns; a law, an accelerator or an architecture.

    Raises:
        TypeError: it is none of these.
    """
    from optimizer.report.formats import data, decisions  # noqa: PLC0415

    kind = type(record).__name__
    if kind not in _PAGES:
        raise TypeError(f"must be an answer, such as solve returns, got {kind}")
    found: Any = record
    file, _, content = _PAGES[kind]
    if content:
        found = getattr(import_module(f"{_FOLDER}.{file}"), content)(record)
    elif kind == "Answer":
        found = data.plan(record)
    elif kind == "Comparison":
        found = decisions.compared(record)
    elif kind == "JointPlan":
        nothing = [None] * len(record.members)
        found = decisions.solved(record.members, nothing, [record])
    plain: dict[str, Any] = data.plain(found)
    return plain


def _planned(answer: Answer) -> str:
    if answer.plan is None or answer.cost is None:
        return f"{answer.scenario}: no plan"
    size = figure(answer.plan.parameters, "parameters")
    tokens = figure(answer.plan.tokens, "tokens")
    told = f"{answer.scenario}: {size} on {tokens}"
    if (over := answer.overtraining) is not None:
        told += f", {ratio(over.factor)} × Chinchilla-optimal"
    return f"{told}, {figure(answer.cost.total, answer.cost.unit)}"


def _joint(portfolio: JointPlan) -> str:
    told = "no plan"
    if portfolio.total is not None:
        told = figure(portfolio.total, portfolio.unit)
    return f"{portfolio.name}: {len(portfolio.members)} models, {told}"


def _audited(audit: Audit) -> str:
    size = figure(audit.parameters, "parameters")
    return f"{audit.name}: {size} on {figure(audit.tokens, 'tokens')} by {audit.law}"


def _priced(found: Frontier) -> str:
    return f"{found.scenario}: {len(found.points)} losses"


def _drawn(found: Uncertainty) -> str:
    return f"{found.scenario}: {found.draws:,} draws"


def _judged(judged: Judged) -> str:
    values = ", ".join(f"{s} {v:.4g}" for s, v in judged.law.coefficients.items())
    return f"{judged.law.name}: {judged.fit.runs.count} runs, {values}"


def _fitted(found: Fit) -> str:
    return f"{found.runs.file}: {found.runs.count} runs, {found.settings.choice.form}"


def _measured(found: Calibrated) -> str:
    return f"{found.library.source}: {len(found.library.entries)} sets of constants"


def _moved(found: AnswerDiff) -> str:
    changed = [plan.scenario for plan in found.all if not plan.same]
    return f"{', '.join(changed) or 'nothing'} changed"


def _asked(one: Scenario | Portfolio) -> str:
    return f"{one.name}: {one.file}"


def _formed(law: Law) -> str:
    values = ", ".join(f"{s} {v:.4g}" for s, v in law.coefficients.items())
    return f"{law.name}: {law.form}, {values or 'no coefficients'}"


def _published(model: PublishedModel) -> str:
    size = figure(model.parameters, "parameters")
    return f"{model.name}: {size} on {figure(model.tokens, 'tokens')}"


def _built(record: Record) -> str:
    size = figure(record.total, "parameters")
    return f"{record.name}: {len(record.layers)} layers, {size}"


def _rounded(found: Snap) -> str:
    best = "none fits" if found.best is None else found.best.name
    return f"{len(found.sizes)} sizes, best {best}"


_TOLD: dict[str, Callable[[Any], str]] = {
    "Answer": _planned,
    "AnswerDiff": _moved,
    "Audit": _audited,
    "Calibrated": _measured,
    "Comparison": lambda found: "; ".join(map(_planned, found.plans)),
    "Fit": _fitted,
    "Frontier": _priced,
    "Hardware": lambda chip: f"{chip.key}: {chip.name}",
    "JointPlan": _joint,
    "Judged": _judged,
    "Law": _formed,
    "Portfolio": _asked,
    "PublishedModel": _published,
    "Record": _built,
    "Scenario": _asked,
    "Snap": _rounded,
    "Uncertainty": _drawn,
}


def attach(*records: type, **methods: Callable[..., Any]) -> None:
    """Gives records a short `repr`, and methods."""

    def short(record: Any) -> str:
        return f"<{type(record).__name__} {_TOLD[type(record).__name__](record)}>"

    for record in records:
        for name, method in {"__repr__": short, **methods}.items():
            setattr(record, name, method)


def attach_pages(*records: type) -> None:
    """Gives answers their looks: in a prompt, in print, and in a notebook."""
    from optimizer.report.formats import html, markdown, text  # noqa: PLC0415

    def plain(record: Any) -> str:
        return text.render(page(record), text.width()).rstrip("\n")

    def pretty(record: Any, printer: Any, _cycle: bool) -> None:
        printer.text(repr(record))

    attach(
        *records,
        __str__=plain,
        to_dict=to_dict,
        _repr_html_=lambda record: html.render(page(record)),
        _repr_markdown_=lambda record: markdown.render(page(record)),
        _repr_pretty_=pretty,
    )
