"""Every recording of a real FreeSWITCH, played to the real server and link, ends as its table says."""

from __future__ import annotations

import collections
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from esl_apps.hub import EslHub
from tests.doubles.esl_recordings import FOLDER, NAMES, Step, plain_messages, recording, streams
from tests.doubles.esl_replay import EXECUTE, Outcome, replay_call, replay_link

SILENT = "09i-app-accepts-but-never-speaks"  # nothing was said on it
PLAYED = [one for one in streams() if one[0] != SILENT]
CALLS = [one for one in PLAYED if one[1].startswith("outbound")]
JOINS = ("CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE")


def documented() -> dict[tuple[str, str], list[str]]:
    """The table of the recordings' README: recording and connection to the other columns."""
    table = (FOLDER / "README.md").read_text().partition("| recording | connection |")[2]
    rows = [
        [cell.strip().replace("\\", "") for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]
    ]
    return {(name, connection): cells for name, connection, *cells in rows}


def row(outcome: Outcome) -> list[str]:
    """An outcome as the table has it."""
    ran, cut, jobs = "; ".join(outcome.ran), ", ".join(outcome.cut), ", ".join(outcome.jobs)
    return [ran, cut, outcome.gone, outcome.digits, jobs, outcome.end]


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[EslHub]:
    one = EslHub()
    await one.start()
    yield one
    await one.aclose()


def test_the_table_has_every_connection() -> None:
    assert list(documented()) == PLAYED
    assert len(NAMES) == 93


@pytest.mark.parametrize(("name", "connection"), PLAYED)
async def test_a_recording_ends_as_documented(name: str, connection: str, hub: EslHub) -> None:
    replay = replay_call if connection.startswith("outbound") else replay_link
    outcome = await replay(name, connection, hub)
    assert row(outcome) == documented()[name, connection]
    if replay is replay_call and "asked for" not in outcome.end:
        assert outcome.heard == expected_events(recording(name).steps(connection))


def expected_events(steps: list[Step]) -> dict[str, int]:
    """What a session's user hears by the second opinion: all of its leg but keys and the ends of what it has begun,
    these too once the caller is gone; of other legs what joins them.
    """
    messages = [step.message for step in steps if step.message]
    leg = messages[0].headers["Unique-ID"]
    own = {_event_uuid(step.raw) for step in steps if EXECUTE.fullmatch(step.raw)}
    heard: collections.Counter[str] = collections.Counter()
    gone = False
    for event in [message.event for message in messages if message.event]:
        gone = gone or (event["Event-Name"] == "CHANNEL_HANGUP" and event["Unique-ID"] == leg)
        if _is_heard(event, leg, set() if gone else own):
            heard[event["Event-Name"]] += 1
    return heard


def _is_heard(event: dict[str, str], leg: str, own: set[str]) -> bool:
    name = event["Event-Name"]
    if event.get("Unique-ID") != leg:
        return name in JOINS
    is_ours = name == "CHANNEL_EXECUTE_COMPLETE" and event.get("Application-UUID") in own
    return name != "DTMF" and not is_ours


def _event_uuid(command: bytes) -> str:
    return command.decode(errors="replace").partition("Event-UUID: ")[2].partition("\n")[0]


def test_the_second_opinion_reads_everything() -> None:
    for name, connection in streams():
        stream = recording(name).stream(connection)
        assert b"".join([message.raw for message in plain_messages(stream)]) == stream
