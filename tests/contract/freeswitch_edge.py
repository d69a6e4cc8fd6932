"""FreeSWITCH's edge on a real one. Callers are loopback channels; keys are given to the half in our dialplan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.ports import find_free_ports
from esl_apps.calls import CallServer
from esl_apps.dialplan.render import render_core_settings, render_dialplan
from esl_apps.hub import EslHub
from tests.contract.edges import Part, Recordings, Worker
from tests.live.freeswitch_kit import extension, freeswitch_running

SAFE = "contract-safe"
PARTS = "".join(
    [
        extension("answers", "answer", "sleep 600", "hangup"),
        extension("patient", "answer", "sleep 60000"),
        extension("busy", "hangup USER_BUSY"),
        extension("rings", "ring_ready", "sleep 60000"),
        extension("rejects", "hangup CALL_REJECTED"),
    ]
)
CONTEXTS = f"""
<context name="contract-parts">{PARTS}</context>
<context name="{SAFE}">{extension("s", "set contract_place=safe", "sleep 30000")}</context>
"""


class LoopbackCaller:
    """A caller; leg_id: of the half that our dialplan has."""

    def __init__(self, pbx: LabFreeswitch, leg_id: str) -> None:
        self._pbx = pbx
        self.leg_id = leg_id

    async def press(self, keys: str) -> None:
        """As `CallingParty`."""
        for key in keys:
            await self._pbx.command(f"uuid_recv_dtmf {self.leg_id} {key}")
            await asyncio.sleep(0.15)

    async def hang_up(self) -> None:
        """As `CallingParty`."""
        await self._pbx.command(f"uuid_kill {self.leg_id}")

    async def is_safe(self) -> bool:
        """As `CallingParty`."""
        return (await self._pbx.command(f"uuid_getvar {self.leg_id} contract_place")).strip() == "safe"


GONE_S = 30.0  # FreeSWITCH keeps a channel for 5 s for whoever has not let go of its socket


class FreeswitchEdge:
    """As `Edge`."""

    def __init__(self, pbx: LabFreeswitch, worker: Worker, recordings_root: Path) -> None:
        self._pbx = pbx
        self._numbers = count(1)
        self.worker = worker
        self.recordings_root = recordings_root
        self.music = "music"

    async def call(self) -> LoopbackCaller:
        """As `Edge`."""
        leg_id = f"contract-{next(self._numbers)}"
        words = f"loopback_bowout=false,loopback_bowout_on_execute=false,origination_uuid={leg_id}-a"
        where = f"{{{words}}}loopback/5000/cordboard"
        await self._pbx.command(f"bgapi originate {where} &playback(silence_stream://-1)")
        return LoopbackCaller(self._pbx, await self._other_half(f"{leg_id}-a"))

    async def _other_half(self, leg_id: str) -> str:
        async with asyncio.timeout(5):
            while True:
                said = (await self._pbx.command(f"uuid_getvar {leg_id} other_loopback_leg_uuid")).strip()
                if said and said != "_undef_" and not said.startswith("-ERR"):
                    return said
                await asyncio.sleep(0.01)

    def device(self, part: Part) -> str:
        """As `Edge`."""
        return f"loopback/{part}/contract-parts"

    async def hang_up_all(self) -> None:
        """As `Edge`."""
        self.worker.release()  # FreeSWITCH keeps a channel for as long as its socket is open
        await self._pbx.command("hupall")
        await self._pbx.wait_for_no_channels(GONE_S)


@asynccontextmanager
async def freeswitch_edge(root: Path) -> AsyncIterator[FreeswitchEdge]:
    """The edge, with a FreeSWITCH of the lab; skips where there is none."""
    port = find_free_ports(1)
    files = {
        "dialplan/cordboard.xml": render_dialplan([f"127.0.0.1:{port}"], f"{SAFE},s", 1.0, token="t0ken"),
        "autoload_configs/post_load_switch.conf.xml": render_core_settings(),
    }
    worker = Worker()
    async with freeswitch_running(extra_files=files, extra_contexts=CONTEXTS) as pbx:
        hub = EslHub()
        await hub.start()
        server = CallServer(
            "127.0.0.1",
            port,
            worker.serve,
            Recordings(root),
            hub=hub,
            token="t0ken",
            recordings_root=root,
            calls_root=root / "calls",
        )
        await server.start()
        try:
            yield FreeswitchEdge(pbx, worker, root)
        finally:
            worker.release()
            await server.aclose()
            await hub.aclose()
