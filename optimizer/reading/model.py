"""Records of what files say: fields with types, checks across them, and copies.

Making a class costs next to nothing, since a command starts with all of them and its
file needs few: what a field reads by is made when a file first has its word.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import FrozenInstanceError
from functools import cache, cached_property, partial
from inspect import get_annotations
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    NoReturn,
    Self,
    TypeVar,
    get_args,
    get_origin,
)

from optimizer.reading.mistakes import MAPPING, Mistake, missing, said, strange, unfit
from optimizer.reading.types import Quantity, Reader, flat, frozen, reader
from optimizer.reading.yamltext import Steps
from optimizer.records import dataclass, replace

F = TypeVar("F", bound=Callable[..., None])
_CHECK = "_across_fields"


@dataclass(frozen=True)
class Info:
    """What is told of a field.

    Attributes:
        default: what it holds where a file does not say; `...` where it must.
        description: for editors and for the reference.
        examples: likewise, for values whose type has none.
        extend: adds to the JSON Schema of the field.
        annotation: its type.
    """

    default: Any = ...
    description: str = ""
    examples: tuple[object, ...] = ()
    extend: Callable[[dict[str, Any]], None] | None = None
    annotation: Any = Any

    @property
    def needed(self) -> bool:
        """Whether a file must say it."""
        return self.default is ...

    @cached_property
    def read(self) -> Reader:
        """How its values are read."""
        return reader(self.annotation)

    @property
    def example(self) -> object:
        """A good value, or None."""
        of_kinds: list[object] = []
        of_words: list[object] = []
        for part in flat(self.annotation):
            if isinstance(part, Quantity):
                of_kinds.append(part.kind.example)
            elif get_origin(part) is Literal:
                of_words.append(get_args(part)[0])
        return next(iter((*self.examples, *of_kinds, *of_words)), None)


def Field(  # noqa: N802 - as a class, which it is to those who use it
    default: Any = ...,
    *,
    description: str = "",
    examples: Collection[object] = (),
    extend: Callable[[dict[str, Any]], None] | None = None,
) -> Any:
    """A field with what is told of it; see `Info`."""
    return Info(default, description, tuple(examples), extend)


def across(check: F) -> F:
    """Marks a check across fields, made once each of them is right.

    It raises ValueError, or FieldError for mistakes below the record.
    """
    setattr(check, _CHECK, True)
    return check


class _Fields:
    """`model_fields` of a class, made when it is first asked for."""

    def __get__(self, _record: object, cls: type[Model]) -> Mapping[str, Info]:
        return _fields(cls)


def _told(cls: Any) -> Mapping[str, Info]:
    found: dict[str, Info] = {}
    for base in reversed(cls.__mro__):
        if base is Model or not issubclass(base, Model):
            continue
        for word, annotation in get_annotations(base, eval_str=True).items():
            if not word.startswith("_"):
                told = base.__dict__.get(word, ...)
                info = told if isinstance(told, Info) else Info(told)
                found[word] = replace(info, annotation=annotation)
    return found


_fields: Callable[[Any], Mapping[str, Info]] = cache(_told)


def fields_of(annotation: Any) -> Mapping[str, Info]:
    """The fields of a record's type, such as `Spread[Tokens]`; none of any other."""
    cls = get_origin(annotation) or annotation
    if not (isinstance(cls, type) and issubclass(cls, Model)):
        return {}
    kinds = get_args(annotation)
    if not kinds:
        return _fields(cls)
    return {
        word: replace(info, annotation=kinds[0])
        if isinstance(info.annotation, TypeVar)
        else info
        for word, info in _fields(cls).items()
    }


class Model:
    """The base of what files say: frozen, no unknown words, nothing coerced.

    Lists become tuples; fields that hold several values are of type `tuple[X, ...]`.

    Attributes:
        model_fields: of the class, by their words.
        model_fields_set: the words that a file gave.
    """

    model_fields: ClassVar[Mapping[str, Info]]
    model_fields_set: frozenset[str]
    _checks: ClassVar[tuple[str, ...]] = ()

    if not TYPE_CHECKING:
        model_fields = _Fields()

    def __init_subclass__(cls) -> None:
        """Takes down the checks, those of the base first."""
        super().__init_subclass__()
        own = (name for name, each in vars(cls).items() if hasattr(each, _CHECK))
        cls._checks = tuple(dict.fromkeys((*cls._checks, *own)))

    def __init__(self, **words: Any) -> None:
        """Reads values as a file's.

        Raises:
            ValueError: with every mistake.
        """
        wrong: list[Mistake] = []
        value = {word: frozen(each) for word, each in words.items()}
        _fill(self, _fields(type(self)), value, wrong)
        if wrong:
            told = (f"{'.'.join(map(str, m.path))}: {m.message}" for m in wrong)
            raise ValueError("; ".join(told))

    @classmethod
    def reader(cls, *kinds: Any) -> Reader:
        """How values are read as such a record.

        Args:
            kinds: what its type variable stands for.
        """
        fields = fields_of(cls[kinds] if kinds else cls)  # type: ignore[index]
        return partial(_read, cls, fields)

    @classmethod
    def model_construct(
        cls, given: Collection[str] | None = None, **words: Any
    ) -> Self:
        """A record of values that are right already.

        Args:
            given: the words that count as given; all unless told.
            words: their values; others have their defaults.
        """
        made = object.__new__(cls)
        made.__dict__.update(
            {w: i.default for w, i in _fields(cls).items() if not i.needed} | words,
            model_fields_set=frozenset(words if given is None else given),
        )
        return made

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """A copy with some values that are right already."""
        made = object.__new__(type(self))
        known, fields = self.__dict__, _fields(type(self))
        # Not what was worked out of the old values, which is not of the new ones.
        kept = {k: v for k, v in known.items() if k in fields or k.startswith("_")}
        given = self.model_fields_set | update.keys()
        made.__dict__.update(kept, **update, model_fields_set=given)
        return made

    def model_dump(
        self,
        *,
        exclude: Collection[str] = (),
        exclude_none: bool = False,
        exclude_defaults: bool = False,
    ) -> dict[str, Any]:
        """The record as plain mappings, and those in it.

        Args:
            exclude: words that are left out.
            exclude_none: leaves out those without a value.
            exclude_defaults: leaves out those with the value that they have anyway.
        """
        words: dict[str, Any] = {
            "exclude_none": exclude_none,
            "exclude_defaults": exclude_defaults,
        }
        return {
            word: _bare(value, words)
            for word, value in self
            if word not in exclude
            and not (exclude_none and value is None)
            and not (exclude_defaults and value == self.model_fields[word].default)
        }

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Words and values."""
        return ((word, self.__dict__[word]) for word in _fields(type(self)))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(value == other.__dict__[word] for word, value in self)

    def __hash__(self) -> int:
        return hash((type(self), *(value for _, value in self)))

    def __repr__(self) -> str:
        told = ", ".join(f"{word}={value!r}" for word, value in self)
        return f"{type(self).__qualname__}({told})"

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            raise FrozenInstanceError(f"the record is frozen: {name!r} stays as it is")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"the record is frozen: {name!r} stays")


def _bare(value: Any, words: dict[str, Any]) -> Any:
    if isinstance(value, Model):
        return value.model_dump(**words)
    if isinstance(value, tuple):
        return tuple(_bare(each, words) for each in value)
    if isinstance(value, dict):
        return {key: _bare(each, words) for key, each in value.items()}
    return value


def _read(
    cls: type[Model],
    fields: Mapping[str, Info],
    value: Any,
    path: Steps,
    wrong: list[Mistake],
) -> Any:
    if isinstance(value, cls):
        return value
    if not isinstance(value, dict):
        wrong.append(unfit(path, MAPPING, value))
        return None
    made = object.__new__(cls)
    _fill(made, fields, value, wrong, path)
    return made


def _fill(
    made: Model,
    fields: Mapping[str, Info],
    value: Mapping[str, Any],
    wrong: list[Mistake],
    path: Steps = (),
) -> None:
    """Puts what a mapping says into a record, and adds what is wrong with it."""
    before = len(wrong)
    unknown = [strange((*path, w), sorted(fields)) for w in value if w not in fields]
    # A misspelled word is one mistake, not an unknown and a missing one.
    meant = {mistake.instead for mistake in unknown}
    known: dict[str, Any] = {}
    for word, info in fields.items():
        if word in value:
            known[word] = info.read(value[word], (*path, word), wrong)
        elif not info.needed:
            known[word] = info.default
        elif word not in meant:
            wrong.append(missing((*path, word), info.example))
    wrong += unknown
    if len(wrong) > before:
        return
    made.__dict__.update(known, model_fields_set=frozenset(value))
    try:
        for check in made._checks:
            getattr(made, check)()
    except ValueError as error:
        wrong += said(path, error)
