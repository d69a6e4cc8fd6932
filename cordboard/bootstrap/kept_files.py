"""Copies of the YAML files, in the state folder: what is checked is what is used, whatever is saved meanwhile.

Workers read through the link `active`. A worker which dies while a file on disk is half edited comes back with
what is running.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path


class KeptFiles:
    """The copies of one configuration directory. Every method may raise OSError."""

    def __init__(self, directory: Path, state: Path) -> None:
        self._directory = directory
        self._state = state
        self.active = state / "active"

    @contextlib.contextmanager
    def candidate(self) -> Iterator[Path]:
        """A copy of the files as they are now. It is kept if the block ends well, and then is `active`."""
        self._state.mkdir(parents=True, exist_ok=True)
        fresh = self._state / f"active-{time.time_ns()}"
        try:
            self._copy_to(fresh)
            yield fresh
            self._activate(fresh)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        self._remove_others(fresh)

    def _copy_to(self, fresh: Path) -> None:
        (fresh / "flows").mkdir(parents=True)
        for pattern in ("*.yaml", "flows/*.yaml"):
            for file in self._directory.glob(pattern):
                shutil.copyfile(file, fresh / file.relative_to(self._directory))

    def _activate(self, fresh: Path) -> None:
        """Switch over at once: a reader sees the old files or the new ones."""
        link = fresh.with_suffix(".link")
        link.symlink_to(fresh)
        link.replace(self.active)

    def _remove_others(self, fresh: Path) -> None:
        """Older copies, and what a process that died here has left."""
        for old in self._state.glob("active-*"):
            if old.is_symlink():
                old.unlink(missing_ok=True)
            elif old != fresh:
                shutil.rmtree(old, ignore_errors=True)
