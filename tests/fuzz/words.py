"""Scenarios, laws and odd values, drawn by their structure.

A scenario is a shipped one with some edits: words of the published schema, with values
in the units that it names, sections of other scenarios, laws inline and named. So most
are read, and many are solved, while any word may meet any other.
"""

import copy
import functools
import json
import re
from pathlib import Path

import yaml
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/scenario.schema.json").read_text())
LAWS = sorted(path.stem for path in (ROOT / "optimizer/data/laws").glob("*.yaml"))
NUMBER = re.compile(r"[0-9][0-9.]*(e[0-9]+)?")
BARE = [0, -1, 1, True, None, "", [], {}, 1e308, 5e-324, 1e-60, 1e60]
WORDS = ["nan", ".inf", "1e400", "-0", "0x10", "12:30", "é", "\u2028", "1 %/month"]
ODD = st.sampled_from([*BARE, *WORDS, "7B tokens", "${x}", "-", "1" * 400])


def _seeds():
    """The shipped scenarios and the one of every word, as mappings."""
    files = [*sorted((ROOT / "scenarios").glob("*.yaml"))]
    files.append(ROOT / "tests/question/everything.yaml")
    found = [yaml.safe_load(path.read_text()) for path in files]
    for seed, path in zip(found, files, strict=True):
        for word in ("law", "architecture"):  # files beside it, which stay there
            if isinstance(seed.get(word), str) and seed[word].endswith((".yaml", "on")):
                seed[word] = str(path.parent / seed[word])
    return found


SEEDS = _seeds()
SECTIONS = sorted({word for seed in SEEDS for word in seed} | set(SCHEMA["properties"]))


@st.composite
def scaled(draw, example):
    """A number like an example, with its unit, some powers of ten away."""
    found = NUMBER.search(example)
    if not found:
        return example
    power = draw(st.sampled_from([0, 0, 0, 0, 1, -1, 2, -2, 3, -3, 6, -6, 12, 30]))
    factor = draw(st.sampled_from([1, 1, 2, 0.37, 9.99]))
    value = f"{float(found.group()) * factor * 10.0**power:.6g}"
    return example[: found.start()] + value + example[found.end() :]


@functools.cache
def word(path):
    """Values of a word of the schema, by the place of its node."""
    return _of(_at(path), 0)


def _at(path):
    node = SCHEMA
    for step in path:
        node = node[step]
    return node


PLAIN = {
    "string": st.sampled_from(["a", "h100-sxm", "llama-3-8b", "example"]),
    "integer": st.sampled_from([1, 2, 8, 128, 4096, 10**6]),
    "number": st.sampled_from([0.0, 0.1, 0.4, 1.0, 1.5, 30.0, 1e6, 1e12, 1e24]),
    "boolean": st.booleans(),
    "null": st.none(),
}


def _of(node, depth):
    """Values that suit a node of the schema: all that it allows, few of them odd."""
    found = PLAIN.get(node.get("type"), st.just({}))
    if "$ref" in node:
        path = tuple(node["$ref"].removeprefix("#/").split("/"))
        found = st.deferred(lambda: _of(_at(path), depth))
    elif several := node.get("anyOf") or node.get("oneOf"):
        found = st.one_of([_of(one, depth) for one in several])
    elif "enum" in node or "const" in node:
        found = st.sampled_from(node.get("enum", [node.get("const")]))
    elif node.get("type") == "string" and "examples" in node:
        found = scaled(str(node["examples"][0]))
    elif node.get("type") == "array":
        inner = _of(node.get("items", {}), depth + 1)
        found = st.lists(inner, min_size=1, max_size=2)
    elif "properties" in node:
        found = _mapping(node, depth)
    return found


@st.composite
def _mapping(draw, node, depth):
    """A mapping with all words that it needs and a few of the others."""
    needed = node.get("required", [])
    others = sorted(set(node["properties"]) - set(needed))
    extra = draw(st.lists(st.sampled_from(others), max_size=3)) if others else []
    if depth > 4:
        extra = []
    return {
        name: draw(_of(node["properties"].get(name, {}), depth + 1))
        for name in dict.fromkeys([*needed, *extra])
    }


@st.composite
def inline_laws(draw):
    """Coefficients inline, of each form, from plausible to absurd."""
    law = {
        "E": draw(st.floats(0, 3)),
        "A": 10 ** draw(st.floats(-2, 6)),
        "B": 10 ** draw(st.floats(-2, 6)),
        "alpha": draw(st.floats(0.02, 1.2)),
        "beta": draw(st.floats(0.02, 1.2)),
    }
    form = draw(st.sampled_from(["chinchilla", "chinchilla", "coupled", "samples"]))
    if form == "coupled":
        law["k"] = draw(st.floats(0.1, 3))
    if form == "samples":
        law |= {"G": draw(st.floats(0.01, 3)), "gamma": draw(st.floats(0.05, 1.5))}
    if draw(st.integers(0, 9)) == 0:
        law[draw(st.sampled_from(sorted(law)))] = draw(ODD)
    if draw(st.booleans()):
        law["counts"] = draw(st.sampled_from(["total", "active", "non-embedding"]))
    if draw(st.integers(0, 3)) == 0:
        law["error"] = {"epsilon": 0.85, "k": draw(st.floats(0.5, 9)), "gamma": 0.7}
    return law


laws = st.one_of(st.sampled_from(LAWS), inline_laws())


def places(value, path=()):
    """The path of each value in a document, from the outside in."""
    yield path
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in list(inner):
            yield from places(one, (*path, key))


@st.composite
def edited(draw, document, values=ODD):
    """A document with one of its values changed, taken out or scaled."""
    path = draw(st.sampled_from([one for one in places(document) if one]))
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    last, how = path[-1], draw(st.sampled_from(["scale", "scale", "drop", "odd"]))
    if how == "drop":
        del holder[last]
    elif how == "scale" and NUMBER.search(str(holder[last])[:40]):
        holder[last] = draw(scaled(str(holder[last])))
    else:
        holder[last] = draw(values)
    return document


@st.composite
def scenarios(draw):
    """A scenario: a shipped one, with sections of others, words and edits."""
    found = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    if draw(st.booleans()):
        found["law"] = draw(laws)
    for name in draw(st.lists(st.sampled_from(SECTIONS), max_size=2)):
        others = [seed[name] for seed in SEEDS if name in seed]
        if others and draw(st.booleans()):
            found[name] = copy.deepcopy(draw(st.sampled_from(others)))
        elif name in SCHEMA["properties"] and name != "law":
            found[name] = draw(word(("properties", name)))
    for _ in range(draw(st.sampled_from([0, 1, 1, 2]))):
        if len(found) > 1:
            found = draw(edited(found))
    return found


def text(document):
    """A document as YAML, which any of its values survives."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=False).encode()
