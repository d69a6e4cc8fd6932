"""What agents, and those who look after them, do at their desks and phones: presence, results of calls, more time.

Used by the desk, the agents' line and the command that sets a presence, as `Floor.agents`. Each raises
StoreUnavailable, and ValueError for what cannot be: an agent or a reason that is not known, a call that is not
theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from cordboard.acd.model import Presence
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import Changes
from cordboard.store.moments import now

WRITE_S = 2.0  # an agent waits for it

T = TypeVar("T")


class Doing(Protocol):
    """`Floor.do`."""

    async def __call__(self, work: Callable[[Connection], tuple[T, Changes]], longest_s: float) -> T:
        """Run a transaction, and tell whom it concerns; what it found."""


class AgentActs:
    """store: the transactions; do: runs one and tells whom it concerns."""

    def __init__(self, store: AcdStore, do: Doing) -> None:
        self._store = store
        self._do = do

    async def set_presence(self, agent: str, presence: Presence, reason: str = "") -> None:
        """What the agent chose."""
        await self._write(lambda c: self._store.set_presence(c, now(), agent, presence, reason))

    async def force_presence(self, by: str, agent: str, presence: Presence, reason: str = "") -> None:
        """What somebody else has decided for an agent. by: who, as the agent is told."""
        await self._write(lambda c: self._store.force_presence(c, now(), agent, presence, reason, by=by))

    async def dispose(self, agent: str, offer_id: str, disposition: str, note: str = "") -> None:
        """What came of a call, as the agent says; ends the wrap-up."""
        await self._write(lambda c: self._store.dispose(c, now(), agent, offer_id, disposition, note))

    async def dispose_last(self, agent: str, disposition: str) -> None:
        """What came of the call the agent has, or has had last."""
        await self._write(lambda c: self._store.dispose_last(c, now(), agent, disposition))

    async def extend_wrap_up(self, agent: str, offer_id: str) -> None:
        """More time for the notes on a call. ValueError also where there is none to be had."""
        await self._write(lambda c: self._store.extend_wrap_up(c, now(), agent, offer_id))

    async def extend_last(self, agent: str) -> None:
        """More time for the notes on the call the agent wraps up."""
        await self._write(lambda c: self._store.extend_last(c, now(), agent))

    async def _write(self, work: Callable[[Connection], Changes]) -> None:
        """Do what somebody asks for. What cannot be is refused (ValueError) before anything is written, and is an
        answer like any other: no fault of the store.
        """

        def answered(connection: Connection) -> tuple[ValueError | None, Changes]:
            try:
                return None, work(connection)
            except ValueError as refusal:
                return refusal, Changes()

        refusal = await self._do(answered, WRITE_S)
        if refusal is not None:
            raise refusal
