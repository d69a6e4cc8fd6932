"""The calls of one phone, and waiting for what happens to them: what all agent phones of the lab have in common.

`baresip` and `sip_phone` are built on it. A phone handles one call after the other; `call` is the latest, and each
wait is about that one, so it does not matter whether the thing waited for has happened already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cordboard.errors import LabError

CALL_TIMEOUT_S = 10.0


class Pbx(Protocol):
    """What a phone has to know of the PBX it registers with."""

    @property
    def host(self) -> str: ...

    @property
    def sip_port(self) -> int: ...


@dataclass(slots=True)
class PhoneCall:
    """One call of a phone. Times are `time.monotonic()`; None where it has not happened.

    peer: the other side's SIP address; keys: DTMF received; reason: why it ended, in the phone's words;
    recording: what was heard, once the call is over (None if nothing was, or if the phone keeps no files).
    """

    call_id: str
    is_incoming: bool
    peer: str
    began_at: float
    established_at: float | None = None
    closed_at: float | None = None
    reason: str = ""
    keys: str = ""
    recording: Path | None = None

    @property
    def number(self) -> str:
        """The user part of the other side's address."""
        return self.peer.partition(":")[2].partition("@")[0]


class PhoneCalls:
    """`calls` of one phone, oldest first."""

    def __init__(self, extension: str) -> None:
        self.extension = extension
        self.calls: list[PhoneCall] = []
        self._changed = asyncio.Event()

    @property
    def call(self) -> PhoneCall | None:
        """The latest call, over or not."""
        return self.calls[-1] if self.calls else None

    async def incoming(self, timeout_s: float = CALL_TIMEOUT_S) -> PhoneCall:
        """Wait until the phone rings. Returns the call that rings."""
        await self._wait(lambda: self._ringing() is not None, timeout_s, "an incoming call")
        call = self._ringing()
        if call is None:
            raise LabError(f"the call to phone {self.extension} was over at once")
        return call

    async def established(self, timeout_s: float = CALL_TIMEOUT_S) -> PhoneCall:
        """Wait until the latest call is answered, by either side. Raises LabError if it ended before that."""
        call = self._latest()
        await self._wait(lambda: call.established_at or call.closed_at, timeout_s, "an answer")
        if call.established_at is None:
            raise LabError(f"the call of phone {self.extension} ended unanswered: {call.reason}")
        return call

    async def closed(self, timeout_s: float = CALL_TIMEOUT_S, *, call: PhoneCall | None = None) -> PhoneCall:
        """Wait until a call is over, the latest if None, whoever ended it. `reason` of what returns says why."""
        call = call or self._latest()
        await self._wait(lambda: call.closed_at is not None, timeout_s, "the end of the call")
        return call

    async def _wait(self, condition: Callable[[], object], timeout_s: float, what: str) -> None:
        """Wait until something that events change has become true. Raises LabError at the deadline or the phone's
        end.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    self._check_alive()
                    await self._changed.wait()
        except TimeoutError as error:
            raise LabError(f"phone {self.extension} waited {timeout_s} s for {what} in vain") from error

    def _check_alive(self) -> None:
        """Raises LabError if the phone has ended, so that nothing is to be waited for."""

    def _tell(self) -> None:
        """Wake all who wait."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _ringing(self) -> PhoneCall | None:
        call = self.call
        if call is None or not call.is_incoming or call.established_at is not None or call.closed_at is not None:
            return None
        return call

    def _latest(self) -> PhoneCall:
        if self.call is None:
            raise LabError(f"phone {self.extension} had no call yet")
        return self.call
