"""Puts the caller's number into the question of crm.yaml. Pure; used by the HTTP connector."""

from __future__ import annotations

from urllib.parse import quote

import orjson
from pydantic import JsonValue

from cordboard.crm.http_section import PLACEHOLDER, Http


def address_for(http: Http, number: str) -> str:
    """The URL with the number in it, percent-encoded whatever it holds. number: E.164."""
    values = {name: quote(value, safe="") for name, value in _values(number).items()}
    return _filled(http.url, values)


def body_for(http: Http, number: str) -> bytes | None:
    """The JSON body with the number in it; None if the question has none."""
    return None if http.body is None else orjson.dumps(_filled_json(http.body, _values(number)))


def _values(number: str) -> dict[str, str]:
    return {"number": number, "digits": number.removeprefix("+")}


def _filled(template: str, values: dict[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: values[found[1]], template)


def _filled_json(part: JsonValue, values: dict[str, str]) -> JsonValue:
    match part:
        case str():
            return _filled(part, values)
        case list():
            return [_filled_json(inner, values) for inner in part]
        case dict():
            return {key: _filled_json(inner, values) for key, inner in part.items()}
    return part
