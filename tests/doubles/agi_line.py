"""One call between a real `AgiServer` and `FakeAsterisk`, and what a verb comes to on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from agi_scripts.phone import AsteriskPhone
from agi_scripts.server import AgiServer
from cordboard.telephony.outcomes import HandedOver, Outcome
from cordboard.telephony.verbs import Verb
from tests.doubles.fake_asterisk import FakeAsterisk
from tests.doubles.fixed_sounds import FixedSounds


@asynccontextmanager
async def on_the_line(
    serve: Callable[[AsteriskPhone], Awaitable[None]], root: Path = Path("/nowhere"), block: bytes | None = None
) -> AsyncIterator[FakeAsterisk]:
    """A server whose phones are given to `serve`, and one call on it."""
    server = AgiServer("127.0.0.1", 0, serve, FixedSounds(), recordings_root=root)
    await server.start()
    try:
        async with await FakeAsterisk.connect(server.port, block) as asterisk:
            yield asterisk
    finally:
        await server.aclose()


async def perform(
    verb: Verb, replies: list[str], root: Path = Path("/nowhere")
) -> tuple[Outcome | HandedOver, list[list[str]], dict[str, str]]:
    """The outcome of a verb to which Asterisk gives these replies, what was asked, and the variables set."""
    outcome: asyncio.Future[Outcome | HandedOver] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        try:
            outcome.set_result(await phone.perform(verb, "cp:1"))
        except Exception as error:
            outcome.set_exception(error)

    async with on_the_line(serve, root) as asterisk:
        left = iter(replies)
        asked = await asterisk.answer_all(lambda _: next(left, None))
        return await outcome, asked, asterisk.variables
