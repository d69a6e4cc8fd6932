"""Sets an agent's presence from the command line, the way the desk does it, so that running workers hear of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from cordboard.acd.model import Presence
from cordboard.bootstrap.floor_files import FloorFiles, no_database
from cordboard.errors import StoreUnavailable
from cordboard.service.floor import Floor
from cordboard.service.wakes import Wakes
from cordboard.store.acd_reads import StoreReader
from cordboard.store.writer import StoreThread, open_database


def set_agent_presence(files: FloorFiles, agent: str, presence: Presence, reason: str) -> None:
    """What the agent is said to have chosen. Raises StoreUnavailable, ValueError for a reason that is not known."""
    if not (files.database.is_file() and _wakes(files).is_dir()):  # made here they would belong to who runs this
        raise StoreUnavailable(no_database(files))
    asyncio.run(_set(files, agent, presence, reason))


async def _set(files: FloorFiles, agent: str, presence: Presence, reason: str) -> None:
    name = f"command-{os.getpid()}"
    wakes = Wakes(_wakes(files), name, lambda: None)
    store = StoreThread(open_database(files.database))
    store.start()
    floor = Floor(name, files.plan, store, StoreReader(files.database), wakes)
    try:
        await floor.set_presence(agent, presence, reason)
    finally:
        await floor.aclose()
        store.close()
        (_wakes(files) / f"{name}.sock").unlink(missing_ok=True)


def _wakes(files: FloorFiles) -> Path:
    """The folder of the service's sockets."""
    return files.state / "wakes"
