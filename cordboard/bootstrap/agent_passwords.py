"""Passwords of agents for the desk: which will do, new ones, and how one gets into the store. Called by the CLI."""

from __future__ import annotations

import os
import pwd
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from cordboard.bootstrap.installation import UNIT_USER
from cordboard.bootstrap.process_limits import UMASK
from cordboard.errors import StoreUnavailable
from cordboard.service.passwords import LONGEST, hash_password
from cordboard.store.accounts import set_password_hash
from cordboard.store.address import Address
from cordboard.store.database import open_database
from cordboard.store.faults import in_words

SHORTEST = 10  # characters of a password that somebody chose; the desk slows down guessing
GROUPS, GROUP_LETTERS = 4, 4
LETTERS = "abcdefghjkmnpqrstuvwxyz"  # without those that look like others; 16 of them are 72 bits


def weakness_of(chosen: str, agent: str) -> str:
    """Why a password will not do, as the rest of a sentence; "" if it will."""
    if len(chosen) < SHORTEST:
        return f"has {len(chosen)} characters; {SHORTEST} are needed"
    if len(chosen) > LONGEST:
        return f"has more than {LONGEST} characters"
    return "is little more than the name" if len(chosen.lower().replace(agent.lower(), "")) < SHORTEST // 2 else ""


def generated() -> str:
    """A password that can be read out: `kzhw-pqtn-mrba-xuec`."""
    letters = ["".join(secrets.choice(LETTERS) for _ in range(GROUP_LETTERS)) for _ in range(GROUPS)]
    return "-".join(letters)


def keep_password(database: Address, agent: str, chosen: str) -> None:
    """Write the password's hash into the store, which is made if need be. Raises StoreUnavailable, StoreError."""
    password_hash = hash_password(chosen)
    write_account(database, lambda connection: set_password_hash(connection, agent, password_hash))


def write_account(database: Address, write: Callable[[Connection], None]) -> None:
    """Write of an account into the store, which is made if need be. Raises StoreUnavailable, StoreError."""
    before = os.umask(UMASK)
    try:
        _write(database, write)
    finally:
        os.umask(before)


def _write(database: Address, write: Callable[[Connection], None]) -> None:
    if isinstance(database, Path) and not database.parent.exists():
        database.parent.mkdir(parents=True)
        _give_to_service(database.parent)
    engine = open_database(database)
    try:
        with engine.begin() as connection:
            write(connection)
    except SQLAlchemyError as fault:
        raise StoreUnavailable(f"the database {database} cannot be written: {in_words(fault)}") from fault
    finally:
        engine.dispose()
        if isinstance(database, Path):
            _give_like(database.parent, database)


def _give_to_service(folder: Path) -> None:
    """What root makes belongs to the service's user, where there is one."""
    if os.geteuid() == 0:
        with suppress(KeyError):
            user = pwd.getpwnam(UNIT_USER)
            os.chown(folder, user.pw_uid, user.pw_gid)


def _give_like(folder: Path, database: Path) -> None:
    """What root has written belongs to whom the folder belongs to: else the service could not write it."""
    if os.geteuid() != 0:
        return
    owner = folder.stat()
    for path in folder.glob(f"{database.name}*"):
        with suppress(FileNotFoundError):  # SQLite removes its side files when the last program closes them
            os.chown(path, owner.st_uid, owner.st_gid)
