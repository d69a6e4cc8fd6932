"""What a flow notes about a call, and the callbacks it books. Called by the errands of a conversation.

A note is handed over at once and written soon: a caller who gives a score and hangs up in the same moment has given
it, and a flow never waits for the disk. A callback is a promise: the caller hears of it once it is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from cordboard.crm.phone_numbers import to_e164
from cordboard.errors import StoreUnavailable
from cordboard.flows.nodes.tag import MAX_CHARACTERS
from cordboard.redaction import clean
from cordboard.store.call_notes import CallNotes, survey_row, tag_row
from cordboard.store.callbacks import CallbackAsked
from cordboard.store.moments import now
from cordboard.store.writer import StoreThread
from cordboard.telephony.call import Call
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.outcomes import CallbackBooked, CallbackRefused, Done, Outcome
from cordboard.telephony.verbs import Note, RequestCallback

_TELLING_CHARACTERS = 4  # a name or a number of fewer says nothing of anybody

log = structlog.get_logger()


Booker = Callable[[CallbackAsked], Awaitable[CallbackBooked | CallbackRefused]]
"""Who writes a callback down; see `callbacks`. Raises StoreUnavailable."""


class Notes:
    """One worker's notes and callbacks."""

    def __init__(self, thread: StoreThread, booker: Booker) -> None:
        self._booker = booker
        self._notes = CallNotes(thread)
        self._bookings: set[asyncio.Task[CallbackBooked | CallbackRefused]] = set()
        self._country = ""
        self._policy = DialPolicy()

    def use(self, country: str, policy: DialPolicy) -> None:
        """A configuration. country: whose national numbers are understood where a flow does not say, "GB".

        policy: numbers that it does not allow are not promised a call. One that says nothing of outside numbers
        leaves that to the people who call back.
        """
        self._country = country
        self._policy = policy

    async def run(self, call: Call, verb: Note | RequestCallback) -> Outcome:
        """Carry a verb out. Never raises for what the store does."""
        if isinstance(verb, RequestCallback):
            booking = asyncio.create_task(self._book(call, verb))
            self._bookings.add(booking)
            booking.add_done_callback(self._bookings.discard)
            return await asyncio.shield(booking)  # who says yes and hangs up has said yes
        self._note(call, verb)
        return Done()

    def flush(self) -> None:
        """Have everything written that was noted so far; before the store is closed."""
        self._notes.flush()

    def _note(self, call: Call, note: Note) -> None:
        at = now().wall
        if note.kind == "survey":
            self._notes.add(survey_row(call.call_id, note.name, int(note.value), at))
        else:
            self._notes.add(tag_row(call.call_id, note.name, _impersonal(call, note.value), at))

    async def _book(self, call: Call, verb: RequestCallback) -> CallbackBooked | CallbackRefused:
        number = to_e164(verb.number, verb.country or self._country)
        if number is None or not self._may_call(number):
            return CallbackRefused("number")
        asked = CallbackAsked(call.call_id, verb.queue, number, verb.language, verb.priority, now().wall)
        try:
            return await self._booker(asked)
        except StoreUnavailable as fault:
            log.error("callback_not_booked", call_id=call.call_id, queue=verb.queue, reason=str(fault))
            return CallbackRefused("no_store")

    def _may_call(self, number: str) -> bool:
        return self._policy.outside is None or self._policy.resolve_number(number) is not None


def _impersonal(call: Call, value: str) -> str:
    """A tag without the caller's own number or name: the ledger must not say who called. And without what does not
    print: reports show tags in terminals.
    """
    is_cut = len(value) == MAX_CHARACTERS
    for told in (call.ani, call.ani.removeprefix("+"), call.caller_name.strip()):
        if len(told) >= _TELLING_CHARACTERS:
            value = value.replace(told, "...")
            value = _without_beginning(value, told) if is_cut else value
    return clean(value)


def _without_beginning(value: str, told: str) -> str:
    """A tag that was cut in the middle of a name, without the rest of it."""
    sizes = range(len(told) - 1, _TELLING_CHARACTERS - 1, -1)
    size = next((size for size in sizes if value.endswith(told[:size])), 0)
    return f"{value[:-size]}..." if size else value
