"""A voicemail message: its note, its mail (over real SMTP); neither a lost worker nor a failed mail loses it."""

from __future__ import annotations

import asyncio
import json
import os
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiosmtpd.controller import Controller

from cordboard.lab.ports import find_free_ports
from cordboard.service.messages import Messages, Pace
from cordboard.settings import Box, Mail, Settings
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Recorded
from cordboard.telephony.verbs import Record

SWEEP_S = 0.1
HOSTILE_NAME = 'Ada "Countess"\r\nBcc: all@example.org'
CALL = Call("01J1", "asterisk", "x", "5000", datetime.now(UTC), "+442079460123", HOSTILE_NAME)
VERB = Record("sales", "message-1", max_s=60, silence_s=4)


class Postman:
    """Keeps the mails that arrive."""

    def __init__(self) -> None:
        self.letters: asyncio.Queue[Any] = asyncio.Queue()
        self.loop = asyncio.get_running_loop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.loop.call_soon_threadsafe(self.letters.put_nowait, envelope)
        return "250 OK"


@pytest.fixture
async def postman() -> Any:
    return Postman()


@pytest.fixture
def smtp(postman: Postman) -> Iterator[Controller]:
    controller = Controller(postman, hostname="127.0.0.1", port=find_free_ports())
    controller.start()
    yield controller
    controller.stop()


def settings(port: int, *tell: str) -> Settings:
    return Settings(voicemail={"orders": Box(folder="sales", tell=tell)}, mail=Mail(port=port, sweep_s=SWEEP_S))


def age(path: Path, by_s: float) -> None:
    """Make a file older."""
    os.utime(path, (time.time() - by_s, time.time() - by_s))


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0.01)


def recording(root: Path, seconds: float = 2.0) -> Recorded:
    path = root / "sales" / "message-1.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0\0" * int(seconds * 8000))
    return Recorded(str(path), seconds)


async def note_with(path: Path, **wanted: Any) -> dict[str, Any]:
    """The note, once it says what is wanted."""
    async with asyncio.timeout(5):
        while True:
            if path.exists() and wanted.items() <= (kept := json.loads(path.read_bytes())).items():
                return kept
            await asyncio.sleep(0.01)


async def test_people_are_told_with_the_recording(tmp_path: Path, postman: Postman, smtp: Controller) -> None:
    port = smtp.port
    messages = Messages(settings(port, "ann@example.org", "bob@example.org"), tmp_path)
    messages.left(CALL, VERB, recording(tmp_path))
    letter = await asyncio.wait_for(postman.letters.get(), 5)
    assert letter.rcpt_tos == ["ann@example.org", "bob@example.org"]
    mail = message_from_bytes(letter.content, policy=policy.default)
    assert mail["Subject"].strip().startswith('Voicemail in sales from Ada "Countess"')
    assert mail["Bcc"] is None, "the caller's name cannot add a header"
    assert [part.get_filename() for part in mail.iter_attachments()] == ["message-1.wav"]
    kept = await note_with(tmp_path / "sales/message-1.json", told=True)
    assert kept["duration_s"] == 2.0
    await messages.aclose()


async def test_a_hang_up_at_the_beep_leaves_nothing(tmp_path: Path) -> None:
    messages = Messages(settings(1, "ann@example.org"), tmp_path)
    await messages.begins(CALL, VERB)
    messages.left(CALL, VERB, recording(tmp_path, 0.4))
    await messages.aclose()
    assert list((tmp_path / "sales").iterdir()) == []


async def test_a_box_without_people_is_only_noted(tmp_path: Path) -> None:
    messages = Messages(settings(1), tmp_path)
    messages.left(CALL, VERB, recording(tmp_path))
    assert (await note_with(tmp_path / "sales/message-1.json"))["told"] is True


async def test_a_mail_that_fails_is_tried_again_and_after_a_restart(
    tmp_path: Path, postman: Postman, smtp: Controller
) -> None:
    dead = Messages(settings(1, "ann@example.org"), tmp_path, Pace(retry_s=(0.0, 0.01)))
    dead.left(CALL, VERB, recording(tmp_path))
    with structlog.testing.capture_logs() as lines:
        await until(lambda: len([line for line in lines if line["event"] == "message_not_told"]) == 2)
    await dead.aclose()
    note = tmp_path / "sales/message-1.json"
    assert (await note_with(note, told=False))["duration_s"] == 2.0
    alive = Messages(settings(smtp.port, "ann@example.org"), tmp_path)
    alive.resume_untold()
    await asyncio.wait_for(postman.letters.get(), 5)
    await note_with(note, told=True)
    await alive.aclose()


async def test_what_cannot_be_told_now_is_told_by_a_later_round(
    tmp_path: Path, postman: Postman, smtp: Controller
) -> None:
    messages = Messages(settings(1, "ann@example.org"), tmp_path, Pace(retry_s=()))
    messages.left(CALL, VERB, recording(tmp_path))
    await note_with(tmp_path / "sales/message-1.json", duration_s=2.0)
    messages.resume_untold()
    messages.use(settings(smtp.port, "ann@example.org"))
    await asyncio.wait_for(postman.letters.get(), 5)
    await messages.aclose()


async def test_a_message_is_told_once_however_many_workers_try(
    tmp_path: Path, postman: Postman, smtp: Controller
) -> None:
    workers = [Messages(settings(smtp.port, "ann@example.org"), tmp_path) for _ in range(4)]
    workers[0].left(CALL, VERB, recording(tmp_path))
    for worker in workers:
        worker.resume_untold()
    await note_with(tmp_path / "sales/message-1.json", told=True)
    for _ in range(3):  # rounds
        await asyncio.sleep(SWEEP_S)
    for worker in workers:
        await worker.aclose()
    assert postman.letters.qsize() == 1
    assert not list((tmp_path / "sales").glob("*.lock"))


async def test_what_another_worker_has_told_meanwhile_is_not_told_again(
    tmp_path: Path, postman: Postman, smtp: Controller
) -> None:
    one = Messages(settings(1, "ann@example.org"), tmp_path, Pace(retry_s=(0.0, 0.5)))
    with structlog.testing.capture_logs() as lines:
        one.left(CALL, VERB, recording(tmp_path))
        await until(lambda: "message_not_told" in [line["event"] for line in lines])
    one.use(settings(smtp.port, "ann@example.org"))
    other = Messages(settings(smtp.port, "ann@example.org"), tmp_path)
    other.resume_untold()
    await note_with(tmp_path / "sales/message-1.json", told=True)
    await asyncio.wait_for(asyncio.gather(*one._telling), 5)
    assert postman.letters.qsize() == 1
    await one.aclose()
    await other.aclose()


async def test_a_message_whose_worker_was_lost_is_closed_and_told_once_it_is_quiet(
    tmp_path: Path, postman: Postman, smtp: Controller
) -> None:
    lost = Messages(settings(smtp.port, "ann@example.org"), tmp_path)
    await lost.begins(CALL, VERB)
    note = tmp_path / "sales/message-1.json"
    assert json.loads(note.read_bytes())["duration_s"] is None
    sound = Path(recording(tmp_path).path)
    other = Messages(settings(smtp.port, "ann@example.org"), tmp_path)
    other.resume_untold()
    await asyncio.sleep(3 * SWEEP_S)
    assert json.loads(note.read_bytes())["duration_s"] is None, "it may still be growing"
    age(sound, 11)
    assert (await note_with(note, told=True))["duration_s"] == 2.0
    assert postman.letters.qsize() == 1
    await other.aclose()


async def test_a_short_one_whose_worker_was_lost_goes_when_no_recording_can_be_going_on(tmp_path: Path) -> None:
    messages = Messages(settings(1), tmp_path)
    await messages.begins(CALL, VERB)
    sound, note = Path(recording(tmp_path, 0.5).path), tmp_path / "sales/message-1.json"
    age(sound, 60)
    age(note, 60)
    messages.resume_untold()
    await asyncio.sleep(3 * SWEEP_S)
    assert sound.exists(), "the caller may be silent on a phone that sends nothing then"
    age(note, 3800)
    await until(lambda: not list((tmp_path / "sales").iterdir()))
    await messages.aclose()


async def test_two_workers_which_see_the_same_end_make_one_message(
    tmp_path: Path, postman: Postman, smtp: Controller
) -> None:
    hung, next_one = (Messages(settings(smtp.port, "ann@example.org"), tmp_path) for _ in range(2))
    await hung.begins(CALL, VERB)
    recorded = recording(tmp_path)
    assert await next_one.found(CALL, VERB) == recorded
    await note_with(tmp_path / "sales/message-1.json", told=True)
    hung.left(CALL, VERB, recorded)
    await hung.aclose()
    assert (await note_with(tmp_path / "sales/message-1.json"))["told"] is True
    assert await next_one.found(CALL, Record("sales", "message-2", max_s=60, silence_s=4)) is None
    await next_one.aclose()
    assert postman.letters.qsize() == 1


async def test_a_message_that_cannot_be_put_into_a_mail_keeps_no_other_from_being_told(
    tmp_path: Path, postman: Postman, smtp: Controller
) -> None:
    messages = Messages(settings(smtp.port, "ann@example.org"), tmp_path)
    recorded = recording(tmp_path)
    spoilt = tmp_path / "sales/a-spoilt-one.json"
    messages.left(replace(CALL, caller_name="Ada \u2028 King"), VERB, recorded)
    await asyncio.wait_for(postman.letters.get(), 5)
    note = await note_with(tmp_path / "sales/message-1.json", told=True)
    assert note["caller_name"] == "Ada  King"
    spoilt.write_text(json.dumps(note | {"caller_name": "Ada\u2028\nBcc: x@example.org", "told": False}))
    (tmp_path / "sales/message-1.json").write_text(json.dumps(note | {"told": False}))
    with structlog.testing.capture_logs() as lines:
        messages.resume_untold()
        await asyncio.wait_for(postman.letters.get(), 5)
    assert "message_not_told" in [line["event"] for line in lines]
    await messages.aclose()


async def test_a_disk_that_takes_no_notes_is_told_of_in_the_log_only(tmp_path: Path) -> None:
    (tmp_path / "sales").write_text("a file where a folder should be")
    messages = Messages(settings(1, "ann@example.org"), tmp_path)
    with structlog.testing.capture_logs() as lines:
        await messages.begins(CALL, VERB)
        messages.left(CALL, VERB, Recorded(str(tmp_path / "sales/message-1.wav"), 3.0))
        await messages.aclose()
    assert [line["event"] for line in lines] == ["message_note_unwritable"] * 2
