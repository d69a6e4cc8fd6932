"""Callers whose names and numbers are attacks, on each switch, with all that is made of them.

One call goes the long way: recorded, tagged, sent to a web service, looked up, offered to an agent with a whisper,
dialled, recorded as a message that is mailed, and booked to be called back. The others go a short one. No command
may run, nothing be forged, no line, header or column be added; names are names wherever they are shown.
"""

from __future__ import annotations

import asyncio
import email
import os
import re
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.policy import default
from pathlib import Path
from urllib.parse import unquote

import orjson
import pytest
import pytest_asyncio
import typer
from typer.testing import CliRunner

from cordboard.cli_kpi import kpi
from cordboard.cli_queues import queue_app
from cordboard.cli_traces import trace
from cordboard.lab.caller import Caller
from cordboard.lab.desk_client import shown_value
from cordboard.lab.freeswitch_stage import FreeswitchStage
from cordboard.lab.journal import Entry
from cordboard.lab.rtp import tone
from cordboard.lab.sip_phone import SipPhone
from cordboard.lab.stage import Stage
from tests.doubles.fake_crm import FakeCrm, response
from tests.live.callback_kit import agent_at, becomes, rows
from tests.live.crash_kit import Guest
from tests.live.freeswitch_kit import why_none

pytestmark = [pytest.mark.live, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "hostile_site"
LONG = "6100"
NUMBER = "+442079460133"
SOON_S = 20.0
SHORT_WAY = ["told", "tagged", "kept", "posted", "echoed", "bye"]
LONG_WAY = [*SHORT_WAY[:4], "spelled", "unsaid", "looked_up", "desk", "ring", "night", "call_me", "booked", "bye"]
SHELLS = {"asterisk": "${SHELL(touch %s)}", "freeswitch": "${system(touch %s)}"}
# By the number that is dialled: the name as it stands in From, and the number.
ATTACKS: dict[str, tuple[str | bytes, str]] = {
    "6101": ("a%0D%0A%0D%0AEvent-Name: FORGED%0Aagi_arg_9: x%00%1B]0;x", f"{NUMBER}\r\n\r\nEvent: x\r\n"),
    "6102": (b'"\xc2\x9b2J\xe2\x80\xaeeve"', "+44\x002079460134"),
    "6103": (b'"\xff\xfe\xc3( x"', "1;x"),
    "6104": ("[a=1]{api_on_answer='reload'},<c>^^:a|b;&`'", "^^,300&Local/7000@lab-extra,10,gX"),
    "6105": ("=cmd|' /C calc'!A0", "=1+1"),
    "6106": ('<img src=x onerror=alert(1)> " \\', "${EXTEN}"),
    "6107": ("A" * 4_000, "1" * 4_000),
    "6108": ("$[1+1] ${EXTEN} $${domain} `id`", "../../x"),
}

commands = typer.Typer()
commands.command()(trace)
commands.command()(kpi)
commands.add_typer(queue_app, name="queue")


@dataclass
class Post:
    """A mail server that keeps what it is given."""

    letters: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it ends."""
        writer.write(b"220 post\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"RCPT":
                self.recipients.append(line.decode().strip())
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                self.letters.append(await reader.readuntil(b"\r\n.\r\n"))
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
        writer.close()


@dataclass
class Evening:
    """What has come of all the calls. pop: the page of the agent's desk."""

    stage: Stage
    trap: Path
    shell: str
    post: Post
    shop: FakeCrm
    pop: Mapping[str, object] = field(default_factory=dict)

    def calls(self) -> dict[str, str]:
        """Their ids, by the number that was dialled."""
        return {one["dnis"]: one["call_id"] for one in self.stage.journal.find("call_arrived")}

    def said(self, *arguments: str) -> str:
        """What a command prints."""
        env = os.environ | self.stage._environment(self.stage.pbx.link_port)
        result = CliRunner(env=env).invoke(
            commands, [*arguments, "-c", str(self.stage.config)], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture(scope="module", params=SHELLS)
def switch(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name == "freeswitch" and (reason := why_none()):
        pytest.skip(reason)
    return name


def test_bed(switch: str, settings: dict[str, str]) -> Stage:
    """On FreeSWITCH the agent's phone is named with a percent sign, and what could be a code behind it."""
    if switch == "asterisk":
        return Stage(SITE, workers=2, settings=settings)
    bed = FreeswitchStage(SITE, workers=2, settings=settings)
    agents = bed.config / "agents.yaml"
    agents.write_text(agents.read_text().replace("user/1001", '"sofia/internal/1001%127.0.0.1"'))
    return bed


test_bed.__test__ = False  # type: ignore[attr-defined]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def evening(switch: str) -> AsyncIterator[Evening]:
    """All calls have been made."""
    post = Post()
    mail = await asyncio.start_server(post.serve, "127.0.0.1", 0)
    async with mail, FakeCrm(response(201)) as shop:
        port = mail.sockets[0].getsockname()[1]
        settings = {
            "CORDBOARD_HTTP__SHOP__URL": shop.url,
            "CORDBOARD_MAIL__HOST": "127.0.0.1",
            "CORDBOARD_MAIL__PORT": str(port),
        }
        async with test_bed(switch, settings) as stage:
            trap = stage.state / "t"
            evening = Evening(stage, trap, SHELLS[switch] % trap, post, shop)
            await asyncio.gather(
                go_the_long_way(evening), *(go_the_short_way(stage, *one) for one in ATTACKS.items())
            )
            await stage.wait_event("message_told", SOON_S)
            await stage.journal.wait_until(lambda: all_ended(stage), SOON_S)
            await stage.pbx.wait_for_no_channels(SOON_S)
            yield evening


def all_ended(stage: Stage) -> list[Entry]:
    """The ends of all calls, once they are told."""
    ends = stage.journal.find("call_ended")
    return ends if len(ends) > len(ATTACKS) else []


@asynccontextmanager
async def calling(stage: Stage, dials: str, name: str | bytes, number: str) -> AsyncIterator[Guest]:
    async with Caller(ani=number, name=name) as caller:
        yield Guest(stage, await caller.dial(dials, (stage.pbx.host, stage.pbx.sip_port), SOON_S))


async def go_the_short_way(stage: Stage, dials: str, attack: tuple[str | bytes, str]) -> None:
    async with calling(stage, dials, *attack) as caller, asyncio.timeout(SOON_S):
        await caller.call.ended


async def go_the_long_way(evening: Evening) -> None:
    stage = evening.stage
    async with agent_at(stage, "alice") as (alice, desk), SipPhone("1002", stage.pbx) as bob:
        await desk.set_presence("available")
        async with calling(stage, LONG, evening.shell, NUMBER) as caller:
            await alice.incoming(SOON_S)
            evening.pop = (await desk.popped(within_s=SOON_S)).call
            await alice.answer()
            await Guest(stage, alice.leg).hears_somebody(SOON_S)  # the whisper
            await alice.leg.press("1")
            await becomes(stage, "SELECT state FROM queue_entries", [("talking",)])
            await desk.set_presence("paused")
            await alice.hang_up()
            await bob.incoming(SOON_S)
            await bob.answer()
            bob.leg.speak(tone(700, 0.5), repeat=True)
            await caller.hears_somebody(SOON_S)
            await bob.hang_up()
            await caller.hears("line/speak", SOON_S, whole=True)
            caller.call.speak(tone(700, 0.5), repeat=True)
            await asyncio.sleep(3.0)  # the tone, and more than a second of speech: less is no message
            await caller.call.press("#")
            await caller.hears("line/offer", SOON_S)
            await caller.call.press("1")
            async with asyncio.timeout(SOON_S):
                await caller.call.ended


# -- the calls themselves --


async def test_no_command_has_run(evening: Evening) -> None:
    assert not evening.trap.exists()


async def test_every_call_went_its_way_to_the_end(evening: Evening) -> None:
    ways = {
        dials: [entry["node"] for entry in evening.stage.journal.find("node_entered", call_id=call_id)]
        for dials, call_id in evening.calls().items()
    }
    assert ways == dict.fromkeys(ATTACKS, SHORT_WAY) | {LONG: LONG_WAY}


async def test_nothing_else_was_called_or_logged(evening: Evening) -> None:
    log = evening.stage.journal.entries
    (fault,) = [entry for entry in log if entry["level"] in ("error", "critical")]
    assert "spelled" in fault["reason"], "the one fault: that nobody can spell it"
    ends = {entry["result"] for entry in evening.stage.journal.find("call_ended")}
    assert ends == {"finished"}
    told = orjson.dumps([entry for entry in log if entry["event"] != "flow_fault"])
    assert not [part for part in (b"touch", b"FORGED", b"alert(", b"AAAA") if part in told]


# -- what is shown --


async def test_the_agent_sees_a_name(evening: Evening) -> None:
    assert evening.pop["caller_name"] in (evening.shell, evening.shell.replace("$", "%"))
    assert shown_value(evening.pop, "customer.title") == "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)>"


COMMANDS = ["trace {}", "trace {} --json", "queue why {}", "trace --last 20", "kpi --tags", "queue callbacks"]
TABLES = ["kpi --by reason --csv", "kpi --by agent --csv", "kpi --by interval --csv"]


@pytest.mark.parametrize("command", COMMANDS)
async def test_what_is_told_drives_no_terminal(evening: Evening, command: str) -> None:
    for call_id in evening.calls().values() if "{}" in command else [""]:
        told = evening.said(*command.format(call_id).split())
        assert told and all(line.isprintable() for line in told.split("\n")), told


@pytest.mark.parametrize("command", TABLES)
async def test_no_cell_is_a_formula(evening: Evening, command: str) -> None:
    told = evening.said(*command.split())
    assert "desk" in told or "alice" in told
    assert not re.search(r"(^|,)\"?[=+@]", told, re.MULTILINE), told


async def test_a_tag_says_nothing_of_who_called(evening: Evening) -> None:
    told = evening.said("kpi", "--tags")
    assert not [part for part in ("touch", "alert(", "7946", "AAAA", "calc") if part in told], told


# -- what is sent and written --


async def test_the_web_service_was_asked_one_thing_by_each(evening: Evening) -> None:
    asked = evening.shop.requests
    assert len(asked) == len(ATTACKS) + 1
    assert len({tuple(sorted(request.headers)) for request in asked}) == 1, "no header was added"
    for request in asked:
        path = re.fullmatch(r"/callers/([^/?&]+)/calls\?name=([^/?&]+)&number=([^/?&]*)", request.target)
        body = orjson.loads(request.body)
        assert path and list(body) == ["name", "number"]
        assert [unquote(part) for part in path.groups()] == [body["name"], *body.values()]
        assert body["name"].isprintable() and re.fullmatch(r"[+*#0-9A-Za-z]{0,64}", body["number"])


async def test_the_mail_has_its_own_headers_and_reader_and_no_others(evening: Evening) -> None:
    (raw,) = evening.post.letters
    letter = email.message_from_bytes(raw, policy=default)
    assert letter.keys() == ["Subject", "From", "To", "MIME-Version", "Content-Type"] and not letter.defects
    assert evening.post.recipients == ["rcpt TO:<night@example.org>"]
    assert "touch" in letter["Subject"]


async def test_recordings_and_messages_are_named_for_their_calls(evening: Evening) -> None:
    files = [file for folder in ("recordings", "voicemail") for file in (evening.stage.state / folder).rglob("*.*")]
    assert {file.name[:26] for file in files} == set(evening.calls().values())


async def test_every_line_of_the_queue_log_is_one_of_ours(evening: Evening) -> None:
    log = evening.stage.state / "queue_log"
    async with asyncio.timeout(SOON_S):
        while "COMPLETEAGENT" not in log.read_text():
            await asyncio.sleep(0.1)  # written a moment later; no event tells of it
    ours = re.compile(r"[0-9]+\|[\w.-]+\|(desk|NONE)\|(alice|NONE)\|[A-Z]+(\|[\w.-]*)*")
    assert [line for line in log.read_text().splitlines() if not ours.fullmatch(line)] == []


async def test_the_one_callback_is_to_the_number(evening: Evening) -> None:
    booked = "SELECT queue, number, state FROM callbacks JOIN parties USING (party_ref)"
    assert rows(evening.stage, booked) == [("desk", NUMBER, "waiting")]


async def test_the_metrics_have_no_label_of_a_caller(evening: Evening) -> None:
    def read() -> str:
        url = f"http://127.0.0.1:{evening.stage.http_port}/metrics"
        with urllib.request.urlopen(url, timeout=SOON_S) as answer:
            return str(answer.read().decode())

    metrics = await asyncio.to_thread(read)
    assert "cordboard_" in metrics
    assert not [part for part in ("touch", "7946", "alert", "AAAA", "FORGED", "calc") if part in metrics]
