"""A customer as every part of the suite sees one: the fields of crm.yaml, each of its type, none ever missing.

Connectors make customers of what their CRM holds; `read_record` is the one place where a foreign value becomes one
of ours. Nothing here knows where customers come from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

FieldType = Literal["text", "number", "whole", "yes_no", "date"]
Value = str | int | float | bool
Fields = Mapping[str, FieldType]
Kind = Literal["string", "int", "double", "bool"]

KINDS: dict[FieldType, Kind] = {
    "text": "string", "whole": "int", "number": "double", "yes_no": "bool", "date": "string",
}  # fmt: skip
"""The type a field has in a flow's conditions."""

TEXT_MAX_CHARACTERS = 2_000
MATCHES_MAX = 20  # customers with one number that are looked at; the switchboard of a large firm has hundreds

_EMPTY: dict[FieldType, Value] = {"text": "", "whole": 0, "number": 0.0, "yes_no": False, "date": ""}
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")  # fits 64 bits
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_YES_NO = {"yes": True, "true": True, "y": True, "1": True, "no": False, "false": False, "n": False, "0": False}


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer. fields: a value for each field of crm.yaml; updated_at: seconds since 1970, None if not told.

    customer_id: what the CRM calls it, "" if not told.
    """

    customer_id: str = field(repr=False)
    fields: Mapping[str, Value] = field(repr=False)
    updated_at: float | None = None


class WrongValue(ValueError):
    """A value that does not fit its field. The words hold the field's name and never the value."""


def read_record(fields: Fields, raw: Mapping[str, Any]) -> dict[str, Value]:
    """A customer's fields from what a CRM holds; what it does not hold is empty. Raises WrongValue."""
    return {name: read_value(name, type_, raw.get(name)) for name, type_ in fields.items()}


def read_value(name: str, type_: FieldType, raw: Any) -> Value:
    """One value as its type, from JSON or a cell of text. None and blank texts are empty. Raises WrongValue."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return _EMPTY[type_]
    value = _READERS[type_](raw.strip() if isinstance(raw, str) else raw)
    if value is None:
        raise WrongValue(f"`{name}` is no {_WANTED[type_]}")
    return value


def best_first(customers: list[Customer]) -> list[Customer]:
    """Those updated last first; those whose update is not known keep their order behind them."""
    return sorted(customers, key=lambda one: -(one.updated_at or 0.0))


def _text(raw: Any) -> str | None:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None
    text = str(raw)
    return None if len(text) > TEXT_MAX_CHARACTERS or _CONTROLS.search(text) else text


def _whole(raw: Any) -> int | None:
    if isinstance(raw, str):
        return int(raw) if _WHOLE.fullmatch(raw) else None
    is_whole = isinstance(raw, int) or (isinstance(raw, float) and raw.is_integer())
    return int(raw) if is_whole and not isinstance(raw, bool) and -(2**63) <= raw < 2**63 else None


def _number(raw: Any) -> float | None:
    if isinstance(raw, str):
        return float(raw) if _DECIMAL.fullmatch(raw) else None
    if isinstance(raw, bool) or not isinstance(raw, int | float) or abs(raw) > 1e300:
        return None
    return float(raw) if math.isfinite(raw) else None


def _yes_no(raw: Any) -> bool | None:
    if isinstance(raw, bool):
        return raw
    return _YES_NO.get(str(raw).casefold()) if isinstance(raw, str | int) else None


def _date(raw: Any) -> str | None:
    """A day as 2026-11-23, also from a moment in the ISO form."""
    if not isinstance(raw, str):
        return None
    try:
        return (date.fromisoformat(raw) if len(raw) <= 10 else datetime.fromisoformat(raw).date()).isoformat()
    except ValueError:
        return None


_READERS = {"text": _text, "whole": _whole, "number": _number, "yes_no": _yes_no, "date": _date}
_WANTED: dict[FieldType, str] = {
    "text": f"text of at most {TEXT_MAX_CHARACTERS} characters without control characters",
    "whole": "whole number; write for instance 12",
    "number": "number; write for instance 1234.50",
    "yes_no": "yes or no",
    "date": "date; write for instance 2026-11-23",
}
