"""The same queue twice on one FreeSWITCH: ours and mod_callcenter's, with the same agents, phones and callers.

What is measured, and how, is `tests.bench.queueing`'s; here is what FreeSWITCH has in place of Asterisk's parts.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cordboard.lab.esl import LabEsl, LabEvent
from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.freeswitch_stage import FreeswitchStage
from tests.bench.queueing.configuration import PEER_NUMBERS, RING_S, agents_of, extensions_of, seated_agents
from tests.bench.queueing.figures import QueueFigures
from tests.bench.queueing.sampling import cells_of, measure_joins
from tests.bench.queueing.sides import open_sides
from tests.bench.queueing.stage import open_site
from tests.bench.queueing.watching import Watch

PEER = "mod_callcenter"
QUEUES = {"ten": 10}
SETTINGS_FILE = "autoload_configs/callcenter.conf.xml"
MUSIC = "local_stream://default"
EVENTS = ("PLAYBACK_START", "CHANNEL_BRIDGE")

_SETTINGS = """\
<configuration name="callcenter.conf">
  <settings/>
  <queues>
{queues}
  </queues>
  <agents>
{agents}
  </agents>
  <tiers>
{tiers}
  </tiers>
</configuration>
"""

_QUEUE = """\
    <queue name="{name}">
      <param name="strategy" value="longest-idle-agent"/>
      <param name="moh-sound" value="{music}"/>
      <param name="time-base-score" value="queue"/>
      <param name="max-wait-time" value="0"/>
      <param name="max-wait-time-with-no-agent" value="0"/>
      <param name="tier-rules-apply" value="false"/>
      <param name="discard-abandoned-after" value="60"/>
      <param name="abandoned-resume-allowed" value="false"/>
    </queue>"""

_AGENT = (
    '    <agent name="{name}" type="callback" contact="[leg_timeout={ring_s}]user/{extension}" status="On Break" '
    'max-no-answer="0" wrap-up-time="0" reject-delay-time="0" busy-delay-time="0"/>'
)

_EXTENSION = """\
<extension name="{number}">
  <condition field="destination_number" expression="^{number}$">
    <action application="answer"/>
    <action application="callcenter" data="{name}"/>
    <action application="hangup"/>
  </condition>
</extension>
"""


def settings_of(queues: Mapping[str, int]) -> str:
    """mod_callcenter's queues, as its configuration file. Everybody is on a break at first."""
    tiers = [f'    <tier agent="{agent}" queue="{name}"/>' for name in queues for agent in agents_of(name)]
    agents = [_AGENT.format(name=f"a{one}", extension=one, ring_s=RING_S) for one in extensions_of(queues)]
    return _SETTINGS.format(
        queues="\n".join(_QUEUE.format(name=name, music=MUSIC) for name in queues),
        agents="\n".join(agents),
        tiers="\n".join(tiers),
    )


def dialplan_of(queues: Mapping[str, int]) -> str:
    """The numbers that lead to mod_callcenter."""
    return "".join(_EXTENSION.format(number=PEER_NUMBERS[name], name=name) for name in queues)


class CallcenterStage(FreeswitchStage):
    """A stage whose FreeSWITCH has mod_callcenter's queues too, and phones for all their agents."""

    def __init__(self, config: Path, queues: Mapping[str, int]) -> None:
        super().__init__(config, dialplan=dialplan_of(queues), log=print)
        self.queues = queues

    def _who_logs_in(self) -> Collection[str]:
        return {agent for queue in self.queues for agent in seated_agents(queue)}

    def _make_pbx(self) -> LabFreeswitch:  # type: ignore[override]
        pbx = super()._make_pbx()
        files = {**pbx.settings.extra_files, SETTINGS_FILE: settings_of(self.queues)}
        pbx.settings = replace(
            pbx.settings, phones=extensions_of(self.queues), extra_files=files, log_level="warning"
        )
        return pbx


class Callcenter:
    """mod_callcenter, by the event socket."""

    name = PEER
    numbers = PEER_NUMBERS

    def __init__(self, esl: LabEsl) -> None:
        self._esl = esl

    async def prepare(self, agent: str) -> None:
        """Nothing."""

    async def free(self, agent: str) -> None:
        """In all queues, as with us."""
        await self._esl.api(f"callcenter_config agent set status {agent} Available")

    async def pause(self, agent: str) -> None:
        """In all queues."""
        await self._esl.api(f"callcenter_config agent set status {agent} 'On Break'")


class CallcenterWatch(Watch):
    """Whose music began, and when two legs were joined, as FreeSWITCH tells it of both sides alike."""

    def __init__(self, events: asyncio.Queue[LabEvent]) -> None:
        super().__init__(events)
        self._told = events

    async def follow(self) -> None:
        """Sort events, for ever. One talk is told of once."""
        while True:
            event = await self._told.get()
            if event.get("Event-Name") == "CHANNEL_BRIDGE":
                self.joins.put_nowait(time.monotonic())
            elif event.get("Playback-File-Path", "").startswith("local_stream:"):
                self.waiting.put_nowait(event["Unique-ID"])


@contextlib.asynccontextmanager
async def watching_freeswitch(pbx: LabFreeswitch) -> AsyncIterator[Watch]:
    """A watch for as long as the context lasts, on an event socket of its own."""
    esl = await LabEsl.connect(pbx.host, pbx.esl_port, pbx.esl_secret)
    try:
        async with esl.listen(*EVENTS) as events:
            watch = CallcenterWatch(events)
            following = asyncio.create_task(watch.follow())
            try:
                yield watch
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
    finally:
        await esl.close()


async def measure_callcenter(samples: int, waiting: Sequence[int]) -> QueueFigures:
    """Ten agents, and so many callers who wait. Raises LabError, NoFreeswitch."""
    figures = QueueFigures(peer=PEER)
    async with (
        open_site(QUEUES, CallcenterStage, watching_freeswitch) as site,
        open_sides(site, Callcenter(site.pbx.esl)) as sides,
    ):
        await measure_joins(site, sides, figures, cells_of(tuple(QUEUES.values()), waiting), samples)
    return figures
