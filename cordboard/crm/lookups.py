"""Who is calling: one question for each call, begun when it arrives, and answered whenever the CRM can.

Used by the service, one for each worker. A flow waits for an answer with `result`, for as long as it says and never
longer; the question itself goes on behind it, up to `patience_s`, and `on_result` tells what came of it in the end,
so that an agent sees a record that was too late for the flow. Calls from one number at one time share a question.
Nothing here raises for what a CRM does: what breaks is a `NotLookedUp`, and one line in the log.

Everything is bounded: CALLS_MAX calls are remembered (the oldest are forgotten), ASKED_MAX questions are under way
at once (the next is refused at once), and each ends by its deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from cordboard.crm.connector import Connector, CrmResting
from cordboard.crm.customer import Customer
from cordboard.crm.phone_numbers import to_e164
from cordboard.errors import CrmError
from cordboard.telephony.outcomes import LookedUp, NotLookedUp

log = structlog.get_logger()

CALLS_MAX = 10_000  # more than a worker takes; each is a few hundred bytes
ASKED_MAX = 200  # a CRM that leaves more than this unanswered is down, whatever its breaker says
OTHERS_MAX = 4  # beside the best match; what fits on an agent's screen

Answer = LookedUp | NotLookedUp
OnResult = Callable[[str, Answer], None]

_WITHHELD = LookedUp("withheld")
_NO_CRM = NotLookedUp("there is no CRM")
_UNKNOWN_CALL = NotLookedUp("nobody was asked about this call")
_TOO_MANY = NotLookedUp("too many questions are under way")


@dataclass(frozen=True, slots=True)
class Crm:
    """What is asked, as of the last reload. country: whose numbers those without country code are."""

    connector: Connector
    country: str
    patience_s: float = 8.0


def _ignore(_call_id: str, _answer: Answer) -> None:
    """Nobody wants to hear of late answers."""


class Lookups:
    """See the module. crm: None without a CRM. on_result: told of each call that was begun, in the event loop."""

    def __init__(self, crm: Crm | None, on_result: OnResult = _ignore) -> None:
        self._crm = crm
        self._on_result = on_result
        self._calls: dict[str, asyncio.Future[Answer]] = {}
        self._asked: dict[str, asyncio.Task[Answer]] = {}
        self._under_way: set[asyncio.Task[Answer]] = set()
        self._closing: set[asyncio.Task[None]] = set()

    def begin(self, call_id: str, caller: str) -> str:
        """Ask about a caller, unless that was done. Returns the number in E.164, "" if there is none to look for.

        caller: the number as the trunk sent it, or E.164 already.
        """
        number = self.number_of(caller)
        if call_id not in self._calls:
            self._remember(call_id, self._answer_about(number))
        return number

    def number_of(self, caller: str) -> str:
        """The number in E.164, "" if it is withheld or none."""
        return to_e164(caller, self._crm.country if self._crm else "") or ""

    async def result(self, call_id: str, timeout_s: float) -> Answer:
        """The answer about a call that was begun, after `timeout_s` at most."""
        answer = self._calls.get(call_id)
        return await _within(answer, timeout_s) if answer is not None else _UNKNOWN_CALL

    async def look_up(self, number: str, timeout_s: float) -> Answer:
        """The answer about any number, as a caller may have typed it, after `timeout_s` at most."""
        return await _within(self._answer_about(self.number_of(number)), timeout_s)

    def forget(self, call_id: str) -> None:
        """The call has ended, or is another worker's: nothing more is told of it."""
        self._calls.pop(call_id, None)

    def swap(self, crm: Crm | None) -> None:
        """Ask another CRM from now on. The old one answers what is under way and is closed then."""
        old, self._crm = self._crm, crm
        self._asked = {}
        if old is not None:
            closing = asyncio.create_task(_close_after(old.connector, list(self._under_way)))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Give up what is under way and close the connector."""
        self._calls.clear()
        for question in self._under_way:
            question.cancel()
        await asyncio.gather(*self._under_way, *self._closing, return_exceptions=True)
        if self._crm is not None:
            await self._crm.connector.close()

    def _remember(self, call_id: str, answer: asyncio.Future[Answer]) -> None:
        while len(self._calls) >= CALLS_MAX:
            self._calls.pop(next(iter(self._calls)))
        self._calls[call_id] = answer
        answer.add_done_callback(lambda done: self._report(call_id, done))

    def _report(self, call_id: str, done: asyncio.Future[Answer]) -> None:
        if self._calls.get(call_id) is done and not done.cancelled():
            self._on_result(call_id, done.result())

    def _answer_about(self, number: str) -> asyncio.Future[Answer]:
        """The answer to come; one that is there already, if nobody needs to be asked."""
        if not number:
            return _settled(_WITHHELD)
        if self._crm is None:
            return _settled(_NO_CRM)
        if (asked := self._asked.get(number)) is not None:
            return asked
        if len(self._under_way) >= ASKED_MAX:
            return _settled(_TOO_MANY)
        question = asyncio.create_task(_ask(self._crm, number))
        self._asked[number] = question
        self._under_way.add(question)
        question.add_done_callback(lambda done: self._forget_question(number, done))
        return question

    def _forget_question(self, number: str, done: asyncio.Task[Answer]) -> None:
        self._under_way.discard(done)
        if self._asked.get(number) is done:
            del self._asked[number]


def note_of(answer: Answer) -> tuple[str, Mapping[str, Any]]:
    """An answer as it is kept for the agent's screen: the status, and the best customer's fields by name with, if
    several have the number, `matches` and `others` beside them.
    """
    if isinstance(answer, NotLookedUp):
        return "failed", {}
    if answer.status != "several":
        return answer.status, dict(answer.fields)
    others = [dict(fields) for fields in answer.others]
    return "several", {**answer.fields, "matches": answer.matches, "others": others}


def looked_up(customers: list[Customer]) -> LookedUp:
    """What a connector found, best first, as an outcome."""
    if not customers:
        return LookedUp("none")
    best, *rest = (customer.fields for customer in customers)
    return LookedUp("several" if rest else "found", best, len(customers), tuple(rest[:OTHERS_MAX]))


async def _ask(crm: Crm, number: str) -> Answer:
    """Never raises but to be cancelled."""
    began_at = asyncio.get_running_loop().time()
    try:
        return looked_up(list(await crm.connector.find(number, crm.patience_s)))
    except CrmResting as resting:
        return NotLookedUp(str(resting))  # said in the log once, when it began to rest
    except CrmError as fault:
        reason = str(fault)
    except Exception as fault:  # a connector's own mistake takes no call with it
        reason = f"{crm.connector.name}: {type(fault).__name__}"
    took_ms = round((asyncio.get_running_loop().time() - began_at) * 1000)
    log.warning("crm_failed", connector=crm.connector.name, reason=reason, took_ms=took_ms)
    return NotLookedUp(reason)


async def _within(answer: asyncio.Future[Answer], timeout_s: float) -> Answer:
    """The answer if it comes in time; the question goes on either way."""
    done, _ = await asyncio.wait([answer], timeout=timeout_s)
    if not done:
        return NotLookedUp(f"no answer within {timeout_s:g} s")
    return NotLookedUp("given up") if answer.cancelled() else answer.result()


def _settled(answer: Answer) -> asyncio.Future[Answer]:
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    future.set_result(answer)
    return future


async def _close_after(connector: Connector, questions: list[asyncio.Task[Answer]]) -> None:
    if questions:
        await asyncio.wait(questions)
    await connector.close()
