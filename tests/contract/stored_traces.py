"""The traces that a service has stored of a scenario, so that those of two switches can be compared, step by step.

What is kept is all that the engine was given and made of it. Left out is what differs between any two runs of the
same call: clock times, measured seconds, ids, and the words in which a switch names its own devices. Left out is
also an offer that came to nothing: Asterisk's dialplan makes it, and the call comes back as from a dial, while
FreeSWITCH rings the agent beside the caller, who stays. So the numbers of steps differ too.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from cordboard.lab.player import Result
from cordboard.store.address import Address
from cordboard.store.database import open_for_reading
from cordboard.store.traces import steps_of, traced_beginning_with

Traces = dict[str, list[str]]
"""By call, as "Ada Lovelace 1" (the first call of who is shown so): its steps, and at last its result."""

NOT_OVER = "result "
WRITTEN_S = 10.0  # the service writes steps in batches, twice a second

_MEASURED = ("talk_s", "duration_s", "waited_s", "joined_at", "ended_at", ".seconds")
_OWN = frozenset(["offer_id", "call_id", "revision", "kept_at", "seq"])
_PATTERNS = (
    (re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b"), "ID"),
    (re.compile(r"^(PJSIP|user)/"), "device/"),
    (re.compile(r"^1[0-9]{9}(\.[0-9]+)?$"), "MOMENT"),  # seconds since 1970
    (re.compile(r"^/\S*/"), "/"),  # where a recording lies
)


def traces_of(database: Address, result: Result) -> Traces:
    """Those of the calls that came to a node."""
    traces: Traces = {}
    engine = open_for_reading(database)
    try:
        with engine.connect() as connection:
            for who, call_id in _calls(result):
                given = [one for one in steps_of(connection, call_id) if not _is_vain_offer(one.data)]
                steps = [f"{one.kind} {normalised(one.data)}" for one in given]
                result_of_call = [one.result for one in traced_beginning_with(connection, call_id, 1)]
                traces[_name(traces, who)] = [*steps, f"result {''.join(result_of_call)}"]
    finally:
        engine.dispose()
    return traces


async def settled_traces(database: Address, result: Result) -> Traces:
    """The same, once all of it is written. Raises TimeoutError."""
    async with asyncio.timeout(WRITTEN_S):
        while True:
            traces = traces_of(database, result)
            if all(steps[-1] != NOT_OVER for steps in traces.values()):
                return traces
            await asyncio.sleep(0.05)  # no event tells of it


def normalised(record: Mapping[str, Any]) -> str:
    """A step's record without what no two runs have in common, as JSON on one line."""
    return json.dumps(_plain(record), ensure_ascii=False, sort_keys=True)


def _is_vain_offer(record: Mapping[str, Any]) -> bool:
    rung = record.get("outcome", {}).get("AgentRung")
    return rung is not None and rung["result"] != "joined"


def _calls(result: Result) -> list[tuple[str, str]]:
    """Who called, with the id of the call, in the order of their arrival."""
    nodes = [line for line in result.lines if line.kind == "node" and line.who]
    return list(dict.fromkeys((line.who, str(line.fields["call_id"])) for line in nodes))


def _name(known: Traces, who: str) -> str:
    number = 1
    while (name := f"{who} {number}") in known:
        number += 1
    return name


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items() if key not in _OWN and not key.endswith(_MEASURED)}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str):
        return _plain_text(value)
    return value


def _plain_text(text: str) -> str:
    for pattern, word in _PATTERNS:
        text = pattern.sub(word, text)
    return text
