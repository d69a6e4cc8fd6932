"""`cordboard doctor` and `install-dialplan` with a real FreeSWITCH: each thing that is wrong has its own line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cordboard.bootstrap.checks import event_socket, freeswitch_dialplan
from cordboard.bootstrap.checks.premises import Premises, survey
from cordboard.bootstrap.checks.result import Check, Result
from cordboard.bootstrap.doctor import examine
from cordboard.bootstrap.freeswitch_installation import FreeswitchInstallation
from cordboard.lab.freeswitch import LabFreeswitch
from esl_apps.dialplan.render import EVENT_SOCKET
from tests.live.freeswitch_kit import freeswitch_running

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

FLOW = """\
flow: hello
languages: [{0}]
prompts: {{hello: {{{0}: hello}}}}
nodes:
  hello: {{play: hello, next: bye}}
  bye: {{hangup: normal}}
"""
SETTINGS = "switches: [freeswitch]\nfreeswitch: {{event_socket: {{port: {}}}}}\n"


async def test_the_doctor_sees_what_is_wrong_with_freeswitch(tmp_path: Path) -> None:
    async with freeswitch_running() as pbx:
        config = configuration(tmp_path, pbx)
        assert "is not there" in (await seen(config, pbx, freeswitch_dialplan.CHECK)).seen
        assert "refuses our password" in (await seen(config, pbx, event_socket.CHECK, secret="wrong")).seen
        assert "API calls" in (await seen(config, pbx, event_socket.CHECK)).seen

        (pbx.conf_dir / EVENT_SOCKET).unlink()
        await asyncio.to_thread(FreeswitchInstallation(config, pbx.conf_dir, None).install, dry_run=False)
        assert "not read our dialplan" in (await seen(config, pbx, freeswitch_dialplan.CHECK)).seen
        await pbx.command("reloadxml")
        await pbx.command("fsctl api_expansion off")
        good = await seen(config, pbx, freeswitch_dialplan.CHECK)
        assert good.seen.endswith("is current and loaded, and values have their sounds")
        assert "with every module that is needed" in (await seen(config, pbx, event_socket.CHECK)).seen

        await pbx.command("unload mod_tone_stream")
        assert "has not loaded mod_tone_stream" in (await seen(config, pbx, event_socket.CHECK)).seen
        write_flow(config, "de")
        assert "no language `de`" in (await seen(config, pbx, freeswitch_dialplan.CHECK)).seen
        await pbx.kill()
        assert "nobody listens" in (await seen(config, pbx, event_socket.CHECK)).seen
        await pbx.restart()  # on what was installed
        assert "is off" in await pbx.command("fsctl api_expansion")


def configuration(tmp_path: Path, pbx: LabFreeswitch) -> Path:
    """A configuration with the password of the lab's Event Socket."""
    config = tmp_path / "config"
    (config / "flows").mkdir(parents=True)
    (config / "secrets").mkdir()
    (config / "secrets" / "event_socket").write_text(pbx.esl_secret)
    (config / "cordboard.yaml").write_text(SETTINGS.format(pbx.esl_port))
    (config / "numbers.yaml").write_text("default: hello\n")
    write_flow(config, "en")
    return config


def write_flow(config: Path, language: str) -> None:
    (config / "flows" / "hello.yaml").write_text(FLOW.format(language))


async def seen(config: Path, pbx: LabFreeswitch, check: Check, secret: str = "") -> Result:
    """The first result of a check. secret: in place of the right one."""
    file = config / "secrets" / "event_socket"
    right = file.read_text()
    file.write_text(secret or right)
    premises: Premises = await asyncio.to_thread(survey, config, config, pbx.conf_dir)
    (examined,) = await examine(premises, [check])
    file.write_text(right)
    return examined.results[0]
