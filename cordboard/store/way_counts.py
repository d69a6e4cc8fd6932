"""How many calls each flow had, and took each way out of each node: for the pictures of flows. Reads the traces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, TableValuedAlias, cast, func, select, true

from cordboard.store.tables import call_steps, traced_calls
from cordboard.telephony.call_id import id_at

# One row for each node that a step passed: `[flow, node, way, ...]`, as `flows.trace.step_json` writes it.
_Part = Callable[[int], ColumnElement[Any]]


def _in_sqlite() -> tuple[TableValuedAlias, _Part]:
    passed = func.json_each(call_steps.c.record, "$.passed").table_valued("value", name="passed")
    return passed, lambda number: func.json_extract(passed.c.value, f"$[{number}]")


def _in_postgres() -> tuple[TableValuedAlias, _Part]:
    steps = func.json_extract_path(cast(call_steps.c.record, JSON), "passed")
    passed = func.json_array_elements(steps).table_valued("value", name="passed")
    return passed, lambda number: func.json_extract_path_text(passed.c.value, str(number))


_PASSED: Mapping[str, tuple[TableValuedAlias, _Part]] = {"sqlite": _in_sqlite(), "postgresql": _in_postgres()}


def ways_taken(connection: Connection, flow: str, since: float) -> dict[tuple[str, str], int]:
    """By node and exit label, "" where a call ended; of calls that began after `since`, in seconds since 1970."""
    passed, part = _PASSED[connection.dialect.name]
    counted = (
        select(part(1).label("place"), part(2).label("way"), func.count().label("count"))
        .select_from(call_steps.join(passed, true()))
        .where(part(0) == flow, call_steps.c.call_id >= id_at(since))
        .group_by("place", "way")
    )
    return {(row.place, row.way): row._mapping["count"] for row in connection.execute(counted)}


def calls_begun(connection: Connection, since: float) -> dict[str, int]:
    """How many calls began with each flow after `since`, in seconds since 1970. A flow without any is left out."""
    flow = traced_calls.c.flow
    begun = traced_calls.c.call_id >= id_at(since)
    counted = select(flow, func.count().label("calls")).where(begun).group_by(flow)
    return {row.flow: row.calls for row in connection.execute(counted)}
