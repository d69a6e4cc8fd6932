"""What the player of scenarios needs of a stage, whoever set it up: PBX, sounds, traces of the service, desk."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cordboard.acd.model import FloorPlan
from cordboard.lab.agents import DeskAccess
from cordboard.lab.journal import Journal
from cordboard.lab.music import Music
from cordboard.lab.prompt_book import PromptBook
from cordboard.store.address import Address


class Pbx(Protocol):
    """What the player asks of a PBX; `LabPbx` is one."""

    @property
    def host(self) -> str: ...

    @property
    def sip_port(self) -> int: ...

    async def wait_for_no_channels(self, timeout_s: float = 5.0) -> None:
        """Raises LabError naming the channels left."""


@dataclass(frozen=True, slots=True)
class ScenarioStage:
    """Where scenarios are played. audio: a folder for what each caller heard, as WAV; plan: queues and agents;
    desk, database: of the service, None where there is only a PBX; music: what it plays on hold.
    """

    pbx: Pbx
    book: PromptBook
    journal: Journal = field(default_factory=Journal)
    audio: Path | None = None
    plan: FloorPlan = field(default_factory=FloorPlan)
    desk: DeskAccess | None = None
    database: Address | None = None
    music: Music | None = None
