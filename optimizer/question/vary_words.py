"""Words that a sweep varies: laws, accelerators, formats, ways to serve.

Numbers go through the engine together; each combination of words is a scenario of its
own, checked like a file, with the same numbers varied in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from optimizer.errors import InputError, Mark
from optimizer.question.axes import Wanted, is_number, wanted
from optimizer.question.load import read_document
from optimizer.question.scenario import Scenario
from optimizer.question.under_laws import in_both_forms, under_laws
from optimizer.question.vary import Plan, plan
from optimizer.records import dataclass, replace
from optimizer.world.costs import UNITS

LAW = "law"
FORMS = "forms"  # of a law: its own and that of its pair
MOST = 1000  # combinations of words, each of which is read and formulated by itself


@dataclass(frozen=True, eq=False)
class Part:
    """One combination of words, and the numbers that vary in it."""

    words: tuple[str, ...]
    plan: Plan


def parts(
    scenario: Scenario, varied: Sequence[str], sample: int | None = None, seed: int = 0
) -> tuple[tuple[str, ...], tuple[Part, ...]]:
    """Reads what a sweep varies.

    Args:
        scenario: from `load_scenario`.
        varied: texts as `--vary` takes them.
        sample: how many draws from the stated uncertainties, or None for none.
        seed: of the draws.

    Returns:
        The names of the words that vary, and a part for each combination of them, the
        last varying fastest; one part without words where only numbers vary.

    Raises:
        InputError: every mistake of the first wrong text; or the rows would count
            their costs in different units.
    """
    wants = [wanted(text) for text in varied]
    words = [want for want in wants if not want.count and not is_number(want, scenario)]
    if not words:
        return (), (Part((), plan(scenario, varied, sample, seed)),)
    numbers = [want.text for want in wants if want not in words]
    found: list[Part] = []
    for values, under in _combined(scenario, words):
        if len(found) == MOST:
            raise words[-1].wrong(f"makes more than {MOST:,} combinations of words")
        found.append(Part(values, plan(under, numbers, sample, seed)))
    units = dict.fromkeys(UNITS[p.plan.scenario.spec.objective] for p in found)
    if len(units) > 1:
        message = f"counts {' and '.join(units)}; sweep one objective at a time"
        raise words[0].wrong(message)
    if len({tuple(n.name for n in p.plan.numbers) for p in found}) > 1:
        message = "draws other numbers with each; sweep them one at a time"
        raise words[0].wrong(message)
    names = tuple(want.name for want in words)
    for name in names:
        if names.count(name) > 1:
            raise words[names.index(name)].wrong("is varied twice; keep one of them")
    return names, tuple(found)


def _combined(
    scenario: Scenario, words: Sequence[Wanted]
) -> Iterator[tuple[tuple[str, ...], Scenario]]:
    """Every combination, each as a scenario, with the words as they are told."""
    laws = next((want for want in words if want.name == LAW), None)
    others = [want for want in words if want is not laws]
    for values in itertools.product(*(want.values for want in others)):
        texts = {
            f"--set {want.name}={value}": want.text
            for want, value in zip(others, values, strict=True)
        }
        one = _overridden(scenario, texts)
        for law, under in _under(one, laws):
            told = dict(zip((want.name for want in others), values, strict=True))
            yield tuple(told.get(want.name, law) for want in words), under


def _overridden(scenario: Scenario, texts: dict[str, str]) -> Scenario:
    """The scenario with a value of each word, its mistakes told at the words."""
    if not texts:
        return scenario
    sets = [text.removeprefix("--set ") for text in texts]
    try:
        return read_document(scenario.document, scenario.base, sets)
    except InputError as error:
        raise InputError(
            replace(p, mark=Mark(f"--vary {texts[p.mark.file]}"))
            if p.mark.file in texts
            else p
            for p in error.problems
        ) from None


def _under(scenario: Scenario, laws: Wanted | None) -> Iterator[tuple[str, Scenario]]:
    if laws is None:
        yield "", scenario
        return
    found: list[Scenario] = []
    names = [name for name in laws.values if name != FORMS]
    if FORMS in laws.values:
        found += in_both_forms(scenario)
    if names:
        found += under_laws(scenario, names)
    yield from {one.law.name: one for one in found}.items()
