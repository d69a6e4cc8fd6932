"""Wakes by way of a shared database: a transaction says whom it concerns, and they hear of it once it is committed.

Said by `Turn.finish`, heard by `service.database_wakes`. As with the wakes of one machine, a notice is a hint: one
that is lost costs a second. A database of one machine says nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import NoReturn

import structlog
from sqlalchemy import Connection, bindparam, func, select

from cordboard.store.address import PostgresAddress

CHANNEL = "cordboard"
DESK = "desk"
EVERYBODY = "*"
LONGEST = 7_000  # bytes of names; the server takes 8,000
CONNECT_S = 2
AGAIN_S = 1.0  # after a connection was lost; whatever was said meanwhile is found by the look of each second

_SAY = select(func.pg_notify(CHANNEL, bindparam("names")))

log = structlog.get_logger()


def say(connection: Connection, names: Collection[str]) -> None:
    """Wake these processes when the transaction is committed, wherever they run."""
    if connection.dialect.name != "postgresql" or not names:
        return
    text = " ".join(sorted(names))
    connection.execute(_SAY, {"names": text if len(text.encode()) <= LONGEST else EVERYBODY})


async def hear(address: PostgresAddress, on_names: Callable[[frozenset[str]], None]) -> NoReturn:
    """Listen until cancelled, on a connection of its own. on_names: called with the names of each notice, and with
    EVERYBODY when a connection is there again.
    """
    while True:
        try:
            await _hear_once(address, on_names)
        except Exception as fault:  # the driver's, the resolver's, the system's: whichever, there is another try
            log.info("notices_not_heard", reason=str(fault).partition("\n")[0])
        await asyncio.sleep(AGAIN_S)


async def _hear_once(address: PostgresAddress, on_names: Callable[[frozenset[str]], None]) -> None:
    from psycopg import AsyncConnection  # only where there is a server

    connecting = AsyncConnection.connect(
        address.url,
        autocommit=True,
        connect_timeout=CONNECT_S,
        application_name="cordboard",
        password=address.password or None,
    )
    async with await connecting as connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        on_names(frozenset({EVERYBODY}))
        async for notice in connection.notifies():
            on_names(frozenset(notice.payload.split()))
