"""The lab that stays up between commands: `make lab-up`, `make lab-down`.

One for each user, on the ports everybody knows if they are free. What another program has to know of it lies in a
file, which goes with the lab. It is a `LabPbx` or a `LabFreeswitch` that nobody ends: this module only starts,
finds and sweeps it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cordboard.errors import LabError
from cordboard.lab import cleanup
from cordboard.lab.ami import LabAmi
from cordboard.lab.engine import find_engine
from cordboard.lab.esl import LabEsl
from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.image import Log
from cordboard.lab.lab_switch import silent
from cordboard.lab.pbx import LabPbx
from cordboard.lab.ports import prefer
from cordboard.telephony.capabilities import SwitchName

SIP_PORT = 5060
AMI_PORT = 5038
ESL_PORT = 8021
ANSWER_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class StandingLab:
    """How to reach it. link_port: of Asterisk's manager interface or FreeSWITCH's Event Socket;
    user: of the former; sounds: where the lab's own sounds lie.
    """

    host: str
    sip_port: int
    link_port: int
    user: str
    secret: str = field(repr=False)
    sounds: str
    switch: SwitchName = "asterisk"


async def lab_up(
    switch: SwitchName = "asterisk",
    *,
    mounts: Sequence[Path] = (),
    extra_files: Mapping[str, str] | None = None,
    log: Log = silent,
) -> StandingLab:
    """Start the standing lab. Raises LabError if it is up already, or why it cannot be started."""
    if await find_standing_lab() is not None:
        raise LabError("the standing lab is up already; take it down first")
    await lab_down()  # what is left of one that died
    start = _start_asterisk if switch == "asterisk" else _start_freeswitch
    lab = await start(mounts, extra_files, log)
    _state_file().write_text(json.dumps(asdict(lab)))
    return lab


async def _start_asterisk(mounts: Sequence[Path], files: Mapping[str, str] | None, log: Log) -> StandingLab:
    sip_port, ami_port = prefer(SIP_PORT), prefer(AMI_PORT)
    pbx = LabPbx(
        mounts=mounts, extra_files=files, sip_port=sip_port, ami_port=ami_port, owner=cleanup.STANDING, log=log
    )
    await pbx.start()
    await pbx.leave_running()
    return StandingLab(pbx.host, pbx.sip_port, pbx.ami_port, pbx.ami_user, pbx.ami_secret, str(pbx.sound_dir))


async def _start_freeswitch(mounts: Sequence[Path], files: Mapping[str, str] | None, log: Log) -> StandingLab:
    sip_port, esl_port = prefer(SIP_PORT), prefer(ESL_PORT)
    pbx = LabFreeswitch(
        mounts=mounts, extra_files=files, sip_port=sip_port, esl_port=esl_port, owner=cleanup.STANDING, log=log
    )
    await pbx.start()
    await pbx.leave_running()
    sounds = str(pbx.sound_dir)
    return StandingLab(pbx.host, pbx.sip_port, pbx.esl_port, "", pbx.esl_secret, sounds, "freeswitch")


async def lab_down() -> cleanup.Swept:
    """Remove the standing lab, and whatever labs of dead programs left. Says what was removed."""
    engine = await asyncio.to_thread(find_engine)
    try:
        return await asyncio.to_thread(cleanup.sweep, engine, standing=True)
    finally:
        if engine is not None:
            engine.close()


async def find_standing_lab() -> StandingLab | None:
    """The standing lab, if there is one and its switch answers."""
    try:
        lab = StandingLab(**json.loads(_state_file().read_text()))
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            link = await _connect(lab)
    except (OSError, TimeoutError, ValueError, TypeError, LabError):
        return None
    await link.close()
    return lab


async def _connect(lab: StandingLab) -> LabAmi | LabEsl:
    if lab.switch == "asterisk":
        return await LabAmi.connect(lab.host, lab.link_port, lab.user, lab.secret)
    return await LabEsl.connect(lab.host, lab.link_port, lab.secret)


def _state_file() -> Path:
    return cleanup.state_root() / cleanup.STANDING / "lab.json"
