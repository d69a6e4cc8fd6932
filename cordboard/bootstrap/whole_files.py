"""Small files that are there as a whole or not at all, whoever reads or dies meanwhile."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, text: str) -> None:
    """Put a text into a file in one go. A file that is replaced keeps its mode and owner; what root adds belongs to
    the owner of the folder, for the service must be able to write there too. Raises OSError.
    """
    make_folder(path.parent)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, "utf-8")
        if path.exists():
            part.chmod(path.stat().st_mode & 0o7777)
        _give(part, path if path.exists() else path.parent)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_json(path: Path, data: Any) -> None:
    """The same for JSON."""
    write_whole(path, json.dumps(data, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """What a JSON file holds; None if there is none, or none that can be read."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def make_folder(path: Path) -> None:
    """A folder, and those around it, with the owner of the one that was there. Raises OSError."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        _give(path, path.parent)


def _give(path: Path, like: Path) -> None:
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
