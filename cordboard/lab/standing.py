"""The lab that stays up between commands: `make lab-up`, `make lab-down`.

One for each user, on the ports everybody knows if they are free. What another program has to know of it lies in a
file, which goes with the lab. It is a `LabPbx` that nobody ends: this module only starts, finds and sweeps it.
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
from cordboard.lab.image import Log
from cordboard.lab.pbx import LabPbx, silent
from cordboard.lab.ports import prefer

SIP_PORT = 5060
AMI_PORT = 5038
ANSWER_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class StandingLab:
    """How to reach it. sounds: where the lab's own sounds lie."""

    host: str
    sip_port: int
    ami_port: int
    ami_user: str
    ami_secret: str = field(repr=False)
    sounds: str


async def lab_up(
    *, mounts: Sequence[Path] = (), extra_files: Mapping[str, str] | None = None, log: Log = silent
) -> StandingLab:
    """Start the standing lab. Raises LabError if it is up already, or why it cannot be started."""
    if await find_standing_lab() is not None:
        raise LabError("the standing lab is up already; take it down first")
    await lab_down()  # what is left of one that died
    pbx = LabPbx(
        mounts=mounts,
        extra_files=extra_files,
        sip_port=prefer(SIP_PORT),
        ami_port=prefer(AMI_PORT),
        owner=cleanup.STANDING,
        log=log,
    )
    await pbx.start()
    await pbx.leave_running()
    lab = StandingLab(pbx.host, pbx.sip_port, pbx.ami_port, pbx.ami_user, pbx.ami_secret, str(pbx.sound_dir))
    _state_file().write_text(json.dumps(asdict(lab)))
    return lab


async def lab_down() -> cleanup.Swept:
    """Remove the standing lab, and whatever labs of dead programs left. Says what was removed."""
    engine = await asyncio.to_thread(find_engine)
    try:
        return await asyncio.to_thread(cleanup.sweep, engine, standing=True)
    finally:
        if engine is not None:
            engine.close()


async def find_standing_lab() -> StandingLab | None:
    """The standing lab, if there is one and its Asterisk answers."""
    try:
        lab = StandingLab(**json.loads(_state_file().read_text()))
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            ami = await LabAmi.connect(lab.host, lab.ami_port, lab.ami_user, lab.ami_secret)
    except (OSError, TimeoutError, ValueError, TypeError, LabError):
        return None
    await ami.close()
    return lab


def _state_file() -> Path:
    return cleanup.state_root() / cleanup.STANDING / "lab.json"
