"""A PostgreSQL server of the tests' own: Debian's programs, a new cluster, one socket in a folder, nothing on disk
for long. Started when the first test of a process wants it, stopped when the process ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, make_url

from cordboard.store.address import PostgresAddress
from cordboard.store.postgres import upgrade
from cordboard.store.tables import metadata

PROGRAMS = Path("/usr/lib/postgresql")
USER = "postgres"
TEMPLATE = "cordboard_template"
WAIT_S = "60"
# Nobody needs these databases after a crash of the machine.
SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",
}


class PostgresServer:
    """A cluster in a folder. Databases are copies of one that has the tables. settings: of postgresql.conf."""

    def __init__(self, settings: Mapping[str, str] = SETTINGS) -> None:
        self._settings = settings
        self.folder = Path(tempfile.mkdtemp(prefix="cordboard-pg-", dir="/tmp"))  # a socket's path must be short
        self._data = self.folder / "data"
        self._made = 0
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER)
        self._guard = self._begin_guard()
        made = ("-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self._run("initdb", "-D", self._data, *made)
        self.start()
        self.administer(f"CREATE DATABASE {TEMPLATE}")
        upgrade(self.address(TEMPLATE))

    # -- its life --

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        log = self.folder / "log"
        options += f" -k {self.folder}"
        self._run("pg_ctl", "start", "-w", "-t", WAIT_S, "-D", self._data, "-l", log, "-o", options)

    def stop(self) -> None:
        """Stop it as an admin would who is in a hurry: connections are cut, what is committed is kept."""
        self._run("pg_ctl", "stop", "-w", "-t", WAIT_S, "-m", "fast", "-D", self._data)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Nobody is told anything: connections stay, and nothing comes over them."""
        main = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        stopped = [main]
        try:
            os.kill(main, signal.SIGSTOP)  # first, so that no more are born
            stopped += _children_of(main)
            _signal(stopped, signal.SIGSTOP)
            yield
        finally:
            _signal(stopped, signal.SIGCONT)

    def close(self) -> None:
        """Stop it for good, and leave nothing behind."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait(60)

    # -- its databases --

    def address(self, name: str) -> PostgresAddress:
        """Where the database of that name is."""
        return PostgresAddress(f"postgresql://{USER}@/{name}?host={self.folder}")

    def make_database(self, *, is_empty: bool = False) -> PostgresAddress:
        """A new database. is_empty: without tables."""
        self._made += 1
        name = f"made_{self._made}"
        self.administer(f"CREATE DATABASE {name} TEMPLATE {'template0' if is_empty else TEMPLATE}")
        return self.address(name)

    def drop_database(self, address: PostgresAddress) -> None:
        """Remove it, whoever is connected."""
        self.administer(f"DROP DATABASE {make_url(address.url).database} WITH (FORCE)")

    def administer(self, sql: str) -> None:
        """Carry out a command about databases."""
        with psycopg.connect(self.address("postgres").url, autocommit=True) as connection:
            connection.execute(sql)

    # -- inside --

    def _begin_guard(self) -> subprocess.Popen[bytes]:
        """A process that ends the server when this one closes the pipe to it, or dies of whatever."""
        end = (
            f"read -r _; kill -CONT $(head -1 {self._data}/postmaster.pid); "
            f"{_programs()}/pg_ctl stop -m immediate -D {self._data}; rm -rf {self.folder}"
        )
        silent = subprocess.DEVNULL
        return subprocess.Popen(
            ["sh", "-c", end],
            stdin=subprocess.PIPE,
            stdout=silent,
            stderr=silent,
            start_new_session=True,
            **_as_user(),
        )

    def _run(self, program: str, *arguments: str | Path) -> None:
        """One of the server's programs, which refuse to be run by root."""
        subprocess.run(
            [_programs() / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            **_as_user(),
        )


def _as_user() -> dict[str, Any]:
    return {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}


def _children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _signal(processes: Iterable[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(process, number)


def empty_tables(connection: Connection) -> None:
    """Forget every row, and count from 1 again."""
    for table in reversed(metadata.sorted_tables):
        connection.execute(table.delete())
    connection.exec_driver_sql("SELECT setval('ledger_seq_seq', 1, false)")


@cache
def _programs() -> Path:
    """The newest of the versions that are installed. Raises RuntimeError."""
    folders = sorted(PROGRAMS.glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if not folders:
        raise RuntimeError("these tests need Debian's postgresql: apt-get install postgresql")
    return folders[-1]
