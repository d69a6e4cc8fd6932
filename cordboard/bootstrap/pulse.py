"""How the supervisor knows that a worker is alive: one byte a second over a pipe, written by its event loop.

The first byte means that calls can come. Then the bytes only have to keep coming: a process that lives and whose
event loop does not is of no use to a caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import BinaryIO

PULSE_S = 1.0
_BYTE = b"."
_MOST_AT_ONCE = 64


async def send_pulses(pipe: int) -> None:
    """Write one byte a second until nobody reads any more. The pipe is closed at the end."""
    os.set_blocking(pipe, False)
    try:
        while True:
            with contextlib.suppress(BlockingIOError):  # the reader is stopped itself: one byte less is no loss
                os.write(pipe, _BYTE)
            await asyncio.sleep(PULSE_S)
    except OSError:
        return  # the supervisor is gone; the kernel tells us of that by a signal
    finally:
        os.close(pipe)


async def follow_pulses(
    pipe: BinaryIO, on_first: Callable[[], None], first_within_s: float, silent_s: float
) -> bool:
    """Read pulses until the other side has closed the pipe (True) or has been silent for too long (False).

    on_first: called at the first byte, for which there are `first_within_s` seconds.
    """
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        heard = await _next(reader, first_within_s)
        if heard:
            on_first()
        while heard:
            heard = await _next(reader, silent_s)
        return heard is not None
    finally:
        transport.close()


async def _next(reader: asyncio.StreamReader, patience_s: float) -> bytes | None:
    """What came; empty at the end of the stream, None if nothing came for that long.

    The time is counted in short waits, so that a reader which was stopped itself does not lay that at the
    writer's door.
    """
    for _ in range(max(round(patience_s / PULSE_S), 1)):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PULSE_S):
                return await reader.read(_MOST_AT_ONCE)
    return None
