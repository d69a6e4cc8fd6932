"""`cordboard schema`: JSON Schemas for editors, of every file that admins write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

OutOption = Annotated[Path, typer.Option("--out", help="The folder to write them to.", file_okay=False)]


def schema(out: OutOption = Path(".schemas")) -> None:
    """Write the JSON Schemas of flows, settings and all other files, for completion and hover texts in editors.

    With them in DIR/.schemas, the first line of the files that `cordboard init` writes finds them.
    """
    from cordboard.schema.files import write_schemas

    for path in write_schemas(out):
        typer.echo(path)
