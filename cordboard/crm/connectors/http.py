"""Asks a CRM over HTTP. Made by `opening`; one for each worker, shared by all its calls.

What is promised: an answer or an error within the deadline, whatever the other side does; never a second host (no
redirects, no proxy from the environment, a certificate that fits); at most ANSWER_MAX_BYTES read; another try only
where asking twice does no harm; nobody asks while the breaker is open. Errors say what went wrong in words that
hold neither number nor answer. What a status means:

    200-299            the answer (204: nobody)            `none_if` (404)    no such customer
    408, 429, 5xx      CrmUnavailable                      all others         CrmRejected
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence

import structlog

from cordboard.crm.breaker import Breaker, Ticket
from cordboard.crm.connector import CrmResting
from cordboard.crm.customer import Customer, Fields, WrongValue
from cordboard.crm.http_answer import UselessAnswer, customers_in
from cordboard.crm.http_question import address_for, body_for
from cordboard.crm.http_section import Http
from cordboard.errors import CrmRejected, CrmUnavailable
from cordboard.http_client.client import NoAnswer, WebAnswer, WebClient, ask_again

log = structlog.get_logger()

ANSWER_MAX_BYTES = 256 * 1024  # a customer has a few kilobytes, and there may be twenty
TRIES = 3

_NOBODY = 204
_BUSY = frozenset({408, 429})
_NOT_LET_IN = frozenset({401, 403})


class HttpConnector:
    """See the module. headers: with their secrets; tls: None for the system's certificates."""

    name = "http"

    def __init__(
        self,
        http: Http,
        fields: Fields,
        headers: Mapping[str, str],
        tls: ssl.SSLContext | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self._http = http
        self._fields = fields
        self._breaker = breaker or Breaker()
        self._client = WebClient(headers, tls, answer_max_bytes=ANSWER_MAX_BYTES)

    async def find(self, number: str, timeout_s: float) -> Sequence[Customer]:
        """See `Connector`."""
        ticket = self._breaker.enter(_now())
        if ticket is None:
            raise CrmResting("not asked, as the last questions failed", connector=self.name)
        try:
            async with asyncio.timeout(timeout_s):
                found = await self._ask(number, timeout_s)
        except (TimeoutError, CrmUnavailable) as fault:
            self._note_failure(ticket)
            if isinstance(fault, CrmUnavailable):
                raise
            raise self._unavailable(f"no answer within {timeout_s:g} s") from fault
        except CrmRejected:
            self._note_answer(ticket)  # of no use, but there
            raise
        self._note_answer(ticket)
        return found

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _ask(self, number: str, timeout_s: float) -> Sequence[Customer]:
        is_repeatable = self._http.is_repeatable
        try:
            return await ask_again(
                lambda: self._ask_once(number), attempts=TRIES, timeout_s=timeout_s, is_repeatable=is_repeatable
            )
        except NoAnswer as fault:
            raise (self._unavailable if fault.is_passing else self._rejected)(str(fault)) from fault

    async def _ask_once(self, number: str) -> Sequence[Customer]:
        address, body = address_for(self._http, number), body_for(self._http, number)
        answer = await self._client.exchange(self._http.method, address, body)
        if answer.status in self._http.none_if or answer.status == _NOBODY:
            return []
        self._check_status(answer)
        try:
            return customers_in(answer.body, self._http, self._fields)
        except (UselessAnswer, WrongValue) as fault:
            raise self._rejected(str(fault)) from fault

    def _check_status(self, answer: WebAnswer) -> None:
        """Raises what a status that is no good answer means: see the module."""
        words = f"it answered with status {answer.status}"
        if answer.status >= 500:
            raise NoAnswer(words, status=answer.status)
        if answer.status in _BUSY:
            raise self._unavailable(words)
        if 300 <= answer.status < 400:
            raise self._rejected(f"{words}: redirects are not followed")
        if not 200 <= answer.status < 300:
            hint = "; look at `headers` in crm.yaml" if answer.status in _NOT_LET_IN else ""
            raise self._rejected(f"{words}{hint}")

    def _note_answer(self, ticket: Ticket) -> None:
        if self._breaker.answered(ticket, _now()):
            log.info("crm_answers_again", connector=self.name)

    def _note_failure(self, ticket: Ticket) -> None:
        if self._breaker.failed(ticket, _now()):
            log.warning("crm_rests", connector=self.name, rest_s=self._breaker.rest_s)

    def _unavailable(self, words: str) -> CrmUnavailable:
        return CrmUnavailable(words, connector=self.name)

    def _rejected(self, words: str) -> CrmRejected:
        return CrmRejected(words, connector=self.name)


def _now() -> float:
    return asyncio.get_running_loop().time()
