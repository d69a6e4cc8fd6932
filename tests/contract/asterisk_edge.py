"""Asterisk's edge on a real one. Callers are Local channels; keys are given to the half in our dialplan."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from agi_scripts.dialplan.render import render_dialplan, render_manager_user
from agi_scripts.server import AgiServer
from agi_scripts.switch import AsteriskSwitch
from cordboard.errors import LabError
from cordboard.lab.pbx import LabPbx
from cordboard.lab.ports import find_free_ports
from cordboard.telephony.capabilities import SwitchName
from tests.contract.edges import AgentLegs, Part, Recordings, Worker

DIALPLAN = """\
exten => listens,1,Wait(600)
exten => busy,1,Busy()
exten => rejects,1,Hangup(21)
exten => answers,1,Answer()
 same => n,Wait(0.6)
 same => n,Hangup()
exten => patient,1,Answer()
 same => n,Wait(60)
exten => rings,1,Ringing()
 same => n,Wait(60)
exten => accepts,1,Answer()
 same => n,Wait(0.6)
 same => n,SendDTMF(1)
 same => n,Wait(0.6)
 same => n,Hangup()
exten => stays,1,Answer()
 same => n,Wait(0.6)
 same => n,SendDTMF(1)
 same => n,Wait(60)
exten => declines,1,Answer()
 same => n,Wait(0.6)
 same => n,SendDTMF(2)
 same => n,Wait(60)
exten => leaves,1,Answer()
 same => n,Wait(0.3)
 same => n,Hangup()
exten => safe,1,Wait(30)
"""

CONNECTED_S = 10.0


class LocalCaller:
    """A caller; leg_id: of the half that our dialplan has."""

    def __init__(self, pbx: LabPbx, leg_id: str) -> None:
        self._pbx = pbx
        self.leg_id = leg_id

    async def press(self, keys: str) -> None:
        """As `CallingParty`."""
        for key in keys:
            name = await self._name()
            await self._pbx.ami.send("PlayDTMF", Channel=name, Digit=key, Receive="true", Duration="60")
            await asyncio.sleep(0.15)

    async def hang_up(self) -> None:
        """As `CallingParty`."""
        await self._pbx.ami.send("Hangup", Channel=self.leg_id.removesuffix("-2"))

    async def is_safe(self) -> bool:
        """As `CallingParty`."""
        ours = [one for one in await self._pbx.channels() if one.unique_id == self.leg_id]
        return bool(ours) and (ours[0].context, ours[0].extension) == ("lab-extra", "safe")

    async def _name(self) -> str:
        return next(one.name for one in await self._pbx.channels() if one.unique_id == self.leg_id)


class AsteriskEdge:
    """As `Edge`."""

    def __init__(self, pbx: LabPbx, switch: AsteriskSwitch, worker: Worker, recordings_root: Path) -> None:
        self._pbx = pbx
        self._numbers = count(1)
        self.worker = worker
        self.switch_name: SwitchName = "asterisk"
        self.switch = switch
        self.legs = AgentLegs(switch)
        self.recordings_root = recordings_root
        self.music = "default"

    async def call(self) -> LocalCaller:
        """As `Edge`."""
        leg_id = f"contract-{next(self._numbers)}"
        await self._pbx.ami.send(
            "Originate",
            Channel="Local/5000@cordboard/n",
            Context="lab-extra",
            Exten="listens",
            Priority="1",
            CallerID='"Ada" <442079460123>',
            Async="true",
            ChannelId=leg_id,
            OtherChannelId=f"{leg_id}-2",
        )
        return LocalCaller(self._pbx, f"{leg_id}-2")

    def device(self, part: Part) -> str:
        """As `Edge`."""
        return "PJSIP/1009" if part == "absent" else f"Local/{part}@lab-extra/n"

    async def hang_up_all(self) -> None:
        """As `Edge`."""
        self.worker.release()
        for one in await self._pbx.channels():
            with contextlib.suppress(LabError):  # it left with its other half
                await self._pbx.ami.send("Hangup", Channel=one.name)
        await self._pbx.wait_for_no_channels()


@asynccontextmanager
async def asterisk_edge(root: Path) -> AsyncIterator[AsteriskEdge]:
    """The edge, with an Asterisk of the lab."""
    port = find_free_ports(1)
    root.chmod(0o777)
    files = {
        "cordboard.conf": render_dialplan([f"127.0.0.1:{port}"], "lab-extra,safe,1", 1.0),
        "manager.d/cordboard.conf": render_manager_user("cordboard", "s3cret"),
    }
    worker = Worker()
    async with LabPbx(mounts=[root], extra_files=files, extra_dialplan=DIALPLAN) as pbx:
        server = AgiServer(
            "127.0.0.1",
            port,
            worker.serve,
            Recordings(root),
            recordings_root=root,
            calls_root=root / "calls",
        )
        switch = AsteriskSwitch(pbx.host, pbx.ami_port, "cordboard", "s3cret")
        await server.start()
        await switch.connect()
        try:
            await switch.wait_connected(CONNECTED_S)
            yield AsteriskEdge(pbx, switch, worker, root)
        finally:
            worker.release()
            await server.aclose()
            await switch.aclose()
