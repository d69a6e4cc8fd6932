"""How far a database is, and bringing it up to date: for `cordboard db`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cordboard.bootstrap.process_limits import UMASK
from cordboard.errors import StoreUnavailable
from cordboard.store import migrations, postgres
from cordboard.store.address import Address, PostgresAddress, is_made
from cordboard.store.database import open_database, open_for_reading


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """step: which step of the tables the database has, None for none; wanted: which this program needs."""

    address: Address
    step: str | None
    wanted: str

    @property
    def is_current(self) -> bool:
        """Whether the service can use it as it is."""
        return self.step == self.wanted

    def __str__(self) -> str:
        if self.is_current:
            return f"{self.address}: tables of step {self.step}, as this program needs them"
        has = f"tables of step {self.step}" if self.step else "no tables"
        return f"{self.address}: {has}; this program needs step {self.wanted}: {self._cure}"

    @property
    def _cure(self) -> str:
        if self.step is not None and self.step > self.wanted:
            return "use the newer Cordboard that made them"
        return "cordboard db upgrade" if isinstance(self.address, PostgresAddress) else "start the service"


def state_of(address: Address) -> DatabaseState:
    """Look. Raises StoreUnavailable."""
    if not is_made(address):
        return DatabaseState(address, None, migrations.HEAD)
    engine = open_for_reading(address)
    try:
        with postgres.told_as_ours(address), engine.begin() as connection:
            return DatabaseState(address, migrations.version_of(connection), migrations.HEAD)
    finally:
        engine.dispose()


def upgrade(address: Address) -> DatabaseState:
    """Make the tables those of this program; no row is lost, and what is current stays as it is.

    Raises StoreUnavailable, StoreError for a database of a newer program.
    """
    if isinstance(address, PostgresAddress):
        postgres.upgrade(address)
    else:
        _upgrade_file(address)
    return state_of(address)


def _upgrade_file(path: Path) -> None:
    """A file is only brought up to date here: made by whoever runs this it might not be the service's."""
    if not path.is_file():
        raise StoreUnavailable(f"there is no database {path} yet; it is made when the service starts")
    before = os.umask(UMASK)
    try:
        open_database(path).dispose()
    finally:
        os.umask(before)
