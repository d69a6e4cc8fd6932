"""Who may log in to the desk, and who has: hashes only, never a password or a token.

The functions run in any transaction (the command line sets passwords with them); `StoredAccounts` is what the
desk's process uses. Hashing is the desk's business.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from cordboard.store.reader import StoreReader
from cordboard.store.tables import desk_sessions, logins
from cordboard.store.upserts import insert
from cordboard.store.writer import StoreThread

WRITE_S = 2.0

_insert_login = insert(logins)
_SET_PASSWORD = _insert_login.on_conflict_do_update(
    index_elements=[logins.c.agent], set_={"password_hash": _insert_login.excluded.password_hash}
)
_REMOVE_LOGIN = delete(logins).where(logins.c.agent == bindparam("b_agent"))
_PASSWORD = select(logins.c.password_hash).where(logins.c.agent == bindparam("b_agent"))
_LOGINS = select(logins.c.agent).order_by(logins.c.agent)

_insert_session = insert(desk_sessions)
_OPEN = _insert_session.on_conflict_do_update(
    index_elements=[desk_sessions.c.token_hash],
    set_={name: _insert_session.excluded[name] for name in ("agent", "expires_at")},
)
_FIND = select(desk_sessions).where(desk_sessions.c.token_hash == bindparam("b_token_hash"))
_CLOSE = delete(desk_sessions).where(desk_sessions.c.token_hash == bindparam("b_token_hash"))
_CLOSE_ALL_OF = delete(desk_sessions).where(desk_sessions.c.agent == bindparam("b_agent"))
_FORGET_EXPIRED = delete(desk_sessions).where(desk_sessions.c.expires_at <= bindparam("b_now"))


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in. token_hash: all that is kept of its token; expires_at: seconds since 1970."""

    token_hash: str = field(repr=False)
    agent: str
    expires_at: float


def set_password_hash(connection: Connection, agent: str, password_hash: str) -> None:
    """Let an agent log in with another password from now on; whoever is logged in as them is logged out."""
    connection.execute(_SET_PASSWORD, {"agent": agent, "password_hash": password_hash})
    connection.execute(_CLOSE_ALL_OF, {"b_agent": agent})


def remove_login(connection: Connection, agent: str) -> bool:
    """Let an agent log in no more, and log them out. False if they could not anyway."""
    connection.execute(_CLOSE_ALL_OF, {"b_agent": agent})
    return connection.execute(_REMOVE_LOGIN, {"b_agent": agent}).rowcount == 1


def password_hash(connection: Connection, agent: str) -> str | None:
    """What is kept of the agent's password, None if they have none."""
    found: str | None = connection.execute(_PASSWORD, {"b_agent": agent}).scalar_one_or_none()
    return found


def agents_with_login(connection: Connection) -> list[str]:
    """Who can log in."""
    return list(connection.execute(_LOGINS).scalars())


def open_session(connection: Connection, session: Session, now: float) -> None:
    """Keep a session, and forget those whose time is over. now: seconds since 1970."""
    connection.execute(_FORGET_EXPIRED, {"b_now": now})
    values = {"token_hash": session.token_hash, "agent": session.agent, "expires_at": session.expires_at}
    connection.execute(_OPEN, values)


def find_session(connection: Connection, token_hash: str) -> Session | None:
    """The session with this token, also if its time is over; None if there is none."""
    row: Any = connection.execute(_FIND, {"b_token_hash": token_hash}).one_or_none()
    return None if row is None else Session(row.token_hash, row.agent, row.expires_at)


def close_session(connection: Connection, token_hash: str) -> None:
    """Forget a session. One that is not there is no fault."""
    connection.execute(_CLOSE, {"b_token_hash": token_hash})


class StoredAccounts:
    """The accounts, for a process with a store thread. Every method raises StoreUnavailable."""

    def __init__(self, thread: StoreThread, reader: StoreReader) -> None:
        self._thread = thread
        self._reader = reader

    async def password_hash(self, agent: str) -> str | None:
        """What is kept of the agent's password, None if they have none."""
        return await self._reader.ask(lambda connection: password_hash(connection, agent))

    async def open_session(self, session: Session) -> None:
        """Keep a session."""
        await self._thread.ask(lambda connection: open_session(connection, session, time.time()), WRITE_S)

    async def find_session(self, token_hash: str) -> Session | None:
        """The session with this token, None if there is none."""
        return await self._reader.ask(lambda connection: find_session(connection, token_hash))

    async def close_session(self, token_hash: str) -> None:
        """Forget a session."""
        await self._thread.ask(lambda connection: close_session(connection, token_hash), WRITE_S)
