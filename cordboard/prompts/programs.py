"""Runs the programs that make sounds: never through a shell, never without a deadline. Called at load time only."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from cordboard.errors import CordboardError
from cordboard.prompts.shared_files import give, make_folder

CONVERT_DEADLINE_S = 20.0
SOX = "sox"
_SOX = (SOX, "-D", "-V1")  # no dither
_UNCLIPPED = "-G"  # what is loud stays just below the limit; does not go with effects that set the level


class VoiceUnavailable(CordboardError):
    """A sound could not be made; the message says which program is missing or what it said."""


async def run_program(command: Sequence[str], deadline_s: float, stdin: str = "") -> None:
    """Run a program to its end. Raises VoiceUnavailable if it is not there, fails or takes too long."""
    if shutil.which(command[0]) is None:
        packages = "espeak-ng sox" if command[0] in ("espeak-ng", "sox") else command[0]
        raise VoiceUnavailable(f"{command[0]} is not installed: apt-get install {packages}")
    pipe = asyncio.subprocess.PIPE
    with _written(stdin) as text:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=text, stdout=pipe, stderr=pipe, start_new_session=True
        )
    try:
        async with asyncio.timeout(deadline_s):
            _, complaint = await process.communicate()
    except TimeoutError as late:
        raise VoiceUnavailable(f"{command[0]} took more than {deadline_s:g} s") from late
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # with whatever it has started
            await process.wait()
    if process.returncode != 0:
        raise VoiceUnavailable(f"{command[0]}: {complaint.decode(errors='replace').strip() or process.returncode}")


def _written(text: str) -> BinaryIO:
    """A file that holds the text, to be read from its beginning.

    Not a pipe: writing into that of a program which has ended already is a RuntimeError with uvloop.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever asks closes it
    file.write(text.encode())
    file.seek(0)
    return file


async def convert(source: Path, target: Path, rate_hz: int, effects: Sequence[str] = ()) -> None:
    """Write a sound as WAV of a rate, one channel, 16 bit. The file appears whole or not at all.

    Raises VoiceUnavailable, OSError.
    """
    make_folder(target.parent)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    shape = ("-t", "wav", "-b", "16", "-c", "1")
    try:
        guard = () if effects else (_UNCLIPPED,)
        command = (*_SOX, *guard, str(source), *shape, str(part), "rate", str(rate_hz), *effects)
        await run_program(command, CONVERT_DEADLINE_S)
        give(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
