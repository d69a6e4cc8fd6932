"""Where live calls are in their flows, for the worker that has to go on with them.

Writes are collected for a moment and carried out together; a call that ends meanwhile is never written at all.
They name the epoch (when the worker got the call): once a successor has taken a call over, what its last worker
still writes is ignored.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, select, update

from cordboard.errors import StoreUnavailable
from cordboard.store.moments import boot_ns
from cordboard.store.reader import StoreReader
from cordboard.store.tables import flow_runs
from cordboard.store.upserts import insert
from cordboard.store.writer import Fate, StoreThread, Told

ASK_DEADLINE_S = 0.5  # a caller waits in silence meanwhile
FIND_S = 1.5  # what a caller has entered is worth some silence; dialplans give a worker 3 s to say something
COLLECT_S = 0.1  # a worker killed within this time asks its callers the last question again
PENDING_MAX = 20_000  # calls waiting to be written; more than a worker takes

_insert = insert(flow_runs)
_UPSERT = _insert.on_conflict_do_update(
    index_elements=[flow_runs.c.call_id],
    set_={name: _insert.excluded[name] for name in ("epoch", "seq", "leg_id", "snapshot", "written_at")},
    where=(flow_runs.c.epoch <= _insert.excluded.epoch) & (flow_runs.c.seq <= _insert.excluded.seq),
)
_CLOSE = delete(flow_runs).where(
    flow_runs.c.call_id == bindparam("id"), flow_runs.c.epoch <= bindparam("held_epoch")
)


@dataclass(slots=True)
class Written:
    """How far a call's rows have reached the disk. Made by whoever saves, set by the writer thread."""

    seq: int = 0


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A live call's row. epoch: the holder's, from `new_epoch`."""

    call_id: str
    leg_id: str
    epoch: int
    seq: int
    snapshot: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Save:
    seq: int
    row: dict[str, Any]
    written: Written


@dataclass(slots=True)
class _Batch:
    """What the next transaction will do."""

    saves: dict[str, _Save] = field(default_factory=dict)
    closes: list[dict[str, Any]] = field(default_factory=list)

    def add(self, run: StoredRun, written: Written) -> None:
        """Have a row written, unless a newer one of the call waits already."""
        waiting = self.saves.get(run.call_id)
        if waiting is None or waiting.seq <= run.seq:
            self.saves[run.call_id] = _Save(run.seq, _row(run), written)

    def work(self, connection: Connection) -> None:
        """Write it."""
        if self.saves:
            connection.execute(_UPSERT, [save.row for save in self.saves.values()])
        if self.closes:
            connection.execute(_CLOSE, self.closes)

    def note_written(self) -> None:
        """Tell the conversations that their rows are on the disk."""
        for save in self.saves.values():
            save.written.seq = max(save.written.seq, save.seq)


def new_epoch() -> int:
    """Greater than that of every earlier holder of a call, whatever this machine's clock is set to."""
    return boot_ns()


class FlowRuns:
    """The rows of live calls. reader: for those that are needed while nothing can be written."""

    def __init__(self, thread: StoreThread, reader: StoreReader | None = None) -> None:
        self._thread = thread
        self._reader = reader
        self._batch = _Batch()
        self._timer: asyncio.TimerHandle | None = None
        self._handed: set[str] = set()  # calls of ours which have, or will have, a row

    @property
    def is_healthy(self) -> bool:
        """Whether the last work succeeded."""
        return self._thread.is_healthy

    def save_soon(self, run: StoredRun, written: Written) -> None:
        """Note where a call is; `written.seq` tells when it is on the disk."""
        if len(self._batch.saves) < PENDING_MAX:
            self._batch.add(run, written)
        self._flush_soon()

    async def save(self, run: StoredRun, written: Written, deadline_s: float = ASK_DEADLINE_S) -> None:
        """Note where a call is and wait until it is written. Raises StoreUnavailable."""
        self._batch.add(run, written)
        batch = self._take_batch()
        await self._thread.ask(batch.work, deadline_s, self._teller(batch))

    async def take_over(self, call_id: str, epoch: int) -> StoredRun | None:
        """Become the holder of a call and return its row; None if it has none. Raises StoreUnavailable.

        epoch: the new holder's. It counts from the moment this is carried out, also if that is after the deadline.
        """

        def work(connection: Connection) -> StoredRun | None:
            mine = flow_runs.c.call_id == call_id
            found = _find(connection, call_id, epoch)
            if found is not None:
                connection.execute(update(flow_runs).where(mine, flow_runs.c.epoch < epoch).values(epoch=epoch))
            return found

        self.flush()
        try:
            taken: StoredRun | None = await self._thread.ask(work, ASK_DEADLINE_S)
        except StoreUnavailable:
            self._thread.post(work, _nobody_asks)
            if self._reader is None:
                raise
            taken = await self._reader.ask(lambda connection: _find(connection, call_id, epoch), FIND_S)
        if taken is not None:
            self._handed.add(call_id)
        return taken

    def close_soon(self, call_id: str, epoch: int, *, is_ours: bool = True) -> None:
        """Forget a call that has ended, unless a later holder has it.

        is_ours: this worker held it, and knows whether there is a row.
        """
        self._batch.saves.pop(call_id, None)
        if call_id in self._handed or not is_ours:
            self._handed.discard(call_id)
            self._batch.closes.append({"id": call_id, "held_epoch": epoch})
            self._flush_soon()

    def let_go(self, call_id: str) -> None:
        """The call is another worker's business now: keep its row, forget that we know of it."""
        self._handed.discard(call_id)

    async def forget_ghosts(self, live_legs: Collection[str], written_before: float) -> int:
        """Forget calls whose leg is gone from the switch; how many.

        written_before: the time (seconds since 1970) just before the legs were listed; a row written later may
        belong to a leg that is newer than the list. Raises StoreUnavailable.
        """

        def work(connection: Connection) -> int:
            old = select(flow_runs.c.call_id, flow_runs.c.leg_id).where(flow_runs.c.written_at < written_before)
            gone = [{"id": row.call_id} for row in connection.execute(old) if row.leg_id not in live_legs]
            if gone:
                connection.execute(delete(flow_runs).where(flow_runs.c.call_id == bindparam("id")), gone)
            return len(gone)

        count: int = await self._thread.ask(work, 5.0)
        return count

    async def count(self) -> int:
        """How many calls have a row. Raises StoreUnavailable."""
        self.flush()
        total: int = await self._thread.ask(
            lambda connection: len(connection.execute(select(flow_runs.c.call_id)).all()), ASK_DEADLINE_S
        )
        return total

    def flush(self) -> None:
        """Hand what was collected to the thread now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch.saves or self._batch.closes:
            batch = self._take_batch()
            self._thread.post(batch.work, self._teller(batch))

    def _flush_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COLLECT_S, self.flush)

    def _take_batch(self) -> _Batch:
        batch, self._batch = self._batch, _Batch()
        self._handed.update(batch.saves)
        return batch

    def _teller(self, batch: _Batch) -> Told:
        """What the thread calls: notes what is written, or has what is not tried again."""
        loop = asyncio.get_running_loop()

        def told(fate: Fate) -> None:
            if fate == "written":
                batch.note_written()
            elif fate == "try_again" and not loop.is_closed():
                loop.call_soon_threadsafe(self._put_back, batch)

        return told

    def _put_back(self, batch: _Batch) -> None:
        """Try again what could not be written, unless there is something newer or too much of it."""
        if len(self._batch.saves) + len(self._batch.closes) > PENDING_MAX:
            return
        self._batch.saves = {**batch.saves, **self._batch.saves}
        self._batch.closes = batch.closes + self._batch.closes
        self._flush_soon()


def _nobody_asks(_fate: Fate) -> None:
    """Told of work whose end makes no difference to anybody."""


def _find(connection: Connection, call_id: str, epoch: int) -> StoredRun | None:
    """A call's row, as its new holder has it."""
    row = connection.execute(select(flow_runs).where(flow_runs.c.call_id == call_id)).one_or_none()
    return None if row is None else StoredRun(call_id, row.leg_id, epoch, row.seq, orjson.loads(row.snapshot))


def _row(run: StoredRun) -> dict[str, Any]:
    return {
        "call_id": run.call_id,
        "epoch": run.epoch,
        "seq": run.seq,
        "leg_id": run.leg_id,
        "snapshot": orjson.dumps(run.snapshot).decode(),
        "written_at": time.time(),
    }
