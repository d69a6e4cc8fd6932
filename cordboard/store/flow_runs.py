"""Where live calls are in their flows, for the worker that has to go on with them.

Writes name the epoch (how many workers have held the call): once a successor has taken a call over, what its
last worker still writes is ignored.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from cordboard.store.tables import flow_runs
from cordboard.store.writer import StoreThread

ASK_DEADLINE_S = 0.5  # a caller waits in silence meanwhile

_insert = insert(flow_runs)
_UPSERT = _insert.on_conflict_do_update(
    index_elements=[flow_runs.c.call_id],
    set_={name: _insert.excluded[name] for name in ("epoch", "seq", "leg_id", "snapshot", "written_at")},
    where=(flow_runs.c.epoch <= _insert.excluded.epoch) & (flow_runs.c.seq <= _insert.excluded.seq),
)
_CLOSE = delete(flow_runs).where(
    flow_runs.c.call_id == bindparam("id"), flow_runs.c.epoch <= bindparam("held_epoch")
)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A live call's row. epoch: the holder's own number, already counted up by `take_over`."""

    call_id: str
    epoch: int
    seq: int
    snapshot: dict[str, Any]


class FlowRuns:
    """The rows of live calls."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    @property
    def is_healthy(self) -> bool:
        """Whether the last work succeeded."""
        return self._thread.is_healthy

    def save_soon(self, run: StoredRun, leg_id: str) -> bool:
        """Note where a call is; False if the store is too far behind to take it."""
        return self._thread.post(_saving(run, leg_id))

    async def save(self, run: StoredRun, leg_id: str) -> None:
        """Note where a call is and wait until it is written. Raises StoreUnavailable."""
        await self._thread.ask(_saving(run, leg_id), ASK_DEADLINE_S)

    async def take_over(self, call_id: str) -> StoredRun | None:
        """Become the holder of a call and return its row; None if it has none. Raises StoreUnavailable."""

        def work(connection: Connection) -> StoredRun | None:
            mine = flow_runs.c.call_id == call_id
            connection.execute(update(flow_runs).where(mine).values(epoch=flow_runs.c.epoch + 1))
            row = connection.execute(select(flow_runs).where(mine)).one_or_none()
            return StoredRun(call_id, row.epoch, row.seq, orjson.loads(row.snapshot)) if row else None

        taken: StoredRun | None = await self._thread.ask(work, ASK_DEADLINE_S)
        return taken

    def close_soon(self, call_id: str, epoch: int) -> None:
        """Forget a call that has ended, unless a later holder has it."""
        self._thread.post(lambda connection: connection.execute(_CLOSE, {"id": call_id, "held_epoch": epoch}))

    async def forget_ghosts(self, live_legs: Collection[str], written_before: float) -> int:
        """Forget calls whose leg is gone from the switch; how many.

        written_before: the time (seconds since 1970) just before the legs were listed; a row written later may
        belong to a leg that is newer than the list. Raises StoreUnavailable.
        """

        def work(connection: Connection) -> int:
            old = select(flow_runs.c.call_id, flow_runs.c.leg_id, flow_runs.c.written_at)
            rows = connection.execute(old.where(flow_runs.c.written_at < written_before)).all()
            gone = [row.call_id for row in rows if row.leg_id not in live_legs]
            if gone:
                connection.execute(
                    delete(flow_runs).where(flow_runs.c.call_id == bindparam("id")),
                    [{"id": call_id} for call_id in gone],
                )
            return len(gone)

        count: int = await self._thread.ask(work, 5.0)
        return count

    async def count(self) -> int:
        """How many calls have a row. Raises StoreUnavailable."""
        total: int = await self._thread.ask(
            lambda connection: len(connection.execute(select(flow_runs.c.call_id)).all()), ASK_DEADLINE_S
        )
        return total


def _saving(run: StoredRun, leg_id: str) -> Any:
    values = {
        "call_id": run.call_id,
        "epoch": run.epoch,
        "seq": run.seq,
        "leg_id": leg_id,
        "snapshot": orjson.dumps(run.snapshot).decode(),
        "written_at": time.time(),
    }
    return lambda connection: connection.execute(_UPSERT, values)
