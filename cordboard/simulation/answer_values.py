"""Takes the values that a node wants out of the JSON which a web service is said to answer, as the service does."""

from __future__ import annotations

from typing import Any

from cordboard.http_client.json_path import value_at
from cordboard.service.foreign_values import Value, WrongValue, take_value
from cordboard.telephony.outcomes import HttpAnswered, HttpFailed
from cordboard.telephony.verbs import AnswerField


def answered(status: int, answer: Any, wanted: tuple[AnswerField, ...]) -> HttpAnswered | HttpFailed:
    """What the flow gets of an answer: what is missing is left out, what is of the wrong type spoils all of it."""
    found = {one: value_at(answer, one.path) for one in wanted}
    values: dict[str, Value] = {}
    try:
        for one, raw in found.items():
            if raw is not None:
                values[one.name] = take_value(one.path, one.kind, raw)
    except WrongValue as fault:
        return HttpFailed(str(fault), status)
    return HttpAnswered(status, values)
