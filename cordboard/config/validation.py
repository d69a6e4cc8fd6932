"""Checks a document against a pydantic model and reports every fault at once, at its place, in plain words.

Called by the loaders of settings, flows and scenarios, when configuration is loaded and never during a call.
The sentences are made in `wording`; this module finds out where they belong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, ClassVar, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError

from cordboard.config.document import Document, Keys
from cordboard.config.findings import Finding
from cordboard.config.scalars import as_written
from cordboard.config.suggestions import closest as closest
from cordboard.config.wording import (
    Words,
    empty_file_words,
    is_type_fault,
    missing_words,
    type_words,
    unknown_key_words,
    words_for,
)

_ModelT = TypeVar("_ModelT", bound=BaseModel)
_ItemT = TypeVar("_ItemT")
_ValidatorT = TypeVar("_ValidatorT", bound=Callable[..., Any])


ITEM: Mapping[str, Any] = {}
"""For `also_written`: an entry of the list, without the list around it."""


def also_written(*ways: Mapping[str, Any]) -> Callable[[_ValidatorT], _ValidatorT]:
    """Tells editors in which other ways a value may be written that a validator, run before, understands too.

    ways: as JSON Schemas, or ITEM.
    """

    def mark(validator: _ValidatorT) -> _ValidatorT:
        validator.also_written = ways  # type: ignore[attr-defined]
        return validator

    return mark


@dataclass(frozen=True, slots=True)
class _Scalar:
    """Says that a text may stand without quotes, where an editor takes it for a number."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "type": list(SCALARS)}


SCALARS = ("string", "number", "boolean")
"""What a text may look like to an editor, in the words of JSON Schema."""

AS_TEXT: Mapping[str, Any] = {"type": list(SCALARS)}
"""For `also_written`: a text."""

Text = Annotated[str, BeforeValidator(as_written), _Scalar()]
"""Text as it stands in the file, quoted or not: 1001 is "1001", 1.10 is "1.10", no is "no"."""

Many = Annotated[tuple[_ItemT, ...], Field(strict=False)]
"""A YAML list, as a tuple."""


class Section(BaseModel):
    """One section of a file: exactly these keys, and no value bent into another type.

    elsewhere: what other programs call our keys -> what to write here, for the hint beside an unknown key.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    elsewhere: ClassVar[Mapping[str, str]] = {}


def fault(code: str, message: str, hint: str = "", at: str = "") -> PydanticCustomError:
    """What a validator of a section raises, to become a finding with these words. at: the key that is meant."""
    return PydanticCustomError("finding", "{message}", {"code": code, "message": message, "hint": hint, "at": at})


def written_as(example: Callable[[str], str]) -> BeforeValidator:
    """For a key whose value is a mapping and looks as if it could be simpler: what is none comes with an example.

    example: what to write instead, for a value as it was written, or the first entry of a list.
    """

    def check(value: Any) -> Any:
        if value is None or isinstance(value, Mapping | BaseModel):
            return value
        code, message, _ = type_words(["dict_type"], value)
        first = next(iter(value), "") if isinstance(value, list | tuple) else value
        raise fault(
            code, message, f"write `{example('' if isinstance(first, Mapping) else str(as_written(first)))}`"
        )

    return BeforeValidator(check)


def validate(model: type[_ModelT], document: Document, at: Keys = ()) -> tuple[_ModelT | None, list[Finding]]:
    """The section of a document as a model, or every fault in it, in file order. Never raises for what is written.

    at: where in the document the section stands.
    """
    data = _value_at(document, at)
    try:
        return model.model_validate({} if data is None else data), []
    except ValidationError as error:
        return None, _findings(model, document, at, error)


def _value_at(document: Document, at: Keys) -> Any:
    return document.item(at).data if document.has(at) else None


@dataclass(frozen=True, slots=True)
class _Fault:
    """One complaint of pydantic's. keys: the way to it in the document; in_union: one alternative complains."""

    keys: Keys
    is_key: bool
    in_union: bool
    details: ErrorDetails


def _findings(model: type[BaseModel], document: Document, at: Keys, error: ValidationError) -> list[Finding]:
    faults = [_fault(document, at, details) for details in error.errors(include_url=False)]
    unknown = [one for one in faults if one.details["type"] == "extra_forbidden"]
    if not at and document.data is None:
        missing = [str(one.details["loc"][-1]) for one in faults]
        return [document.finding((), *empty_file_words(missing))]
    wanted = [one for one in _without_echoes(faults) if not _is_misspelt(one, unknown)]
    return sorted({_finding(model, document, one, faults) for one in wanted})


def _is_misspelt(one: _Fault, unknown: list[_Fault]) -> bool:
    """Whether a missing key is there with a slip of the pen: the unknown key says it all."""
    if one.details["type"] != "missing":
        return False
    beside = [str(other.keys[-1]) for other in unknown if other.keys[:-1] == one.keys]
    return bool(closest(str(one.details["loc"][-1]), beside))


def _fault(document: Document, at: Keys, details: ErrorDetails) -> _Fault:
    """Pydantic's location holds names of union members and a `[key]` mark, which the document does not know."""
    location = details["loc"]
    is_key = bool(location) and location[-1] == "[key]"
    parts = location[:-1] if is_key else location
    keys = at
    for part in parts:
        if document.has((*keys, part)):
            keys = (*keys, part)
    missing = 1 if details["type"] == "missing" else 0
    return _Fault(keys, is_key, len(at) + len(parts) - len(keys) > missing, details)


def _without_echoes(faults: list[_Fault]) -> Iterator[_Fault]:
    """Without what follows from another fault: an alternative of a union which the value was plainly not meant to
    be, and a list that is too short only because its entries are faulty.
    """
    plain = [one for one in faults if not is_type_fault(one.details)]
    for one in faults:
        if one.in_union and is_type_fault(one.details) and any(_is_within(other, one) for other in plain):
            continue
        is_short = one.details["type"] == "too_short"
        if is_short and any(_is_within(other, one) for other in faults if other is not one):
            continue
        yield one


def _is_within(inner: _Fault, outer: _Fault) -> bool:
    return inner.keys[: len(outer.keys)] == outer.keys


def _finding(model: type[BaseModel], document: Document, one: _Fault, faults: list[_Fault]) -> Finding:
    details = one.details
    if details["type"] == "missing":
        words = missing_words(str(details["loc"][-1]))
        return document.finding(one.keys, *words, key=True)
    if details["type"] == "extra_forbidden":
        words = _unknown_key(model, details)
        return document.finding(one.keys, *words, key=True)
    if is_type_fault(details):
        here = [other.details for other in faults if other.keys == one.keys]
        wanted = [other["type"] for other in here if is_type_fault(other)]
        return document.finding(one.keys, *type_words(wanted, details["input"]))
    if at := details.get("ctx", {}).get("at"):
        return document.finding((*one.keys, at), *words_for(details), key=True)
    return document.finding(one.keys, *words_for(details), key=one.is_key)


def _unknown_key(model: type[BaseModel], details: ErrorDetails) -> Words:
    *way, key = (str(part) for part in details["loc"])
    known = known_keys(model, way)
    ours = next((kind.elsewhere[key] for kind in _kinds(model, way) if key in getattr(kind, "elsewhere", ())), "")
    return unknown_key_words(key, known, f"here that is {ours}" if ours else closest(key, known))


def known_keys(model: type[BaseModel], way: list[str]) -> list[str]:
    """The keys a section may have, as written. way: pydantic's location of the section within the model."""
    return [name for kind in _kinds(model, way) for name in _fields(kind)]


def _kinds(model: type[BaseModel], way: list[str]) -> list[Any]:
    """What the section at a location may be."""
    kinds: list[Any] = [model]
    for part in way:
        kinds = [inner for kind in kinds for inner in _inside(kind, part)] or kinds
    return kinds


def _fields(kind: Any) -> Mapping[str, Any]:
    """A model's fields by the name they are written with."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    return {(field.alias or name): field.annotation for name, field in kind.model_fields.items()}


def _inside(kind: Any, part: str) -> Iterator[Any]:
    """What may stand at one part of a location inside a type."""
    fields = _fields(kind)
    if fields:
        yield from _members(fields[part]) if part in fields else ()
    else:
        yield from (member for argument in _arguments(kind)[-1:] for member in _members(argument))


def _arguments(kind: Any) -> list[Any]:
    return [argument for argument in get_args(kind) if argument is not Ellipsis]


def _members(kind: Any) -> Iterator[Any]:
    """A type without its wrappers: the members of a union, the type inside Annotated and `X | None`."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _members(get_args(kind)[0])
    elif origin in (Union, UnionType):
        for member in get_args(kind):
            yield from _members(member)
    else:
        yield kind
