"""What a scenario leaves behind while it is played: `player` collects it, `checks` reads it at the end.

The service's journal tells the paths of calls; the ledger is read from the service's own database, and only what
happened since the scenario began counts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cordboard.acd.ledger_row import LedgerRow
from cordboard.errors import LabError, StoreUnavailable
from cordboard.lab.agents import SceneAgent
from cordboard.lab.journal import Entry
from cordboard.store.acd_reads import StoreReader, ledger_rows
from cordboard.store.address import Address


@dataclass(slots=True)
class PlacedCall:
    """A call of the scenario. call_id: the service's, "" until it told."""

    ani: str
    shown_as: str
    call_id: str = ""


@dataclass(slots=True)
class Evidence:
    """entries: the service's journal since the scenario began; began_at: in seconds since 1970."""

    agents: Mapping[str, SceneAgent] = field(default_factory=dict)
    calls: list[PlacedCall] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    began_at: float = field(default_factory=time.time)

    def place(self, ani: str, shown_as: str) -> None:
        """A call is being dialled."""
        self.calls.append(PlacedCall(ani, shown_as))

    def take(self, entry: Entry) -> str:
        """Keep a line of the journal. Returns whose call it is about, "" if none of ours is known to be meant."""
        self.entries.append(entry)
        call_id = str(entry.get("call_id", ""))
        if entry.get("event") == "call_arrived":
            self._give_id(str(entry.get("ani", "")), call_id)
        return self.name_of(call_id)

    def name_of(self, call_id: str) -> str:
        """How the caller of a call is shown, "" if it is none of ours."""
        return next((call.shown_as for call in self.calls if call_id and call.call_id == call_id), "")

    def errors(self) -> list[str]:
        """The events which the service logged as errors."""
        return [str(entry["event"]) for entry in self.entries if entry.get("level") in ("error", "critical")]

    def paths(self) -> dict[str, list[tuple[str, str]]]:
        """The nodes each call has entered, as (flow, node), by call_id."""
        paths: dict[str, list[tuple[str, str]]] = {}
        for entry in self.entries:
            if entry.get("event") == "node_entered":
                paths.setdefault(str(entry["call_id"]), []).append((str(entry["flow"]), str(entry["node"])))
        return paths

    def _give_id(self, ani: str, call_id: str) -> None:
        """The oldest call with this number that has no id yet is the one that has arrived."""
        waiting = next((call for call in self.calls if call.ani == ani and not call.call_id), None)
        if waiting is not None:
            waiting.call_id = call_id


class LedgerReader:
    """The ledger of the service under test, from one moment on."""

    def __init__(self, database: Address, since: float) -> None:
        """since: seconds since 1970."""
        self._reader = StoreReader(database)
        self._since = since

    async def rows(self) -> Sequence[LedgerRow]:
        """What has happened since. Raises LabError if the database cannot be read."""
        try:
            return await self._reader.ask(lambda connection: list(ledger_rows(connection, self._since)))
        except StoreUnavailable as fault:
            raise LabError(f"the ledger cannot be read: {fault}") from fault

    def close(self) -> None:
        """Let go of the database."""
        self._reader.close()
