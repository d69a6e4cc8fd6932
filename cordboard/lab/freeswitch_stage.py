"""A whole test bed on FreeSWITCH: what `stage` is for Asterisk, with the same callers, phones, scenarios and desk.

    async with FreeswitchStage(Path("ivr_flows")) as stage: ...

The flows are those of the configuration, word for word. What names a switch's own things is written anew in a copy:
`PJSIP/1003` is `user/1003` there, and a mailbox of the PBX is a folder.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from cordboard.bootstrap.agi_token import agi_token
from cordboard.lab import cleanup
from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.freeswitch_sources import named_freeswitch
from cordboard.lab.stage import Stage
from esl_apps.dialplan.render import CORE, DIALPLAN, render_core_settings, render_dialplan

SAFE_DESTINATION = "operators,operators"
_REWRITTEN = ("cordboard.yaml", "agents.yaml")
_NOT_COPIED = ("state", "__pycache__")


class FreeswitchStage(Stage):
    """As `Stage`, whose options it takes; `pbx` is a `LabFreeswitch`. dialplan: <extension> elements."""

    pbx: LabFreeswitch  # type: ignore[assignment]
    esl_port: int

    def __init__(self, config: Path, **options: Any) -> None:
        self._copy = cleanup.make_run_dir("site")
        super().__init__(freeswitch_copy(config.absolute(), self._copy / config.absolute().name), **options)

    async def __aexit__(self, *details: object) -> None:
        await super().__aexit__(*details)
        cleanup.remove_run_dir(self._copy)

    def _make_pbx(self) -> LabFreeswitch:  # type: ignore[override]
        """The lab's FreeSWITCH with our dialplan; its Event Socket has the password that the service gets."""
        addresses = [f"127.0.0.1:{self.agi_port + number}" for number in range(self.workers)]
        named = named_freeswitch()
        secret = self._write_secret(named.secret if named else None)
        dialplan = render_dialplan(addresses, SAFE_DESTINATION, token=agi_token(secret))
        return LabFreeswitch(
            mounts=[self.config, self.state],
            extra_files={DIALPLAN: dialplan, CORE: render_core_settings()},
            extra_dialplan=self._dialplan,
            esl_secret=secret,
            log=self._log,
        )

    def _environment(self, link_port: int) -> dict[str, str]:
        return super()._environment(0) | {
            "CORDBOARD_LISTEN__ESL__PORT": str(self.agi_port),
            "CORDBOARD_FREESWITCH__EVENT_SOCKET__PORT": str(link_port or 8021),
            "CORDBOARD_FREESWITCH__EVENT_SOCKET__SECRET__FILE": str(self.state / "ami.secret"),
            **self._settings,
        }


def freeswitch_copy(config: Path, target: Path) -> Path:
    """A copy of a configuration with FreeSWITCH's words for devices, mailboxes and places."""
    shutil.copytree(config, target, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    for path in (target / name for name in _REWRITTEN):
        if path.is_file():
            path.write_text(in_freeswitch_words(path.read_text("utf-8")), "utf-8")
    settings = target / "cordboard.yaml"
    if not re.search(r"(?m)^switches:", written := settings.read_text("utf-8")):
        settings.write_text(f"switches: [freeswitch]\n{written}", "utf-8")
    return target


def in_freeswitch_words(text: str) -> str:
    """A settings file with what belongs to Asterisk written for FreeSWITCH. Pure."""
    text = text.replace("PJSIP/", "user/")
    return re.sub(r"\{mailbox: ([0-9]+)@[a-z]+\}", r"{folder: box_\1}", text)
