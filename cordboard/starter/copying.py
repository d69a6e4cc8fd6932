"""Makes a configuration to start from: a support line with its tests, queues, agents and numbers.

Called by `cordboard init`. The files are those of the folder `configuration`, with the line that tells editors
their schema, and the schemas beside them.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from cordboard.schema.files import FOLDER, with_modeline, write_schemas


class NotEmpty(Exception):
    """There is something in the directory."""


def make_configuration(directory: Path) -> list[PurePosixPath]:
    """Copy the starter into a new or empty directory; the files, by their paths there.

    Raises NotEmpty if something is there already: nobody's files are written over.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise NotEmpty(directory)
    written = [
        _copy(source, path, directory)
        for source, path in _files(files("cordboard.starter") / "configuration", PurePosixPath())
    ]
    write_schemas(directory / FOLDER)
    return written


def _files(folder: Traversable, at: PurePosixPath) -> list[tuple[Traversable, PurePosixPath]]:
    """Every YAML file of the starter, with its path there."""
    found: list[tuple[Traversable, PurePosixPath]] = []
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            found += _files(entry, at / entry.name)
        elif entry.name.endswith(".yaml"):
            found.append((entry, at / entry.name))
    return found


def _copy(source: Traversable, path: PurePosixPath, directory: Path) -> PurePosixPath:
    target = directory / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(with_modeline(path, source.read_text("utf-8")), "utf-8")
    return path
