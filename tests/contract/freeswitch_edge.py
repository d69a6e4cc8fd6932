"""FreeSWITCH's edge on a real one. Callers are loopback channels; keys are given to the half in our dialplan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.ports import find_free_ports
from cordboard.telephony.capabilities import SwitchName
from esl_apps.dialplan.render import render_core_settings, render_dialplan
from esl_apps.hub import EslHub
from esl_apps.switch import FreeswitchSwitch
from tests.contract.edges import AgentLegs, Part, Worker
from tests.contract.freeswitch_worker import SAFE, serving
from tests.live.freeswitch_kit import extension, freeswitch_running

PARTS = "".join(
    [
        extension("answers", "answer", "sleep 600", "hangup"),
        extension("patient", "answer", "sleep 60000"),
        extension("busy", "hangup USER_BUSY"),
        extension("rings", "ring_ready", "sleep 60000"),
        extension("rejects", "hangup CALL_REJECTED"),
        extension("accepts", "answer", "sleep 600", "send_dtmf 1", "sleep 600", "hangup"),
        extension("stays", "answer", "sleep 600", "send_dtmf 1", "sleep 60000"),
        extension("declines", "answer", "sleep 600", "send_dtmf 2", "sleep 60000"),
        extension("leaves", "answer", "sleep 300", "hangup"),
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

    def __init__(self, pbx: LabFreeswitch, switch: FreeswitchSwitch, worker: Worker, recordings_root: Path) -> None:
        self._pbx = pbx
        self._numbers = count(1)
        self.worker = worker
        self.switch_name: SwitchName = "freeswitch"
        self.switch = switch
        self.legs = AgentLegs(switch)
        self.recordings_root = recordings_root
        self.music = "music"

    async def call(self) -> LoopbackCaller:
        """As `Edge`."""
        leg_id = f"contract-{next(self._numbers)}"
        words = f"loopback_bowout=false,loopback_bowout_on_execute=false,origination_uuid={leg_id}-a"
        words += ",origination_caller_id_number=442079460123,origination_caller_id_name=Ada"
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
        return "user/1009" if part == "absent" else f"loopback/{part}/contract-parts"

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
        "dialplan/cordboard.xml": render_dialplan([f"127.0.0.1:{port}"], f"{SAFE},s", 1.0),
        "autoload_configs/post_load_switch.conf.xml": render_core_settings(),
    }
    worker = Worker()
    async with freeswitch_running(extra_files=files, extra_contexts=CONTEXTS) as pbx:
        hub = EslHub()
        await hub.start()
        switch = FreeswitchSwitch(pbx.host, pbx.esl_port, pbx.esl_secret, hub=hub)
        try:
            async with serving(worker, switch, hub, port, root):
                yield FreeswitchEdge(pbx, switch, worker, root)
        finally:
            await hub.aclose()
