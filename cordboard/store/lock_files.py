"""Files that are there to be locked (`flock`), beside the database. Used by `database` and `turnstile`.

They hold nothing, and need not be there: who removes one while nothing runs takes nothing away.
"""

from __future__ import annotations

import os
from pathlib import Path


def open_lock(path: Path) -> int:
    """A lock file of this name, made if there is none; its descriptor. Raises OSError."""
    lock = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _give_to_owner_of(path.parent, lock)
    return lock


def _give_to_owner_of(folder: Path, lock: int) -> None:
    """A command run as root must not leave a lock that the service may not open."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(lock, owner.st_uid, owner.st_gid)
