"""`cordboard doctor` and `install-dialplan` with a real FreeSWITCH: each thing that is wrong has its own line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cordboard.bootstrap.checks import event_socket, freeswitch_devices, freeswitch_dialplan, freeswitch_music
from cordboard.bootstrap.checks.premises import Premises, survey
from cordboard.bootstrap.checks.result import Check, Level, Result
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
TRUNK = """\
<include>
  <context name="carrier">
    <!-- <action application="transfer" data="5000 XML cordboard"/> -->
    <extension name="in">
      <condition><action application="transfer" data="5000 XML cordboard"/></condition>
    </extension>
  </context>
</include>
"""
OUTSIDE = 'country: GB\noutside: {device: "sofia/gateway/nowhere/{number}", countries: [GB]}\n'
SETTINGS = "switches: [freeswitch]\nfreeswitch: {{event_socket: {{port: {}}}}}\n"


async def test_the_doctor_sees_what_is_wrong_with_freeswitch(tmp_path: Path) -> None:
    async with freeswitch_running() as pbx:
        config = configuration(tmp_path, pbx)
        assert "is not there" in (await seen(config, pbx, freeswitch_dialplan.CHECK)).seen
        assert "refuses our password" in (await seen(config, pbx, event_socket.CHECK, secret="wrong")).seen
        assert "API calls" in (await seen(config, pbx, event_socket.CHECK)).seen

        (pbx.conf_dir / EVENT_SOCKET).unlink()
        await asyncio.to_thread(FreeswitchInstallation(config, pbx.conf_dir, None).install, dry_run=False)
        assert "sends calls to the context" in (await seen(config, pbx, freeswitch_dialplan.CHECK)).seen
        (pbx.conf_dir / "dialplan" / "trunk.xml").write_text(TRUNK)
        assert "not read our dialplan" in (await seen(config, pbx, freeswitch_dialplan.CHECK)).seen
        await pbx.command("reloadxml")
        await pbx.command("fsctl api_expansion off")
        good = await seen(config, pbx, freeswitch_dialplan.CHECK)
        assert good.seen.endswith("is current and loaded, and values have their sounds")
        assert "with every module that is needed" in (await seen(config, pbx, event_socket.CHECK)).seen

        await queues_devices_and_boxes(config, pbx)

        await pbx.command("unload mod_tone_stream")
        assert "has not loaded mod_tone_stream" in (await seen(config, pbx, event_socket.CHECK)).seen
        write_flow(config, "de")
        assert "no language `de`" in (await seen(config, pbx, freeswitch_dialplan.CHECK)).seen
        await pbx.kill()
        assert "nobody listens" in (await seen(config, pbx, event_socket.CHECK)).seen
        await pbx.restart()  # on what was installed
        assert "is off" in await pbx.command("fsctl api_expansion")


async def queues_devices_and_boxes(config: Path, pbx: LabFreeswitch) -> None:
    """What a queue, a phone, a trunk and a mailbox want of FreeSWITCH."""
    settings, agents, queues = (config / f"{name}.yaml" for name in ("cordboard", "agents", "queues"))
    as_it_was = settings.read_text()
    agents.write_text("agents: {alice: {device: user/1003, queues: [sales]}}\n")
    queues.write_text("queues: {sales: {music: music}}\n")
    assert (await seen(config, pbx, freeswitch_devices.CHECK)).level is Level.OK
    assert (await seen(config, pbx, freeswitch_music.CHECK)).level is Level.OK

    directory = (pbx.conf_dir / "directory" / "lab.xml").read_text()
    asking = directory.replace('value="sofia/internal/', 'value="${sofia_contact(x)},sofia/internal/')
    await pbx.reload_xml({"directory/lab.xml": asking})
    assert (
        "the dial-string of user/1003 holds an API call" in (await seen(config, pbx, freeswitch_devices.CHECK)).seen
    )
    await pbx.reload_xml({"directory/lab.xml": directory})

    agents.write_text("agents: {alice: {device: user/1999, queues: [sales]}}\n")
    queues.write_text("queues: {sales: {music: waltz}}\n")
    settings.write_text(f"{as_it_was}voicemail: {{sales: {{mailbox: 100@example.org}}}}\n{OUTSIDE}")
    strange = (await seen(config, pbx, freeswitch_devices.CHECK)).seen
    assert "does not know sofia/gateway/nowhere/{number}, user/1999" in strange
    assert "no user with the mailbox 100@example.org" in (await seen(config, pbx, freeswitch_devices.CHECK, 1)).seen
    assert (
        "no music stream waltz: callers would hear `default`"
        in (await seen(config, pbx, freeswitch_music.CHECK)).seen
    )
    for module in ("mod_voicemail", "mod_local_stream"):
        await pbx.command(f"unload {module}")
        assert f"has not loaded {module}" in (await seen(config, pbx, event_socket.CHECK)).seen
        await pbx.command(f"load {module}")
    settings.write_text(as_it_was)
    agents.unlink()
    queues.unlink()


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


async def seen(config: Path, pbx: LabFreeswitch, check: Check, number: int = 0, secret: str = "") -> Result:
    """A result of a check. secret: in place of the right one."""
    file = config / "secrets" / "event_socket"
    right = file.read_text()
    file.write_text(secret or right)
    premises: Premises = await asyncio.to_thread(survey, config, config, pbx.conf_dir)
    (examined,) = await examine(premises, [check])
    file.write_text(right)
    return examined.results[number]
