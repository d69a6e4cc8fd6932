"""The kinds of value that can be spoken, and how a value of a call is read as one.

Used by the rules. What cannot be read raises NodeFailed, with words that hold no value of the call.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from cordboard.config.opening_hours import parse_date, parse_time
from cordboard.flows.conditions import Kind, Value
from cordboard.flows.node import NodeFailed

SpokenKind = Literal["number", "digits", "spelled", "ordinal", "date", "time", "duration", "money"]
SPOKEN_KINDS: tuple[SpokenKind, ...] = get_args(SpokenKind)

MAX_NUMBER = 999_999_999
MAX_CHARACTERS = 64
_DECIMALS = Decimal("0.000001")
_NO_KEYS = re.compile(r"[ ().+/-]")  # as numbers are grouped: +44 (20) 7946-0123
_KEYS = re.compile(rf"[0-9*#]{{0,{MAX_CHARACTERS}}}")
_SPELLED = re.compile(rf"[A-Za-z0-9*#!@$=+/.-]{{0,{MAX_CHARACTERS}}}")

TYPES: dict[SpokenKind, tuple[Kind, ...]] = {
    "number": ("int", "double"),
    "digits": ("string", "int"),
    "spelled": ("string", "int"),
    "ordinal": ("int",),
    "date": ("timestamp", "string", "int"),
    "time": ("timestamp", "string", "int"),
    "duration": ("int", "double"),
    "money": ("int", "double"),
}
"""The types a value of each kind may have."""

DEFAULT_KINDS: dict[Kind, SpokenKind] = {"int": "number", "double": "number"}
"""How a value is spoken if nobody says; text and moments could be meant in several ways."""


def as_decimal(value: Value) -> Decimal:
    """A number, to six places. Raises NodeFailed for one that is too big to be spoken."""
    exact = Decimal(str(value))
    if abs(exact) > MAX_NUMBER:
        raise NodeFailed(f"a number beyond {MAX_NUMBER:,}")
    return exact.quantize(_DECIMALS, ROUND_HALF_UP).normalize()


def as_seconds(value: Value) -> int:
    """Whole seconds, half a second being one. Raises NodeFailed below zero."""
    seconds = int(as_decimal(value).quantize(Decimal(1), ROUND_HALF_UP))
    if seconds < 0:
        raise NodeFailed("a duration below zero")
    return seconds


def as_keys(value: Value) -> str:
    """Digits, `*` and `#`; how they are grouped is left out, and the plus of a telephone number."""
    keys = _NO_KEYS.sub("", str(value))
    if not _KEYS.fullmatch(keys):
        raise NodeFailed(f"not only digits, * and #, or more than {MAX_CHARACTERS} of them")
    return keys


def as_characters(value: Value) -> str:
    """What is spelled: without spaces and accents."""
    plain = unicodedata.normalize("NFKD", str(value))
    text = "".join(one for one in plain if not (one.isspace() or unicodedata.combining(one)))
    if not _SPELLED.fullmatch(text):
        raise NodeFailed(f"characters that cannot be spelled, or more than {MAX_CHARACTERS} of them")
    return text


def as_date(value: Value | datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """A moment of the day meant. A text is "2026-12-24", "12-24" for this year, or a moment after ISO 8601."""
    if isinstance(value, str) and len(value) <= len("2026-12-24"):
        try:
            year, month, day = parse_date(value)
            return datetime(year or now.astimezone(zone).year, month, day, 12, tzinfo=zone)
        except ValueError as fault:
            raise NodeFailed("not a date") from fault
    return _moment(value, zone)


def as_time(value: Value | datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """A moment at the time meant. A text is "15:30", today, or a moment after ISO 8601."""
    if isinstance(value, str) and len(value) <= len("15:30"):
        try:
            hour, minute = divmod(parse_time(value) % 1440, 60)
        except ValueError as fault:
            raise NodeFailed("not a time of day") from fault
        return now.astimezone(zone).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return _moment(value, zone)


def check_value(kind: SpokenKind, value: Value, zone: ZoneInfo, now: datetime) -> None:
    """Raises NodeFailed for a value that can never be spoken as this kind, in whatever language."""
    match kind:
        case "digits":
            as_keys(value)
        case "spelled":
            as_characters(value)
        case "date":
            as_date(value, zone, now)
        case "time":
            as_time(value, zone, now)
        case "duration":
            as_seconds(value)
        case "number" | "ordinal" | "money":
            as_decimal(value)


def _moment(value: Value | datetime, zone: ZoneInfo) -> datetime:
    """A moment in the zone: as it is, seconds since 1970, or a text after ISO 8601."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(moment, datetime):
            return datetime.fromtimestamp(moment, zone)
        return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    except (ValueError, OverflowError, OSError) as fault:
        raise NodeFailed("not a moment, or one beyond all calendars") from fault
