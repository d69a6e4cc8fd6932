"""Writing our files into a switch's configuration directory, and taking them out again.

Only files of our own are written or removed, recognised by the line at their top; no other file is touched, but for
those that the caller says may be replaced: they are kept beside ours, and come back when ours is taken out. Used by
the installations, which print what has to be added to a file of the admin's.
"""

from __future__ import annotations

import contextlib
import difflib
import grp
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

OUR_MARK = "Written by `cordboard install-dialplan`"
KEPT = ".before-cordboard"  # behind the name of a file whose place we have taken; no switch reads it under that
_MODE = 0o640  # they hold the token and the secret
_MARK_LINES = 3

MayReplace = Callable[[str], bool]
"""Whether a file that is not ours may be replaced, by its text."""


class NotOurs(Exception):
    """A file of the same name stands there which we did not write."""


def never(_text: str) -> bool:
    """No file that is not ours may be replaced."""
    return False


def install(
    target_dir: Path,
    files: Mapping[str, str],
    dry_run: bool = False,
    may_replace: MayReplace = never,
    read_by: str = "",
) -> str:
    """Write files (name below target_dir to text) and answer with the unified diff; "" if nothing changes. read_by:
    the group that must be able to read them where the directory is root's alone.

    Raises NotOurs, before anything is written, if one of them is somebody else's; OSError if it cannot be written.
    """
    changes = {target_dir / name: (_found(target_dir / name, may_replace), text) for name, text in files.items()}
    diff = "".join([_diff(path, old, new) for path, (old, new) in changes.items()])
    if not dry_run:
        for path, (old, new) in changes.items():
            if old is not None and not is_ours(old):
                path.rename(path.with_name(path.name + KEPT))
            if old != new:
                _write(path, new, owner_like=target_dir, read_by=read_by)
    return diff


def uninstall(target_dir: Path, names: Iterable[str], dry_run: bool = False) -> str:
    """Remove files of ours and answer with the unified diff; absent files are no fault. Raises NotOurs, OSError."""
    found = {path: text for name in names if (text := _found(path := target_dir / name, never)) is not None}
    if not dry_run:
        for path in found:
            path.unlink()
            _bring_back(path)
    return "".join([_diff(path, text, None) for path, text in found.items()])


def is_ours(text: str) -> bool:
    """Whether we wrote a file, by its text."""
    return OUR_MARK in "".join(text.splitlines(keepends=True)[:_MARK_LINES])


def _bring_back(path: Path) -> None:
    """What stood there before us."""
    kept = path.with_name(path.name + KEPT)
    if kept.exists():
        kept.rename(path)


def _found(path: Path, may_replace: MayReplace) -> str | None:
    """A file's text; None if there is none. Raises NotOurs."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise NotOurs(f"{path} was not written by cordboard; move it away first") from error
    if not is_ours(text) and not may_replace(text):
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


def _write(path: Path, text: str, owner_like: Path, read_by: str) -> None:
    """All or nothing: the switch may reload at any moment. The file gets the owner of the directory's own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(_MODE)
        _give_to_owner_of(owner_like, temporary, read_by)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _give_to_owner_of(directory: Path, file: str, read_by: str) -> None:
    if os.geteuid() != 0:
        return
    owner = directory.stat()
    group = owner.st_gid
    if group == 0 and read_by:
        with contextlib.suppress(KeyError):  # no such group: the switch runs as somebody else
            group = grp.getgrnam(read_by).gr_gid
    os.chown(file, owner.st_uid, group)
