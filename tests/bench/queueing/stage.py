"""Where queues are measured: one Asterisk with our service and app_queue, phones, callers, and eyes on both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from cordboard.acd.model import Presence
from cordboard.bootstrap.acd_parts import AcdParts
from cordboard.bootstrap.configuration import Configuration
from cordboard.errors import LabError
from cordboard.lab import cleanup
from cordboard.lab.desk_client import DeskClient
from cordboard.lab.pbx import LabPbx
from cordboard.lab.service_process import ServiceProcess
from cordboard.lab.stage import Stage
from cordboard.service.floor import Floor
from tests.bench.queueing.callers import Callers
from tests.bench.queueing.configuration import (
    ANI,
    extensions_of,
    our_files,
    peer_dialplan,
    peer_queues,
    seated_agents,
)
from tests.bench.queueing.phones import AgentPhones
from tests.bench.queueing.silent_audio import SilentAudio
from tests.bench.queueing.watching import Watch, watching

PAUSE_REASON = "break"
REACHABLE_S = 60.0  # a thousand phones
LOOK_EVERY_S = 0.05  # the store has no event for somebody outside the service


class QueueStage(Stage):
    """A stage whose Asterisk has app_queue's queues too, and phones for all their agents."""

    def __init__(self, config: Path, queues: Mapping[str, int]) -> None:
        super().__init__(config, dialplan=peer_dialplan(queues), log=print)
        self.queues = queues

    def _who_logs_in(self) -> Collection[str]:
        """Those who take turns: a password's hash is slow on purpose, and a thousand of them take minutes."""
        return {agent for queue in self.queues for agent in seated_agents(queue)}

    def _make_pbx(self) -> LabPbx:
        pbx = super()._make_pbx()
        files = {**pbx.settings.extra_files, "queues.d/bench.conf": peer_queues(self.queues)}
        pbx.settings = replace(pbx.settings, phones=extensions_of(self.queues), extra_files=files)
        return pbx


class QueueingStage(Protocol):
    """A stage with the same queues on both sides, on whichever switch. queues: name to how many agents."""

    queues: Mapping[str, int]
    pbx: LabPbx
    service: ServiceProcess
    configuration: Configuration
    passwords: Mapping[str, str]

    @property
    def desk_url(self) -> str: ...

    def desk(self, agent: str) -> DeskClient: ...


@dataclass(frozen=True, slots=True)
class Site:
    """What a measurement needs. floor: of a process beside the service, as the desk's is."""

    stage: QueueingStage
    floor: Floor
    phones: AgentPhones
    callers: Callers
    watch: Watch

    @property
    def pbx(self) -> LabPbx:
        return self.stage.pbx


@contextlib.asynccontextmanager
async def open_site(
    queues: Mapping[str, int],
    make_stage: Callable[[Path, Mapping[str, int]], Any] = QueueStage,
    watch_pbx: Callable[[Any], contextlib.AbstractAsyncContextManager[Watch]] = watching,
) -> AsyncIterator[Site]:
    """Start everything: all phones registered, all our agents paused. Removes it at the end.

    queues: those which both sides have, as `configuration.queues_up_to` gives them. make_stage, watch_pbx: of the
    switch; Asterisk's if nothing else is said.
    """
    async with contextlib.AsyncExitStack() as stack:
        folder = cleanup.make_run_dir("queue-bench")
        stack.callback(cleanup.remove_run_dir, folder)
        write_files(folder / "config", queues)
        stage = make_stage(folder / "config", queues)
        await stack.enter_async_context(stage)
        audio = SilentAudio()
        stack.callback(audio.close)
        pbx = (stage.pbx.host, stage.pbx.sip_port)
        phones = await stack.enter_async_context(AgentPhones(pbx, audio))
        await phones.register(extensions_of(queues))
        floor = await stack.enter_async_context(_floor(stage))
        callers = await stack.enter_async_context(Callers(pbx, ANI, audio))
        watch = await stack.enter_async_context(watch_pbx(stage.pbx))
        for agent in stage.configuration.plan.agents:
            await floor.agents.set_presence(agent, Presence.PAUSED, PAUSE_REASON)
        await _until_reachable(floor)
        yield Site(stage, floor, phones, callers, watch)


def write_files(folder: Path, queues: Mapping[str, int]) -> None:
    """Our configuration directory."""
    for name, text in our_files(queues).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@contextlib.asynccontextmanager
async def _floor(stage: Stage) -> AsyncIterator[Floor]:
    """A floor which writes and wakes like that of any process, but leaves what is due to the service."""
    parts = AcdParts.open(stage.configuration, "bench")
    parts.store.start()
    try:
        yield parts.floor
    finally:
        await parts.aclose()


async def _until_reachable(floor: Floor) -> None:
    """Wait until the service has heard of every phone. Raises LabError."""
    try:
        async with asyncio.timeout(REACHABLE_S):
            while unreachable := [
                view.name for view in (await floor.snapshot()).agents if view.activity == "unreachable"
            ]:
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        raise LabError(f"{len(unreachable)} phones are still unreachable") from None
