"""Writing our files into an admin's Asterisk directory, and taking them out again. Called by the command.

Only files of our own are written or removed, recognised by the line at their top; no other file is touched. What
has to be added to a file of the admin's is printed, for the admin to add.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

OUR_MARK = "Written by `cordboard install-dialplan`"
DIALPLAN_INCLUDE = '#include "cordboard.conf"'
MANAGER_INCLUDE = '#include "manager.d/cordboard.conf"'
_MODE = 0o640  # they hold the token and the manager's secret
_MARK_LINES = 3


class NotOurs(Exception):
    """A file of the same name stands there which we did not write."""


def install(target_dir: Path, files: Mapping[str, str], dry_run: bool = False) -> str:
    """Write files (name below target_dir to text) and answer with the unified diff; "" if nothing changes.

    Raises NotOurs, before anything is written, if one of them is somebody else's; OSError if it cannot be written.
    """
    changes = {target_dir / name: (_ours(target_dir / name), text) for name, text in files.items()}
    diff = "".join([_diff(path, old, new) for path, (old, new) in changes.items()])
    if not dry_run:
        for path, (old, new) in changes.items():
            if old != new:
                _write(path, new, owner_like=target_dir)
    return diff


def uninstall(target_dir: Path, names: Iterable[str], dry_run: bool = False) -> str:
    """Remove files of ours and answer with the unified diff; absent files are no fault. Raises NotOurs, OSError."""
    found = {path: text for name in names if (text := _ours(path := target_dir / name)) is not None}
    if not dry_run:
        for path in found:
            path.unlink()
    return "".join([_diff(path, text, None) for path, text in found.items()])


def _ours(path: Path) -> str | None:
    """A file's text; None if there is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise NotOurs(f"{path} was not written by cordboard; move it away first") from error
    if OUR_MARK not in "".join(text.splitlines(keepends=True)[:_MARK_LINES]):
        raise NotOurs(f"{path} was not written by cordboard; move it away first")
    return text


def _diff(path: Path, old: str | None, new: str | None) -> str:
    return "".join(
        difflib.unified_diff(
            (old or "").splitlines(keepends=True),
            (new or "").splitlines(keepends=True),
            "/dev/null" if old is None else str(path),
            "/dev/null" if new is None else str(path),
        )
    )


def _write(path: Path, text: str, owner_like: Path) -> None:
    """All or nothing: Asterisk may reload at any moment. The file gets the owner of the directory's own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(_MODE)
        _give_to_owner_of(owner_like, temporary)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _give_to_owner_of(directory: Path, file: str) -> None:
    owner = directory.stat()
    if os.geteuid() == 0:
        os.chown(file, owner.st_uid, owner.st_gid)
