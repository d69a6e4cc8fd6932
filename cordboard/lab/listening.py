"""Keeps an `Ear` on a live call: feeds it as audio arrives, and lets a scenario wait for what it finds.

It works only while there is something to hear; in silence nothing runs, and what passed is fed as silence when the
next sound comes or somebody asks. The player of scenarios makes one for each call.
"""

from __future__ import annotations

import asyncio
import contextlib

from cordboard.errors import LabError
from cordboard.lab.call import Call
from cordboard.lab.hearing import Ear, Event
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.rtp import SAMPLE_RATE_HZ

STEP_S = 0.1
GRACE_S = 0.25  # audio so late may still come, when the PBX's machine is busy; only then is it silence
LINGER_S = 0.6  # how long to go on after the last sound, so that its end is noticed
FLUSH_S = 1.0  # of silence fed at the end of the call, which ends whatever was being heard
MAX_EVENTS = 10_000


class Listener:
    """`events`: what was heard so far. `ear`: for what is going on now."""

    def __init__(self, call: Call, book: PromptBook) -> None:
        self.call = call
        self.ear = Ear(book)
        self.events: list[Event] = []
        self.is_finished = False
        self._changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        call.media.on_audio = self._wake
        call.on_change = self._call_changed
        self._call_changed()

    async def changed(self, until_s: float) -> bool:
        """Wait until more has been listened to, or the call has ended. False at `until_s` (of the call's time)."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), max(0.0, until_s - self.call.now_s))
            return True
        self.catch_up()
        return False

    def catch_up(self) -> None:
        """Listen to everything up to now (but for the grace that late audio has)."""
        if not self.is_finished:
            self._feed(max(self.call.heard.end_s, self.call.now_s - GRACE_S))

    def _wake(self) -> None:
        if self._timer is None and not self.is_finished:
            self._timer = asyncio.get_running_loop().call_later(STEP_S, self._step)

    def _step(self) -> None:
        self._timer = None
        self.catch_up()
        self._changed.set()
        if self.ear.is_following or self.call.now_s - self.ear.quiet_since_s < LINGER_S:
            self._wake()

    def _call_changed(self) -> None:
        self._changed.set()
        if self.call.end is not None and not self.is_finished:
            self._finish()

    def _finish(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._feed(self.call.heard.end_s + FLUSH_S)
        self.is_finished = True

    def _feed(self, upto_s: float) -> None:
        start_s = self.ear.fed_s
        if upto_s - start_s >= 1 / SAMPLE_RATE_HZ:
            self.events += self.ear.feed(self.call.heard.samples(start_s, upto_s))
        if len(self.events) > MAX_EVENTS:
            raise LabError(f"more than {MAX_EVENTS} prompts and sounds were heard in one call")
