"""How the supervisor knows that a worker is alive: one byte a second over a pipe, written by its event loop.

The first byte means that calls can come. Then the bytes only have to keep coming: a process that lives and whose
event loop does not is of no use to a caller. One that cannot begin, or go on, says why as the last thing in the
pipe: the supervisor starts it again and again, and tells that once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from cordboard.errors import CordboardError

PULSE_S = 1.0
_BYTE = b"."
_REFUSAL = b"!"  # before the words, and a line's end behind them
_REFUSAL_MAX_BYTES = 4_000  # written in one piece
REFUSED = 3  # the exit code
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


@contextlib.contextmanager
def refusals_told(pipe: int | None) -> Iterator[None]:
    """Tell the supervisor of an error raised on purpose in the block, and end with REFUSED.

    pipe: None where there is no supervisor; the error is raised then.
    """
    own = os.dup(pipe) if pipe is not None else None  # pulses close theirs
    try:
        yield
    except CordboardError as fault:
        if own is None:
            raise
        words = " ".join(str(fault).split())
        os.write(own, _REFUSAL + words.encode()[:_REFUSAL_MAX_BYTES] + b"\n")
        raise SystemExit(REFUSED) from None


async def follow_pulses(
    pipe: BinaryIO,
    on_first: Callable[[], None],
    on_refusal: Callable[[str], None],
    first_within_s: float,
    silent_s: float,
) -> bool:
    """Read pulses until the other side has closed the pipe (True) or has been silent for too long (False).

    on_first: called at the first byte, for which there are `first_within_s` seconds. on_refusal: called with the
    reason of a process that cannot begin or go on.
    """
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        heard = await _next(reader, first_within_s)
        if heard and _REFUSAL not in heard:
            on_first()
        while heard and _REFUSAL not in heard:
            heard = await _next(reader, silent_s)
        if heard:
            on_refusal(await _words(reader, heard))
        return heard is not None
    finally:
        transport.close()


async def _words(reader: asyncio.StreamReader, heard: bytes) -> str:
    """A refusal whose beginning has been heard: one line, all there already. Its writer may take long to end."""
    if not heard.endswith(b"\n"):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PULSE_S):
                heard += await reader.readline()
    return heard.partition(_REFUSAL)[2].decode(errors="replace").rstrip()


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
