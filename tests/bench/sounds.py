"""The sounds of the measured IVR: a greeting of 0.2 s, a question and digits of 20 ms, in a language of their own.

Real digits last half a second each; the calls would be longer and hide what the IVRs themselves cost.
"""

from __future__ import annotations

import io
import math
import struct
import tarfile
import wave
from pathlib import Path

from cordboard.errors import LabError
from cordboard.lab.engine import find_engine

RATE_HZ = 8000
TONE_HZ = 440
GREETING_MS = 200
SHORT_MS = 20
LANGUAGE = "ka"  # Asterisk speaks it, but has no sounds for it but ours
ASTERISK_SOUNDS = "/usr/share/asterisk/sounds"


def write_prompts(folder: Path) -> None:
    """Write `greeting.wav` and `question.wav`, 8 kHz."""
    folder.mkdir(parents=True)
    (folder / "greeting.wav").write_bytes(_tone(GREETING_MS))
    (folder / "question.wav").write_bytes(_tone(SHORT_MS))


def put_digits(container: str) -> None:
    """Put the digits 0 to 9 where Asterisk looks for those of LANGUAGE. Blocks. Raises LabError.

    container: what the container's name holds and no other's does.
    """
    engine = find_engine()
    found = engine.containers.list(filters={"name": container}) if engine else []
    files = {f"{LANGUAGE}/digits/{digit}.wav": _tone(SHORT_MS) for digit in range(10)}
    if len(found) != 1 or not found[0].put_archive(ASTERISK_SOUNDS, _archive(files)):
        raise LabError("the digits could not be put into Asterisk's container")


def _archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _tone(duration_ms: int) -> bytes:
    count = RATE_HZ * duration_ms // 1000
    samples = [round(8000 * math.sin(2 * math.pi * TONE_HZ * index / RATE_HZ)) for index in range(count)]
    packed = io.BytesIO()
    with wave.open(packed, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(struct.pack(f"<{count}h", *samples))
    return packed.getvalue()
