"""Queues in which one caller at a time is offered to agents, as app_queue does without `autofill`.

Asked by `acd_matching` for how many callers of a queue may be offered now.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from cordboard.acd.strategies.compat import serves_one_at_a_time
from cordboard.store.state_conditions import IN_LINE
from cordboard.store.tables import queue_entries
from cordboard.store.turn import Turn

_OFFERED = select(queue_entries.c.queue).where(IN_LINE, queue_entries.c.state == "offered").distinct()


def one_at_a_time(turn: Turn, queues: Collection[str]) -> dict[str, int]:
    """How many callers of these queues may be offered to agents now, 0 or 1; those without such a limit are not in
    it.
    """
    names = [name for name in queues if serves_one_at_a_time(turn.queue(name))]
    offered = {row.queue for row in turn.rows(_OFFERED)} if names else set()
    return {name: 0 if name in offered else 1 for name in names}
