"""Voicemail messages in folders: the note beside each recording, and telling people of it by e-mail.

Beside `20261122T101500-01J….wav` stands a JSON file of the same name: when, for which box, from which number,
how long, and whether everyone has been told. A mail that cannot be sent is tried again, and again when a
worker starts; the recording and its note are on the disk before anything is sent.
"""

from __future__ import annotations

import asyncio
import smtplib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import orjson
import structlog

from cordboard.redaction import clean
from cordboard.settings import Box, Mail, Settings
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Recorded
from cordboard.telephony.verbs import Record

log = structlog.get_logger()

SHORTEST_MESSAGE_S = 1.0  # a shorter one is somebody hanging up at the beep
PAUSES_S = (0.0, 5.0, 60.0, 600.0)  # before each attempt
UNTOLD_AFTER_S = sum(PAUSES_S) + 120.0  # until then another worker may still be at it
LARGEST_ATTACHMENT = 8 * 1024 * 1024


@dataclass(frozen=True)
class Message:
    """One message: its recording, and who is to be told."""

    sound: Path
    folder: str
    caller: str
    caller_name: str
    duration_s: float
    received_at: datetime
    tell: tuple[str, ...]

    @property
    def note(self) -> Path:
        """The JSON file beside the recording."""
        return self.sound.with_suffix(".json")


class Messages:
    """Receives what was recorded; tells in the background, at most one mail at a time."""

    def __init__(self, settings: Settings, root: Path, pauses_s: tuple[float, ...] = PAUSES_S) -> None:
        self._root = root
        self._pauses_s = pauses_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Semaphore(1)
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Take boxes and mail settings from now on from here."""
        self._mail = settings.mail
        self._boxes = {box.folder: box for box in settings.voicemail.values() if box.folder}

    def left(self, call: Call, verb: Record, recorded: Recorded) -> None:
        """A caller has left a message."""
        sound = Path(recorded.path)
        if recorded.duration_s < SHORTEST_MESSAGE_S:
            sound.unlink(missing_ok=True)
            return
        message = Message(
            sound, verb.folder, clean(call.ani), clean(call.caller_name), recorded.duration_s, datetime.now(UTC),
            self._boxes.get(verb.folder, Box(folder=verb.folder)).tell,
        )  # fmt: skip
        log.info("message_left", call_id=call.call_id, folder=verb.folder, duration_s=message.duration_s)
        self._begin(message)

    def resume_untold(self) -> int:
        """Take up again what an earlier worker could not tell; how many messages."""
        found = [note for folder in self._boxes for note in sorted((self._root / folder).glob("*.json"))]
        latest = datetime.now(UTC) - timedelta(seconds=UNTOLD_AFTER_S)
        untold = [message for note in found if (message := _read_untold(note)) is not None]
        waiting = [message for message in untold if message.received_at < latest]
        for message in waiting:
            self._begin(message)
        return len(waiting)

    async def aclose(self) -> None:
        """Stop telling; what is not told yet stays noted as such."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, message: Message) -> None:
        _write_note(message, told=not message.tell)
        if message.tell:
            task = asyncio.create_task(self._tell(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell(self, message: Message) -> None:
        for pause_s in self._pauses_s:
            await asyncio.sleep(pause_s)
            try:
                async with self._one_at_a_time:
                    await asyncio.to_thread(_send, compose(message, self._mail), self._mail)
            except (OSError, smtplib.SMTPException) as fault:
                log.warning("message_not_told", folder=message.folder, reason=str(fault))
            else:
                _write_note(message, told=True)
                log.info("message_told", folder=message.folder, people=len(message.tell))
                return


def compose(message: Message, mail: Mail) -> EmailMessage:
    """The mail about a message, with the recording if it is small enough and on this machine."""
    caller = " ".join(part for part in (message.caller_name, message.caller) if part) or "a withheld number"
    letter = EmailMessage()
    letter["Subject"] = f"Voicemail in {message.folder} from {caller}"[:200]
    letter["From"] = mail.sender
    letter["To"] = ", ".join(message.tell)
    letter.set_content(
        f"{caller} left a message of {message.duration_s:.0f} s in {message.folder}\n"
        f"at {message.received_at:%Y-%m-%d %H:%M:%S} UTC.\n\nRecording: {message.sound}\n"
    )
    if mail.attach and message.sound.is_file() and message.sound.stat().st_size <= LARGEST_ATTACHMENT:
        letter.add_attachment(message.sound.read_bytes(), "audio", "wav", filename=message.sound.name)
    return letter


def _send(letter: EmailMessage, mail: Mail) -> None:
    with smtplib.SMTP(mail.host, mail.port, timeout=mail.deadline_s) as server:
        server.send_message(letter)


def _write_note(message: Message, *, told: bool) -> None:
    note: dict[str, Any] = {
        "folder": message.folder, "sound": message.sound.name, "caller": message.caller,
        "caller_name": message.caller_name, "duration_s": message.duration_s,
        "received_at": message.received_at.isoformat(), "tell": list(message.tell), "told": told,
    }  # fmt: skip
    part = message.note.with_suffix(".part")
    try:
        part.write_bytes(orjson.dumps(note, option=orjson.OPT_INDENT_2))
        part.replace(message.note)
    except OSError as fault:
        log.error("message_note_unwritable", folder=message.folder, reason=str(fault))


def _read_untold(note: Path) -> Message | None:
    try:
        kept = orjson.loads(note.read_bytes())
        if kept["told"]:
            return None
        received_at = datetime.fromisoformat(kept["received_at"])
        return Message(
            note.with_suffix(".wav"), kept["folder"], kept["caller"], kept["caller_name"],
            kept["duration_s"], received_at, tuple(kept["tell"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as fault:
        log.warning("message_note_unreadable", reason=str(fault))
        return None
