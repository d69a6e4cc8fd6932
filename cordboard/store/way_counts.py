"""How many calls each flow had, and took each way out of each node: for the pictures of flows. Reads the traces."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, true

from cordboard.store.tables import call_steps, traced_calls
from cordboard.telephony.call_id import id_at

# One row for each node that a step passed: `[flow, node, way, ...]`, as `flows.trace.step_json` writes it.
_PASSED = func.json_each(call_steps.c.record, "$.passed").table_valued("value", name="passed")
_flow, _node, _way = (func.json_extract(_PASSED.c.value, f"$[{number}]") for number in range(3))


def ways_taken(connection: Connection, flow: str, since: float) -> dict[tuple[str, str], int]:
    """By node and exit label, "" where a call ended; of calls that began after `since`, in seconds since 1970."""
    counted = (
        select(_node.label("node"), _way.label("way"), func.count().label("count"))
        .select_from(call_steps.join(_PASSED, true()))
        .where(_flow == flow, call_steps.c.call_id >= id_at(since))
        .group_by(_node, _way)
    )
    return {(row.node, row.way): row._mapping["count"] for row in connection.execute(counted)}


def calls_begun(connection: Connection, since: float) -> dict[str, int]:
    """How many calls began with each flow after `since`, in seconds since 1970. A flow without any is left out."""
    flow = traced_calls.c.flow
    begun = traced_calls.c.call_id >= id_at(since)
    counted = select(flow, func.count().label("calls")).where(begun).group_by(flow)
    return {row.flow: row.calls for row in connection.execute(counted)}
