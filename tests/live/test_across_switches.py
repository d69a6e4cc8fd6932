"""Callers on one switch and phones of agents and extensions on the other, both ways, over a SIP trunk between an
Asterisk and a FreeSWITCH that one service serves.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agi_scripts.dialplan.render import render_dialplan as render_for_asterisk
from agi_scripts.dialplan.render import render_manager_user
from cordboard.acd.model import Presence
from cordboard.bootstrap.agi_token import agi_token
from cordboard.bootstrap.configuration import load_configuration
from cordboard.lab.caller import Caller
from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.journal import Journal
from cordboard.lab.pbx import LabPbx
from cordboard.lab.pbx_config import PHONE_SECRET
from cordboard.lab.ports import find_free_ports
from cordboard.lab.service_process import ServiceProcess
from cordboard.lab.sip_phone import SipPhone
from cordboard.store.acd_store import AcdStore
from cordboard.store.database import open_database
from cordboard.store.moments import now
from esl_apps.dialplan.render import CORE, DIALPLAN, render_core_settings, render_dialplan
from tests.live.freeswitch_kit import why_none

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

SECRET = "tw0-switches"
SITE = {
    "cordboard.yaml": """\
switches: [asterisk, freeswitch]
asterisk: {reaches: {freeswitch: "PJSIP/{extension}@freeswitch"}}
freeswitch: {reaches: {asterisk: "sofia/gateway/asterisk/{extension}"}}
extensions: {"21": PJSIP/1001}
""",
    "numbers.yaml": "default: lines\n",
    "queues.yaml": """\
queues:
  far: {ring_s: 10, wrap_up: {s: 0}, accept: {key: 1, within_s: 5}}
  near: {ring_s: 10, wrap_up: {s: 0}, accept: {key: 1, within_s: 5}}
""",
    "agents.yaml": """\
agents:
  alice: {device: PJSIP/1001, queues: [far]}
  fred: {device: user/1002, queues: [near]}
""",
    "flows/lines.yaml": """\
flow: lines
languages: [en]
start: which
on_failure: bye
prompts: {served: {en: "Thank you."}}
nodes:
  which:
    branch:
      - {if: "call.dnis == '6001'", then: far}
      - {if: "call.dnis == '6003'", then: extension}
      - {if: "call.dnis == '6004'", then: agent}
    else: near
  extension: {dial: "21", ring_s: 10, next: served, otherwise: bye}
  agent: {dial: {agent: fred}, ring_s: 10, next: served, otherwise: bye}
  far: {queue: far, next: served, otherwise: bye}
  near: {queue: near, next: served, otherwise: bye}
  served: {play: served, next: bye}
  bye: {hangup: normal}
""",
}


@dataclass
class Bed:
    """Two switches, one service. database: its file."""

    asterisk: LabPbx
    freeswitch: LabFreeswitch
    journal: Journal
    database: Path

    def offers(self) -> list[tuple[str, str]]:
        """Every offer, as agent and end."""
        with sqlite3.connect(self.database) as connection:
            return list(connection.execute("select agent, end from offers order by made_at"))


async def test_agents_are_reached_on_the_other_switch(tmp_path: Path) -> None:
    if reason := why_none():
        pytest.skip(reason)
    async with two_switches(tmp_path) as bed:
        await _talk(bed.freeswitch, "6001", bed.asterisk, "1001", bed)
        await _talk(bed.asterisk, "6002", bed.freeswitch, "1002", bed)
        await _talk(bed.freeswitch, "6003", bed.asterisk, "1001", bed)
        await _talk(bed.asterisk, "6004", bed.freeswitch, "1002", bed)
        assert bed.offers() == [("alice", "served"), ("fred", "served")]
        assert not [one for one in bed.journal.entries if one.get("level") in ("error", "critical")]


async def _talk(
    calls: LabPbx | LabFreeswitch, number: str, rings: LabPbx | LabFreeswitch, extension: str, bed: Bed
) -> None:
    """Somebody calls one switch and is joined to a phone of the other, whose user hangs up."""
    async with SipPhone(extension, rings) as agent, Caller(ani="442079460123", host="127.0.0.2") as caller:
        call = caller.place(number, (calls.host, calls.sip_port))
        await agent.incoming(20.0)
        await agent.answer()
        await asyncio.sleep(0.5)
        await agent.press("1")
        await asyncio.sleep(1.0)
        await agent.hang_up()
        await bed.journal.wait("call_resumed", 10.0, how="returned")
        bed.journal.entries.clear()
        await asyncio.wait_for(asyncio.shield(call.ended), 15)  # type: ignore[arg-type]


@asynccontextmanager
async def two_switches(tmp_path: Path) -> AsyncIterator[Bed]:
    """Both switches with a trunk between them, and a worker for both."""
    for name, text in SITE.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text(text)
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    agi, esl, http, desk, to_asterisk, to_freeswitch = (find_free_ports() for _ in range(6))
    token = agi_token(SECRET)
    asterisk = LabPbx(
        mounts=[tmp_path],
        sip_port=to_asterisk,
        extra_files={
            "cordboard.conf": render_for_asterisk([f"127.0.0.1:{agi}"], "operators,s,1", token=token),
            "manager.d/cordboard.conf": render_manager_user("cordboard", SECRET),
            "pjsip.d/trunk.conf": TRUNK_OF_ASTERISK.format(port=to_freeswitch, secret=PHONE_SECRET),
        },
    )
    freeswitch = LabFreeswitch(
        mounts=[tmp_path],
        sip_port=to_freeswitch,
        esl_secret=SECRET,
        gateways=TRUNK_OF_FREESWITCH.format(port=to_asterisk),
        extra_files={
            DIALPLAN: render_dialplan([f"127.0.0.1:{esl}"], "operators,operators", token=token),
            CORE: render_core_settings(),
        },
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asterisk)
        await stack.enter_async_context(freeswitch)
        environment = {
            "CORDBOARD_STATE": str(tmp_path / "state"),
            "CORDBOARD_LISTEN__AGI__PORT": str(agi),
            "CORDBOARD_LISTEN__ESL__PORT": str(esl),
            "CORDBOARD_LISTEN__HTTP__PORT": str(http),
            "CORDBOARD_LISTEN__DESK__PORT": str(desk),
            "CORDBOARD_ASTERISK__AMI__PORT": str(asterisk.ami_port),
            "CORDBOARD_ASTERISK__AMI__SECRET__FILE": str(secret),
            "CORDBOARD_FREESWITCH__EVENT_SOCKET__PORT": str(freeswitch.esl_port),
            "CORDBOARD_FREESWITCH__EVENT_SOCKET__SECRET__FILE": str(secret),
            "CORDBOARD_LOG__FORMAT": "json",
        }
        journal = Journal()
        service = ServiceProcess(tmp_path / "site", environment, journal)
        stack.push_async_callback(service.stop)
        await service.start()
        configuration = load_configuration(tmp_path / "site", environment={**os.environ, **environment})
        engine = open_database(configuration.database)
        with engine.begin() as connection:
            for agent in configuration.plan.agents:
                AcdStore(configuration.plan).set_presence(connection, now(), agent, Presence.AVAILABLE)
        engine.dispose()
        yield Bed(asterisk, freeswitch, journal, tmp_path / "state" / "cordboard.db")


TRUNK_OF_ASTERISK = """\
[freeswitch](media)
context = from-phones
aors = freeswitch
outbound_auth = freeswitch
from_user = 1008

[freeswitch]
type = aor
contact = sip:127.0.0.1:{port}

[freeswitch]
type = auth
auth_type = userpass
username = 1008
password = {secret}
"""
TRUNK_OF_FREESWITCH = """\
<gateway name="asterisk">
  <param name="username" value="freeswitch"/>
  <param name="password" value="none"/>
  <param name="proxy" value="127.0.0.1:{port}"/>
  <param name="register" value="false"/>
  <param name="caller-id-in-from" value="false"/>
</gateway>
"""
