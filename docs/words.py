"""The scenario reference: every word of the file, from the JSON Schema itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tables import table
from typical import EXAMPLES

from optimizer.question.portfolio import Shared
from optimizer.question.scenario import Spec
from optimizer.reading import kinds
from optimizer.reading.json_schema import json_schema

Schema = Mapping[str, Any]


PAGE, MACHINES_PAGE = "scenario.md", "scenario-machines.md"
# Sections of the second page, by the first part of their titles.
MACHINES = {
    *("sparse", "training", "serving", "post_training", "distillation"),
    "architecture",
}


def scenario() -> Iterator[str]:
    """Returns the lines of the first page: what is asked, and what the file is."""
    form = json_schema(Spec)
    yield from (
        "# The scenario file",
        "",
        "A scenario is a YAML file. It says what to reach, what to serve, and what may",
        "not be exceeded. Three words are enough:",
        "",
        "```yaml",
        "law: besiroglu-2024-refit",
        "target:",
        "  match: {parameters: 13B}",
        "demand:",
        "  tokens: 2T",
        "```",
        "",
        "`overtrain init` writes a commented one to start from. Editors that know YAML",
        "complete and check a file whose first line names the schema, which",
        "`overtrain schema` prints.",
        "",
        "Any value can be replaced on the command line:",
        "`--set demand.tokens=5T`, `--set law.alpha=0.35`,",
        '`--set "limits.training_time=30 days"`. A stream of demand goes by its name:',
        "`--set demand.chat.requests=5M/day`.",
        "",
        "- `target` or `budget`: one of them. A target asks for the least cost, a",
        "  budget for the lowest loss. A `plan` of your own needs neither.",
        "- A word that is misspelt, given twice or unknown is an error with its line.",
        "  Nothing is ignored.",
        "- There are no silent defaults for prices, PUE and the carbon of the grid.",
        "",
        "## The file itself",
        "",
    )
    yield from _words(form, "")
    yield from _described(form, machines=False)
    yield from (f"## `{RANGE}`", "", ABOUT_RANGE, "")
    yield from ("## `models` and `shared`", "", ABOUT_MODELS, "")
    yield from _words(json_schema(Shared), "shared")
    yield from ("## Numbers and units", "")
    yield from (
        "Numbers may carry a suffix (K, M, B, T), an exponent (`1e12`), underscores",
        "(`1_000_000`) and a unit. Each word knows its own units.",
        "",
    )
    yield from table(("what", "example", "units"), _units())


def machines() -> Iterator[str]:
    """Returns the lines of the second page: what trains and serves, and what it is."""
    yield from (
        "# Machines and models in the scenario file",
        "",
        "What trains, what serves, and the shape of the model. The other words stand",
        f"with [the file itself]({PAGE}).",
        "",
    )
    yield from _described(json_schema(Spec), machines=True)


def _described(form: Schema, machines: bool) -> Iterator[str]:
    """The sections of one of the two pages."""
    for name, title in TITLES.items():
        if title != RANGE and (title.split(".")[0] in MACHINES) == machines:
            section = form["$defs"][name]
            yield from (f"## `{title}`", "", section.get("description", ""), "")
            yield from _words(section, title)


def _words(section: Schema, title: str) -> Iterator[str]:
    needed = section.get("required", ())
    rows = (
        (
            f"`{word}`",
            _value(entry, EXAMPLES.get(title, {}).get(word)),
            "needed" if word in needed else _default(entry.get("default")),
            _meaning(entry),
        )
        for word, entry in section["properties"].items()
    )
    return table(("word", "value", "default", "meaning"), rows)


def _meaning(entry: Schema) -> str:
    text = str(entry.get("description", ""))
    return "" if ", such as " in text else text


def _default(value: object) -> str:
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _value(entry: Schema, example: str | None) -> str:
    """What may stand for a word, read from its schema.

    Args:
        entry: of the word.
        example: a usual value, where that of its kind is none.
    """
    return " or ".join(dict.fromkeys(_kinds(entry, example)))


def _kinds(entry: Schema, example: str | None) -> Iterator[str]:
    if "$ref" in entry:
        title = TITLES[entry["$ref"].rpartition("/")[2]]
        what = "a range" if title == RANGE else "a mapping"
        page = MACHINES_PAGE if title.split(".")[0] in MACHINES else PAGE
        yield f"[{what}]({page}#{re.sub(r'[^a-z_-]', '', title.replace(' ', '-'))})"
    elif "enum" in entry:
        yield from (f"`{choice}`" for choice in entry["enum"])
    elif "const" in entry:
        if entry["const"] != 0:
            yield f"`{entry['const']}`"
    elif "examples" in entry:
        yield f"`{example or entry['examples'][0]}`"
    elif entry.get("type") in ("array", "boolean", "string", "object"):
        yield {
            "array": "a list of them",
            "boolean": "`true` or `false`",
            "string": "text",
            "object": "a mapping",
        }[entry["type"]]
    for inner in (*entry.get("anyOf", ()), *entry.get("oneOf", ())):
        yield from _kinds(inner, example)


ABOUT_MODELS = """A portfolio file has several scenarios in one: a list `models`, each
with a `name` and words of its own; the words above the list are common to all that do
not have their own. `shared` bounds what they use together. `tokens` is one data set,
which each model may read; the others add up over the models."""

RANGE = "low, expected, high"
ABOUT_RANGE = """Any number of a stream, the prices of accelerators and of data,
`costs.fixed` and what stands under `money` may be uncertain:
`requests: {low: 2M/day, expected: 5M/day, high: 12M/day}`,
`price: {low: $1.50/h, expected: $2/h, high: $3/h}`. `low` and `high` are the 10th and
the 90th percentile. A solve uses `expected`; [uncertainty](uncertainty.md) draws."""


def _sections(form: Schema) -> dict[str, str]:
    """Returns the definitions that the file's words lead to, each with its title.

    A title is the shortest path to it, such as `target.match`; all kinds of ranges
    share one.
    """
    titles: dict[str, str] = {}
    level = [("", form)]
    while level:
        below = []
        for path, section in level:
            for word, entry in section.get("properties", {}).items():
                for name in _references(entry):
                    if name not in titles:
                        title = RANGE if "Spread" in name else f"{path}{word}"
                        titles[name] = title
                        below.append((f"{title}.", form["$defs"][name]))
        level = below
    words = [*form["properties"], RANGE]
    return dict(
        sorted(titles.items(), key=lambda item: words.index(item[1].split(".")[0]))
    )


def _references(entry: Schema) -> Iterator[str]:
    if "$ref" in entry:
        yield entry["$ref"].rpartition("/")[2]
    for inner in (
        *entry.get("anyOf", ()),
        *entry.get("oneOf", ()),
        *([entry["items"]] if "items" in entry else ()),
    ):
        yield from _references(inner)


TITLES = _sections(json_schema(Spec))


def _units() -> Iterator[tuple[str, ...]]:
    """Each kind of number with its units, one spelling of each size."""
    rows: dict[tuple[str, ...], None] = {}
    for name in kinds.__all__:
        kind = getattr(kinds, name)
        if isinstance(kind, kinds.Kind) and kind.units:
            sizes = {size: unit for unit, size in reversed([*kind.units.items()])}
            units = ", ".join(f"`{sizes[size]}`" for size in sorted(sizes))
            need = "" if kind.plain else "; one is needed"
            rows[kind.name, f"`{kind.example}`", units + need] = None
    return iter(rows)
