"""A voicemail message: its note, its mail (over real SMTP), and that a failed mail is not forgotten."""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from cordboard.lab.ports import find_free_ports
from cordboard.service.messages import Messages
from cordboard.settings import Box, Mail, Settings
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Recorded
from cordboard.telephony.verbs import Record

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
    return Settings(voicemail={"orders": Box(folder="sales", tell=tell)}, mail=Mail(port=port))


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
    messages.left(CALL, VERB, recording(tmp_path, 0.4))
    assert list((tmp_path / "sales").iterdir()) == []


async def test_a_box_without_people_is_only_noted(tmp_path: Path) -> None:
    messages = Messages(settings(1), tmp_path)
    messages.left(CALL, VERB, recording(tmp_path))
    assert (await note_with(tmp_path / "sales/message-1.json"))["told"] is True


async def test_a_mail_that_fails_is_tried_again_and_after_a_restart(
    tmp_path: Path, postman: Postman, smtp: Controller
) -> None:
    dead = Messages(settings(1, "ann@example.org"), tmp_path, pauses_s=(0.0, 0.01))
    dead.left(CALL, VERB, recording(tmp_path))
    note = tmp_path / "sales/message-1.json"
    await asyncio.gather(*dead._tasks)
    kept = await note_with(note, told=False)
    alive = Messages(settings(smtp.port, "ann@example.org"), tmp_path)
    assert alive.resume_untold() == 0, "a young message may still be in another worker's hands"
    kept["received_at"] = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    note.write_text(json.dumps(kept))
    assert alive.resume_untold() == 1
    await asyncio.wait_for(postman.letters.get(), 5)
    await note_with(note, told=True)
    await alive.aclose()
