"""From a document to records: what is read, and one plain sentence a mistake."""

from __future__ import annotations

import json
import re
from dataclasses import FrozenInstanceError
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import InputError
from optimizer.reading import fields, quantity
from optimizer.reading.document import load_text, override
from optimizer.reading.fields import FieldError, Model, Quantity, across, read_model
from optimizer.reading.json_schema import json_schema

Precision = Literal["bf16", "fp8", "int8"]


class Match(Model):
    parameters: fields.Parameters
    tokens: fields.Tokens | None = None


class Target(Model):
    loss: fields.Loss | None = None
    match: Match | None = None


class Spread(Model):
    low: fields.DemandTokens
    expected: fields.DemandTokens
    high: fields.DemandTokens


class Stream(Model):
    name: str = "all"
    tokens: fields.DemandTokens | Spread | None = None
    requests: fields.Requests | None = None


class Serving(Model):
    precision: Precision | tuple[Precision, ...] = "bf16"
    price: fields.PriceHour | Literal["example"] | None = None
    accelerators: fields.Count | tuple[fields.Count, ...] = 1
    idle_paid: bool = True
    mfu: fields.Mfu = 0.4


class Scenario(Model):
    name: str
    law: str | dict[str, fields.Number] = "besiroglu-2024"
    target: Target | None = None
    budget: fields.Compute | None = None
    demand: Stream | tuple[Stream, ...] = Stream()
    serving: Serving = Serving()
    layers: fields.Count = 32

    @across
    def _one_question(self) -> None:
        if (self.target is None) == (self.budget is None):
            raise FieldError(((), "needs either target or budget"))
        if self.layers == 13:
            raise FieldError((("layers",), "is bad luck"))


ASKED = "name: x\ntarget: {loss: 1.9}\n"


def read(text: str, not_yet: dict[tuple[str, ...], str] | None = None) -> Scenario:
    return read_model(load_text(text, "f.yaml"), Scenario, not_yet=not_yet)


def wrong(text: str, not_yet: dict[tuple[str, ...], str] | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read(text, not_yet)
    return str(caught.value)


def test_reads_a_scenario_in_base_units() -> None:
    scenario = read(
        "name: x\ntarget: {match: {parameters: 13B}}\n"
        "demand:\n  - requests: 5M/day\n  - tokens: {low: 1T, expected: 2T, high: 3T}\n"
        "serving: {precision: [bf16, fp8], accelerators: [1, 8], price: $2/h}\n"
    )
    assert scenario.target == Target(match=Match(parameters=13e9))
    assert isinstance(scenario.demand, tuple)
    assert scenario.demand[0].requests == quantity.Flow(5e6, 86400.0)
    assert scenario.demand[1].tokens == Spread(low=1e12, expected=2e12, high=3e12)
    assert scenario.serving.precision == ("bf16", "fp8")
    assert scenario.serving.accelerators == (1, 8)
    assert scenario.serving.price == 2.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("demand: {tokens: -3}", "3:18: demand.tokens: must be at least 0, got -3"),
        (
            "demand:\n  - tokens: 3 GB",
            "4:13: demand[0].tokens: must be a number of tokens such as 2T "
            'or a mapping of words to values, got "3 GB"',
        ),
        (
            "demand: {tokens: {low: 1, expected: x, high: 2}}",
            "3:37: demand.tokens.expected: must be a number of tokens "
            'such as 2T, got "x"',
        ),
        (
            "demand: {tokens: {low: 1, high: 2}}",
            '3:18: demand.tokens.expected: is missing; add for example "expected: 2T"',
        ),
        (
            "demand: 3",
            "3:9: demand: must be a mapping of words to values or a list, got 3",
        ),
        (
            "serving: {precision: fp9}",
            "3:22: serving.precision: must be one of bf16, fp8, int8 or a list, "
            'got "fp9"; did you mean "fp8"?',
        ),
        (
            "serving: {precision: [bf16, fp9]}",
            "3:29: serving.precision[1]: must be one of bf16, fp8, int8, "
            'got "fp9"; did you mean "fp8"?',
        ),
        (
            "serving: {price: 3 GB}",
            "3:18: serving.price: must be a price such as $2.50/h "
            'or "example", got "3 GB"',
        ),
        ("serving: {price: -$1/h}", 'serving.price: must be above 0, got "-$1/h"'),
        ("serving: {accelerators: [1, 2.5]}", "[1]: must be a whole number, got 2.5"),
        ("serving: {accelerators: true}", "such as 8 or a list, got true"),
        ("serving: {idle_paid: yes}", 'must be true or false, got "yes"'),
        ("serving: {idle_paid: 1}", "must be true or false, got 1"),
        ("serving: {mfu: 40}", "got 40; did you mean 40 %?"),
        ("serving: [1]", "3:10: serving: must be a mapping of words to values, got a"),
        ("serving:", "3:1: serving: is empty; give it a value, or remove the word"),
        ("demand: [{name: }]", "3:11: demand[0].name: is empty; give it a value"),
        (
            "law: 5",
            "3:6: law: must be text or a mapping of words to values, got 5; "
            "put it in quotes",
        ),
        ("law: {E: x}", '3:10: law.E: must be a number, got "x"'),
        ("law: {E: .nan}", "3:10: law.E: must be a finite number, got nan"),
        ("layers: 3.5", "layers: must be a whole number, got 3.5"),
        ("layers: true", "layers: must be a whole number such as 8, got true"),
        ("layers: 0", "layers: must be above 0, got 0"),
        ("layers: 13", "3:9: layers: is bad luck"),
        ("budget: 1e24", "f.yaml:1:1: needs either target or budget"),
        (
            "severing: 1",
            '3:1: severing: unknown word "severing"; did you mean "serving"? '
            "allowed: budget, demand, law, layers, name, serving, target",
        ),
        ("zzz: 1", 'unknown word "zzz"; allowed: budget, demand'),
    ],
)
def test_one_plain_sentence(text: str, message: str) -> None:
    said = wrong(ASKED + text)
    assert message in said
    assert len(said.splitlines()) == 1


def test_a_misspelled_word_is_one_mistake() -> None:
    said = wrong("name: x\ntarget: {match: {paramters: 7B}}")
    assert said == (
        'f.yaml:2:18: target.match.paramters: unknown word "paramters"; '
        'did you mean "parameters"? allowed: parameters, tokens'
    )


def test_every_mistake_in_the_order_of_the_file() -> None:
    said = wrong(
        "name: 5\ntarget: {loss: -1}\nlaw: {E: x, A: y}\nserving: {mfu: 2}\nb: 1\n"
    )
    places = re.findall(r"^f\.yaml:(\d+):\d+: ([\w.]+):", said, re.MULTILINE)
    assert places == [
        ("1", "name"),
        ("2", "target.loss"),
        ("3", "law.E"),
        ("3", "law.A"),
        ("4", "serving.mfu"),
        ("5", "b"),
    ]


def test_the_top_must_be_a_mapping() -> None:
    assert wrong("- a") == (
        "f.yaml:1:1: must be a mapping of words to values, got a list"
    )
    assert "must be a mapping of words to values, got 5" in wrong("5")


def test_what_is_not_built_yet_is_refused_and_misleads_no_other_check() -> None:
    later = {
        ("budget",): "use target",
        ("demand", "samples"): "",
        ("demand", "*", "samples"): "",
    }
    text = "name: x\nbudget: {compute: 1}\ndemand:\n  - {name: a, samples: 3}\n"
    assert wrong(text, later).splitlines() == [
        'f.yaml:2:1: budget: "budget" is not supported yet (use target); remove it',
        'f.yaml:4:15: demand[0].samples: "samples" is not supported yet; remove it',
    ]
    assert "demand.samples" in wrong(ASKED + "demand: {samples: 3}", later)
    assert read(ASKED, later).name == "x"


def test_one_value_or_any_list_may_be_what_is_not_built_yet() -> None:
    later = {("serving", "precision=[]"): "", ("serving", "price=example"): "why"}
    assert wrong(ASKED + "serving: {precision: [bf16], price: example}", later) == (
        "f.yaml:3:22: serving.precision: a list of choices is not supported yet; give "
        'one value\nf.yaml:3:37: serving.price: "example" is not supported yet (why); '
        "choose another"
    )
    assert read(ASKED + "serving: {precision: fp8, price: $2/h}", later).serving.price


def test_a_part_of_a_document() -> None:
    document = load_text("a: {b: [{loss: 2}, {loss: -2}]}", "f.yaml")
    assert read_model(document, Target, at=("a", "b", 0)).loss == 2.0
    with pytest.raises(InputError, match=r"^f.yaml:1:27: a\.b\[1\]\.loss: must be"):
        read_model(document, Target, at=("a", "b", 1))
    with pytest.raises(InputError, match=r"^f.yaml:1:8: a\.b\[2\]: is missing$"):
        read_model(document, Target, at=("a", "b", 2))


def test_an_override_is_blamed_for_its_own_value() -> None:
    document = override(load_text(ASKED, "f.yaml"), "serving.mfu=3")
    with pytest.raises(InputError) as caught:
        read_model(document, Scenario)
    assert str(caught.value).startswith("--set serving.mfu=3: serving.mfu: must be")


def test_records_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError, match="frozen"):
        read(ASKED).name = "y"


def test_the_schema_tells_editors_units_and_bounds() -> None:
    schema = json.loads(json.dumps(json_schema(Scenario)))
    parameters = schema["$defs"]["Match"]["properties"]["parameters"]
    assert "such as 7B" in parameters["description"]
    number, text = parameters["anyOf"]
    assert number == {"type": "number", "minimum": 1.0}
    assert text["examples"] == ["7B"]
    assert schema["$defs"]["Serving"]["additionalProperties"] is False


@pytest.mark.parametrize(
    "kind", [k for k in vars(quantity).values() if isinstance(k, quantity.Kind)]
)
def test_the_pattern_of_the_schema_takes_every_example(kind: quantity.Kind) -> None:
    schema = Quantity(kind).json_schema()
    pattern = schema["anyOf"][-1]["pattern"]
    for example in (*kind.example.split(" or "), "-$5/h", "USD 3", ".5 %"):
        assert re.search(pattern, example)
    assert not re.search(pattern, "example")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "tokens", "low", "price", "loss", "match", "zz"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["name", "law", "target", "demand", "serving", "layers", "q"]),
        VALUES,
    )
)
def test_anything_is_read_or_refused_in_words(value: dict[str, object]) -> None:
    document = load_text("a: 1", "f.yaml")
    object.__setattr__(document, "value", value)
    try:
        read_model(document, Scenario)
    except InputError as error:
        said = [problem.message for problem in error.problems]
    else:
        said = ["fine"]
    assert said
    assert not any("Input should" in s or "input should" in s for s in said)
