"""Our frozen dataclasses do what the standard library's do."""

import dataclasses
import inspect
import pickle
from collections.abc import Mapping

import pytest

from optimizer.records import dataclass, names


def pair(decorator):
    """Two records made by a decorator: with equality, and with identity."""

    @decorator(frozen=True)
    class Point:
        """A point."""

        x: float
        y: float = 2.0
        tags: Mapping[str, int] = dataclasses.field(default_factory=dict)
        secret: str = dataclasses.field(default="s", repr=False)

        @property
        def sum(self) -> float:
            return self.x + self.y

    @decorator(frozen=True, eq=False)
    class Thing:
        """A thing."""

        x: float

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("below 0")

    return Point, Thing


OURS, THEIRS = pair(dataclass), pair(dataclasses.dataclass)


@pytest.mark.parametrize(("Point", "Thing"), [OURS, THEIRS])
def test_a_record_is_a_frozen_dataclass(Point, Thing):
    p = Point(1.0, tags={"a": 1})
    assert (p.x, p.y, p.tags, p.secret, p.sum) == (1.0, 2.0, {"a": 1}, "s", 3.0)
    assert p == Point(1.0, 2.0, {"a": 1})
    assert p != Point(1.5, 2.0, {"a": 1})
    assert p != 1.0
    assert repr(p) == "pair.<locals>.Point(x=1.0, y=2.0, tags={'a': 1})"
    assert Point(1).tags is not Point(1).tags
    assert dataclasses.replace(p, x=4.0).x == 4.0
    assert dataclasses.is_dataclass(p)
    assert Point.__match_args__ == ("x", "y", "tags", "secret")
    with pytest.raises(dataclasses.FrozenInstanceError, match="assign to field 'x'"):
        p.x = 3.0
    with pytest.raises(dataclasses.FrozenInstanceError, match="delete field 'x'"):
        del p.x
    with pytest.raises(TypeError, match="unhashable"):
        hash(p)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()
    with pytest.raises(ValueError, match="below 0"):
        Thing(-1.0)
    one = Thing(1.0)
    assert one != Thing(1.0)
    assert hash(one) != hash(Thing(1.0))


def test_the_signature_is_the_same():
    for ours, theirs in zip(OURS, THEIRS, strict=True):
        told = [
            [
                (p.name, p.kind, p.annotation)
                for p in inspect.signature(c).parameters.values()
            ]
            for c in (ours, theirs)
        ]
        assert told[0] == told[1]


def test_records_hash_by_their_fields_and_travel():
    from optimizer.errors import Mark  # noqa: PLC0415 - any record of the package

    places = [Mark("a.yaml", 1, 2), Mark("a.yaml", 1, 2), Mark("a.yaml", 1, 3)]
    assert len(set(places)) == 2
    assert pickle.loads(pickle.dumps(places[0])) == places[0]  # noqa: S301 - our own


def test_the_standard_library_knows_the_fields():
    for ours, theirs in zip(OURS, THEIRS, strict=True):
        told = [
            [(f.name, f.type, f.default, f.repr) for f in dataclasses.fields(c)]
            for c in (ours, theirs)
        ]
        assert told[0] == told[1]
    Point = OURS[0]
    assert dataclasses.asdict(Point(1.0)) == {"x": 1, "y": 2, "tags": {}, "secret": "s"}
    assert Point.y == 2.0
    assert Point(1.0).secret == Point.secret
    assert not hasattr(Point, "tags")
    assert names(Point) == ("x", "y", "tags", "secret")
    assert names(THEIRS[0]) == names(Point)
    assert names(float) == ()


@pytest.mark.parametrize("decorator", [dataclass, dataclasses.dataclass])
def test_a_record_of_a_kind_has_its_fields_first(decorator):
    @decorator(frozen=True)
    class Shape:
        size: float
        name: str = "plain"

    @decorator(frozen=True)
    class Ball(Shape):
        name: str = "ball"
        weight: float = 1.0

    assert names(Ball) == ("size", "name", "weight")
    assert Ball(2.0).name == "ball"
    assert Ball(2.0, "globe", 3.0) == Ball(weight=3.0, name="globe", size=2.0)
    assert Ball(2.0) != Shape(2.0, "ball")


@pytest.mark.parametrize("decorator", [dataclass, dataclasses.dataclass])
def test_no_two_records_share_a_list(decorator):
    class Shared:
        places: list[int] = []  # noqa: RUF012 - the mistake

    with pytest.raises(ValueError, match="places"):
        decorator(frozen=True)(Shared)


@pytest.mark.parametrize("made", [0, 1000])
@pytest.mark.parametrize(
    ("values", "named", "told"),
    [
        ((), {}, "missing 1 required positional argument: 'x'"),
        ((1,), {"x": 1}, "multiple values for argument 'x'"),
        ((1, 2, 3), {}, "takes from 2 to 3 positional arguments but 4 were given"),
        ((1,), {"z": 1}, "unexpected keyword argument 'z'"),
    ],
)
def test_what_no_record_can_be_made_of_is_told(made, values, named, told):
    """As long as few have been made, and after many."""

    @dataclass(frozen=True)
    class Few:
        x: float
        y: float = 1.0

    for _ in range(made):
        assert Few(3.0, y=2.0).__dict__ == {"x": 3.0, "y": 2.0}
    with pytest.raises(TypeError, match=told):
        Few(*values, **named)
    assert Few(1) == Few(x=1, y=1.0)


def test_an_ordered_or_open_dataclass_is_the_standard_librarys():
    @dataclass
    class Open:
        x: int

    made = Open(1)
    made.x = 2
    assert made == Open(2)


def test_a_signature_is_the_same_before_and_after_the_first_record():
    @dataclass(frozen=True)
    class Late:
        x: float
        y: float = 1.0

    told = inspect.signature(Late)
    assert list(told.parameters) == ["x", "y"]
    assert told.parameters["y"].default == 1.0
    assert Late(2.0) == Late(2.0, y=1.0)
    assert inspect.signature(Late) == told
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Late(2.0, z=1.0)
