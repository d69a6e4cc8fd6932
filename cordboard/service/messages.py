"""Voicemail messages from the beep until everybody has been told. Called by the conversations of a worker.

    begins ──► left ──► told           the usual way
       └─────► found ─► told           the worker was lost; the call came to another one when the recording ended
       └─────► swept ─► told           ... or the caller hung up, and nobody was there to see it

A mail that fails is tried again three times by the worker that has it, and after that by the sweep, which runs on
one worker for as long as the service does. Everything that touches the disk or the network runs in a thread, and
what fails there never holds up a call. What is where on the disk: `message_notes`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import structlog

from cordboard.prompts.wav import recorded_s
from cordboard.redaction import clean
from cordboard.service import message_mail
from cordboard.service.message_notes import (
    Message,
    claim,
    finish,
    finish_abandoned,
    read_note,
    untold,
    write_note,
)
from cordboard.settings import Mail, Settings
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Recorded
from cordboard.telephony.verbs import Record

log = structlog.get_logger()

DISK_DEADLINE_S = 2.0  # for how long a slow disk may keep a caller waiting


@dataclass(frozen=True)
class Pace:
    """retry_s: pauses before the first attempts to tell; quiet_s: a recording that has not grown for so long has
    ended. How often is swept is a setting of the mail.
    """

    retry_s: tuple[float, ...] = (0.0, 5.0, 60.0)
    quiet_s: float = 10.0


USUAL_PACE = Pace()


class Messages:
    """The messages of one worker; `resume_untold` on one of them looks after those of all."""

    def __init__(self, settings: Settings, root: Path, pace: Pace = USUAL_PACE) -> None:
        self._root = root
        self._pace = pace
        self._keeping: set[asyncio.Task[None]] = set()
        self._telling: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Semaphore(1)
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Take boxes and mail settings from now on from here."""
        self._mail: Mail = settings.mail
        self._boxes = {box.folder: box for box in settings.voicemail.values() if box.folder}

    async def begins(self, call: Call, verb: Record) -> None:
        """A caller is about to speak: note it, so that the message is not lost with this worker."""
        message = self._message(call, verb, self._sound_of(verb))
        try:
            await asyncio.wait_for(asyncio.to_thread(write_note, message), DISK_DEADLINE_S)
        except (OSError, TimeoutError) as fault:
            log.error("message_note_unwritable", call_id=call.call_id, folder=verb.folder, reason=str(fault))

    def left(self, call: Call, verb: Record, recorded: Recorded) -> None:
        """A caller has left a message."""
        message = replace(self._message(call, verb, Path(recorded.path)), duration_s=recorded.duration_s)
        _begin(self._keep(message), self._keeping)

    async def found(self, call: Call, verb: Record) -> Recorded | None:
        """What was recorded for a verb whose worker was lost; None if it had not begun. It counts as left."""
        sound = self._sound_of(verb)
        try:
            length_s = await asyncio.wait_for(asyncio.to_thread(recorded_s, sound), DISK_DEADLINE_S)
        except (OSError, TimeoutError):
            return None
        recorded = Recorded(str(sound), length_s)
        self.left(call, verb, recorded)
        return recorded

    def resume_untold(self) -> None:
        """From now on look after what was left untold or unfinished by any worker: at once, then each `sweep_s`."""
        _begin(self._sweep_for_ever(), self._telling)

    async def aclose(self) -> None:
        """Close the notes of what was left; stop telling: what is not told yet stays noted as such."""
        if self._keeping:
            await asyncio.wait(self._keeping, timeout=DISK_DEADLINE_S)
        for task in tuple(self._telling):
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    def _sound_of(self, verb: Record) -> Path:
        return self._root / verb.folder / f"{verb.file}.wav"

    def _message(self, call: Call, verb: Record, sound: Path) -> Message:
        box = self._boxes.get(verb.folder)  # none for a message that a flow takes for itself
        tell = box.tell if box else ()
        return Message(sound, verb.folder, clean(call.ani), clean(call.caller_name), datetime.now(UTC), tell)

    async def _keep(self, message: Message) -> None:
        """Close the note, then tell. A note that cannot be closed stays open for the sweep."""
        try:
            kept = await asyncio.to_thread(finish, message)
        except OSError as fault:
            log.error("message_note_unwritable", folder=message.folder, reason=str(fault))
            return
        if kept is not None:
            log.info("message_left", folder=kept.folder, sound=kept.sound.name, duration_s=kept.duration_s)
            if kept.tell:
                _begin(self._tell(kept), self._telling)

    async def _tell(self, message: Message) -> None:
        for pause_s in self._pace.retry_s:
            await asyncio.sleep(pause_s)
            if await self._try_to_tell(message):
                return

    async def _try_to_tell(self, message: Message) -> bool:
        """One attempt; whether there is nothing left to do here."""
        try:
            async with self._one_at_a_time:
                result = await asyncio.to_thread(_tell_once, message, self._mail)
        except Exception as fault:  # whatever one message has in it must not keep others from being told of
            log.warning("message_not_told", folder=message.folder, sound=message.sound.name, reason=str(fault))
            return False
        if result == "told":
            log.info("message_told", folder=message.folder, sound=message.sound.name, people=len(message.tell))
        return result != "busy"

    async def _sweep_for_ever(self) -> None:
        while True:
            for message in await asyncio.to_thread(untold, self._root):
                await self._look_after(message)
            await asyncio.sleep(self._mail.sweep_s)

    async def _look_after(self, message: Message) -> None:
        """Tell of a message that nobody has been told of; close its note first, if its worker was lost."""
        if message.duration_s is not None:
            await self._try_to_tell(message)
            return
        try:
            kept = await asyncio.to_thread(finish_abandoned, message, self._pace.quiet_s)
        except OSError as fault:
            log.error("message_note_unwritable", folder=message.folder, reason=str(fault))
            return
        if kept is not None:
            log.warning("message_rescued", folder=kept.folder, sound=kept.sound.name, duration_s=kept.duration_s)
            if kept.tell:
                await self._try_to_tell(kept)


def _begin(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def _tell_once(message: Message, mail: Mail) -> Literal["told", "busy", "settled"]:
    """Send the mail, unless another process is at it (busy), or it is told or deleted by now (settled)."""
    with claim(message) as is_ours:
        if not is_ours:
            return "busy"
        kept = read_note(message.note)
        if kept is None or kept.told:
            return "settled"
        message_mail.send(kept, mail)
        write_note(replace(kept, told=True))
        return "told"
