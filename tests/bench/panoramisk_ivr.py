"""The IVR as a bare panoramisk handler: what one would write after reading its README. A program of its own.

    python -m tests.bench.panoramisk_ivr PORT [--uvloop]

No checkpoint, no timer, no log, no check of any reply: the least that panoramisk can do.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvloop
from panoramisk.fast_agi import Application

from tests.bench.dialplan import COMPLETE, HOLD_S

BACKLOG = 4096  # the default of 100 drops callers when many come at once; not what is measured here


async def ivr(request: Any) -> None:
    """Answer, play, get digit, set, say."""
    sounds = request.headers["agi_arg_1"]
    await request.send_command("ANSWER")
    await request.send_command(f'STREAM FILE "{sounds}/greeting" ""')
    await request.send_command(f'GET OPTION "{sounds}/question" "0123456789*#" 50')
    await request.send_command(f"SET VARIABLE BENCH_MARK {COMPLETE}")
    await request.send_command('SAY DIGITS 42 ""')


async def hold(request: Any) -> None:
    """A call that waits for a key for a long time."""
    sounds = request.headers["agi_arg_1"]
    await request.send_command("ANSWER")
    await request.send_command(f'GET OPTION "{sounds}/question" "0123456789*#" {HOLD_S * 1000}')


async def serve(port: int) -> None:
    """Serve until the process is ended. Says `ready` on standard output."""
    application = Application(loop=asyncio.get_running_loop())
    application.add_route("ivr", ivr)
    application.add_route("hold", hold)
    server = await asyncio.start_server(application.handler, "127.0.0.1", port, backlog=BACKLOG)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


def main(arguments: list[str]) -> None:
    """The program."""
    factory = uvloop.new_event_loop if "--uvloop" in arguments else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(int(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
