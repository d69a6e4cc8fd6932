"""Writes one pydantic model as a JSON Schema of draft-07, as editors like it.

Beyond pydantic's own: patterns of texts and of keys are kept, a reference keeps the description beside it, titles
made from names are left out, and sections tell what their module says where they only refer to it.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from cordboard.config.validation import ITEM, SCALARS

DRAFT = "http://json-schema.org/draft-07/schema#"
DEFINITIONS = "#/definitions/"

_SEE_MODULE = "See the module."
_OF_TEXT = {"pattern": "pattern", "min_length": "minLength", "max_length": "maxLength"}


class Generator(GenerateJsonSchema):
    """Pydantic's generator, with what it leaves out of our models."""

    def chain_schema(self, schema: core_schema.ChainSchema) -> JsonSchemaValue:
        """A text that passes a validator of ours and then limits: with its limits."""
        first, *limits = schema["steps"]
        written = self.generate_inner(first)
        for limit in limits:
            inner: Mapping[str, Any] = limit.get("schema", limit)
            written |= {name: inner[key] for key, name in _OF_TEXT.items() if key in inner}
        return written

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """A value with the other ways to write it that its validator understands."""
        written = super().function_before_schema(schema)
        ways = getattr(schema["function"]["function"], "also_written", ())
        others = [written["items"] if way is ITEM else dict(way) for way in ways]
        return {"anyOf": [*others, written]} if others else written

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """A mapping, with the pattern of its keys. Pydantic lets all keys pass that do not fit the pattern."""
        written = super().dict_schema(schema)
        for values in written.pop("patternProperties", {}).values():
            written["additionalProperties"] = values
        keys = self.generate_inner(schema["keys_schema"]).copy() if "keys_schema" in schema else {}
        limits = {name: keys[name] for name in ("pattern", "maxLength", "enum") if name in keys}
        if limits:
            written["propertyNames"] = limits
        return written

    def generate(self, schema: core_schema.CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        """The whole schema, of draft-07."""
        return tidied(super().generate(schema, mode))


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a model, with its `definitions`."""
    return model.model_json_schema(ref_template=f"{DEFINITIONS}{{model}}", schema_generator=Generator)


def tidied(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without made-up titles, and with references that draft-07 reads."""
    whole: dict[str, Any] = _tidied(schema)
    definitions = whole.pop("$defs", {})
    if definitions:
        whole["definitions"] = definitions
    for _, properties in sections_in(whole):
        for written in properties.values():
            _describe(written, definitions)
    return whole


def _describe(written: dict[str, Any], definitions: Mapping[str, Any]) -> None:
    """Put back a description which pydantic leaves out where the section that is referred to has the same one."""
    references = [one["$ref"] for one in (written, *written.get("allOf", ())) if "$ref" in one]
    if references and "description" not in written:
        name = references[0].removeprefix(DEFINITIONS)
        written.pop("$ref", None)
        written.setdefault("allOf", [{"$ref": references[0]}])
        written["description"] = definitions[name].get("description", "")


def _tidied(value: Any) -> Any:
    if isinstance(value, list):
        return [_tidied(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _tidied(one) for key, one in value.items() if not _is_title(key, one)}
    if "minLength" in kept and kept.get("type") != list(SCALARS):  # said of lists and of texts alike
        kept["minItems"] = kept["minLength"]
    if "$ref" in kept and len(kept) > 1:  # draft-07 looks at nothing beside a reference
        kept["allOf"] = [{"$ref": kept.pop("$ref")}]
    return kept


def _is_title(key: str, value: Any) -> bool:
    """A title of the schema's; a property may be called `title` too, but is no text."""
    return key == "title" and isinstance(value, str)


def words_of(model: type[BaseModel]) -> str:
    """What a section is, in one paragraph."""
    text = inspect.getdoc(model) or ""
    if text.startswith(_SEE_MODULE):
        text = inspect.cleandoc(sys.modules[model.__module__].__doc__ or "")
    words = re.sub(r"^`\w+`: ", "", " ".join(text.partition("\n\n")[0].split()))
    return words[:1].upper() + words[1:]


def sections_in(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping with keys of its own in a schema: where it is, and its properties."""
    yield from _sections_in(schema, "")


def _sections_in(value: Any, way: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, Mapping):
        if isinstance(value.get("properties"), dict):
            yield way, value["properties"]
        for key, inner in value.items():
            yield from _sections_in(inner, f"{way}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _sections_in(inner, f"{way}/{number}")
