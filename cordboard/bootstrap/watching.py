"""Tells when somebody saves a file of the configuration directory, within a fraction of a second.

Used by the supervisor. Only what is read is watched: YAML files in the directory and in `flows/`, recordings below
`prompts/`; the state folder, which changes all the time, is not. Editors write a file anew, rename another one over
it, or write it in pieces: all that counts is that something has happened and then was quiet for a moment. File
systems without events (NFS, when another machine writes) tell nothing: SIGHUP and `cordboard flow publish` do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from watchfiles import Change, awatch

log = structlog.get_logger()

QUIET_MS = 100  # a save of several files, or in several pieces, is one
LONGEST_MS = 500  # somebody who writes without a pause is not waited for
FOLDERS = ("flows", "prompts")
_SWAPPED = "..data"  # what Kubernetes changes instead of the files of a mounted ConfigMap: they are links into it
TRY_AGAIN_S = 5.0  # after a folder was gone, or the kernel would watch no more


async def saved_files(directory: Path) -> AsyncIterator[set[Path]]:
    """The files that were saved, moved or removed, each time some were. Goes on until cancelled.

    directory: absolute.
    """
    is_first = True
    while True:
        try:
            async for paths in _until_folders_change(directory, is_first):
                yield paths
        except (OSError, RuntimeError) as fault:  # a folder is gone, or too many are watched: it may be better soon
            log.warning("not_watched", reason=str(fault), again_in_s=TRY_AGAIN_S)
            await asyncio.sleep(TRY_AGAIN_S)
        is_first = False


async def _until_folders_change(directory: Path, is_first: bool) -> AsyncIterator[set[Path]]:
    """Until a folder is made, moved or removed, and all must be watched anew. Raises OSError, RuntimeError.

    is_first: else something may have been saved while nothing was watched; that is told, too.
    """
    folders = {directory / name for name in FOLDERS}
    watched = [directory, *(folder for folder in _all_folders(folders))]
    watching = awatch(
        *watched, watch_filter=_Wanted(directory), debounce=LONGEST_MS, step=QUIET_MS, recursive=False,
    )  # fmt: skip
    saving = asyncio.ensure_future(anext(watching))
    try:
        if not is_first:
            await asyncio.wait({saving}, timeout=QUIET_MS / 1000)  # begun by then, so that nothing is missed
            yield folders
        while True:
            paths = {Path(path) for _, path in await saving}
            saving = asyncio.ensure_future(anext(watching))
            yield paths
            if any(not path.suffix for path in paths):
                return
    finally:
        saving.cancel()
        await asyncio.wait({saving})


def _all_folders(folders: set[Path]) -> list[Path]:
    """The folders that are there, and all below them."""
    found = [folder for folder in sorted(folders) if folder.is_dir()]
    return found + [below for folder in found for below in sorted(folder.rglob("*")) if below.is_dir()]


class _Wanted:
    """Which changes count: files that are read, and the folders they are in."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._prompts = directory / "prompts"

    def __call__(self, change: Change, path: str) -> bool:
        file = Path(path)
        if file.suffix == ".yaml" or file.name == _SWAPPED:
            return file.parent in (self._directory, self._directory / "flows") and file.name[0] not in "#~"
        if file.name.startswith("."):
            return False
        if self._prompts in file.parents:
            return file.suffix == ".wav" or not file.suffix
        return file.parent == self._directory and file.name in FOLDERS and change != Change.modified
