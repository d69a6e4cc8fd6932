"""Who can say on the telephone who they are: agents, and what is kept of their PINs.

The command line sets PINs with a plain connection, the agents' line asks for them through `StoredPins`. A PIN
itself is never kept; the hash is argon2's and made elsewhere. It is no strong secret: what protects it is that it
cannot be tried often.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, select

from cordboard.store.reader import StoreReader
from cordboard.store.tables import agent_pins
from cordboard.store.upserts import insert

_insert = insert(agent_pins)
_SET = _insert.on_conflict_do_update(
    index_elements=[agent_pins.c.agent], set_={"pin_hash": _insert.excluded.pin_hash}
)
_HASH = select(agent_pins.c.pin_hash).where(agent_pins.c.agent == bindparam("b_agent"))
_REMOVE = delete(agent_pins).where(agent_pins.c.agent == bindparam("b_agent"))


def set_pin_hash(connection: Connection, agent: str, pin_hash: str) -> None:
    """Have an agent known by another PIN from now on."""
    connection.execute(_SET, {"agent": agent, "pin_hash": pin_hash})


def remove_pin(connection: Connection, agent: str) -> bool:
    """Have an agent known by no PIN any more. False if they were not anyway."""
    return connection.execute(_REMOVE, {"b_agent": agent}).rowcount == 1


def pin_hash(connection: Connection, agent: str) -> str | None:
    """What is kept of the agent's PIN, None if they have none."""
    found: str | None = connection.execute(_HASH, {"b_agent": agent}).scalar_one_or_none()
    return found


class StoredPins:
    """The PINs, for a process with a store reader."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader

    async def pin_hash(self, agent: str) -> str | None:
        """What is kept of the agent's PIN, None if they have none. Raises StoreUnavailable."""
        return await self._reader.ask(lambda connection: pin_hash(connection, agent))
