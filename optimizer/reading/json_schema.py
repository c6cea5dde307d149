"""Records as a JSON Schema, by which editors complete and check a file.

Parts that are records have an entry of their own under `$defs`, by which they are named
where they stand.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from typing import Annotated, Any, Literal, get_args, get_origin

from optimizer.reading.model import Info, Model, fields_of
from optimizer.reading.types import Pick, Quantity, Size, flat, optional, options

Schema = dict[str, Any]
PLAIN = {str: "string", bool: "boolean"}


def json_schema(model: type[Model]) -> Schema:
    """The schema of files that hold one record."""
    parts: dict[str, Schema] = {}
    body = _record(model, parts)
    return {"$defs": dict(sorted(parts.items())), **body} if parts else body


def _record(kind: Any, parts: dict[str, Schema]) -> Schema:
    fields = fields_of(kind)
    cls = get_origin(kind) or kind
    found: Schema = {"additionalProperties": False}
    if cls.__doc__:
        found["description"] = cleandoc(cls.__doc__)
    found["properties"] = {w: _field(w, info, parts) for w, info in fields.items()}
    if needed := [word for word, info in fields.items() if info.needed]:
        found["required"] = needed
    return {**found, "title": _name(kind), "type": "object"}


def _field(word: str, info: Info, parts: dict[str, Schema]) -> Schema:
    found = _type(info.annotation, parts)
    if not info.needed:
        found["default"] = _plain(info.default)
    if info.description:
        found["description"] = info.description
    if info.examples:
        found["examples"] = list(info.examples)
    named = options(info.annotation)  # which have a title of their own
    if named[1:] or not fields_of(named[0]):
        found["title"] = word.replace("_", " ").title()
    if info.extend is not None:
        info.extend(found)
    return found


def _type(annotation: Any, parts: dict[str, Schema]) -> Schema:
    found = [_branch(each, parts) for each in options(annotation)]
    if optional(annotation):
        found.append({"type": "null"})
    return {"anyOf": found} if found[1:] else found[0]


def _branch(annotation: Any, parts: dict[str, Schema]) -> Schema:
    """The schema of one type of those that a value may have."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in _MADE:
        return _MADE[origin](*args, parts=parts)
    if annotation in PLAIN:
        return {"type": PLAIN[annotation]}
    return {"$ref": f"#/$defs/{_part(annotation, parts)}"}


def _words(*allowed: str, parts: dict[str, Schema]) -> Schema:
    told = {"enum": list(allowed)} if allowed[1:] else {"const": allowed[0]}
    return {**told, "type": "string"}


def _many(*kinds: Any, parts: dict[str, Schema]) -> Schema:
    if kinds[-1] is ...:
        return {"items": _type(kinds[0], parts), "type": "array"}
    each = [_type(kind, parts) for kind in kinds]
    count = len(each)
    ends = {"maxItems": count, "minItems": count}
    return {**ends, "prefixItems": each, "type": "array"}


def _annotated(kind: Any, *about: Any, parts: dict[str, Schema]) -> Schema:
    for each in about:
        if isinstance(each, Pick):
            return {"oneOf": [_branch(one, parts) for one in each.branches]}
        if isinstance(each, Size):
            what = "Length" if kind is str else "Items"
            ends = {f"min{what}": each.least or None, f"max{what}": each.most}
            told = {word: end for word, end in ends.items() if end is not None}
            return {**_branch(kind, parts), **told}
        if isinstance(each, Quantity):
            return each.json_schema()
    return _branch(kind, parts)


def _mapping(word: Any, kind: Any, *, parts: dict[str, Schema]) -> Schema:
    found: Schema = {"type": "object"}
    if kind is not Any:
        found["additionalProperties"] = _type(kind, parts)
    if get_origin(word) is Literal:
        found["propertyNames"] = {"enum": list(get_args(word))}
    return found


def _part(kind: Any, parts: dict[str, Schema]) -> str:
    """The name under which a record stands, which is put there."""
    name = plain = _name(kind)
    body = _record(kind, parts)
    count = 1
    while parts.setdefault(name, body) != body:
        count += 1
        name = f"{plain}_{count}"
    return name


def _name(kind: Any) -> str:
    """The name of a record's type; of one that is of numbers, with what they are."""
    name: str = (get_origin(kind) or kind).__name__
    for part in flat(get_args(kind)[0]) if get_args(kind) else ():
        if isinstance(part, Quantity):
            name += f"_of_{part.kind.name.replace(' ', '_')}"
    return name


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return {word: _plain(each) for word, each in value}
    return list(value) if isinstance(value, tuple) else value


_MADE: dict[Any, Callable[..., Schema]] = {
    Annotated: _annotated,
    Literal: _words,
    tuple: _many,
    dict: _mapping,
}
