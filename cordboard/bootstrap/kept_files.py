"""Copies of the YAML files, in the state folder: what is checked is what is used, whatever is saved meanwhile.

Workers read through the link `active`. A worker which dies while a file on disk is half edited comes back with
what is running.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from cordboard.bootstrap.flow_files import flow_files

_PATTERNS = ("*.yaml", "flows/*.yaml")


def kept_in(state: Path) -> Path:
    """Where the files that are in use are; nothing is there before a service has run."""
    return state / "active"


class KeptFiles:
    """The copies of one configuration directory. Every method may raise OSError."""

    def __init__(self, directory: Path, state: Path) -> None:
        self._directory = directory
        self._state = state
        self.active = kept_in(state)

    @contextlib.contextmanager
    def candidate(self, only: Collection[str] = ()) -> Iterator[Path]:
        """A copy of the files as they are now. It is kept if the block ends well, and then is `active`.

        only: names of flows; everything else stays as it is active.
        """
        self._state.mkdir(parents=True, exist_ok=True)
        fresh = self._state / f"active-{time.time_ns()}"
        try:
            self._copy(self.active if only else self._directory, fresh)
            for flow in only:
                self._copy_flow(flow, fresh)
            yield fresh
            self._activate(fresh)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        self._remove_others(fresh)

    def is_current(self) -> bool:
        """Whether the files are what is active, to the last byte."""
        return _contents(self._directory) == _contents(self.active)

    def _copy(self, source: Path, fresh: Path) -> None:
        (fresh / "flows").mkdir(parents=True)
        for pattern in _PATTERNS:
            for file in source.glob(pattern):
                shutil.copyfile(file, fresh / file.relative_to(source))

    def _copy_flow(self, flow: str, fresh: Path) -> None:
        """Take one flow from the directory: it may be new, in another file than before, or gone."""
        before, now = flow_files(fresh / "flows").get(flow), flow_files(self._directory / "flows").get(flow)
        if before is not None:
            before.unlink()
        if now is not None:
            shutil.copyfile(now, fresh / "flows" / now.name)

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


def _contents(folder: Path) -> dict[str, bytes]:
    files = [file for pattern in _PATTERNS for file in folder.glob(pattern)]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}
