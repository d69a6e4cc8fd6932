"""The commands about the database: `db status`, `db upgrade`.

Registered by `cli`. A file of this machine is brought up to date by the service itself; a PostgreSQL database,
which several machines use, when somebody says so. Exit codes: 0 current, 1 not current, 2 wrong usage, 3 the
database cannot be used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cordboard.cli_options import ConfigOption

if TYPE_CHECKING:
    from cordboard.store.address import Address

db_app = typer.Typer(no_args_is_help=True, help="The database: how far it is, and bringing it up to date.")


@db_app.command()
def status(config: ConfigOption) -> None:
    """Which database it is, and whether its tables are those of this program."""
    from cordboard.bootstrap.database_state import state_of

    state = state_of(_address(config))
    typer.echo(state)
    if not state.is_current:
        raise typer.Exit(1)


@db_app.command()
def upgrade(config: ConfigOption) -> None:
    """Bring the tables up to date, before the first start and before a newer program starts."""
    from cordboard.bootstrap.database_state import upgrade as upgrade_database

    typer.echo(upgrade_database(_address(config)))


def _address(config: ConfigOption) -> Address:
    from cordboard.bootstrap.database_address import database_of
    from cordboard.settings import load_settings

    return database_of(load_settings(config)[0], config)
