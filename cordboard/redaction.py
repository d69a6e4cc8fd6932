"""What may be shown of a caller in a log line: the one place that knows which fields are personal.

The log setting `numbers` decides how a number is shown. Names, digits and CRM fields are never logged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from typing import Any, Literal

NumberStyle = Literal["full", "last3", "none"]

NUMBER_FIELDS = frozenset({"ani", "number"})
OUR_OWN_FIELDS = frozenset({"event", "level", "at", "worker", "call_id", "flow", "node", "revision", "result"})
WITHHELD = frozenset({"", "anonymous", "restricted", "private", "unknown", "unavailable", "withheld"})
"""What switches and carriers send in place of a number that the caller does not show, in small letters."""
_NUMBER = re.compile(r"\+?[0-9*#]{6,}")
NEVER_LOGGED = frozenset({"caller_name", "customer", "digits", "secret", "password", "pin", "variables"})


def clean(text: str) -> str:
    """The text without what does not print: controls, line separators and direction marks could forge a log line,
    drive a terminal or break a mail's header.
    """
    return text if text.isprintable() else "".join(character for character in text if character.isprintable())


def show_number(number: str, style: NumberStyle) -> str:
    """A phone number as the log may show it: "…123" for "last3", "withheld" for one that is not shown.

    Whatever is no number, or so short that three digits of it are most of it, is masked whole.
    """
    if number.strip().casefold() in WITHHELD:
        return "withheld"
    if style == "full":
        return clean(number)
    return f"…{number[-3:]}" if style == "last3" and _NUMBER.fullmatch(number) else "…"


def redactor(style: NumberStyle) -> Callable[[Any, str, MutableMapping[str, Any]], MutableMapping[str, Any]]:
    """A structlog processor which hides what is personal and cleans all other text."""

    def redact(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in fields.items():
            if name in OUR_OWN_FIELDS:
                continue  # hot: most fields of most lines
            if name in NEVER_LOGGED:
                fields[name] = "[hidden]"
            elif name in NUMBER_FIELDS:
                fields[name] = show_number(str(value), style)
            elif name != "exception" and isinstance(value, str):
                fields[name] = clean(value)
        return fields

    return redact
