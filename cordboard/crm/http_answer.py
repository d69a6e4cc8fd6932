"""Reads the customers out of a CRM's JSON answer, by the paths of crm.yaml. Pure; used by the HTTP connector.

What the answer leaves out is empty; what is there and of the wrong type refuses the whole answer, as a wrong record
on an agent's screen is worse than none. No message holds a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from cordboard.crm.customer import (
    MATCHES_MAX,
    TEXT_MAX_CHARACTERS,
    Customer,
    Fields,
    best_first,
    read_record,
)
from cordboard.crm.http_section import Http
from cordboard.http_client.json_path import has_step, steps_of, take_step, value_at
from cordboard.redaction import clean

_KEY = re.compile(
    r"[A-Za-z_@$](?:[A-Za-z_.:-]|[0-9]{1,2}(?![0-9])){0,39}"
)  # some answers have numbers or addresses for keys
_KEYS_SHOWN = 12


class UselessAnswer(ValueError):
    """An answer that cannot be read. The words hold paths and types, no values."""


def customers_in(answer: bytes, http: Http, fields: Fields) -> list[Customer]:
    """The customers of an answer, the best one first. Raises UselessAnswer, and WrongValue for a field."""
    try:
        whole = orjson.loads(answer)
    except orjson.JSONDecodeError as broken:
        raise UselessAnswer("the answer is no JSON") from broken
    records = _records(whole, http.customers)
    if not records and isinstance(records, list | dict | None):
        return []
    if isinstance(records, dict):
        records = [records]
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        place = f"at `{http.customers}`" if http.customers else "in the answer"
        raise UselessAnswer(f"there is no customer or list of customers {place}")
    found = [_customer(record, http, fields) for record in records[:MATCHES_MAX]]
    return best_first(found) if http.updated else found


def _customer(record: Mapping[str, Any], http: Http, fields: Fields) -> Customer:
    raw = {name: _tidied(value_at(record, http.fields.get(name, name))) for name in fields}
    customer_id = value_at(record, http.id)
    return Customer(
        customer_id=str(customer_id) if isinstance(customer_id, str | int) else "",
        fields=read_record(fields, raw),
        updated_at=_moment(value_at(record, http.updated)) if http.updated else None,
    )


def _records(value: Any, path: str) -> Any:
    """What is at the path of the customers; None where something on the way is empty, as it is if nobody was found.

    Raises UselessAnswer if the way is not there: nobody would ever be found, and nobody would know why.
    """
    way = steps_of(path)
    for done, part in enumerate(way):
        if value is None or value == [] or value == {}:
            return None
        if not has_step(value, part):
            place = f"`{'.'.join(way[:done])}`" if done else "it"
            raise UselessAnswer(f"the answer has no `{path}`; {place} {_outline(value)}")
        value = take_step(value, part)
    return value


def _outline(value: Any) -> str:
    """What a value is made of, without what it holds: the names of its keys, unless those could be data too."""
    if isinstance(value, list):
        return f"is a list of {len(value)}"
    if not isinstance(value, dict):
        return "holds neither keys nor a list"
    names = [key for key in value if _KEY.fullmatch(key)]
    shown, more = names[:_KEYS_SHOWN], len(value) - len(names[:_KEYS_SHOWN])
    return "has: " + ", ".join([*shown, *([f"{more} more"] if more else [])])


def _tidied(raw: Any) -> Any:
    """A text as it can be shown: long notes are cut, and what does not print is left out."""
    if not isinstance(raw, str):
        return raw
    lines = (clean(line) for line in raw[: 2 * TEXT_MAX_CHARACTERS].splitlines())
    text = "\n".join(lines)
    return text if len(text) <= TEXT_MAX_CHARACTERS else f"{text[: TEXT_MAX_CHARACTERS - 1]}…"


def _moment(raw: Any) -> float | None:
    """Seconds since 1970, from such a number, from milliseconds, or from ISO text."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return raw / 1000 if raw > 1e11 else float(raw)  # 1e11 seconds would be the year 5138
    try:
        moment = datetime.fromisoformat(raw)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
