"""How commands end where a name is not known or somebody had enough. Used by the `cli_` files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def clear_words() -> Iterator[None]:
    """A name that nobody knows is one message and exit code 1; Ctrl-C ends a watch quietly."""
    from cordboard.bootstrap.floor_files import NotKnown

    try:
        yield
    except NotKnown as fault:
        typer.echo(f"cordboard: {fault}", err=True)
        raise typer.Exit(1) from fault
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
