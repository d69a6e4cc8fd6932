"""Carries out the flows' `HttpRequest`s: an answer with typed values, or why there is none, within the deadline.

One for each worker, called by `errands`. Nothing here raises for what a service does: what breaks is an
`HttpFailed` and one line in the log, without anything of the question or the answer. Another attempt is made where
the flow allows one: of GET, PUT and DELETE as they are, of POST and PATCH with a key (`Idempotency-Key`) by which
the service can tell a second attempt from a second order. Nobody asks a service while its breaker is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson
import structlog

from cordboard.http_client.client import NoAnswer, WebAnswer, ask_again
from cordboard.http_client.json_path import value_at
from cordboard.service.foreign_values import Value, WrongValue, take_value
from cordboard.service.metrics import Metrics
from cordboard.service.web_services import OpenService
from cordboard.telephony.outcomes import HttpAnswered, HttpFailed
from cordboard.telephony.verbs import AnswerField, HttpRequest

log = structlog.get_logger()

UNDER_WAY_MAX = 200  # requests of one worker at once; services that leave more unanswered are down
_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
_SERVES_NOTHING = 204


class HttpRequests:
    """The web services of one worker."""

    def __init__(self, services: Mapping[str, OpenService], metrics: Metrics) -> None:
        self._services = dict(services)
        self._metrics = metrics
        self._under_way = 0

    async def use(self, services: Mapping[str, OpenService]) -> None:
        """Ask these from now on. What is under way is answered by the old ones."""
        old, self._services = self._services, dict(services)
        for service in old.values():
            await service.retire()

    async def aclose(self) -> None:
        """Let go of all connections."""
        await self.use({})

    async def request(self, call_id: str, verb: HttpRequest) -> HttpAnswered | HttpFailed:
        """The answer, by the verb's deadline."""
        outcome = await self._request(verb)
        has_failed = isinstance(outcome, HttpFailed)
        self._metrics.http_requests.labels(verb.service, "failed" if has_failed else "answered").inc()
        if isinstance(outcome, HttpFailed):
            log.warning(
                "http_failed",
                call_id=call_id,
                service=verb.service,
                method=verb.method,
                status=outcome.status,
                reason=outcome.reason,
            )
        return outcome

    async def _request(self, verb: HttpRequest) -> HttpAnswered | HttpFailed:
        service = self._services.get(verb.service)
        if service is None:
            return HttpFailed("there is no such service in the settings any more")
        if self._under_way >= UNDER_WAY_MAX:
            return HttpFailed("too many requests are under way")
        ticket = service.enter()
        if ticket is None:
            return HttpFailed("not asked, as the last requests failed")
        self._under_way += 1
        try:
            async with service:
                return await _ask(service, ticket, verb)
        finally:
            self._under_way -= 1


async def _ask(service: OpenService, ticket: int, verb: HttpRequest) -> HttpAnswered | HttpFailed:
    try:
        async with asyncio.timeout(verb.timeout_s):
            answer = await _attempts(service, verb)
    except TimeoutError:
        service.note_failure(ticket)
        return HttpFailed(f"no answer within {verb.timeout_s:g} s")
    except NoAnswer as fault:
        (service.note_failure if fault.is_passing else service.note_answer)(ticket)
        return HttpFailed(str(fault), fault.status)
    service.note_answer(ticket)
    return _read(answer, verb.answer)


async def _attempts(service: OpenService, verb: HttpRequest) -> WebAnswer:
    is_repeatable = verb.method in _REPEATABLE
    headers = {} if is_repeatable else {"Idempotency-Key": str(uuid4())}
    return await ask_again(
        lambda: service.ask(verb, headers),
        attempts=1 + verb.retries,
        timeout_s=verb.timeout_s,
        is_repeatable=True,  # by its method, or because the flow asked for it and the key goes along
    )


def _read(answer: WebAnswer, wanted: tuple[AnswerField, ...]) -> HttpAnswered | HttpFailed:
    """What the flow wanted of an answer. Without a wish it may hold anything, or nothing."""
    if not wanted or answer.status == _SERVES_NOTHING:
        return HttpAnswered(answer.status)
    try:
        return HttpAnswered(answer.status, _values(orjson.loads(answer.body), wanted))
    except orjson.JSONDecodeError:
        return HttpFailed("the answer is no JSON", answer.status)
    except WrongValue as fault:
        return HttpFailed(str(fault), answer.status)


def _values(whole: Any, wanted: tuple[AnswerField, ...]) -> dict[str, Value]:
    """The values that are there; null is not. Raises WrongValue."""
    found = {one: value_at(whole, one.path) for one in wanted}
    return {one.name: take_value(one.path, one.kind, raw) for one, raw in found.items() if raw is not None}
