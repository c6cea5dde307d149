"""Frozen dataclasses that take a tenth of the time to make.

The standard library compiles six methods for each of them, which takes 0.6 ms; a
command needs more than a hundred. Here one method is compiled, when the first record of
a class is made, and all records share the others. What a record does is the same, and
so is what a type checker sees.
"""

from __future__ import annotations

import dataclasses
import inspect
from dataclasses import field
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass", "field"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        cls: type | None = None,
        /,
        *,
        frozen: bool = False,
        eq: bool = True,
        order: bool = False,
    ) -> Any:
        """As `dataclasses.dataclass`; see there."""
        if cls is None:
            return lambda late: dataclass(late, frozen=frozen, eq=eq, order=order)
        if order or not frozen:
            return dataclasses.dataclass(cls, frozen=frozen, eq=eq, order=order)
        made = dataclasses.dataclass(cls, init=False, repr=False, eq=False)
        shared: dict[str, Any] = {
            "__init__": _late(made),
            "__signature__": _Signature(),
            "__repr__": _repr,
            "__setattr__": _set,
            "__delattr__": _delete,
        }
        if eq:
            shared |= {"__eq__": _equal, "__hash__": _hash}
        for name, method in shared.items():
            # A method of the class's own stays, but for __hash__ that __eq__ took away.
            if made.__dict__.get(name) is None:
                setattr(made, name, method)
        return made


def _late(cls: Any) -> Any:
    """`__init__` until it is first called: few of a command's records are made."""

    def late(self: Any, *values: Any, **named: Any) -> None:
        cls.__init__ = init = _init(cls)
        init(self, *values, **named)

    return late


class _Signature:
    """What a class is called with, for those who ask."""

    def __get__(self, _record: object, cls: type) -> inspect.Signature:
        _, *own = inspect.signature(_init(cls)).parameters.values()
        return inspect.Signature(own, return_annotation=None)


def _init(cls: type) -> Any:
    """`__init__`, compiled: records are made by the thousand."""
    known: dict[str, Any] = {"_put": object.__setattr__, "_none": dataclasses.MISSING}
    heads, puts = [], []
    for each in dataclasses.fields(cls):
        name, head = each.name, each.name
        value = name
        if each.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = each.default
            head += f"=_default_{name}"
        elif each.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = each.default_factory
            head += "=_none"
            value = f"_make_{name}() if {name} is _none else {name}"
        heads.append(head)
        puts.append(f"_put(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        puts.append("self.__post_init__()")
    body = "\n ".join(puts or ["pass"])
    made: dict[str, Any] = {}
    exec(f"def __init__(self, {', '.join(heads)}):\n {body}", known, made)  # noqa: S102
    init = made["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__annotations__ = {f.name: f.type for f in dataclasses.fields(cls)}
    init.__annotations__["return"] = None
    return init


def _values(record: Any, compared: bool = False) -> tuple[Any, ...]:
    return tuple(
        getattr(record, each.name)
        for each in dataclasses.fields(record)
        if not compared or each.compare
    )


def _repr(self: Any) -> str:
    shown = (
        f"{each.name}={getattr(self, each.name)!r}"
        for each in dataclasses.fields(self)
        if each.repr
    )
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _equal(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return _values(self, True) == _values(other, True)


def _hash(self: Any) -> int:
    return hash(_values(self, True))


def _set(self: Any, name: str, value: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(self: Any, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
