"""What every process of the ACD opens, workers and the desk alike: the store, the wakes, the floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

from cordboard.bootstrap.configuration import Configuration
from cordboard.service.floor import Floor
from cordboard.service.wakes import Wakes
from cordboard.store.acd_reads import StoreReader
from cordboard.store.writer import StoreThread, open_database


@dataclass(frozen=True)
class AcdParts:
    """store: the one thread that writes; reader: its own connection, which waits for no writer."""

    store: StoreThread
    reader: StoreReader
    floor: Floor

    @classmethod
    def open(cls, configuration: Configuration, name: str) -> Self:
        """Open everything for the process of that name. Raises StoreUnavailable."""
        store = StoreThread(open_database(configuration.database))
        reader = StoreReader(configuration.database, ZoneInfo(configuration.settings.zone))
        wakes = Wakes(configuration.state / "wakes", name, lambda: floor.woken())
        floor = Floor(name, configuration.plan, store, reader, wakes)
        return cls(store, reader, floor)

    def start(self) -> None:
        """Begin to work."""
        self.store.start()
        self.floor.start()

    async def aclose(self) -> None:
        """End in order: what is still to be written is written."""
        await self.floor.aclose()
        self.store.close()
        self.reader.close()
