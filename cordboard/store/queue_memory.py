"""What queues remember from one choice of an agent to the next, kept in the store. Called where offers are made."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import bindparam, select

from cordboard.acd.model import Memory
from cordboard.store.tables import queue_memory
from cordboard.store.turn import Turn
from cordboard.store.upserts import insert

_READ = select(queue_memory).where(queue_memory.c.queue.in_(bindparam("b_queues", expanding=True)))
_insert = insert(queue_memory)
_KEEP = _insert.on_conflict_do_update(
    index_elements=[queue_memory.c.queue],
    set_={"last_agent": _insert.excluded.last_agent, "data": _insert.excluded.data},
)


def read(turn: Turn, queues: Collection[str]) -> dict[str, Memory]:
    """The memories of those of these queues that have one."""
    rows = turn.rows(_READ, b_queues=list(queues))
    return {row.queue: Memory(row.last_agent, json.loads(row.data)) for row in rows}


def keep(turn: Turn, queue: str, before: Memory | None, memory: Memory) -> None:
    """Write a memory, if it is another than before. before: None for none yet."""
    if memory != (before or Memory()):
        turn.run(_KEEP, queue=queue, last_agent=memory.last_agent, data=json.dumps(memory.data))
