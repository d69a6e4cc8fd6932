"""Voicemail messages on disk: a WAV and, beside it, a JSON note of the same name. Everything here blocks.

A note is written before the recording begins, with `duration_s` null, because the switch goes on recording when the
worker that asked for it is lost. Such an open note is closed by whoever sees the recording end: the worker that has
the call, the worker that the call comes to next, or the sweep (see `messages`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import structlog

from cordboard.prompts.wav import recorded_s

log = structlog.get_logger()

SHORTEST_MESSAGE_S = 1.0  # a shorter one is somebody hanging up at the beep
LONGEST_RECORDING_S = 3700.0  # what `max_s` of a flow can be, and some
_SAME_WITHIN_S = 0.5  # the switch and the file's size do not count the same to the last packet


@dataclass(frozen=True)
class Message:
    """One message: its recording, and who is to be told. duration_s: None while it is being recorded."""

    sound: Path
    folder: str
    caller: str
    caller_name: str
    received_at: datetime
    tell: tuple[str, ...]
    duration_s: float | None = None
    told: bool = False

    @property
    def note(self) -> Path:
        """The JSON file beside the recording."""
        return self.sound.with_suffix(".json")


def write_note(message: Message) -> None:
    """Put the note beside the recording; it appears whole. Raises OSError."""
    note: dict[str, Any] = {
        "folder": message.folder, "sound": message.sound.name, "caller": message.caller,
        "caller_name": message.caller_name, "duration_s": message.duration_s,
        "received_at": message.received_at.isoformat(), "tell": list(message.tell), "told": message.told,
    }  # fmt: skip
    message.note.parent.mkdir(parents=True, exist_ok=True)
    part = message.note.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(orjson.dumps(note, option=orjson.OPT_INDENT_2))
    part.replace(message.note)


def read_note(note: Path) -> Message | None:
    """What a note says; None if it is gone or cannot be read."""
    try:
        kept = orjson.loads(note.read_bytes())
        return Message(
            note.with_suffix(".wav"), kept["folder"], kept["caller"], kept["caller_name"],
            datetime.fromisoformat(kept["received_at"]), tuple(kept["tell"]), kept["duration_s"], kept["told"],
        )  # fmt: skip
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as fault:
        log.warning("message_note_unreadable", note=note.name, reason=str(fault))
        return None


def finish(message: Message) -> Message | None:
    """Close the note of a message whose recording has ended.

    None if it was too short to keep, or if somebody else has closed the note already. Two workers may both see the
    end, when one of them hung meanwhile; should the later one know of more, the later one counts. Raises OSError.
    """
    length_s = max(message.duration_s or 0.0, _length_s(message.sound))
    if length_s < SHORTEST_MESSAGE_S:
        remove(message)
        return None
    kept = read_note(message.note)
    if kept is not None and kept.duration_s is not None and length_s - kept.duration_s < _SAME_WITHIN_S:
        return None
    began_at = kept.received_at if kept is not None else message.received_at
    finished = replace(message, duration_s=round(length_s, 3), received_at=began_at, told=not message.tell)
    write_note(finished)
    return finished


def finish_abandoned(message: Message, quiet_s: float) -> Message | None:
    """Close an open note if nothing has been recorded for `quiet_s`; None if it is not to be kept, or not yet.

    A recording grows every other second, as the switch's buffer fills, but a phone may send nothing while nobody
    speaks. So a short one is deleted only when no recording can be going on. Raises OSError.
    """
    is_short = _length_s(message.sound) < SHORTEST_MESSAGE_S
    still_s = time.time() - (message.note if is_short else message.sound).stat().st_mtime
    return finish(message) if still_s >= (LONGEST_RECORDING_S if is_short else quiet_s) else None


def remove(message: Message) -> None:
    """Delete the recording and its note."""
    message.sound.unlink(missing_ok=True)
    message.note.unlink(missing_ok=True)


def untold(root: Path) -> list[Message]:
    """Every message below `root` that is being recorded or has somebody left to tell, oldest name first."""
    found = (read_note(note) for note in sorted(root.glob("*/*.json")))
    return [message for message in found if message is not None and not message.told]


@contextlib.contextmanager
def claim(message: Message) -> Iterator[bool]:
    """Whether this process alone has the message until the end of the block. The kernel ends the claim of a process
    that dies. Raises OSError.
    """
    lock = message.sound.with_suffix(".lock")
    handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
    try:
        is_ours = _locked(handle, lock)
        try:
            yield is_ours
        finally:
            if is_ours:
                lock.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _locked(handle: int, lock: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return (
            os.fstat(handle).st_ino == lock.stat().st_ino
        )  # else its last owner has deleted it since we opened it
    except (BlockingIOError, FileNotFoundError):
        return False


def _length_s(sound: Path) -> float:
    """By the file, if this machine sees it; 0.0 if not."""
    try:
        return recorded_s(sound)
    except OSError:
        return 0.0
