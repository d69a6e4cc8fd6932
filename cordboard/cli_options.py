"""The options that many commands have, written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration directory.", exists=True, file_okay=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
