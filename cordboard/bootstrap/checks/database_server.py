"""What the checks ask of a database that is on a PostgreSQL server: whether it takes writes, has our tables, and
tells the same time. Called by the checks `database`, `secrets` and `clock`. Nothing stays behind.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from cordboard.bootstrap.checks.result import Result, fault, ok, warning
from cordboard.errors import StoreError
from cordboard.store.address import PostgresAddress
from cordboard.store.cures import told
from cordboard.store.database import open_database
from cordboard.store.postgres import looking

APART_S = 1.0  # waits are told by the clock of each machine, deadlines by the server's
_PROBE = text("INSERT INTO meta (key, value) VALUES ('doctor', '')")


def examine_server(address: PostgresAddress) -> list[Result]:
    """Whether the service could work with it. Blocks for some seconds if it does not answer."""
    began = time.monotonic()
    try:
        _try_to_write(address)
    except SQLAlchemyError as refusal:
        return [fault(f"{address} takes no writes: {told(address, refusal)}", "the server's log says why")]
    except StoreError as refusal:
        return [fault(str(refusal), _fix(address, str(refusal)))]
    took_ms = (time.monotonic() - began) * 1000
    apart = judge_clocks(answer_of(address, "SELECT extract(epoch FROM clock_timestamp())::float8"), time.time())
    return [ok(f"{address} takes writes, in {took_ms:.0f} ms"), *([apart] if apart else [])]


def _fix(address: PostgresAddress, refusal: str) -> str:
    """What to type about it."""
    if "db upgrade" in refusal:
        return "cordboard db upgrade"
    return "pip install --upgrade cordboard" if "newer Cordboard" in refusal else f"psql '{address}'"


def _try_to_write(address: PostgresAddress) -> None:
    engine = open_database(address)
    try:
        with engine.connect() as connection:
            connection.execute(_PROBE)
            connection.rollback()
    finally:
        engine.dispose()


def judge_clocks(server_s: float | None, ours_s: float) -> Result | None:
    """What is wrong with the time of the server, as against this machine's. None: nothing, or it does not tell."""
    if server_s is None or abs(server_s - ours_s) < APART_S:
        return None
    seen = f"the clocks of this machine and of the database are {abs(server_s - ours_s):.1f} s apart"
    return warning(seen, "timedatectl set-ntp true, on both")


def answer_of(address: PostgresAddress, question: str) -> Any:
    """The first value of the answer; None if there is none, or nobody to answer (`database` tells)."""
    return next(iter(answers_of(address, question) or ()), None)


def answers_of(address: PostgresAddress, question: str) -> list[Any] | None:
    """The first value of each row; None if nobody answers."""
    try:
        with looking(address) as connection:
            return list(connection.execute(text(question)).scalars())
    except SQLAlchemyError:
        return None
