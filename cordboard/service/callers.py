"""Who the callers of this worker are: their look-ups, and what an agent is to see of them.

A look-up begins the moment a call arrives, beside the first prompt. A flow may wait for it (`lookup`) for a moment;
what comes later than that still reaches the agent's desk, whoever holds the call by then.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import Connection

from cordboard.crm.lookups import Answer, Crm, Lookups, note_of
from cordboard.service.floor import Floor
from cordboard.store.acd_values import CallerNote, Changes, LookupStatus
from cordboard.store.moments import now
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Outcome
from cordboard.telephony.verbs import LookUp

ANSWERS_MAX = 10_000  # more than a worker has calls


class Callers:
    """One worker's callers. Without a CRM nobody is found, and everything else is the same."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._lookups = Lookups(None, self._answered)
        self._has_crm = False
        self._answers: dict[str, Answer] = {}  # the oldest are forgotten: a call may end with another worker
        self._noted: set[str] = set()  # calls whose caller the store knows, and whose answer is still to come

    def use(self, crm: Crm | None) -> None:
        """Ask this CRM from now on."""
        self._has_crm = crm is not None
        self._lookups.swap(crm)

    async def aclose(self) -> None:
        """Give up what is under way."""
        await self._lookups.aclose()

    def arrived(self, call: Call) -> None:
        """A new call: ask who it is, if there is anybody to ask."""
        if self._has_crm:
            self._lookups.begin(call.call_id, call.ani)

    def ended(self, call_id: str) -> None:
        """A call is over: nobody wants to know any more."""
        self._lookups.forget(call_id)
        self._answers.pop(call_id, None)
        self._noted.discard(call_id)

    def let_go(self, call_id: str) -> None:
        """A call goes on without this worker. An answer that is still to come is written when it comes."""
        if call_id not in self._noted and call_id not in self._answers:
            self.ended(call_id)

    def note(self, call: Call, path: tuple[str, ...]) -> CallerNote:
        """What is known of a caller now. What the CRM says later is written later."""
        answer = self._answers.get(call.call_id)
        if answer is None:
            number = self._lookups.begin(call.call_id, call.ani)
        else:
            number = self._lookups.number_of(call.ani)
        status, customer = note_of(answer) if answer is not None else ("pending", {})
        if answer is None:
            self._noted.add(call.call_id)
        return CallerNote(
            call_id=call.call_id,
            ani=call.ani,
            caller_name=call.caller_name,
            dnis=call.dnis,
            number=number,
            path=path,
            lookup=cast(LookupStatus, status),
            customer=customer,
            arrived_at=call.started_at.timestamp(),
        )

    async def look_up(self, call: Call, verb: LookUp) -> Outcome:
        """What the CRM says, after `timeout_s` at most."""
        if verb.number:
            return await self._lookups.look_up(verb.number, verb.timeout_s)
        self._lookups.begin(call.call_id, call.ani)
        return await self._lookups.result(call.call_id, verb.timeout_s)

    def _answered(self, call_id: str, answer: Answer) -> None:
        self._answers[call_id] = answer
        if len(self._answers) > ANSWERS_MAX:
            self.ended(next(iter(self._answers)))
        if call_id not in self._noted:
            return
        self._noted.discard(call_id)
        status, customer = note_of(answer)

        def fact(connection: Connection) -> Changes:
            return self._floor.store.note_lookup(connection, now(), call_id, cast(LookupStatus, status), customer)

        self._floor.note(fact)
