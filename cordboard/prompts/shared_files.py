"""Folders and files of sounds, which belong to the service whoever makes them. Used wherever sounds are written.

An admin speaks prompts as root, before the service or beside it; it must be able to write its own there afterwards.
"""

from __future__ import annotations

import os
from pathlib import Path


def make_folder(path: Path) -> None:
    """A folder, and those around it, with the owner of the one that was there. Raises OSError."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        give(path)


def give(path: Path) -> None:
    """What root has made goes to the owner of the folder that it is in. Raises OSError."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
