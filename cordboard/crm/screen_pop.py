"""What an agent's screen shows of a caller, as plain data. Pure; asked for by the desk for every offer.

All texts are text and nothing else: whoever draws them must not take them for markup. The caller's own name comes
from the trunk and was chosen by the caller; a customer's fields come from the CRM.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cordboard.crm.crm_file import CrmSettings
from cordboard.crm.customer import FieldType
from cordboard.crm.phone_numbers import WORDS, NumberRead, read_number, shown
from cordboard.redaction import clean

Status = Literal["pending", "found", "several", "none", "withheld", "failed"]

CALLER_NAME_MAX = 200
VALUE_MAX = 2_000

_NOTICES: dict[str, str] = {
    "pending": "Looking up the customer…",
    "none": "No customer with this number",
    "failed": "The CRM gave no usable answer",
}
_ESCAPED = re.compile(r'\\(["\\])')  # in a quoted name of SIP (RFC 3261, 25.1), which Asterisk hands on as it came


@dataclass(frozen=True, slots=True)
class PopField:
    """A field as it is shown. label: "Customer since"; value: as text, "" for nothing
    (0 and "no" among it: a connector cannot tell them from what the CRM does not hold)."""

    name: str
    label: str
    type: FieldType
    value: str


@dataclass(frozen=True, slots=True)
class ScreenPop:
    """One caller on the screen.

    title:   the customer's title field; without a customer the number, or words for a number there is none of.
    notice:  one sentence, "" if there is nothing to say. number: as people read it.
    fields:  of the best match, in the order of crm.yaml, without the title.
    others:  all fields of further customers with the same number; matches: how many have it, at most MATCHES_MAX.
    """

    status: Status
    title: str
    notice: str
    number: str
    caller_name: str
    fields: tuple[PopField, ...] = ()
    others: tuple[tuple[PopField, ...], ...] = ()
    matches: int = 0


def screen_pop(
    crm: CrmSettings | None, *, ani: str, caller_name: str, status: Status, customer: Mapping[str, Any]
) -> ScreenPop:
    """What to show. ani, caller_name: as the trunk sent them; status, customer: as noted by `lookups.note_of`."""
    read = read_number(ani, crm.country if crm else "")
    number = _number_of(read, ani)
    nobody = number or "Number withheld"
    name = _shortened(_ESCAPED.sub(r"\1", caller_name), CALLER_NAME_MAX)
    if crm is None:
        return ScreenPop("none", nobody, "", number, name)
    if status not in ("found", "several"):
        return ScreenPop(status, nobody, _notice_of(status, read), number, name)
    return _pop_of(crm, status, customer, nobody, number, name)


def _number_of(read: NumberRead, ani: str) -> str:
    """As people read it; "" if it is withheld, whatever word the trunk has for that."""
    if read.e164:
        return shown(read.e164)
    return "" if read.why == "withheld" else _shortened(ani, CALLER_NAME_MAX)


def _notice_of(status: Status, read: NumberRead) -> str:
    if status == "withheld":
        return f"Not looked up: {WORDS[read.why]}" if read.why else "Not looked up"
    return _NOTICES.get(status, "")


def _pop_of(
    crm: CrmSettings, status: Status, customer: Mapping[str, Any], nobody: str, number: str, name: str
) -> ScreenPop:
    matches = customer.get("matches", 1)
    others = tuple(_fields(crm, other) for other in customer.get("others", ()) if isinstance(other, Mapping))
    notice = f"{matches} customers have this number" if status == "several" else ""
    fields = _fields(crm, customer)
    title = next(field.value for field in fields if field.name == crm.title_field)
    rest = tuple(field for field in fields if field.name != crm.title_field)
    return ScreenPop(status, title or nobody, notice, number, name, rest, others, matches)


def label_of(name: str) -> str:
    """A field's name for people: "customer_since" is "Customer since"."""
    return name.replace("_", " ").strip().capitalize()


def _fields(crm: CrmSettings, customer: Mapping[str, Any]) -> tuple[PopField, ...]:
    """All fields of crm.yaml as of now; a record noted before a reload may lack some."""
    return tuple(
        PopField(name, label_of(name), type_, _value(type_, customer.get(name)))
        for name, type_ in crm.customer.items()
    )


def _value(type_: FieldType, value: Any) -> str:
    if not value:  # a connector fills in 0 and False where the CRM holds nothing: better no line than a wrong one
        return ""
    if type_ == "yes_no" and value is True:
        return "yes"
    if type_ == "number" and isinstance(value, int | float):
        return f"{value:,.15g}"
    return _shortened(str(value), VALUE_MAX, keep_lines=True)


def _shortened(text: str, most: int, *, keep_lines: bool = False) -> str:
    """A text that cannot drive a screen: no controls, no direction marks, no end to be scrolled for."""
    lines = text[: 2 * most].splitlines() if keep_lines else [text[: 2 * most]]
    plain = "\n".join(clean(line) for line in lines).strip()
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
