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
import logging
import ssl
from collections.abc import Mapping, Sequence

import httpx2
import stamina
import structlog

from cordboard.crm.breaker import Breaker, Ticket
from cordboard.crm.connector import CrmResting
from cordboard.crm.customer import Customer, Fields, WrongValue
from cordboard.crm.http_answer import UselessAnswer, customers_in
from cordboard.crm.http_question import address_for, body_for
from cordboard.crm.http_section import Http
from cordboard.errors import CrmRejected, CrmUnavailable

log = structlog.get_logger()

ANSWER_MAX_BYTES = 256 * 1024  # a customer has a few kilobytes, and there may be twenty
CONNECTIONS_MAX = 32  # under way at once; a CRM that needs more for one switchboard is too slow anyway
TRIES = 3
FIRST_WAIT_S, LONGEST_WAIT_S, JITTER_S = 0.03, 0.2, 0.03  # a caller waits: three tries fit into the default 0.8 s

_BUSY = frozenset({408, 429})
_NOT_LET_IN = frozenset({401, 403})
_LIBRARIES_THAT_LOG_ADDRESSES = ("httpx2", "httpcore2")  # an address holds the caller's number


class _Passing(Exception):
    """A fault that may be gone a moment later. was_sent: the CRM may have read the question."""

    def __init__(self, words: str, *, was_sent: bool = True) -> None:
        self.was_sent = was_sent
        super().__init__(words)


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
        _quieten_libraries()
        self._http = http
        self._fields = fields
        self._breaker = breaker or Breaker()
        self._client = httpx2.AsyncClient(
            headers={"Accept": "application/json", **headers, "Accept-Encoding": "identity"},
            verify=tls if tls is not None else True,
            follow_redirects=False,
            trust_env=False,
            timeout=None,  # every question has one deadline, see `find`
            limits=httpx2.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=30.0),
        )

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
        try:
            async for attempt in stamina.retry_context(
                on=self._may_ask_again,
                attempts=TRIES,
                timeout=timeout_s,
                wait_initial=FIRST_WAIT_S,
                wait_max=LONGEST_WAIT_S,
                wait_jitter=JITTER_S,
            ):
                with attempt:
                    return await self._ask_once(number)
        except _Passing as fault:
            raise self._unavailable(str(fault)) from fault
        raise AssertionError("a retry that neither returns nor raises")

    def _may_ask_again(self, fault: Exception) -> bool:
        return isinstance(fault, _Passing) and (self._http.is_repeatable or not fault.was_sent)

    async def _ask_once(self, number: str) -> Sequence[Customer]:
        request = self._request(number)
        try:
            response = await self._client.send(request, stream=True)
            try:
                answer = await self._read(response)
            finally:
                await response.aclose()
        except httpx2.ConnectError as fault:
            raise _Passing(f"cannot connect: {fault}", was_sent=False) from fault
        except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
            raise _Passing(f"the connection broke ({type(fault).__name__})") from fault
        if answer is None:
            return []
        try:
            return customers_in(answer, self._http, self._fields)
        except (UselessAnswer, WrongValue) as fault:
            raise self._rejected(str(fault)) from fault

    def _request(self, number: str) -> httpx2.Request:
        address, body = address_for(self._http, number), body_for(self._http, number)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        return self._client.build_request(self._http.method, address, content=body, headers=headers)

    async def _read(self, response: httpx2.Response) -> bytes | None:
        """The body of a good answer; None for nobody."""
        status = response.status_code
        if status in self._http.none_if or status == httpx2.codes.NO_CONTENT:
            return None
        if status >= 500:
            raise _Passing(f"it answered with status {status}")
        if status in _BUSY:
            raise self._unavailable(f"it answered with status {status}")
        if 300 <= status < 400:
            raise self._rejected(f"it answered with status {status}: redirects are not followed")
        if not 200 <= status < 300:
            hint = "; look at `headers` in crm.yaml" if status in _NOT_LET_IN else ""
            raise self._rejected(f"it answered with status {status}{hint}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise self._rejected("it compressed its answer without being asked to")
        return await self._read_body(response)

    async def _read_body(self, response: httpx2.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > ANSWER_MAX_BYTES:
                raise self._rejected(f"the answer has more than {ANSWER_MAX_BYTES} bytes")
        return bytes(body)

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


def _quieten_libraries() -> None:
    """What is to be said about a question is said once, by `lookups`."""
    for library in _LIBRARIES_THAT_LOG_ADDRESSES:
        logging.getLogger(library).setLevel(logging.WARNING)
    stamina.instrumentation.set_on_retry_hooks(())
