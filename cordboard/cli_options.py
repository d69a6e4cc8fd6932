"""The options that many commands have, written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SETTINGS_FILE = "cordboard.yaml"
"""What makes a folder a configuration."""

_LEVELS = 4  # a file in a folder of a folder of the configuration, at most


def configuration_of(start: Path) -> Path | None:
    """The configuration that a file or folder belongs to, as a person would write it from here."""
    start = start.absolute()
    found = next((one for one in [start, *start.parents][:_LEVELS] if (one / SETTINGS_FILE).is_file()), None)
    here = Path.cwd()
    return found.relative_to(here) if found and found.is_relative_to(here) else found


def configuration_here() -> Path:
    """The configuration that the current folder belongs to. Raises typer.BadParameter."""
    found = configuration_of(Path.cwd())
    if found is None:
        hint = "`-c DIR` names one, `cordboard init DIR` makes one"
        raise typer.BadParameter(f"there is no {SETTINGS_FILE} here or above; {hint}", param_hint="--config")
    return found


ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config", "-c", exists=True, file_okay=False, default_factory=configuration_here, show_default=False,
        help="The configuration directory; if left out, the one that this folder belongs to.",
    ),
]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
