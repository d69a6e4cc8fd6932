"""Check `music`: the classes of music on hold that queues name are there. Without one, callers wait in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cordboard.bootstrap.checks.asterisk_files import read_with_includes
from cordboard.bootstrap.checks.premises import NotLookedAt, Premises
from cordboard.bootstrap.checks.result import Check, Result, listed, ok, warning

FILE = "musiconhold.conf"


async def look(premises: Premises) -> Sequence[Result]:
    """The classes that no file of Asterisk's defines."""
    wanted = {queue.music for queue in premises.plan.queues.values()}
    if not wanted:
        return [ok("no queues are configured")]
    reading = await asyncio.to_thread(read_with_includes, premises.asterisk, FILE)
    if reading.unreadable:
        raise NotLookedAt(f"{reading.unreadable[0]} is not there, or cannot be read")
    missing = sorted(wanted - set(reading.sections()))
    if not missing:
        return [ok(f"music on hold for every queue: {listed(sorted(wanted))}")]
    fix = f"add [{missing[0]}] with `mode = files` and `directory = ...` to {premises.asterisk / FILE}"
    return [warning(f"Asterisk has no music class {listed(missing)}: callers would wait in silence", fix)]


CHECK = Check("music", look, "a directory does not answer; is it on a network disk?", switch="asterisk")
