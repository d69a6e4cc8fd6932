"""Sets an agent's presence from the command line, as a supervisor does, so that running workers hear of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from cordboard.acd.model import Presence
from cordboard.bootstrap.acd_parts import open_wakes
from cordboard.bootstrap.floor_files import FloorFiles, no_database
from cordboard.errors import StoreUnavailable
from cordboard.service.floor import Floor
from cordboard.store.acd_reads import StoreReader
from cordboard.store.address import PostgresAddress, is_made
from cordboard.store.writer import StoreThread, open_database

BY_COMMAND = "the command line"  # who the agent is told it was; no agent has this name


def set_agent_presence(files: FloorFiles, agent: str, presence: Presence, reason: str) -> None:
    """What the agent is from now on. Raises StoreUnavailable, ValueError for a reason that is not known."""
    if not is_made(files.database):
        raise StoreUnavailable(no_database(files))
    if not (isinstance(files.database, PostgresAddress) or _wakes(files).is_dir()):
        raise StoreUnavailable(_never_run(files))  # made here the folder would belong to who runs this
    asyncio.run(_set(files, agent, presence, reason))


async def _set(files: FloorFiles, agent: str, presence: Presence, reason: str) -> None:
    name = f"command-{os.getpid()}"
    wakes = open_wakes(files.database, files.state, name, lambda: None)
    store = StoreThread(open_database(files.database))
    store.start()
    floor = Floor(name, files.plan, store, StoreReader(files.database), wakes)
    try:
        await floor.agents.force_presence(BY_COMMAND, agent, presence, reason)
    finally:
        await floor.aclose()
        store.close()
        (_wakes(files) / f"{name}.sock").unlink(missing_ok=True)


def _never_run(files: FloorFiles) -> str:
    folder = _wakes(files)
    return f"there is no folder {folder} yet: start the service once, cordboard run -c {files.directory}"


def _wakes(files: FloorFiles) -> Path:
    """The folder of the service's sockets."""
    return files.state / "wakes"
