"""The four kinds of value an admin can declare, and what declared things may be called.

Used by the sections and nodes that declare what comes from outside: an HTTP answer, a script, a called flow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator

from cordboard.config.validation import Text, fault

KindWord = Literal["text", "whole", "number", "yes_no"]
Kind = Literal["string", "int", "double", "bool"]
KINDS: Mapping[KindWord, Kind] = {"text": "string", "whole": "int", "number": "double", "yes_no": "bool"}
"""The type that a declared value has in expressions."""

EMPTY: Mapping[str, str | int | float | bool] = {"string": "", "int": 0, "double": 0.0, "bool": False}
"""What a value of each type is where there is none."""

_NOT_BEHIND_A_DOT = frozenset({"true", "false", "null", "in"})  # of the expression language


def _field_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
        hint = "small letters, digits and _, at most 32, beginning with a letter"
        raise fault("bad-name", f"`{name}` is no name for a value", hint)
    if name in _NOT_BEHIND_A_DOT:
        raise fault("bad-name", f"`{name}` has a meaning of its own in expressions", f"write {name}_value, say")
    return name


FieldName = Annotated[Text, AfterValidator(_field_name)]
"""A name that can stand behind a dot."""


def _plain_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name):
        hint = "small letters, digits, - and _, at most 32, beginning with a letter"
        raise fault("bad-name", f"`{name}` is no name that flows can call it by", hint)
    return name


PlainName = Annotated[Text, AfterValidator(_plain_name)]
"""What flows call a thing of the settings by: a web service, a script."""
