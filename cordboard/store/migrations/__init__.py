"""Brings a database to the tables of this code, step by step, and refuses one that is newer.

Run in a transaction that holds the lock of writers, so that of several processes which start at once one does it
and the others find it done: by `open_database` for a database of this machine, by `cordboard db upgrade` for one
that several machines share. Steps are in `versions/`; they run before any code uses the tables.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from cordboard.errors import StoreError

HEAD = "0007"  # the newest file in versions/

_FOLDER = Path(__file__).parent


def upgrade(connection: Connection) -> None:
    """Make the tables those of this code; every row stays. Raises StoreError for a newer database."""
    found = version_of(connection)
    if found == HEAD:
        return  # and alembic, which takes 0.1 s to import, is not needed
    _run(connection, found)


def version_of(connection: Connection) -> str | None:
    """Which step a database has reached; None if it was made before there were steps, or just now."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def newer_words(found: str) -> str:
    """What to say of a database that has steps which this code does not know."""
    return (
        f"the database was made by a newer Cordboard (its version is {found}, this one knows up to {HEAD}): "
        f"use that one, or give this one a database of its own"
    )


def _run(connection: Connection, found: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(newer_words(found))
    command.upgrade(config, "head")
