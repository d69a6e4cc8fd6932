"""Makes a configuration to start from: a support line with its tests, queues, agents and numbers.

Called by `cordboard init`. The files are those of the folder `configuration`, and of the one in it that is named
for the switch; with the line that tells editors their schema, and the schemas beside them.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import get_args

from cordboard.schema.files import FOLDER, with_modeline, write_schemas
from cordboard.telephony.capabilities import SwitchName


class NotEmpty(Exception):
    """There is something in the directory."""


def make_configuration(directory: Path, switch: SwitchName = "asterisk") -> list[PurePosixPath]:
    """Copy the starter of a switch into a new or empty directory; the files, by their paths there.

    Raises NotEmpty if something is there already: nobody's files are written over.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise NotEmpty(directory)
    folder = files("cordboard.starter") / "configuration"
    found = _files(folder, PurePosixPath()) | _files(folder / switch, PurePosixPath())
    written = [_copy(found[path], path, directory) for path in sorted(found)]
    write_schemas(directory / FOLDER)
    return written


def _files(folder: Traversable, at: PurePosixPath) -> dict[PurePosixPath, Traversable]:
    """Every YAML file of the starter by its path there; without what is for one of the switches alone."""
    found: dict[PurePosixPath, Traversable] = {}
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name not in get_args(SwitchName):
            found |= _files(entry, at / entry.name)
        elif entry.name.endswith(".yaml"):
            found[at / entry.name] = entry
    return found


def _copy(source: Traversable, path: PurePosixPath, directory: Path) -> PurePosixPath:
    target = directory / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(with_modeline(path, source.read_text("utf-8")), "utf-8")
    return path
