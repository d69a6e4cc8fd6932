"""Says what is wrong with a value and what to write instead, in an admin's words instead of pydantic's.

Used by `validation` only. Each function returns (code, message, hint); codes are stable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from cordboard.config.scalars import as_written
from cordboard.config.suggestions import closest

Words = tuple[str, str, str]

_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "string_type": "text",
    "path_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "model_attributes_type": "a mapping (`key: value`)",
}
_LONGER_UNITS = {"minutes": 60, "hours": 3600, "hrs": 3600, "days": 86_400}  # or their beginnings, in seconds
_YES_NO = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}

# What programmers call the kinds of values, and how they are called here.
_KINDS = {
    "int": "whole", "integer": "whole", "str": "text", "string": "text", "float": "number", "double": "number",
    "bool": "yes_no", "boolean": "yes_no",
}  # fmt: skip

# A limit's name in pydantic -> our sentence; the limit is in the error's context under the last word.
_LIMITS = {
    "greater_than": ("{found} is too small; it must be more than {limit}", "gt"),
    "greater_than_equal": ("{found} is too small; at least {limit}", "ge"),
    "less_than": ("{found} is too big; it must be less than {limit}", "lt"),
    "less_than_equal": ("{found} is too big; at most {limit}", "le"),
    "string_too_short": ("{found} is too short; at least {limit} characters", "min_length"),
    "string_too_long": ("{found} is too long; at most {limit} characters", "max_length"),
    "too_short": ("{found} is too short; at least {limit} entries", "min_length"),
    "too_long": ("{found} is too long; at most {limit} entries", "max_length"),
    "string_pattern_mismatch": ("{found} does not fit the pattern {limit}", "pattern"),
}
# What pydantic calls a text's length where the text passed through a validator of ours first.
_LIMITS_OF_TEXT = {"too_short": "string_too_short", "too_long": "string_too_long"}


def is_type_fault(details: ErrorDetails) -> bool:
    """Whether the value is of the wrong kind altogether."""
    return details["type"] in _WANTED


def missing_words(key: str) -> Words:
    """A key that must be there and is not."""
    return "missing-key", f"`{key}` is missing", f"add `{key}:`"


def unknown_key_words(key: str, known: Sequence[str], suggestion: str) -> Words:
    """A key that means nothing here."""
    listed = f"known here: {', '.join(known)}" if len(known) > 1 else f"write it below `{''.join(known)}:`"
    hint = _blank_hint(key) or suggestion or listed
    return "unknown-key", f"unknown key `{key}`", hint


def empty_file_words(missing: Sequence[str]) -> Words:
    """A file with nothing in it, where some keys must be."""
    return "missing-key", "the file is empty", "add " + " and ".join(f"`{key}:`" for key in missing)


def type_words(wanted: Sequence[str], value: Any) -> Words:
    """A value of the wrong kind. wanted: pydantic's codes of all kinds that would do."""
    kinds = list(dict.fromkeys(_WANTED[code] for code in wanted))
    if "a number" in kinds:
        kinds = [kind for kind in kinds if kind != "a whole number"]  # which is one
    return "wrong-type", f"expected {' or '.join(kinds)}, found {found(value)}", _type_hint(wanted[0], value)


def words_for(details: ErrorDetails) -> Words:
    """Everything else: limits, choices, and what validators of ours say."""
    kind, context = details["type"], details.get("ctx", {})
    if kind == "finding":
        return context["code"], context["message"], context["hint"]
    if kind in ("literal_error", "enum"):
        return _choice_words(str(context["expected"]), details["input"])
    if kind in _LIMITS:
        hint = _name_hint(details["input"], context["pattern"]) if "pattern" in context else ""
        return "out-of-range", _limit_sentence(kind, context, details["input"]), hint
    if kind == "value_error":
        return "wrong-value", str(context["error"]), ""
    return "wrong-value", f"{found(details['input'])} will not do here", ""


def _limit_sentence(kind: str, context: Mapping[str, Any], value: Any) -> str:
    sentence, name = _LIMITS[_LIMITS_OF_TEXT.get(kind, kind) if isinstance(value, str) else kind]
    limit = context[name]
    if name == "min_length" and limit == 1:
        return f"{'this' if isinstance(value, str) else found(value)} must not be empty"
    shown = int(limit) if isinstance(limit, float) and limit.is_integer() else limit
    return sentence.format(found=_bare(value), limit=shown)


def _bare(value: Any) -> str:
    """A number alone, where the sentence leaves no doubt that it is one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(as_written(value)) if is_number else found(value)


def found(value: Any) -> str:
    """A value as part of a sentence; long texts are cut."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "`true`" if value else "`false`"
        case str():
            return f"`{value}`" if len(value) <= 40 else f"`{value[:37]}...`"
        case int() | float():
            return f"the number {as_written(value)}"
        case list() | tuple():
            return "a list"
    return "a mapping"


def _choice_words(expected: str, value: Any) -> Words:
    choices = re.findall(r"'([^']*)'", expected)
    listed = ", ".join(f"`{choice}`" for choice in choices)
    hint = closest(value, choices) if isinstance(value, str) else ""
    if (kind := _KINDS.get(str(value), "")) in choices:
        hint = f"write `{kind}`"
    return "unknown-choice", f"{found(value)} is not one of {listed}", hint


def _type_hint(wanted: str, value: Any) -> str:
    if wanted == "bool_type" and isinstance(value, str) and value.lower() in _YES_NO:
        return f"write `{_YES_NO[value.lower()]}`"
    if wanted == "bool_type" and isinstance(value, str) and value in ("true", "false"):
        return f"write {value} without quotes"
    if wanted in ("int_type", "float_type") and isinstance(value, str):
        return _number_hint(value)
    if wanted == "int_from_float":
        return "write it without decimals"
    if wanted == "string_type" and isinstance(value, bool | int | float):
        return f'put it in quotes: "{as_written(value)}"'
    if wanted in ("list_type", "tuple_type"):
        return "write [a, b], or one `- item` per line"
    if wanted in ("dict_type", "model_type", "model_attributes_type"):
        return _mapping_hint(value)
    return ""


def _mapping_hint(value: Any) -> str:
    """What was missed by somebody who meant `key: value`."""
    if isinstance(value, list | tuple):
        return "take the `- ` before each key away" if value and isinstance(value[0], Mapping) else ""
    return _blank_hint(value) if isinstance(value, str) else ""


def _blank_hint(text: str) -> str:
    """For `next:menu`, which YAML takes for one word."""
    name, colon, rest = text.partition(":")
    is_meant = bool(colon and rest and re.fullmatch(r"[A-Za-z_][\w-]*", name) and not rest.startswith("//"))
    return f"put a blank behind the colon: `{name}: {rest}`" if is_meant else ""


def _name_hint(value: Any, pattern: str) -> str:
    """A name much like the one that was written, and that may be."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", str(value)).strip("_")
    likely = (name for name in (plain, plain.lower()) if re.search(pattern, name))
    return next((f"write for instance `{name}`" for name in likely), "")


def _unit_hint(number: int, unit: str) -> str:
    """`30s` is 30; but who writes `5m` must not be led to write 5."""
    seconds = next((length for name, length in _LONGER_UNITS.items() if name.startswith(unit)), 0)
    if seconds:
        return f"the unit is in the key's name: where it is `_s`, write {number * seconds}"
    return f"write {number} alone; the unit is in the key's name"


def _number_hint(text: str) -> str:
    """What number a text may have been meant to be."""
    if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", text):
        return f"write {text} without quotes"
    leading = re.fullmatch(r"[+0]+([1-9][0-9]*)", text)
    if leading:
        return f"write {leading.group(1)} for a number; with a leading 0 or + it is text, as phone numbers need"
    unit = re.fullmatch(r"([0-9]+) ?([a-z]+)", text)
    if unit:
        return _unit_hint(int(unit.group(1)), unit.group(2))
    if re.fullmatch(r"[0-9]+:[0-9]+", text):
        return "a time of day is text; here a plain number belongs, for instance 30"
    return "write digits only, for instance 30"
