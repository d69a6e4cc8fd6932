"""The checks `manager` and `devices` over real sockets; the log-in on a real Asterisk is in the live tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from cordboard.bootstrap.checks import devices, dialplan, manager, manager_session
from cordboard.bootstrap.checks.manager_session import NoLogin, log_in
from cordboard.bootstrap.checks.premises import NotLookedAt
from cordboard.bootstrap.checks.result import Level
from cordboard.lab.ports import find_free_ports
from tests.doubles.doctor_site import Site, only
from tests.doubles.fake_ami import FakeAmi, Script, Sent, Session

ACTIONS = ("Status", "Hangup", "Redirect", "Originate", "Getvar", "Setvar", "DeviceStateList", "Ping")
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def asterisk(actions: tuple[str, ...] = ACTIONS, refusal: str = "", **values: str) -> Script:
    """Answers log-ins, and which actions and values it has."""

    def script(session: Session, action: Sent) -> None:
        match action["Action"]:
            case "Login" if refusal:
                session.answer(action, "Response: Error", f"Message: {refusal}")
            case "ListCommands":
                session.answer(action, "Response: Success", *(f"{name}: Does it. (Priv: call)" for name in actions))
            case "Getvar":
                name = action["Variable"].partition("(")[2].rstrip(")").rpartition("/")[2]
                session.answer(action, "Response: Success", f"Value: {values.get(name, 'INVALID')}")
            case _:
                session.answer(action, "Response: Success", "Message: done")

    return script


@asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[int]:
    """Something that is no manager. The port."""
    talks: set[asyncio.Task[None]] = set()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        with suppress(ConnectionError):
            await talk(reader, writer)
        writer.close()

    listener = await asyncio.start_server(begin, "127.0.0.1", 0)
    yield int(listener.sockets[0].getsockname()[1])
    listener.close()
    await asyncio.wait(talks)


async def test_a_log_in_with_every_right_is_good(tmp_path: Path) -> None:
    async with FakeAmi(asterisk()) as ami:
        premises = Site(tmp_path, ami_port=ami.port).premises()
        only(await manager.look(premises), Level.OK)
        premises.login.close()


async def test_the_log_in_is_shared_and_asks_for_no_events(tmp_path: Path) -> None:
    async with FakeAmi(asterisk()) as ami:
        site = Site(tmp_path, ami_port=ami.port)
        site.add_agents(alice="PJSIP/1001")
        premises = site.premises()
        await asyncio.gather(manager.look(premises), devices.look(premises))
        premises.login.close()
    assert ami.count("Login") == 1
    assert ami.actions[0]["Events"] == "off"


@pytest.mark.parametrize(
    ("missing", "words", "fix"),
    [
        (("Originate",), "lacks the right `originate`", "write = call,originate"),
        (("Status", "Hangup", "Redirect", "Getvar", "Setvar", "DeviceStateList"), "right `call`", "write = call"),
        (("DeviceStateList",), "no action DeviceStateList", "module load res_manager_devicestate.so"),
    ],
)
async def test_a_right_or_module_that_is_missing_is_named(
    tmp_path: Path, missing: tuple[str, ...], words: str, fix: str
) -> None:
    actions = tuple(name for name in ACTIONS if name not in missing)
    async with FakeAmi(asterisk(actions)) as ami:
        premises = Site(tmp_path, ami_port=ami.port).premises()
        result = only(await manager.look(premises), Level.FAULT)
        premises.login.close()
    assert words in result.seen and fix in result.fix


@pytest.mark.parametrize(("classes", "missing"), [("call,user", "dtmf"), ("call, dtmf", "user"), ("all", "")])
async def test_a_class_of_events_that_is_missing_is_named(tmp_path: Path, classes: str, missing: str) -> None:
    async with FakeAmi(asterisk()) as ami:
        site = Site(tmp_path, ami_port=ami.port)
        site.install()
        written = site.asterisk / "manager.d" / "cordboard.conf"
        premises = site.premises()
        only(await manager.look(premises), Level.OK)
        written.write_text(written.read_text().replace("read = call,user,dtmf", f"read = {classes}"))
        result = only(await manager.look(premises), Level.FAULT if missing else Level.OK)
        premises.login.close()
    assert (f"it lacks the class `{missing}`" in result.seen) == bool(missing)
    assert not missing or "install-dialplan" in result.fix


async def test_a_refusal_is_explained_by_asterisks_files(tmp_path: Path) -> None:
    async with FakeAmi(asterisk(refusal="Authentication failed")) as ami:
        site = Site(tmp_path, ami_port=ami.port)
        unknown = only(await manager.look(site.premises()), Level.FAULT)
        site.install()
        unread = only(await manager.look(site.premises()), Level.FAULT)
        site.write("secrets/ami", "another-secret-altogether")
        other = only(await manager.look(site.premises()), Level.FAULT)
    assert "refuses `cordboard` (Authentication failed)" in unknown.seen
    assert "no such user" in unknown.seen and "install-dialplan" in unknown.fix
    assert "its file is right" in unread.seen and unread.fix.startswith("asterisk -rx 'manager reload'")
    assert "another secret than ours" in other.seen and "install-dialplan" in other.fix


async def test_nobody_there_is_explained_by_asterisks_files(tmp_path: Path) -> None:
    site = Site(tmp_path, ami_port=find_free_ports())
    conf = site.asterisk / "manager.conf"
    cases = {
        "": "systemctl start asterisk",
        "[general]\nenabled = no\n": "`enabled = yes`",
        "[general]\nenabled = yes\nport = 5039\n": "{port: 5039}",
        f"[general]\nenabled = yes\nport = {site.ami_port}\n": "systemctl start asterisk",
    }
    for text, fix in cases.items():
        if text:
            conf.write_text(text)
        result = only(await manager.look(site.premises()), Level.FAULT)
        assert result.seen.startswith(f"nobody listens at 127.0.0.1:{site.ami_port}")
        assert fix in result.fix


async def test_something_else_on_the_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager_session, "ANSWER_S", 0.1)

    async def ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await reader.read()

    async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    for talk, words in ((ssh, "not Asterisk's manager"), (mute, "says nothing")):
        async with server(talk) as port:
            with pytest.raises(NoLogin, match=words) as failure:
                await log_in("127.0.0.1", port, "cordboard", "secret")
        assert failure.value.cause == "stranger"


async def test_an_asterisk_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager_session, "ANSWER_S", 0.1)
    async with FakeAmi(lambda _session, _action: None) as ami:
        with pytest.raises(NoLogin) as failure:
            await log_in("127.0.0.1", ami.port, "cordboard", "secret")
    assert failure.value.cause == "silent"


async def test_a_device_that_asterisk_does_not_know_is_a_fault(tmp_path: Path) -> None:
    async with FakeAmi(asterisk(**{"1001": "NOT_INUSE", "1002": "UNAVAILABLE"})) as ami:
        site = Site(tmp_path, ami_port=ami.port)
        site.add_agents(alice="PJSIP/1001", bob="PJSIP/1002")
        premises = site.premises()
        assert "2 agents; 1 not registered" in only(await devices.look(premises), Level.OK).seen
        premises.login.close()
        site.add_agents(alice="PJSIP/1001", bob="PJSIP/1020")
        premises = site.premises()
        assert "does not know PJSIP/1020 of bob" in only(await devices.look(premises), Level.FAULT).seen
        premises.login.close()


async def test_phones_of_freeswitch_are_not_asterisks_to_know(tmp_path: Path) -> None:
    async with FakeAmi(asterisk(**{"1001": "NOT_INUSE"})) as ami:
        site = Site(tmp_path, ami_port=ami.port)
        site.add_agents(alice="PJSIP/1001", bob="user/1002")
        premises = site.premises()
        assert "each of 1 agent;" in only(await devices.look(premises), Level.OK).seen
        premises.login.close()


async def test_devices_cannot_be_asked_for_without_a_log_in(tmp_path: Path) -> None:
    site = Site(tmp_path, ami_port=find_free_ports())
    only(await devices.look(site.premises()), Level.OK)
    site.add_agents(alice="PJSIP/1001")
    with pytest.raises(NotLookedAt, match="no manager log-in"):
        await devices.look(site.premises())


@pytest.mark.parametrize(("exists", "level"), [("1", Level.OK), ("0", Level.FAULT)])
async def test_a_dialplan_that_was_not_read_is_told(tmp_path: Path, exists: str, level: Level) -> None:
    async with FakeAmi(asterisk(**{"cordboard-call,loop,1": exists})) as ami:
        site = Site(tmp_path, ami_port=ami.port)
        site.install()
        premises = site.premises()
        result = only(await dialplan.look(premises), level)
        premises.login.close()
    assert level == Level.OK or result.fix == "asterisk -rx 'dialplan reload'"
