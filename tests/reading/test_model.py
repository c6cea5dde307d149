"""Records of what files say: types, copies, and what a hostile value is told."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

import pytest

from optimizer.errors import InputError
from optimizer.reading.document import load_text
from optimizer.reading.fields import Count, Field, FieldError, Model, across, read_model
from optimizer.reading.fields import Positive as Plus
from optimizer.reading.json_schema import json_schema
from optimizer.reading.spread import Spread, Uncertain
from optimizer.reading.types import Size


class Point(Model):
    """A place."""

    at: tuple[Plus, Plus]
    name: Annotated[str, Size(1, 3)] | None = None
    notes: Annotated[tuple[str, ...], Size(1, 2)] = ()
    by: dict[Literal["x", "y"], Count] = Field({})
    loose: dict[str, Any] = Field({})

    @cached_property
    def length(self) -> float:
        """From the origin."""
        return float(sum(each**2 for each in self.at) ** 0.5)

    @across
    def _near(self) -> None:
        if self.at[0] > 100:
            raise FieldError((("at", 0), "is far"))


class Named(Point):
    """A place with a part."""

    part: Point | None = None
    weight: Uncertain[Plus] = 1.0

    @across
    def _heavier(self) -> None:
        if self.at[0] > 50:
            raise ValueError("is heavy")


def wrong(text: str) -> str:
    with pytest.raises(InputError) as caught:
        read_model(load_text(text, "f.yaml"), Named)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("at: [1]", "f.yaml:1:5: at: must have 2 members, got 1"),
        ("at: [1, 2, 3]", "f.yaml:1:5: at: must have 2 members, got 3"),
        ("at: [1, -2]", "f.yaml:1:9: at[1]: must be above 0, got -2"),
        ('at: [1, 2]\nname: ""', "f.yaml:2:7: name: must have at least 1 characters"),
        ("at: [1, 2]\nname: abcd", "2:7: name: must have at most 3 characters"),
        ("at: [1, 2]\nnotes: []", "2:8: notes: must have at least 1 members"),
        ("at: [1, 2]\nnotes: [a, b, c]", "2:8: notes: must have at most 2 members"),
        ("at: [1, 2]\nnotes: [a, 2]", "must be text, got 2; put it in quotes"),
        ("at: [1, 2]\nby: {x: 1, z: 2}", '2:15: by.z: must be one of x, y, got "z"'),
        ("at: [101, 2]", "f.yaml:1:6: at[0]: is far"),
        ("at: [51, 2]", "f.yaml:1:1: is heavy"),
        ("at: [1, 2]\npart: {at: [200, 1]}", "2:13: part.at[0]: is far"),
        ("at: [1, 2]\nweight: x", '2:9: weight: must be a number above 0, got "x"'),
        (
            "at: [1, 2]\nweight: {low: 1, expected: x, high: 3}",
            "2:28: weight.expected: must be a number above 0",
        ),
        (
            "at: [1, 2]\nweight: {low: 3, expected: 2, high: 3}",
            "2:9: weight: must have low ≤ expected ≤ high",
        ),
    ],
)
def test_each_type_says_what_it_wants(text: str, said: str) -> None:
    assert said in wrong(text)
    assert len(wrong(text).splitlines()) == 1


def test_a_list_in_a_free_mapping_is_frozen_like_all_others() -> None:
    point = read_model(load_text("at: [1, 2]\nloose: {a: [1, [2]]}", "f.yaml"), Point)
    assert point.loose == {"a": (1, (2,))}
    assert point.at == (1.0, 2.0)
    assert point.model_fields_set == {"at", "loose"}


def test_a_copy_keeps_nothing_that_was_worked_out_of_the_old_values() -> None:
    point = Point(at=(3.0, 4.0))
    assert point.length == 5.0
    moved = point.model_copy(update={"at": (6.0, 8.0)})
    assert (moved.length, point.length) == (10.0, 5.0)
    assert moved.model_fields_set == {"at"}
    assert moved != point
    assert moved == Point(at=(6.0, 8.0))
    assert hash(Spread(low=1, expected=2, high=3)) == hash(
        Spread(low=1, expected=2, high=3)
    )


def test_a_record_made_in_python_is_checked_like_one_of_a_file() -> None:
    with pytest.raises(ValueError, match=r"at\.1: must be above 0, got -1"):
        Point(at=(1.0, -1.0))
    with pytest.raises(ValueError, match='unknown word "att"; did you mean "at"'):
        Point(att=(1.0, 1.0))
    with pytest.raises(ValueError, match="is far"):
        Named(at=(1.0, 1.0), part={"at": (101.0, 1.0)})


def test_plain_mappings_leave_out_what_is_asked() -> None:
    named = Named(at=(1.0, 2.0), part=Point(at=(3.0, 4.0), name="p"))
    assert named.model_dump(exclude_none=True, exclude=("by", "loose")) == {
        "at": (1.0, 2.0),
        "notes": (),
        "part": {
            "at": (3.0, 4.0),
            "name": "p",
            "notes": (),
            "by": {},
            "loose": {},
        },
        "weight": 1.0,
    }
    assert named.model_dump(exclude_defaults=True) == {
        "at": (1.0, 2.0),
        "part": {"at": (3.0, 4.0), "name": "p"},
    }


def test_a_type_that_no_file_can_hold_is_refused() -> None:
    class Odd(Model):
        value: complex

    with pytest.raises(TypeError, match="complex"):
        Odd(value=1)


def test_spreads_of_different_kinds_have_entries_of_their_own() -> None:
    class Two(Model):
        one: Uncertain[Plus]
        other: Uncertain[Count]
        third: Uncertain[Plus] | None = None

    schema = json_schema(Two)
    named = [
        schema["properties"]["one"]["oneOf"][1]["$ref"],
        schema["properties"]["other"]["oneOf"][1]["$ref"],
        schema["properties"]["third"]["anyOf"][0]["oneOf"][1]["$ref"],
    ]
    assert named[0] == named[2] != named[1]
    assert len(schema["$defs"]) == 2
