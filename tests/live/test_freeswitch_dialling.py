"""Screened phones and FreeSWITCH's own voicemail on a real one, through the whole service, as callers hear them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cordboard.config.yaml_reader import parse_yaml
from cordboard.lab.freeswitch_stage import FreeswitchStage
from cordboard.lab.player import Result, play
from cordboard.lab.scenario import parse_scenario
from tests.live.freeswitch_kit import why_none

pytestmark = [pytest.mark.live, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

NUMBERS = """\
numbers:
  "5000": screened
  "5001": box
  "5002": patient
"""
SETTINGS = """\
state: state
extensions: {10XX: "user/{extension}"}
voicemail: {desk: {mailbox: 1001@127.0.0.1}}
"""
AGENTS = """\
agents:
  bob: {name: Bob, device: "sofia/internal/1001%127.0.0.1"}
"""
SCREENED = """\
flow: screened
languages: [en]
prompts:
  a_call_for: {en: "A call for the shop from {call.ani | digits}. To take it, press one."}
  talked: {en: "You have talked to somebody."}
  rejected: {en: "They do not want to talk to you."}
  alone: {en: "This went another way."}
nodes:
  ring: {dial: "1001", screen: a_call_for, rejected: rejected, next: talked, otherwise: alone}
  talked: {play: talked, next: bye}
  rejected: {play: rejected, next: bye}
  alone: {play: alone, next: bye}
  bye: {hangup: normal}
"""
PATIENT = """\
flow: patient
languages: [en]
prompts:
  talked: {en: "You have talked to somebody."}
  alone: {en: "This went another way."}
nodes:
  ring: {dial: {agent: bob}, ring_s: 8, next: talked, otherwise: alone}
  talked: {play: talked, next: bye}
  alone: {play: alone, next: bye}
  bye: {hangup: normal}
"""
IMPATIENT = """\
<extension name="impatient" continue="true">
  <condition field="destination_number" expression="^5002$">
    <action application="set" data="call_timeout=1" inline="true"/>
  </condition>
</extension>
"""
BOX = """\
flow: box
languages: [en]
prompts:
  welcome: {en: "Nobody is in the office today."}
  after: {en: "Thank you for your message."}
nodes:
  welcome: {play: welcome, next: leave}
  leave: {voicemail: desk, next: after}
  after: {play: after, next: bye}
  bye: {hangup: normal}
"""
# What FreeSWITCH's voicemail says is in macros of its language's files, which the lab has none of.
MACROS = "".join(
    f'<macro name="voicemail_{name}"><input pattern="(.*)"><match>'
    '<action function="execute" data="sleep(100)"/></match></input></macro>'
    for name in ("play_greeting", "record_message", "record_file_check", "record_urgent_check", "goodbye")
)
CALL = """\
scenario: a call
callers:
  - ani: "+442079460123"
    dials: "{dials}"
    language: en
    flow: {flow}
    does: [{does}]
agents: {agents}
expect:
  - {{path: [{path}]}}
  - {{no_channels_left: true}}
  - {{no_errors_logged: true}}
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FreeswitchStage]:
    if reason := why_none():
        pytest.skip(reason)
    site = tmp_path_factory.mktemp("site")
    files = {"numbers": NUMBERS, "cordboard": SETTINGS, "agents": AGENTS}
    files |= {"flows/screened": SCREENED, "flows/box": BOX, "flows/patient": PATIENT}
    for name, text in files.items():
        (site / f"{name}.yaml").parent.mkdir(exist_ok=True)
        (site / f"{name}.yaml").write_text(text)
    async with FreeswitchStage(site) as stage:
        yield stage


async def played(stage: FreeswitchStage, **filled: str) -> Result:
    document = parse_yaml(CALL.format(**filled).encode(), "scenario.yaml")
    return await play(parse_scenario(document, stage.book), stage.scenario_stage())


def told(result: Result) -> str:
    return "\n".join([*(f"{line.at_s:6.2f} {line.who} {line.text}" for line in result.lines), *result.faults])


async def test_a_key_that_does_not_accept_refuses_at_once(stage: FreeswitchStage) -> None:
    result = await played(
        stage,
        dials="5000",
        flow="screened",
        does="{hears: rejected, within_s: 9, ignoring_others: true}, {is_hung_up: normal}",
        agents="{bob: {ready_at_s: null, answers_after_s: 0.2, accepts: false, accepts_after_s: 1}}",
        path="ring, rejected, bye",
    )
    assert result.passed, told(result)
    at_s = {line.text: line.at_s for line in result.lines}
    pressed_s = next(at for text, at in at_s.items() if "presses" in text)
    refused_s = next(at for text, at in at_s.items() if "enters node screened/rejected" in text)
    assert refused_s - pressed_s < 5, told(result)  # the time for pressing 1 would be over after 10 s


async def test_who_presses_one_has_the_call(stage: FreeswitchStage) -> None:
    result = await played(
        stage,
        dials="5000",
        flow="screened",
        does="{joined: bob, within_s: 15}, {hears: talked}, {is_hung_up: normal}",
        agents="{bob: {ready_at_s: null, answers_after_s: 0.2, accepts: true, accepts_after_s: 1, talks_s: 2}}",
        path="ring, talked, bye",
    )
    assert result.passed, told(result)


async def test_the_flow_says_how_long_it_rings_whatever_the_channel_came_with(stage: FreeswitchStage) -> None:
    dialplan = (stage.pbx.conf_dir / "dialplan" / "lab.xml").read_text()
    entry = '<extension name="entry">'
    await stage.pbx.reload_xml({"dialplan/lab.xml": dialplan.replace(entry, IMPATIENT + entry, 1)})
    result = await played(
        stage,
        dials="5002",
        flow="patient",
        does="{joined: bob, within_s: 15}, {hears: talked}, {is_hung_up: normal}",
        agents="{bob: {ready_at_s: null, answers_after_s: 3, talks_s: 1}}",
        path="ring, talked, bye",
    )
    assert result.passed, told(result)


async def test_the_voicemail_of_freeswitch_takes_a_message(stage: FreeswitchStage) -> None:
    english = (stage.pbx.conf_dir / "lang" / "en.xml").read_text()
    await stage.pbx.reload_xml({"lang/en.xml": english.replace("<macros/>", f"<macros>{MACROS}</macros>")})
    result = await played(
        stage,
        dials="5001",
        flow="box",
        does="{hears: welcome}, {waits_s: 1.5}, {speaks_tone_hz: 700, for_s: 3}, {waits_s: 3.5}",
        agents="{}",
        path="welcome, leave",
    )
    assert result.passed, told(result)
    assert list((stage.pbx.run_dir / "voicemail").rglob("msg_*.wav")), "no message was kept"
