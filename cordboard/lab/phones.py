"""The phones of a scenario: registered baresips which answer, reject or ignore what rings them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

from cordboard.errors import LabError
from cordboard.lab.baresip import BaresipPhone
from cordboard.lab.phone_calls import Pbx
from cordboard.lab.scenario import PhonePart

Say = Callable[[str, str], None]  # extension, what it does

PATIENCE_S = 3_600.0  # a phone of a scenario waits for a call as long as the scenario lasts


@contextlib.asynccontextmanager
async def phones_ready(parts: Mapping[str, PhonePart], pbx: Pbx, say: Say) -> AsyncIterator[None]:
    """The phones are registered and behave as told while the body runs. Raises LabError if one cannot register."""
    async with contextlib.AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(BaresipPhone(extension, pbx)) for extension in parts]
        tasks = [
            asyncio.create_task(_behave(phone, extension, part, say))
            for phone, (extension, part) in zip(phones, parts.items(), strict=True)
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _behave(phone: BaresipPhone, extension: str, part: PhonePart, say: Say) -> None:
    """Take one call after the other."""
    while True:
        with contextlib.suppress(LabError):  # the caller left first: the next call, then
            await phone.incoming(timeout_s=PATIENCE_S)
            say(extension, "rings")
            await _take(phone, extension, part, say)
        await phone.closed(timeout_s=PATIENCE_S)
        say(extension, "is free again")


async def _take(phone: BaresipPhone, extension: str, part: PhonePart, say: Say) -> None:
    if part.does == "ignores":
        return
    if part.does == "rejects":
        await phone.reject()
        say(extension, "rejects")
        return
    await asyncio.sleep(part.answers_after_s)
    await phone.answer()
    say(extension, "answers")
    await asyncio.sleep(part.talks_s)
    await phone.hang_up()
    say(extension, "hangs up")
