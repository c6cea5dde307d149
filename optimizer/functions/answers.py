"""Answers that were saved as JSON, read back and set against others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from optimizer.analysis.comparison.answer_diff import NUMBERS, AnswerDiff, answer_diff
from optimizer.analysis.comparison.compare import Comparison
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.portfolio.joint_plan import JointPlan
from optimizer.errors import InputError, Mark, Problem
from optimizer.functions.looks import attach_pages
from optimizer.reading.jsontext import HUGE, JsonFile, load_json
from optimizer.report.formats.data import FORMAT_VERSION, plain, plan
from optimizer.report.formats.decisions import solved
from optimizer.world.costs import UNITS

Plans = Sequence[Mapping[str, Any]]
Document = Mapping[str, Any]  # `plans`, and the `portfolio` if there is one
Told = Answer | Comparison | JointPlan | Mapping[str, Any] | str | Path | Sequence[Any]
SECTIONS = sorted({name.partition(".")[0] for name, _ in NUMBERS})
LISTS = {"warnings": "code", "limits": "name", "sensitivities": "input"}


def diff(before: Told, after: Told) -> AnswerDiff:
    """Says what moved between two sets of answers.

        diff("plans.json", solve(load_scenario("scenario.yaml")))

    Args:
        before: an answer, several, a joint plan, what `to_dict` made of them, or a
            JSON file that `solve` or `compare` wrote.
        after: likewise. Scenarios of one name are set against each other.

    Returns:
        For each scenario what is recommended, and the inputs and the numbers of the
        plan that changed, as they were and are, in base units; new warnings and
        limits. Of portfolios the same of what they share and cost together.

    Raises:
        InputError: a file holds no answers.
    """
    return answer_diff(_document(before), _document(after))


def _document(told: Any) -> Document:
    if isinstance(told, str | Path):
        return saved(load_json(told, HUGE))
    if isinstance(told, Comparison):
        told = told.plans
    if isinstance(told, JointPlan):
        told = solved(told.members, [None] * len(told.members), [told])
    portfolio = told.get("portfolio") if isinstance(told, Mapping) else None
    if isinstance(told, Mapping):
        told = told.get("plans", (told,))
    if isinstance(told, Answer):
        told = (told,)
    found = [plan(one) if isinstance(one, Answer) else one for one in told]
    return _whole(found, plain(portfolio), Mark("diff"))


def saved(file: JsonFile) -> Document:
    """The plans of a JSON file that this tool wrote, and their portfolio.

    Raises:
        InputError: it holds none, or is of another version of the format.
    """
    version = file.value.get("format_version")
    if version != FORMAT_VERSION:
        message = (
            "is not what solve or compare write with --format json: format_version "
            f"must be {FORMAT_VERSION}"
        )
        raise InputError([Problem(Mark(file.file), "", message)])
    plans = file.value.get("plans")
    if not isinstance(plans, list):
        message = "holds no plans; write the file with solve --format json"
        raise InputError([Problem(Mark(file.file), "plans", message)])
    return _whole(plans, file.value.get("portfolio"), Mark(file.file))


def _whole(plans: Sequence[Any], portfolio: Any, mark: Mark) -> Document:
    """Plans and their portfolio.

    Raises:
        InputError: one of them is none.
    """
    _refuse(plans, mark)
    for word in () if portfolio is None else _wrong_joint(portfolio):
        message = "is not as solve --format json writes it; write the file again"
        raise InputError([Problem(mark, f"portfolio{word}", message)])
    return {"plans": plans, "portfolio": portfolio}


def _refuse(plans: Sequence[Any], mark: Mark) -> None:
    """Refuses what is no plan.

    Raises:
        InputError: each of them, with the first word that is wrong.
    """
    problems = []
    for place, one in enumerate(plans):
        for word in _wrong(one):
            message = "is not as solve --format json writes it; write the file again"
            problems.append(Problem(mark, f"plans.{place}{word}", message))
            break
    if problems:
        raise InputError(problems)


def _wrong(one: Any) -> Iterator[str]:
    """The words of a plan that are missing, or not of their kind."""
    if not isinstance(one, Mapping):
        yield ""
        return
    for word in ("scenario", "status", "objective", "question"):
        if not isinstance(one.get(word), str):
            yield f".{word}"
    if one.get("objective") not in UNITS:
        yield ".objective"
    law = one.get("law")
    if not (isinstance(law, Mapping) and isinstance(law.get("name"), str)):
        yield ".law.name"
    for word, key in LISTS.items():
        rows = one.get(word)
        if not isinstance(rows, list) or not all(
            isinstance(row, Mapping) and isinstance(row.get(key), str) for row in rows
        ):
            yield f".{word}"
    if not isinstance(one.get("choice") or {}, Mapping):
        yield ".choice"
    yield from _wrong_numbers(one)


def _wrong_joint(one: Any) -> Iterator[str]:
    """The words of a portfolio that are missing, or not of their kind."""
    if not isinstance(one, Mapping):
        yield ""
        return
    if not isinstance(one.get("name"), str):
        yield ".name"
    cost = one.get("cost")
    if cost is None:
        return
    if not (isinstance(cost, Mapping) and _number(cost.get("total"))):
        yield ".cost.total"
    elif cost.get("unit") not in UNITS.values():
        yield ".cost.unit"


def _wrong_numbers(one: Mapping[str, Any]) -> Iterator[str]:
    """The numbers of a plan that are none; all are missing where there is no plan."""
    for word in SECTIONS:
        part = one.get(word)
        if part is None and one.get("plan") is None:
            continue
        if not isinstance(part, Mapping):
            yield f".{word}"
            continue
        names = (name.partition(".") for name, _ in NUMBERS)
        inner = [last for first, _, last in names if first == word]
        yield from (f".{word}.{last}" for last in inner if not _number(part.get(last)))
    cost = one.get("cost")
    if isinstance(cost, Mapping) and cost.get("unit") not in UNITS.values():
        yield ".cost.unit"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


attach_pages(AnswerDiff)
