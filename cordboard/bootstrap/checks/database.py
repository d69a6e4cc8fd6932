"""Check `database`: really writes a row and takes it back, as the service would; and how much room there is.

A lock that somebody holds for long is told apart from a file that nobody may write. Where there is no database yet,
the folder it will be made in is tried. Nothing stays behind.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cordboard.bootstrap.checks.database_server import examine_server
from cordboard.bootstrap.checks.file_locks import lock_holders
from cordboard.bootstrap.checks.premises import Premises, quoted
from cordboard.bootstrap.checks.result import Check, Result, fault, note, ok, warning
from cordboard.bootstrap.checks.sqlite_files import existing, primary_code
from cordboard.store.address import Address, PostgresAddress
from cordboard.store.migrations import HEAD

LOCK_S = 2.0  # what the service itself waits for a lock
LOW_MB, EMPTY_MB = 1_000, 100
_PROBE = "CREATE TABLE cordboard_doctor (at REAL)"
_MEGABYTE = 1_000_000


async def look(premises: Premises) -> Sequence[Result]:
    """What came of writing, and of looking at the disk."""
    return await asyncio.to_thread(examine, premises.database)


def examine(database: Address) -> list[Result]:
    """The same, at once. Blocks for `LOCK_S` if somebody holds a lock."""
    if isinstance(database, PostgresAddress):
        return examine_server(database)
    folder = nearest_folder(database.parent)
    written = try_to_write(database) if database.is_file() else try_folder(folder, database)
    room = judge_room(folder)
    return [written, *([room] if room else [])]


def try_to_write(database: Path) -> Result:
    """Whether the database takes a row, which is then taken back."""
    began = time.monotonic()
    try:
        with closing(existing(database, LOCK_S)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_PROBE)
            connection.execute("INSERT INTO cordboard_doctor VALUES (?)", (time.time(),))
            connection.execute("ROLLBACK")
            version = version_of(connection)
    except sqlite3.Error as refusal:
        return why_not(database, refusal)
    if version > HEAD:
        seen = f"{database} was made by a newer Cordboard (its tables are of version {version}, ours of {HEAD})"
        return fault(seen, "pip install --upgrade cordboard, or point `state:` in cordboard.yaml elsewhere")
    return ok(f"{database} takes writes, in {(time.monotonic() - began) * 1000:.0f} ms")


def version_of(connection: sqlite3.Connection) -> str:
    """Which version the tables have; "" if they were made before versions were counted."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return ""
    return str(row[0]) if row else ""


def why_not(database: Path, refusal: sqlite3.Error) -> Result:
    """The reason in words, with what to do about it."""
    match primary_code(refusal):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return _locked(database)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return _forbidden(database)
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            seen = f"{database} is not a sound database ({refusal})"
            return fault(seen, f"restore it from a backup, or: mv {quoted(database)} {quoted(database)}.broken")
        case sqlite3.SQLITE_FULL:
            return fault("the disk is full: the database takes no writes", _more_room(database.parent))
    return fault(f"{database} takes no writes: {refusal}", f"ls -l {quoted(database.parent)}; dmesg | tail")


def _locked(database: Path) -> Result:
    holders = lock_holders(database)
    who = ", ".join(str(holder) for holder in holders) or "another program"
    seen = f"{database} has been locked for more than {LOCK_S:.0f} s by {who}: no caller is offered to an agent"
    fix = f"end it: kill {holders[0].pid}" if holders else f"find and end it: fuser -v {quoted(database)}*"
    return fault(seen, fix)


def _forbidden(database: Path) -> Result:
    if is_mounted_read_only(database.parent):
        return _read_only_disk(database.parent)
    seen = f"{database} or its folder is read-only for this user ({_whoami()})"
    fix = f"run this as the service's user, or: chown asterisk {quoted(database.parent)} {quoted(database)}*"
    return fault(seen, fix)


def try_folder(folder: Path, database: Path) -> Result:
    """Whether a file can be made where the database, or the folders above it, will be."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".cordboard-doctor-") as probe:
            probe.write(b"\0")
            probe.flush()
    except OSError as refusal:
        if is_mounted_read_only(folder):
            return _read_only_disk(folder)
        fix = f"mkdir -p {quoted(database.parent)} && chown asterisk {quoted(database.parent)}"
        return fault(f"no database yet, and {folder} cannot be written ({refusal.strerror})", fix)
    return note(f"no database yet; the service will make {database}")


def judge_room(folder: Path) -> Result | None:
    """What is wrong with the room that is left, None if nothing is."""
    status = os.statvfs(folder)
    free_mb = status.f_bavail * status.f_frsize // _MEGABYTE
    if status.f_files and status.f_favail < 1000:
        return fault(f"the disk of {folder} has room for {status.f_favail} more files only", _more_room(folder))
    return judge_free(folder, free_mb)


def judge_free(folder: Path, free_mb: int) -> Result | None:
    """The same for what is free in MB."""
    seen = f"{free_mb} MB are free on the disk of {folder}"
    if free_mb < EMPTY_MB:
        return fault(seen, _more_room(folder))
    return warning(seen, _more_room(folder)) if free_mb < LOW_MB else None


def nearest_folder(path: Path) -> Path:
    """The folder itself if it exists, else the nearest one above it that does."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def is_mounted_read_only(folder: Path) -> bool:
    """Whether nobody at all may write there."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _read_only_disk(folder: Path) -> Result:
    return fault(f"the disk of {folder} is mounted read-only", "dmesg | tail says why; then: mount -o remount,rw")


def _more_room(folder: Path) -> str:
    return f"make room; the largest here are told by: du -xh {quoted(folder)} | sort -h | tail"


def _whoami() -> str:
    return f"uid {os.geteuid()}"


CHECK = Check("database", look, "the disk does not answer: dmesg | tail")
