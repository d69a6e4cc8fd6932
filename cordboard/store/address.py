"""Where a database is: a file of this machine (`Path`), or a PostgreSQL server that several machines share.

Made from the settings by `bootstrap.database_address`, taken by everything that opens a database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A database on a server. url: postgresql://user@host/name, without the password, which is never shown."""

    url: str
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.url


Address = Path | PostgresAddress


def is_made(address: Address) -> bool:
    """Whether there is a database to look at; a server is not asked, it says so itself."""
    return not isinstance(address, Path) or address.is_file()
