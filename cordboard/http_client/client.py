"""Asks one web service: one request, one bounded answer or one fault, and more attempts where they do no harm.

Used by the CRM connector and by `service.http_requests`. What is promised: never a second host (no redirects, no
proxy from the environment, a certificate that fits); at most `answer_max_bytes` read, and of a bad status nothing;
nothing compressed, so that nothing unfolds. Faults say what went wrong in words that hold neither the question nor
the answer. There is no deadline here: whoever asks puts one around everything.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import httpx2
import stamina

from cordboard.http_client.guarded_transport import AddressRefused, GuardedTransport, HostBook

CONNECTIONS_MAX = 32  # under way at once; a service that needs more for one switchboard is too slow anyway
FIRST_WAIT_S, LONGEST_WAIT_S, JITTER_S = 0.03, 0.2, 0.03  # a caller waits: three tries fit into 0.8 s

_LIBRARIES_THAT_LOG_ADDRESSES = ("httpx2", "httpcore2")  # an address holds the caller's number

T = TypeVar("T")


class NoAnswer(Exception):
    """There is no answer that could be used. The words are for the log.

    is_passing: it may be gone a moment later; was_sent: the service may have read the question; status: 0 for none.
    """

    def __init__(self, words: str, *, is_passing: bool = True, was_sent: bool = True, status: int = 0) -> None:
        self.is_passing, self.was_sent, self.status = is_passing, was_sent, status
        super().__init__(words)


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What came back. body: "" of any status but 2xx."""

    status: int
    body: bytes = field(repr=False)


class WebClient:
    """The connections to one service. headers: with their secrets; tls: None for the system's certificates.

    book: which addresses the service may have; None for any, where the admin's address is all there is.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        tls: ssl.SSLContext | None,
        *,
        answer_max_bytes: int,
        book: HostBook | None = None,
    ) -> None:
        _quieten_libraries()
        self._answer_max_bytes = answer_max_bytes
        transport: httpx2.AsyncBaseTransport = httpx2.AsyncHTTPTransport(
            verify=tls if tls is not None else True,
            trust_env=False,
            limits=httpx2.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=30.0),
        )
        self._client = httpx2.AsyncClient(
            headers={"Accept": "application/json", **headers, "Accept-Encoding": "identity"},
            transport=transport if book is None else GuardedTransport(transport, book),
            follow_redirects=False,
            trust_env=False,
            timeout=None,
        )

    async def exchange(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> WebAnswer:
        """One request and its answer, whatever its status. body: JSON. Raises NoAnswer."""
        content_type = {"Content-Type": "application/json"} if body is not None else {}
        try:
            request = self._client.build_request(
                method, url, content=body, headers={**content_type, **(headers or {})}
            )
            response = await self._client.send(request, stream=True)
            try:
                return await self._read(response)
            finally:
                await response.aclose()
        except AddressRefused as fault:
            raise NoAnswer(str(fault), is_passing=False, was_sent=False) from fault
        except httpx2.ConnectError as fault:
            raise NoAnswer(f"cannot connect: {fault}", was_sent=False) from fault
        except httpx2.InvalidURL as fault:
            raise NoAnswer("there is no such address", is_passing=False, was_sent=False) from fault
        except httpx2.HTTPError as fault:
            raise NoAnswer(f"the connection broke ({type(fault).__name__})") from fault

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _read(self, response: httpx2.Response) -> WebAnswer:
        status = response.status_code
        if not 200 <= status < 300 or status == httpx2.codes.NO_CONTENT:
            return WebAnswer(status, b"")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise NoAnswer("it compressed its answer without being asked to", is_passing=False, status=status)
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._answer_max_bytes:
                words = f"the answer has more than {self._answer_max_bytes} bytes"
                raise NoAnswer(words, is_passing=False, status=status)
        return WebAnswer(status, bytes(body))


async def ask_again(ask: Callable[[], Awaitable[T]], *, attempts: int, timeout_s: float, is_repeatable: bool) -> T:
    """What `ask` returns, after more attempts where a fault may pass and asking twice does no harm.

    is_repeatable: the question may be read twice; otherwise it is asked again only if it was never sent.
    Raises NoAnswer: that of the last attempt.
    """

    def may_ask_again(fault: Exception) -> bool:
        return isinstance(fault, NoAnswer) and fault.is_passing and (is_repeatable or not fault.was_sent)

    async for attempt in stamina.retry_context(
        on=may_ask_again,
        attempts=attempts,
        timeout=timeout_s,
        wait_initial=FIRST_WAIT_S,
        wait_max=LONGEST_WAIT_S,
        wait_jitter=JITTER_S,
    ):
        with attempt:
            return await ask()
    raise AssertionError("a retry that neither returns nor raises")


def _quieten_libraries() -> None:
    """What is to be said about a question is said once, by whoever asked it."""
    for library in _LIBRARIES_THAT_LOG_ADDRESSES:
        logging.getLogger(library).setLevel(logging.WARNING)
    stamina.instrumentation.set_on_retry_hooks(())
