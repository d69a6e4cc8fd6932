"""Where the database of a configuration is: its file, or the server with the password that belongs to it."""

from __future__ import annotations

import os
from pathlib import Path

from cordboard.settings import Settings, read_secret
from cordboard.store.address import Address, PostgresAddress

FILE = "cordboard.db"


def database_of(settings: Settings, directory: Path) -> Address:
    """The database that the settings name. directory: the configuration's.

    Raises ConfigurationError if the password cannot be read.
    """
    database = settings.database
    if database.url is None:
        return Path(os.path.normpath(directory.absolute() / (database.path or settings.state / FILE)))
    if database.password is None:
        return PostgresAddress(database.url)
    return PostgresAddress(database.url, read_secret(database.password, directory))
