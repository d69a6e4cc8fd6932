"""What every process of the ACD opens, workers and the desk alike: the store, the wakes, the floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from cordboard.bootstrap.configuration import Configuration
from cordboard.bootstrap.process_names import process_name
from cordboard.service.database_wakes import DatabaseWakes
from cordboard.service.floor import Floor
from cordboard.service.wakes import Waker, Wakes
from cordboard.store.acd_reads import StoreReader
from cordboard.store.address import Address, PostgresAddress
from cordboard.store.checkpoints import Checkpoints
from cordboard.store.writer import StoreThread, open_database


@dataclass(frozen=True)
class AcdParts:
    """store: the one thread that writes; reader: its own connection, which waits for no writer; checkpoints: on one
    more, beside both.
    """

    store: StoreThread
    reader: StoreReader
    floor: Floor
    checkpoints: Checkpoints

    @classmethod
    def open(cls, configuration: Configuration, name: str) -> Self:
        """Open everything for the process of that name, of this machine. Raises StoreUnavailable."""
        database = configuration.database
        store = StoreThread(open_database(database))
        reader = StoreReader(database, ZoneInfo(configuration.settings.zone))
        wakes = open_wakes(database, configuration.state, name, lambda: floor.bell.woken())
        floor = Floor(process_name(database, configuration.state, name), configuration.plan, store, reader, wakes)
        return cls(store, reader, floor, Checkpoints(database))

    def start(self) -> None:
        """Begin to work."""
        self.store.start()
        self.checkpoints.start()
        self.floor.start()

    async def aclose(self) -> None:
        """End in order: what is still to be written is written."""
        await self.floor.aclose()
        self.checkpoints.close()
        self.store.close()
        self.reader.close()


def open_wakes(database: Address, state: Path, name: str, on_wake: Callable[[], None]) -> Waker:
    """How the process of that name is woken. state: the folder of the service's own files."""
    if isinstance(database, PostgresAddress):
        return DatabaseWakes(database, {process_name(database, state, name), name}, on_wake)
    return Wakes(state / "wakes", name, on_wake)
